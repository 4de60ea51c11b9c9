// Catching up with a live stream, and reading how far a recording is without asking.
#include <algorithm>

#include "bench.h"
#include "fulmar/archive/recording_position.h"
#include "fulmar/archive/replay_merge.h"

using namespace fulmar;
using namespace fulmar::archive_peer;

namespace {

/// A stream to two places: the recording and whoever joins later.
struct Live {
    explicit Live(Bench& bench) {
        control = free_endpoint();
        recorded.stream_id = next_stream_id();
        recorded.publication = value_of(bench.client->add_exclusive_publication(
            "aeron:udp?control-mode=dynamic|control=" + control + "|term-length=64k|fc=min",
            recorded.stream_id));
        session_id = recorded.publication->session_id();
        recorded.channel =
            "aeron:udp?endpoint=localhost:0|control=" + control + "|session-id=" + std::to_string(session_id);
        (void)value_of(
            bench.archive->start_recording(recorded.channel, recorded.stream_id, SourceLocation::kRemote));
        recorded.recording_id = bench.await_signal(RecordingSignal::kStart).recording_id;
    }
    [[nodiscard]] std::string session(const std::string& prefix) const {
        return prefix + "session-id=" + std::to_string(session_id);
    }

    std::string control;
    std::int32_t session_id = 0;
    Recorded recorded;
};

}  // namespace

TEST_CASE("archive peer: a replay merges with the live stream, without a gap or a repeat") {
    Bench bench;
    Live live(bench);
    Recorded& recorded = live.recorded;
    recorded.publish(bench, 500);  // many terms ago

    auto subscription = value_of(
        bench.client->add_subscription(live.session("aeron:udp?control-mode=manual|"), recorded.stream_id));
    ReplayMergeOptions options;
    options.recording_id = recorded.recording_id;
    options.replay_channel = live.session("aeron:udp?");
    options.live_destination = "aeron:udp?endpoint=localhost:0|control=" + live.control;
    auto merge = value_of(ReplayMerge::create(*bench.archive, *subscription, options));
    FragmentAssembler<std::reference_wrapper<Numbers>> whole{std::ref(recorded.numbers)};
    bench.await("the merge", [&] {
        if (recorded.numbers.published < 2000 &&
            recorded.publication->offer(Numbers::message(recorded.numbers.published)).is_ok()) {
            ++recorded.numbers.published;
        }
        merge->poll(whole, 10);
        REQUIRE_MESSAGE(!merge->has_failed(), (merge->has_failed() ? merge->error()->message : ""));
        return merge->is_merged();
    });
    CHECK(merge->is_live_added());
    REQUIRE(merge->image() != nullptr);
    merge.reset();  // the live stream stays

    bench.await("the live stream", [&] {
        if (recorded.numbers.published < 2500 &&
            recorded.publication->offer(Numbers::message(recorded.numbers.published)).is_ok()) {
            ++recorded.numbers.published;
        }
        subscription->poll(whole, 10);
        return recorded.numbers.read == 2500;
    });
    CHECK(subscription->image_count() == 1);
    CHECK(bench.errors.empty());
}

