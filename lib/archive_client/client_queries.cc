// Requests that ask and change nothing.
#include "archive_client/asking.h"

namespace fulmar {

using archive_client::ask_about;
using archive_client::Listing;
using archive_client::to_wire;

namespace {

/// What an archive would answer with nothing at all, which looks like an archive that does not answer.
ArchiveStatus check_count(std::int32_t count) {
    if (count <= 0) {
        return Unexpected{ArchiveError(
            {ErrorCode::kGeneric, "a listing of " + std::to_string(count) + " entries; ask for at least 1"})};
    }
    return Done{};
}

}  // namespace

ArchiveResult<std::int64_t> ArchiveClient::async_list_recordings(
    std::int64_t from_recording_id, std::int32_t count, RecordingHandler handler) {
    FULMAR_TRY_VOID(check_count(count));
    return session_->ask<archive::ListRecordingsRequest>(
        "list recordings",
        [&](auto& request) {
            request.template set<"fromRecordingId">(from_recording_id);
            request.template set<"recordCount">(count);
        },
        Listing{std::move(handler), count});
}

ArchiveResult<std::int64_t> ArchiveClient::async_list_recordings_for_uri(std::int64_t from_recording_id,
    std::int32_t count, const std::string& channel_part, std::int32_t stream_id, RecordingHandler handler) {
    FULMAR_TRY_VOID(check_count(count));
    return session_->ask<archive::ListRecordingsForUriRequest>(
        "list recordings of a channel",
        [&](auto& request) {
            request.template set<"fromRecordingId">(from_recording_id);
            request.template set<"recordCount">(count);
            request.template set<"streamId">(stream_id);
            request.template data<"channel">(channel_part);
        },
        Listing{std::move(handler), count});
}

ArchiveResult<std::int64_t> ArchiveClient::async_list_recording(
    std::int64_t recording_id, RecordingHandler handler) {
    return session_->ask<archive::ListRecordingRequest>(
        "list recording", [&](auto& request) { request.template set<"recordingId">(recording_id); },
        Listing{std::move(handler), 1});
}

ArchiveResult<std::int64_t> ArchiveClient::async_list_recording_subscriptions(std::int32_t skip,
    std::int32_t count, const std::string& channel_part, std::optional<std::int32_t> stream_id,
    RecordingSubscriptionHandler handler) {
    FULMAR_TRY_VOID(check_count(count));
    return session_->ask<archive::ListRecordingSubscriptionsRequest>(
        "list recording subscriptions",
        [&](auto& request) {
            request.template set<"pseudoIndex">(skip);
            request.template set<"subscriptionCount">(count);
            request.template set<"applyStreamId">(to_wire(stream_id.has_value()));
            request.template set<"streamId">(stream_id.value_or(0));
            request.template data<"channel">(channel_part);
        },
        Listing{std::move(handler), count});
}

ArchiveResult<std::int64_t> ArchiveClient::async_find_last_matching_recording(std::int64_t min_recording_id,
    const std::string& channel_part, std::int32_t stream_id, std::int32_t session_id) {
    return session_->ask<archive::FindLastMatchingRecordingRequest>(
        "find last matching recording", [&](auto& request) {
            request.template set<"minRecordingId">(min_recording_id);
            request.template set<"sessionId">(session_id);
            request.template set<"streamId">(stream_id);
            request.template data<"channel">(channel_part);
        });
}

ArchiveResult<std::int64_t> ArchiveClient::async_start_position(std::int64_t recording_id) {
    return ask_about<archive::StartPositionRequest>(*session_, "start position", recording_id);
}

ArchiveResult<std::int64_t> ArchiveClient::async_recording_position(std::int64_t recording_id) {
    return ask_about<archive::RecordingPositionRequest>(*session_, "recording position", recording_id);
}

ArchiveResult<std::int64_t> ArchiveClient::async_stop_position(std::int64_t recording_id) {
    return ask_about<archive::StopPositionRequest>(*session_, "stop position", recording_id);
}

ArchiveResult<std::int64_t> ArchiveClient::async_max_recorded_position(std::int64_t recording_id) {
    return ask_about<archive::MaxRecordedPositionRequest>(*session_, "max recorded position", recording_id);
}

ArchiveResult<std::int64_t> ArchiveClient::list_recordings(
    std::int64_t from_recording_id, std::int32_t count, RecordingHandler handler) {
    return await(async_list_recordings(from_recording_id, count, std::move(handler)));
}

ArchiveResult<std::int64_t> ArchiveClient::list_recordings_for_uri(std::int64_t from_recording_id,
    std::int32_t count, const std::string& channel_part, std::int32_t stream_id, RecordingHandler handler) {
    return await(
        async_list_recordings_for_uri(from_recording_id, count, channel_part, stream_id, std::move(handler)));
}

ArchiveResult<RecordingDescriptor> ArchiveClient::list_recording(std::int64_t recording_id) {
    RecordingDescriptor found;
    const auto keep = [&found](const RecordingDescriptor& descriptor) { found = descriptor; };
    FULMAR_TRY(count, await(async_list_recording(recording_id, keep)));
    if (count == 0) {
        return fail(ArchiveErrorCode::kUnknownRecording,
            "list recording: recording " + std::to_string(recording_id) + " is unknown to the archive");
    }
    return found;
}

ArchiveResult<std::int64_t> ArchiveClient::list_recording_subscriptions(std::int32_t skip, std::int32_t count,
    const std::string& channel_part, std::optional<std::int32_t> stream_id,
    RecordingSubscriptionHandler handler) {
    return await(
        async_list_recording_subscriptions(skip, count, channel_part, stream_id, std::move(handler)));
}

ArchiveResult<std::int64_t> ArchiveClient::find_last_matching_recording(std::int64_t min_recording_id,
    const std::string& channel_part, std::int32_t stream_id, std::int32_t session_id) {
    return await(async_find_last_matching_recording(min_recording_id, channel_part, stream_id, session_id));
}

ArchiveResult<std::int64_t> ArchiveClient::start_position(std::int64_t recording_id) {
    return await(async_start_position(recording_id));
}

ArchiveResult<std::int64_t> ArchiveClient::recording_position(std::int64_t recording_id) {
    return await(async_recording_position(recording_id));
}

ArchiveResult<std::int64_t> ArchiveClient::stop_position(std::int64_t recording_id) {
    return await(async_stop_position(recording_id));
}

ArchiveResult<std::int64_t> ArchiveClient::max_recorded_position(std::int64_t recording_id) {
    return await(async_max_recorded_position(recording_id));
}

}  // namespace fulmar
