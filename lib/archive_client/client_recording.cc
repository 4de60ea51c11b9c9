// Requests that begin and end recordings.
#include "archive_client/asking.h"
#include "archive_client/channels.h"

namespace fulmar {

using archive_client::ask_about;
using archive_client::to_wire;

ArchiveResult<std::int64_t> ArchiveClient::async_start_recording(
    const std::string& channel, std::int32_t stream_id, SourceLocation source, bool auto_stop) {
    return session_->ask<archive::StartRecordingRequest2>("start recording", [&](auto& request) {
        request.template set<"streamId">(stream_id);
        request.template set<"sourceLocation">(source);
        request.template set<"autoStop">(to_wire(auto_stop));
        request.template data<"channel">(channel);
    });
}

ArchiveResult<std::int64_t> ArchiveClient::async_extend_recording(std::int64_t recording_id,
    const std::string& channel, std::int32_t stream_id, SourceLocation source, bool auto_stop) {
    return session_->ask<archive::ExtendRecordingRequest2>("extend recording", [&](auto& request) {
        request.template set<"recordingId">(recording_id);
        request.template set<"streamId">(stream_id);
        request.template set<"sourceLocation">(source);
        request.template set<"autoStop">(to_wire(auto_stop));
        request.template data<"channel">(channel);
    });
}

ArchiveResult<std::int64_t> ArchiveClient::async_stop_recording(
    const std::string& channel, std::int32_t stream_id) {
    return session_->ask<archive::StopRecordingRequest>("stop recording", [&](auto& request) {
        request.template set<"streamId">(stream_id);
        request.template data<"channel">(channel);
    });
}

ArchiveResult<std::int64_t> ArchiveClient::async_stop_recording(std::int64_t subscription_id) {
    return session_->ask<archive::StopRecordingSubscriptionRequest>(
        "stop recording", [&](auto& request) { request.template set<"subscriptionId">(subscription_id); });
}

ArchiveResult<std::int64_t> ArchiveClient::async_stop_recording_by_identity(std::int64_t recording_id) {
    return ask_about<archive::StopRecordingByIdentityRequest>(*session_, "stop recording", recording_id);
}

ArchiveResult<std::int64_t> ArchiveClient::start_recording(
    const std::string& channel, std::int32_t stream_id, SourceLocation source, bool auto_stop) {
    return await(async_start_recording(channel, stream_id, source, auto_stop));
}

ArchiveResult<std::int64_t> ArchiveClient::extend_recording(std::int64_t recording_id,
    const std::string& channel, std::int32_t stream_id, SourceLocation source, bool auto_stop) {
    return await(async_extend_recording(recording_id, channel, stream_id, source, auto_stop));
}

ArchiveStatus ArchiveClient::stop_recording(const std::string& channel, std::int32_t stream_id) {
    return await_done(async_stop_recording(channel, stream_id));
}

ArchiveStatus ArchiveClient::stop_recording(std::int64_t subscription_id) {
    return await_done(async_stop_recording(subscription_id));
}

ArchiveResult<bool> ArchiveClient::stop_recording_by_identity(std::int64_t recording_id) {
    FULMAR_TRY(stopped, await(async_stop_recording_by_identity(recording_id)));
    return stopped != 0;
}

namespace {

/// The channel of one session's recording.
ArchiveResult<std::string> recorded_channel(const client::PublicationBase& publication) {
    FULMAR_TRY(channel, config::ChannelUri::parse(publication.channel()));
    archive_client::set_number(channel, "session-id", publication.session_id());
    return channel.text();
}

}  // namespace

ArchiveStatus ArchiveClient::stop_recording(const client::PublicationBase& publication) {
    FULMAR_TRY(channel, recorded_channel(publication));
    return stop_recording(channel, publication.stream_id());
}

ArchiveResult<std::unique_ptr<Publication>> ArchiveClient::add_recorded_publication(
    const std::string& channel, std::int32_t stream_id) {
    FULMAR_TRY(publication, client().add_publication(channel, stream_id));
    if (!publication->is_original()) {
        return Unexpected{ArchiveError(
            {ErrorCode::kGeneric, "this client has a publication to " + channel + " stream " +
                                      std::to_string(stream_id) + " already; start its recording instead"})};
    }
    FULMAR_TRY(recorded, recorded_channel(*publication));
    FULMAR_TRY_VOID(start_recording(recorded, stream_id, SourceLocation::kLocal));
    return publication;
}

ArchiveResult<std::unique_ptr<ExclusivePublication>> ArchiveClient::add_recorded_exclusive_publication(
    const std::string& channel, std::int32_t stream_id) {
    FULMAR_TRY(publication, client().add_exclusive_publication(channel, stream_id));
    FULMAR_TRY(recorded, recorded_channel(*publication));
    FULMAR_TRY_VOID(start_recording(recorded, stream_id, SourceLocation::kLocal));
    return publication;
}

}  // namespace fulmar
