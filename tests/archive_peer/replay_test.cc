// Replays: to IPC, to sockets, over response channels; bounded, followed, stopped.
#include "bench.h"

using namespace fulmar;
using namespace fulmar::archive_peer;

namespace {

/// Reads `count` more of the numbers.
void read(Bench& bench, Subscription& subscription, Numbers& numbers, std::int64_t count) {
    FragmentAssembler<std::reference_wrapper<Numbers>> whole{std::ref(numbers)};
    const std::int64_t end = numbers.read + count;
    bench.await("all is replayed", [&] {
        subscription.poll(whole, 10);
        return numbers.read >= end;
    });
    CHECK(numbers.read == end);
}

void await_end(Bench& bench, Subscription& subscription) {
    bench.await("the replay ends", [&] {
        subscription.poll([](auto, const Header&) { FAIL_CHECK("more than was recorded"); }, 10);
        return subscription.has_no_images();
    });
}

}  // namespace

TEST_CASE("archive peer: a recording is replayed whole, over IPC and over sockets") {
    const std::vector<std::string> channels{
        "aeron:ipc", "aeron:udp?endpoint=localhost:0", "aeron:udp?endpoint=" + free_endpoint()};
    for (const std::string& channel : channels) {
        CAPTURE(channel);
        Bench bench;
        Recorded recorded = record(bench);
        recorded.publish(bench, 1000);  // several terms
        recorded.stop(bench);
        auto replay = value_of(bench.archive->replay(recorded.recording_id, channel, next_stream_id(), {}));
        read(bench, *replay, recorded.numbers, 1000);
        await_end(bench, *replay);
        CHECK(bench.errors.empty());
    }
}

TEST_CASE("archive peer: a replay of a live recording goes on with it until it is stopped") {
    Bench bench;
    Recorded recorded = record(bench);
    recorded.publish(bench, 100);
    const std::int32_t stream_id = next_stream_id();
    const std::int64_t replay_session_id =
        value_of(bench.archive->start_replay(recorded.recording_id, "aeron:ipc", stream_id, {}));
    auto replay = value_of(bench.client->add_subscription(
        "aeron:ipc?session-id=" + std::to_string(static_cast<std::int32_t>(replay_session_id)), stream_id));
    read(bench, *replay, recorded.numbers, 100);
    recorded.publish(bench, 100);
    read(bench, *replay, recorded.numbers, 100);
    require_ok(bench.archive->stop_replay(replay_session_id));
    await_end(bench, *replay);
    require_ok(bench.archive->stop_replay(replay_session_id));  // OK also when it has ended
}

TEST_CASE("archive peer: a replay may begin and end anywhere, and be bounded by a counter") {
    Bench bench;
    Recorded recorded = record(bench);
    recorded.publish(bench, 20);
    const std::int64_t message = recorded.publication->position() / 20;
    recorded.stop(bench);

    ReplayParams params;
    params.position = 5 * message;
    params.length = 10 * message;
    auto part = value_of(bench.archive->replay(recorded.recording_id, "aeron:ipc", next_stream_id(), params));
    recorded.numbers.read = 5;
    read(bench, *part, recorded.numbers, 10);
    await_end(bench, *part);

    const std::array<std::byte, 4> key{};
    auto limit = value_of(bench.client->add_counter({20'001, key, "replay limit"}));
    limit->set(7 * message);
    params = {};
    params.bounding_limit_counter_id = limit->id();
    recorded.numbers.read = 0;
    auto bounded =
        value_of(bench.archive->replay(recorded.recording_id, "aeron:ipc", next_stream_id(), params));
    read(bench, *bounded, recorded.numbers, 7);
    limit->set(20 * message);
    read(bench, *bounded, recorded.numbers, 13);  // and it waits for the counter to go on
}

TEST_CASE("archive peer: a replay of all that is there now ends there") {
    Bench bench;
    Recorded recorded = record(bench);
    recorded.publish(bench, 10);
    ReplayParams params;
    params.length = kReplayAllAndStop;
    auto replay =
        value_of(bench.archive->replay(recorded.recording_id, "aeron:ipc", next_stream_id(), params));
    recorded.publish(bench, 10);
    read(bench, *replay, recorded.numbers, 10);
    await_end(bench, *replay);
}

TEST_CASE("archive peer: a replay may come back over a response channel") {
    Bench bench;
    Recorded recorded = record(bench);
    recorded.publish(bench, 300);
    recorded.stop(bench);
    const std::string channel = "aeron:udp?control-mode=response|control=" + free_endpoint();
    auto replay = value_of(bench.archive->replay(recorded.recording_id, channel, next_stream_id(), {}));
    read(bench, *replay, recorded.numbers, 300);
    await_end(bench, *replay);
    // It has to be known where to.
    CHECK_FALSE(bench.archive->start_replay(recorded.recording_id, channel, 1, {}));
}

TEST_CASE("archive peer: replays that cannot be are refused, each with its reason") {
    Bench bench;
    Recorded recorded = record(bench);
    recorded.publish(bench, 10);
    recorded.stop(bench);
    const auto refusal = [&](std::int64_t recording_id, std::int64_t position) {
        ReplayParams params;
        params.position = position;
        return code_of(bench.archive->start_replay(recording_id, "aeron:ipc", next_stream_id(), params));
    };
    CHECK(refusal(1'000'000, 0) == ArchiveErrorCode::kUnknownRecording);
    CHECK(refusal(recorded.recording_id, 1 << 30) == ArchiveErrorCode::kInvalidPosition);
    // A stock archive does not call it INVALID_POSITION when no frame can begin there.
    (void)refusal(recorded.recording_id, 33);
    CHECK_FALSE(bench.archive->start_replay(recorded.recording_id, "aeron:nonsense", 1, {}));
    require_ok(bench.archive->stop_all_replays(recorded.recording_id));
}
