// The three kinds of request to replicate, of which each adds to the one before.
#include "archive_server/requests.h"

namespace fulmar::archive {
namespace {

std::optional<std::int64_t> tag(std::int64_t value) {
    return value == kNullValue ? std::nullopt : std::optional(value);
}

template <class M>
Asker asker_of(const sbe::Decoder<M>& request) {
    return {request.template get<"controlSessionId">(), request.template get<"correlationId">()};
}

template <class M>
Replication::Request request_of(const sbe::Decoder<M>& request) {
    Replication::Request made;
    made.source_id = request.template get<"srcRecordingId">();
    made.destination_id = request.template get<"dstRecordingId">();
    made.source_control_stream_id = request.template get<"srcControlStreamId">();
    made.source_control_channel = request.template data<"srcControlChannel">();
    made.live_destination = request.template data<"liveDestination">();
    return made;
}

}  // namespace

void Requests::handle(ControlSession&, const sbe::Decoder<ReplicateRequest>& request) {
    replications_.start(asker_of(request), request_of(request));
}

void Requests::handle(ControlSession&, const sbe::Decoder<TaggedReplicateRequest>& request) {
    Replication::Request made = request_of(request);
    made.channel_tag = tag(request.get<"channelTagId">());
    made.subscription_tag = tag(request.get<"subscriptionTagId">());
    replications_.start(asker_of(request), std::move(made));
}

void Requests::handle(ControlSession&, const sbe::Decoder<ReplicateRequest2>& request) {
    Replication::Request made = request_of(request);
    made.stop_position = request.get<"stopPosition">();
    made.channel_tag = tag(request.get<"channelTagId">());
    made.subscription_tag = tag(request.get<"subscriptionTagId">());
    made.file_io_max_length = request.get<"fileIoMaxLength">().value_or(-1);
    const std::int32_t session_id = request.get<"replicationSessionId">().value_or(-1);
    if (session_id != -1) {
        made.session_id = session_id;
    }
    made.channel = request.data<"replicationChannel">();
    const auto credentials = request.data<"encodedCredentials">();
    made.credentials.assign(credentials.begin(), credentials.end());
    made.source_response_channel = request.data<"srcResponseChannel">();
    replications_.start(asker_of(request), std::move(made));
}

}  // namespace fulmar::archive
