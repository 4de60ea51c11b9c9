// Recordings as clients see them.
#include "server_rig.h"

using namespace fulmar;
using namespace fulmar::archive_server::test;

TEST_CASE("archive recordings: whoever sees a recording's counter finds it in the catalog") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        Rig at(seed);
        at.start();
        ArchiveClient& session = at.connected();
        auto publication = session.add_recorded_publication("aeron:ipc", kStream);
        REQUIRE(publication);
        REQUIRE(at.run_until([&] { return at.counter(counter_type::kRecordingPosition).has_value(); }));
        // The server does no more than read the question before it answers.
        CHECK(session.list_recording(0));
        CHECK(session.list_recordings(0, 10, [](const fulmar::RecordingDescriptor&) {}).value() == 1);
        CHECK(session.find_last_matching_recording(0, "ipc", kStream, (*publication)->session_id()).value() ==
              0);
    }
}

TEST_CASE("archive recordings: a limit of none refuses them all") {
    Rig at;
    at.options.max_concurrent_recordings = 0;
    at.options.max_concurrent_replays = 0;
    at.start();
    ArchiveClient& session = at.connected();
    const auto recording = session.start_recording("aeron:ipc", kStream, SourceLocation::kLocal);
    REQUIRE_FALSE(recording);
    CHECK(recording.error().archive_code == ArchiveErrorCode::kMaxRecordings);
    const auto replay = session.start_replay(0, "aeron:ipc", kStream, {});
    REQUIRE_FALSE(replay);
    CHECK(replay.error().archive_code == ArchiveErrorCode::kMaxReplays);
}
