// Requests that change what is kept, and copies from other archives.
#include "archive_client/asking.h"

namespace fulmar {

using archive_client::ask_about;

ArchiveResult<std::int64_t> ArchiveClient::async_truncate_recording(
    std::int64_t recording_id, std::int64_t position) {
    return session_->ask<archive::TruncateRecordingRequest>("truncate recording", [&](auto& request) {
        request.template set<"recordingId">(recording_id);
        request.template set<"position">(position);
    });
}

ArchiveResult<std::int64_t> ArchiveClient::async_purge_recording(std::int64_t recording_id) {
    return ask_about<archive::PurgeRecordingRequest>(*session_, "purge recording", recording_id);
}

ArchiveResult<std::int64_t> ArchiveClient::async_detach_segments(
    std::int64_t recording_id, std::int64_t new_start_position) {
    return session_->ask<archive::DetachSegmentsRequest>("detach segments", [&](auto& request) {
        request.template set<"recordingId">(recording_id);
        request.template set<"newStartPosition">(new_start_position);
    });
}

ArchiveResult<std::int64_t> ArchiveClient::async_delete_detached_segments(std::int64_t recording_id) {
    return ask_about<archive::DeleteDetachedSegmentsRequest>(
        *session_, "delete detached segments", recording_id);
}

ArchiveResult<std::int64_t> ArchiveClient::async_purge_segments(
    std::int64_t recording_id, std::int64_t new_start_position) {
    return session_->ask<archive::PurgeSegmentsRequest>("purge segments", [&](auto& request) {
        request.template set<"recordingId">(recording_id);
        request.template set<"newStartPosition">(new_start_position);
    });
}

ArchiveResult<std::int64_t> ArchiveClient::async_attach_segments(std::int64_t recording_id) {
    return ask_about<archive::AttachSegmentsRequest>(*session_, "attach segments", recording_id);
}

ArchiveResult<std::int64_t> ArchiveClient::async_migrate_segments(
    std::int64_t src_recording_id, std::int64_t dst_recording_id) {
    return session_->ask<archive::MigrateSegmentsRequest>("migrate segments", [&](auto& request) {
        request.template set<"srcRecordingId">(src_recording_id);
        request.template set<"dstRecordingId">(dst_recording_id);
    });
}

ArchiveResult<std::int64_t> ArchiveClient::async_update_channel(
    std::int64_t recording_id, const std::string& channel) {
    return session_->ask<archive::UpdateChannelRequest>("update channel", [&](auto& request) {
        request.template set<"recordingId">(recording_id);
        request.template data<"channel">(channel);
    });
}

ArchiveResult<std::int64_t> ArchiveClient::async_replicate(std::int64_t src_recording_id,
    const std::string& src_control_channel, std::int32_t src_control_stream_id,
    const ReplicationParams& params) {
    return session_->ask<archive::ReplicateRequest2>("replicate", [&](auto& request) {
        request.template set<"srcRecordingId">(src_recording_id);
        request.template set<"dstRecordingId">(params.dst_recording_id);
        request.template set<"stopPosition">(params.stop_position);
        request.template set<"channelTagId">(params.channel_tag_id);
        request.template set<"subscriptionTagId">(params.subscription_tag_id);
        request.template set<"srcControlStreamId">(src_control_stream_id);
        request.template set<"fileIoMaxLength">(params.file_io_max_length);
        request.template set<"replicationSessionId">(params.replication_session_id);
        request.template data<"srcControlChannel">(src_control_channel);
        request.template data<"liveDestination">(params.live_destination);
        request.template data<"replicationChannel">(params.replication_channel);
        request.template data<"encodedCredentials">(std::span<const std::byte>(params.encoded_credentials));
        request.template data<"srcResponseChannel">(params.src_response_channel);
    });
}

ArchiveResult<std::int64_t> ArchiveClient::async_stop_replication(std::int64_t replication_id) {
    return session_->ask<archive::StopReplicationRequest>(
        "stop replication", [&](auto& request) { request.template set<"replicationId">(replication_id); });
}

ArchiveResult<std::int64_t> ArchiveClient::truncate_recording(
    std::int64_t recording_id, std::int64_t position) {
    return await(async_truncate_recording(recording_id, position));
}

ArchiveResult<std::int64_t> ArchiveClient::purge_recording(std::int64_t recording_id) {
    return await(async_purge_recording(recording_id));
}

ArchiveStatus ArchiveClient::detach_segments(std::int64_t recording_id, std::int64_t new_start_position) {
    return await_done(async_detach_segments(recording_id, new_start_position));
}

ArchiveResult<std::int64_t> ArchiveClient::delete_detached_segments(std::int64_t recording_id) {
    return await(async_delete_detached_segments(recording_id));
}

ArchiveResult<std::int64_t> ArchiveClient::purge_segments(
    std::int64_t recording_id, std::int64_t new_start_position) {
    return await(async_purge_segments(recording_id, new_start_position));
}

ArchiveResult<std::int64_t> ArchiveClient::attach_segments(std::int64_t recording_id) {
    return await(async_attach_segments(recording_id));
}

ArchiveResult<std::int64_t> ArchiveClient::migrate_segments(
    std::int64_t src_recording_id, std::int64_t dst_recording_id) {
    return await(async_migrate_segments(src_recording_id, dst_recording_id));
}

ArchiveStatus ArchiveClient::update_channel(std::int64_t recording_id, const std::string& channel) {
    return await_done(async_update_channel(recording_id, channel));
}

ArchiveResult<std::int64_t> ArchiveClient::replicate(std::int64_t src_recording_id,
    const std::string& src_control_channel, std::int32_t src_control_stream_id,
    const ReplicationParams& params) {
    return await(async_replicate(src_recording_id, src_control_channel, src_control_stream_id, params));
}

ArchiveStatus ArchiveClient::stop_replication(std::int64_t replication_id) {
    return await_done(async_stop_replication(replication_id));
}

}  // namespace fulmar
