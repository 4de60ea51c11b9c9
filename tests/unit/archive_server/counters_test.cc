// What tools see of an archive.
#include "archive_server/counters.h"

#include "server_rig.h"

using namespace fulmar;
using namespace fulmar::archive_server::test;

namespace {

std::int64_t value(Rig& at, std::int32_t type_id) {
    const auto counter = at.counter(type_id);
    REQUIRE_MESSAGE(counter, "no counter of type ", type_id);
    return counter->value;
}

std::int64_t key_at(const observe::CounterView& counter, std::size_t offset) {
    REQUIRE(counter.key.size() >= offset + sizeof(std::int64_t));
    return base::load_le<std::int64_t>(counter.key.data(), offset);
}

}  // namespace

TEST_CASE("archive counters: an archive shows itself by the counters that Aeron's tools know") {
    Rig at;
    at.options.archive_id = 77;
    at.start();
    for (std::int32_t type = counter_type::kErrors; type <= counter_type::kReplaySessions; ++type) {
        CAPTURE(type);
        const auto counter = at.counter(type);
        REQUIRE(counter);
        CHECK(key_at(*counter, 0) == 77);
        CHECK(counter->label.find(" - archiveId=77") != std::string::npos);
    }
    CHECK(at.counter(counter_type::kErrors)->label.starts_with("Archive Errors - archiveId=77 version="));
    CHECK(at.counter(counter_type::kMaxCycleTime)->label ==
          "archive-conductor max cycle time in ns: SHARED - archiveId=77");
    CHECK(at.counter(counter_type::kCycleTimeExceeded)->label ==
          "archive-conductor work cycle time exceeded count: threshold=100ms SHARED - archiveId=77");
    CHECK(at.count_counters(counter_type::kMaxCycleTime) == 1);
}

TEST_CASE("archive counters: with threads of their own recorder and replayer have cycle times") {
    Rig at;
    at.options.threading_mode = "DEDICATED";
    at.start();
    CHECK(at.count_counters(counter_type::kMaxCycleTime) == 3);
    CHECK(at.count_counters(counter_type::kCycleTimeExceeded) == 3);
    const std::int64_t before = value(at, counter_type::kCycleTimeExceeded);
    at.step(seconds(2));
    CHECK(value(at, counter_type::kCycleTimeExceeded) == before + 1);
    CHECK(value(at, counter_type::kMaxCycleTime) == seconds(2).ns);
}

TEST_CASE("archive counters: each client has one while its session lasts") {
    Rig at;
    at.options.archive_id = 77;
    at.start();
    CHECK(value(at, counter_type::kControlSessions) == 0);
    CHECK(at.count_counters(counter_type::kControlSession) == 0);
    ArchiveClient& session = at.connected();
    CHECK(value(at, counter_type::kControlSessions) == 1);
    const auto counter = at.counter(counter_type::kControlSession);
    REQUIRE(counter);
    CHECK(counter->value == session.control_session_id());
    CHECK(key_at(*counter, 0) == 77);
    CHECK(key_at(*counter, 8) == session.control_session_id());
    CHECK(counter->label.starts_with("control-session: name=tester version="));
    CHECK(counter->label.ends_with(" - archiveId=77"));
    at.session.reset();
    CHECK(at.run_until([&] { return at.count_counters(counter_type::kControlSession) == 0; }));
    CHECK(value(at, counter_type::kControlSessions) == 0);
}

TEST_CASE("archive counters: recordings and replays are counted, and what they move") {
    Rig at;
    at.start();
    ArchiveClient& session = at.connected();
    auto publication = session.add_recorded_exclusive_publication("aeron:ipc", kStream);
    REQUIRE(publication);
    const std::vector<std::byte> message(1000, std::byte{7});
    for (int sent = 0; sent < 100;) {
        sent += (*publication)->offer(message).is_ok() ? 1 : 0;
        at.run(milliseconds(1));
    }
    REQUIRE(at.run_until([&] { return at.counter(counter_type::kRecordingPosition).has_value(); }));
    const std::int64_t end = (*publication)->position();
    REQUIRE(at.run_until([&] { return value(at, counter_type::kRecordingPosition) == end; }));
    CHECK(value(at, counter_type::kRecordingSessions) == 1);
    // Of padding only its header is written.
    const std::int64_t least = 100 * wire::align_frame(1000 + wire::kDataHeaderLength);
    CHECK(at.run_until([&] { return value(at, counter_type::kTotalWriteBytes) >= least; }));
    CHECK(value(at, counter_type::kTotalWriteBytes) <= end);
    CHECK(value(at, counter_type::kTotalWriteTime) > 0);
    CHECK(value(at, counter_type::kMaxWriteTime) > 0);
    CHECK(value(at, counter_type::kMaxWriteTime) <= value(at, counter_type::kTotalWriteTime));

    auto replay = session.replay(0, "aeron:ipc", kStream + 1, {.length = end});
    REQUIRE_MESSAGE(replay, (replay ? "" : replay.error().message));
    CHECK(value(at, counter_type::kReplaySessions) == 1);
    std::int64_t received = 0;
    CHECK(at.run_until([&] {
        (*replay)->poll([&](std::span<const std::byte>, const Header&) { ++received; }, 10);
        return received == 100;
    }));
    CHECK(at.run_until([&] { return value(at, counter_type::kReplaySessions) == 0; }));
    // Of padding, too, only the header is read.
    CHECK(at.run_until([&] { return value(at, counter_type::kTotalReadBytes) >= least; }));
    CHECK(value(at, counter_type::kMaxReadTime) > 0);

    REQUIRE(session.stop_recording(**publication));
    CHECK(at.run_until([&] { return value(at, counter_type::kRecordingSessions) == 0; }));
    CHECK(value(at, counter_type::kTotalWriteBytes) >= least);
    CHECK(value(at, counter_type::kErrors) == 0);
}
