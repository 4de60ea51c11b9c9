// Recordings as clients see them.
#include "archive/segment.h"
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

TEST_CASE("archive recordings: a stream goes on when its recording cannot") {
    Rig at(1, std::uint64_t{3} << 20);
    at.options.low_storage_space_threshold = 0;
    at.start();
    ArchiveClient& session = at.connected();
    auto publication = session.add_recorded_exclusive_publication("aeron:ipc?term-length=64k", kStream);
    REQUIRE(publication);
    const std::vector<std::byte> message(1000, std::byte{7});
    std::int64_t sent = 0;
    // Twice what the disk takes.
    CHECK(at.run_until([&] {
        while (sent < 6000 && (*publication)->offer(message).is_ok()) {
            ++sent;
        }
        return sent == 6000;
    }));
    CHECK(at.run_until([&] { return at.has_signal(RecordingSignal::kStop); }));
    REQUIRE(at.errors.size() == 1);
    CHECK(at.errors[0].archive_code == ArchiveErrorCode::kStorageSpace);
    CHECK(at.count_counters(counter_type::kRecordingPosition) == 0);
    const std::int64_t stop = session.stop_position(0).value();
    CHECK(stop > 1 << 20);
    CHECK(stop < (*publication)->position());
    // Nothing is left behind where it ends.
    for (const port::DirectoryEntry& entry : at.disk.list()) {
        const auto segment = archive::parse_segment_name(entry.name);
        if (!segment) {
            continue;
        }
        CHECK(segment->base < stop);
        const auto opened = at.disk.open(entry.name);
        std::vector<std::byte> bytes(at.disk.length(opened.file));
        (void)at.disk.read(opened.file, 0, bytes);
        at.disk.close(opened.file);
        const auto end = std::min<std::size_t>(bytes.size(), static_cast<std::size_t>(stop - segment->base));
        CHECK(std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(end), bytes.end(),
            [](std::byte byte) { return byte == std::byte{0}; }));
    }
    // What is there is kept, and what is asked for now is answered.
    CHECK(session.truncate_recording(0, 0));
    CHECK(at.run_until([&] { return at.has_signal(RecordingSignal::kDelete); }));
    CHECK(session.stop_recording(**publication));
}

TEST_CASE("archive recordings: a stream that does not fit what it should extend goes on, too") {
    Rig at;
    at.start();
    ArchiveClient& session = at.connected();
    {
        auto first = session.add_recorded_exclusive_publication("aeron:ipc?term-length=64k", kStream);
        REQUIRE(first);
        REQUIRE(at.run_until([&] { return at.has_signal(RecordingSignal::kStart); }));
        REQUIRE(session.stop_recording(**first));
    }
    REQUIRE(session.extend_recording(0, "aeron:ipc?term-length=128k", kStream, SourceLocation::kLocal));
    const auto request = at.client->async_add_exclusive_publication("aeron:ipc?term-length=128k", kStream);
    REQUIRE(request);
    std::unique_ptr<ExclusivePublication> publication;
    REQUIRE(at.run_until([&] {
        publication = at.client->find_exclusive_publication(*request).value();
        return publication != nullptr;
    }));
    const std::vector<std::byte> message(1000, std::byte{7});
    int sent = 0;
    CHECK(at.run_until([&] {
        sent += publication->offer(message).is_ok() ? 1 : 0;
        return sent == 500;
    }));
    REQUIRE(at.errors.size() == 1);
    CHECK(at.errors[0].archive_code == ArchiveErrorCode::kInvalidExtension);
}

TEST_CASE("archive recordings: a server ends in the middle of them") {
    Rig at;
    at.start();
    ArchiveClient& session = at.connected();
    std::vector<std::unique_ptr<ExclusivePublication>> publications;
    for (const std::int32_t stream : {1, 2, 3}) {
        REQUIRE(session.start_recording("aeron:ipc", stream, SourceLocation::kLocal));
        publications.push_back(
            at.client->add_exclusive_publication("aeron:ipc?term-length=64k", stream).value());
    }
    CHECK(at.run_until([&] { return at.count_counters(counter_type::kRecordingPosition) == 3; }));
}