TEST_CASE("archive peer: another archive copies a recording, and goes on with the live stream") {
    const std::string second_channel = variable("ARCHIVE_SECOND_CHANNEL");
    if (second_channel.empty()) {
        MESSAGE("skipped: no ARCHIVE_SECOND_CHANNEL");
        return;
    }
    Bench source;
    Bench copy(second_channel);
    Live live(source);
    Recorded& recorded = live.recorded;
    recorded.publish(source, 500);

    ReplicationParams params;
    params.live_destination = "aeron:udp?endpoint=localhost:0|control=" + live.control;
    const std::int64_t id =
        value_of(copy.archive->replicate(recorded.recording_id, control_channel(), 10, params));
    const std::int64_t copied = copy.await_signal(RecordingSignal::kReplicate, id).recording_id;
    copy.await("the merge", [&] {
        if (recorded.numbers.published < 1500 &&
            recorded.publication->offer(Numbers::message(recorded.numbers.published)).is_ok()) {
            ++recorded.numbers.published;
        }
        source.client->poll();
        return std::any_of(copy.signals.begin(), copy.signals.end(), [&](const RecordingSignalEvent& event) {
            return event.signal == RecordingSignal::kMerge && event.correlation_id == id;
        });
    });
    (void)copy.await_signal(RecordingSignal::kReplicateEnd, id);
    // The source has done its part; the live stream is enough.
    require_ok(source.archive->stop_recording(recorded.channel, recorded.stream_id));
    recorded.numbers.publish(copy, *recorded.publication, 2000 - recorded.numbers.published);
    const std::int64_t end = recorded.publication->position();
    copy.await(
        "the copy has it all", [&] { return value_of(copy.archive->recording_position(copied)) == end; });
    recorded.publication->close();
    copy.await("the copy stops", [&] { return value_of(copy.archive->stop_position(copied)) == end; });

    auto replay =
        value_of(copy.archive->replay(copied, "aeron:udp?endpoint=localhost:0", next_stream_id(), {}));
    FragmentAssembler<std::reference_wrapper<Numbers>> whole{std::ref(recorded.numbers)};
    copy.await("all is replayed", [&] {
        replay->poll(whole, 10);
        return recorded.numbers.read >= 2000;
    });
    CHECK(recorded.numbers.read == 2000);
    CHECK(copy.errors.empty());
}

TEST_CASE("archive peer: a merge that cannot be says why") {
    Bench bench;
    auto plain = value_of(bench.client->add_subscription("aeron:ipc", next_stream_id()));
    CHECK_FALSE(ReplayMerge::create(*bench.archive, *plain, {}));
    auto manual = value_of(bench.client->add_subscription("aeron:udp?control-mode=manual", next_stream_id()));
    ReplayMergeOptions options;
    options.recording_id = 1'000'000;
    CHECK_FALSE(ReplayMerge::create(*bench.archive, *manual, options));  // no live destination
    options.live_destination = "aeron:udp?endpoint=localhost:0";
    auto merge = value_of(ReplayMerge::create(*bench.archive, *manual, options));
    bench.await("the failure", [&] {
        merge->do_work();
        return merge->has_failed();
    });
    CHECK(merge->error()->archive_code == ArchiveErrorCode::kUnknownRecording);
    CHECK(merge->do_work() == 0);
}

TEST_CASE("archive peer: a counter says how far a recording is, until it stops") {
    Bench bench;
    Recorded recorded = record(bench);
    recorded.publish(bench, 10);
    const CountersReader counters = bench.client->counters();
    const std::int64_t archive_id = bench.archive->archive_id();
    const auto id = find_recording_counter(counters, recorded.recording_id, archive_id);
    REQUIRE(id);
    CHECK(find_recording_counter(counters, recorded.recording_id, kAnyArchive) == id);
    CHECK_FALSE(find_recording_counter(counters, recorded.recording_id, archive_id + 1));
    CHECK(find_recording_counter_by_session(counters, recorded.publication->session_id(), archive_id) == id);
    const auto position = RecordingPosition::open(counters, *id);
    REQUIRE(position);
    CHECK(position->recording_id() == recorded.recording_id);
    CHECK(position->session_id() == recorded.publication->session_id());
    CHECK(position->source_identity() == "aeron:ipc");
    CHECK(position->archive_id() == archive_id);
    CHECK(position->position() == recorded.publication->position());
    recorded.numbers.publish(bench, *recorded.publication, 10);
    bench.await("the counter", [&] { return position->position() == recorded.publication->position(); });
    recorded.stop(bench);
    bench.await("the counter goes", [&] { return !position->is_active(); });
    CHECK(position->position() == kNullPosition);
    CHECK_FALSE(find_recording_counter(counters, recorded.recording_id, archive_id));
    CHECK_FALSE(RecordingPosition::open(counters, *id));
}
