// Recordings: begun, found, listed, stopped, extended.
#include "bench.h"

using namespace fulmar;
using namespace fulmar::archive_peer;

TEST_CASE("archive peer: what is published is recorded, listed and stopped") {
    Bench bench;
    Recorded recorded = record(bench);
    recorded.publish(bench, 100);
    const std::int64_t position = recorded.publication->position();
    CHECK(value_of(bench.archive->max_recorded_position(recorded.recording_id)) == position);
    CHECK(value_of(bench.archive->start_position(recorded.recording_id)) == 0);
    CHECK(value_of(bench.archive->stop_position(recorded.recording_id)) == kNullPosition);

    const RecordingDescriptor active = value_of(bench.archive->list_recording(recorded.recording_id));
    CHECK(active.recording_id == recorded.recording_id);
    CHECK(active.is_active());
    CHECK(active.stream_id == recorded.stream_id);
    CHECK(active.session_id == recorded.publication->session_id());
    CHECK(active.initial_term_id == recorded.publication->initial_term_id());
    CHECK(active.term_buffer_length == recorded.publication->term_length());
    CHECK(active.mtu_length == recorded.publication->mtu());
    CHECK(active.source_identity == "aeron:ipc");
    CHECK(active.original_channel.find("session-id=") != std::string::npos);

    std::vector<RecordingSubscription> subscriptions;
    const auto keep = [&](const RecordingSubscription& each) { subscriptions.push_back(each); };
    CHECK(value_of(bench.archive->list_recording_subscriptions(0, 10, "ipc", recorded.stream_id, keep)) == 1);
    REQUIRE(subscriptions.size() == 1);
    CHECK(subscriptions[0].stream_id == recorded.stream_id);

    CHECK(recorded.stop(bench) == position);
    CHECK(bench.await_signal(RecordingSignal::kStop).position == position);
    CHECK(value_of(bench.archive->recording_position(recorded.recording_id)) == kNullPosition);
    CHECK(value_of(bench.archive->max_recorded_position(recorded.recording_id)) == position);
    CHECK_FALSE(value_of(bench.archive->stop_recording_by_identity(recorded.recording_id)));
    CHECK(value_of(bench.archive->list_recording_subscriptions(0, 10, "ipc", recorded.stream_id, keep)) == 0);
    CHECK(bench.errors.empty());
}

TEST_CASE("archive peer: a listing hands out as many as asked for, and fewer where there are no more") {
    Bench bench;
    std::vector<Recorded> recorded;
    for (int i = 0; i < 3; ++i) {
        recorded.push_back(record(bench));
    }
    std::vector<std::int64_t> ids;
    const auto keep = [&](const RecordingDescriptor& each) { ids.push_back(each.recording_id); };
    CHECK(value_of(bench.archive->list_recordings(recorded[0].recording_id, 2, keep)) == 2);
    CHECK(ids == std::vector{recorded[0].recording_id, recorded[1].recording_id});
    ids.clear();
    CHECK(value_of(bench.archive->list_recordings(recorded[1].recording_id, 100, keep)) == 2);
    CHECK(ids == std::vector{recorded[1].recording_id, recorded[2].recording_id});
    ids.clear();
    CHECK(value_of(
              bench.archive->list_recordings_for_uri(0, 100, "aeron:ipc", recorded[1].stream_id, keep)) == 1);
    CHECK(ids == std::vector{recorded[1].recording_id});
    CHECK(value_of(bench.archive->list_recordings_for_uri(0, 100, "nowhere", 1, keep)) == 0);
    CHECK(value_of(bench.archive->find_last_matching_recording(0, "ipc", recorded[2].stream_id,
              recorded[2].publication->session_id())) == recorded[2].recording_id);
    CHECK(value_of(bench.archive->find_last_matching_recording(0, "nowhere", recorded[2].stream_id,
              recorded[2].publication->session_id())) == kNullRecordingId);
    CHECK_FALSE(bench.archive->list_recordings(0, 0, keep));
}

TEST_CASE("archive peer: many requests may be under way at once") {
    Bench bench;
    Recorded recorded = record(bench);
    recorded.publish(bench, 10);
    std::vector<std::int64_t> requests;
    for (int i = 0; i < 2000; ++i) {
        requests.push_back(value_of(bench.archive->async_recording_position(recorded.recording_id)));
    }
    for (const std::int64_t request : requests) {
        CHECK(value_of(bench.archive->await_response(request)) == recorded.publication->position());
    }
}

TEST_CASE("archive peer: a stopped recording goes on with a publication that begins where it ended") {
    Bench bench;
    Recorded recorded = record(bench);
    recorded.publish(bench, 50);
    const std::int64_t stopped = recorded.stop(bench);
    const std::int32_t initial = recorded.publication->initial_term_id();
    const std::int32_t length = recorded.publication->term_length();
    recorded.publication.reset();

    const std::string channel =
        "aeron:ipc?term-length=" + std::to_string(length) + "|init-term-id=" + std::to_string(initial) +
        "|term-id=" + std::to_string(initial + static_cast<std::int32_t>(stopped / length)) +
        "|term-offset=" + std::to_string(stopped % length);
    recorded.publication = value_of(bench.client->add_exclusive_publication(channel, recorded.stream_id));
    const std::int64_t subscription = value_of(bench.archive->extend_recording(
        recorded.recording_id, "aeron:ipc", recorded.stream_id, SourceLocation::kLocal, true));
    const auto extended = bench.await_signal(RecordingSignal::kExtend);
    CHECK(extended.recording_id == recorded.recording_id);
    CHECK(extended.position == stopped);
    CHECK(extended.subscription_id == subscription);
    recorded.publish(bench, 50);
    const std::int64_t end = recorded.publication->position();
    CHECK(end > stopped);

    recorded.publication.reset();
    CHECK(bench.await_signal(RecordingSignal::kStop).recording_id == recorded.recording_id);
    // The first STOP is that of the first recording.
    CHECK(bench.await_signal(RecordingSignal::kStop).position == end);
    CHECK(value_of(bench.archive->stop_position(recorded.recording_id)) == end);
    // auto stop: the subscription went with its recording.
    CHECK(code_of(bench.archive->stop_recording(subscription)) == ArchiveErrorCode::kUnknownSubscription);
}

TEST_CASE("archive peer: an extension that does not fit is an error of its own") {
    Bench bench;
    Recorded recorded = record(bench);
    recorded.publish(bench, 10);
    CHECK(code_of(bench.archive->extend_recording(recorded.recording_id, "aeron:ipc?alias=other",
              recorded.stream_id, SourceLocation::kLocal)) == ArchiveErrorCode::kActiveRecording);
    recorded.stop(bench);
    require_ok(bench.archive->update_channel(recorded.recording_id, "aeron:ipc?alias=renamed"));
    CHECK(value_of(bench.archive->list_recording(recorded.recording_id)).original_channel ==
          "aeron:ipc?alias=renamed");
    recorded.publication = value_of(bench.client->add_exclusive_publication("aeron:ipc", recorded.stream_id));
    const std::int64_t subscription = value_of(bench.archive->extend_recording(
        recorded.recording_id, "aeron:ipc", recorded.stream_id, SourceLocation::kLocal));
    // Nobody waits for what the archive finds out when the image comes.
    bench.await("an error on its own", [&] { return !bench.errors.empty(); });
    CHECK(bench.errors[0].archive_code == ArchiveErrorCode::kInvalidExtension);
    require_ok(bench.archive->stop_recording(subscription));
}
