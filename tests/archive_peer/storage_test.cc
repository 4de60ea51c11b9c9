// Cutting, purging, detaching and moving; copies from another archive.
#include "bench.h"

using namespace fulmar;
using namespace fulmar::archive_peer;

namespace {

/// What the one who runs this has the archive configured with, so that a few MiB make several files.
constexpr std::int32_t kSegmentLength = 1 << 20;
/// Messages that fill a bit more than so many segments.
constexpr std::int64_t segments(std::int64_t count) {
    return count * kSegmentLength / 1056 + 10;
}

}  // namespace

TEST_CASE("archive peer: a recording is cut back, and goes when it is purged") {
    Bench bench;
    Recorded recorded = record(bench);
    recorded.publish(bench, 20);
    CHECK(code_of(bench.archive->truncate_recording(recorded.recording_id, 0)) ==
          ArchiveErrorCode::kActiveRecording);
    CHECK(
        code_of(bench.archive->purge_recording(recorded.recording_id)) == ArchiveErrorCode::kActiveRecording);
    const std::int64_t stopped = recorded.stop(bench);
    const std::int64_t message = stopped / 20;

    CHECK(value_of(bench.archive->truncate_recording(recorded.recording_id, 10 * message)) == 0);
    CHECK(bench.await_signal(RecordingSignal::kDelete).recording_id == recorded.recording_id);
    CHECK(value_of(bench.archive->stop_position(recorded.recording_id)) == 10 * message);
    CHECK(value_of(bench.archive->purge_recording(recorded.recording_id)) == 1);
    CHECK(bench.await_signal(RecordingSignal::kDelete).recording_id == recorded.recording_id);
    CHECK(
        code_of(bench.archive->list_recording(recorded.recording_id)) == ArchiveErrorCode::kUnknownRecording);
}

TEST_CASE("archive peer: segments are detached, attached again, deleted and purged") {
    Bench bench;
    Recorded recorded = record(bench);
    recorded.publish(bench, segments(4));
    recorded.stop(bench);
    const RecordingDescriptor descriptor = value_of(bench.archive->list_recording(recorded.recording_id));
    REQUIRE(descriptor.segment_file_length == kSegmentLength);
    const auto base = [&](std::int64_t position) {
        return segment_file_base_position(descriptor.start_position, position, descriptor.term_buffer_length,
            descriptor.segment_file_length);
    };
    const std::int64_t id = recorded.recording_id;
    const std::int64_t second = base(kSegmentLength + 1000);
    REQUIRE(second == kSegmentLength);

    CHECK_FALSE(bench.archive->detach_segments(id, second + 32));
    require_ok(bench.archive->detach_segments(id, second));
    CHECK(value_of(bench.archive->start_position(id)) == second);
    CHECK(value_of(bench.archive->attach_segments(id)) == 1);
    CHECK(value_of(bench.archive->start_position(id)) == 0);
    require_ok(bench.archive->detach_segments(id, second));
    CHECK(value_of(bench.archive->delete_detached_segments(id)) == 1);
    CHECK(bench.await_signal(RecordingSignal::kDelete).recording_id == id);
    CHECK(value_of(bench.archive->attach_segments(id)) == 0);
    CHECK(value_of(bench.archive->purge_segments(id, 3 * kSegmentLength)) == 2);
    CHECK(value_of(bench.archive->start_position(id)) == 3 * kSegmentLength);
}

TEST_CASE("archive peer: the segments of a recording move behind those of another") {
    Bench bench;
    Recorded first = record(bench);
    first.publish(bench, segments(2));
    first.stop(bench);
    // Cut at a segment's end, where another recording of the same stream goes on.
    constexpr std::int64_t kJoint = 2 * kSegmentLength;
    (void)value_of(bench.archive->truncate_recording(first.recording_id, kJoint));
    (void)bench.await_signal(RecordingSignal::kDelete);
    const std::int32_t initial = first.publication->initial_term_id();
    const std::int32_t length = first.publication->term_length();
    const std::string channel =
        "aeron:ipc?term-length=" + std::to_string(length) + "|init-term-id=" + std::to_string(initial) +
        "|term-id=" + std::to_string(initial + static_cast<std::int32_t>(kJoint / length)) + "|term-offset=0";
    Recorded second;
    second.stream_id = first.stream_id;
    second.publication =
        value_of(bench.archive->add_recorded_exclusive_publication(channel, second.stream_id));
    const auto started = bench.await_signal(RecordingSignal::kStart);
    CHECK(started.position == kJoint);
    second.recording_id = started.recording_id;
    second.publish(bench, segments(1));
    const std::int64_t end = second.stop(bench);

    CHECK(value_of(bench.archive->migrate_segments(second.recording_id, first.recording_id)) == 2);
    CHECK(value_of(bench.archive->start_position(first.recording_id)) == 0);
    CHECK(value_of(bench.archive->stop_position(first.recording_id)) == end);
    CHECK(value_of(bench.archive->stop_position(second.recording_id)) == kJoint);
}

TEST_CASE("archive peer: another archive copies a recording, all of it or as it grows") {
    const std::string second_channel = variable("ARCHIVE_SECOND_CHANNEL");
    if (second_channel.empty()) {
        MESSAGE("skipped: no ARCHIVE_SECOND_CHANNEL");
        return;
    }
    Bench source;
    Bench copy(second_channel);
    Recorded recorded = record(source);
    recorded.publish(source, 100);

    // It follows the live recording until it is told to stop.
    const std::int64_t followed =
        value_of(copy.archive->replicate(recorded.recording_id, control_channel(), 10, {}));
    const std::int64_t growing = copy.await_signal(RecordingSignal::kReplicate, followed).recording_id;
    recorded.publish(source, 100);
    copy.await("the copy follows", [&] {
        return value_of(copy.archive->recording_position(growing)) == recorded.publication->position();
    });
    require_ok(copy.archive->stop_replication(followed));
    (void)copy.await_signal(RecordingSignal::kReplicateEnd, followed);
    CHECK(code_of(copy.archive->stop_replication(followed)) == ArchiveErrorCode::kUnknownReplication);

    // It goes on with what it has, to the end.
    recorded.publish(source, 100);
    const std::int64_t stopped = recorded.stop(source);
    ReplicationParams params;
    params.dst_recording_id = growing;
    const std::int64_t resumed =
        value_of(copy.archive->replicate(recorded.recording_id, control_channel(), 10, params));
    CHECK(copy.await_signal(RecordingSignal::kSync, resumed).position == stopped);
    (void)copy.await_signal(RecordingSignal::kReplicateEnd, resumed);
    copy.await("the copy stops", [&] { return value_of(copy.archive->stop_position(growing)) == stopped; });

    CHECK(code_of(copy.archive->replicate(recorded.recording_id, control_channel(), 10,
              ReplicationParams{.dst_recording_id = 1'000'000})) == ArchiveErrorCode::kUnknownRecording);
}

TEST_CASE("archive peer: another archive copies a recording over a response channel") {
    const std::string second_channel = variable("ARCHIVE_SECOND_CHANNEL");
    if (second_channel.empty()) {
        MESSAGE("skipped: no ARCHIVE_SECOND_CHANNEL");
        return;
    }
    Bench source;
    Bench copy(second_channel);
    Recorded recorded = record(source);
    recorded.publish(source, 300);
    ReplicationParams params;
    params.replication_channel = "aeron:udp?control-mode=response|control=" + free_endpoint();
    const std::int64_t id =
        value_of(copy.archive->replicate(recorded.recording_id, control_channel(), 10, params));
    const std::int64_t growing = copy.await_signal(RecordingSignal::kReplicate, id).recording_id;
    // It follows, to the end.
    recorded.publish(source, 300);
    copy.await("the copy follows", [&] {
        return value_of(copy.archive->recording_position(growing)) == recorded.publication->position();
    });
    const std::int64_t stopped = recorded.stop(source);
    (void)copy.await_signal(RecordingSignal::kReplicateEnd, id);
    copy.await("the copy stops", [&] { return value_of(copy.archive->stop_position(growing)) == stopped; });

    auto replay =
        value_of(copy.archive->replay(growing, "aeron:udp?endpoint=localhost:0", next_stream_id(), {}));
    FragmentAssembler<std::reference_wrapper<Numbers>> whole{std::ref(recorded.numbers)};
    copy.await("all is replayed", [&] {
        replay->poll(whole, 10);
        return recorded.numbers.read >= 600;
    });
    CHECK(recorded.numbers.read == 600);

    // Such a stream has one way only.
    params.live_destination = "aeron:udp?endpoint=" + free_endpoint();
    CHECK_FALSE(copy.archive->replicate(recorded.recording_id, control_channel(), 10, params));
    params.live_destination.clear();
    params.channel_tag_id = 5;
    CHECK_FALSE(copy.archive->replicate(recorded.recording_id, control_channel(), 10, params));
}
