#include "archive_server/requests.h"

#include <type_traits>

#include "archive_server/catalog_file.h"
#include "archive_server/channels.h"
#include "archive_server/listings.h"
#include "fulmar/sbe/dispatch.h"

namespace fulmar::archive {
namespace {

template <class Request>
Asker asker_of(const Request& request) {
    return {request.template get<"controlSessionId">(), request.template get<"correlationId">()};
}

template <class M>
inline constexpr bool kIsReplay = std::is_same_v<M, ReplayRequest> || std::is_same_v<M, BoundedReplayRequest>;

using Incoming = sbe::Messages<CloseSessionRequest, StartRecordingRequest, StopRecordingRequest,
    ReplayRequest, StopReplayRequest, ListRecordingsRequest, ListRecordingsForUriRequest,
    ListRecordingRequest, ExtendRecordingRequest, RecordingPositionRequest, TruncateRecordingRequest,
    StopRecordingSubscriptionRequest, StopPositionRequest, FindLastMatchingRecordingRequest,
    ListRecordingSubscriptionsRequest, BoundedReplayRequest, StopAllReplaysRequest, ReplicateRequest,
    StopReplicationRequest, StartPositionRequest, DetachSegmentsRequest, DeleteDetachedSegmentsRequest,
    PurgeSegmentsRequest, AttachSegmentsRequest, MigrateSegmentsRequest, AuthConnectRequest,
    ChallengeResponse, KeepAliveRequest, TaggedReplicateRequest, StartRecordingRequest2,
    ExtendRecordingRequest2, StopRecordingByIdentityRequest, ReplicateRequest2, MaxRecordedPositionRequest,
    ArchiveIdRequest, PurgeRecordingRequest, ReplayTokenRequest, UpdateChannelRequest>;

}  // namespace

void Requests::on_message(const Image& image, std::span<const std::byte> message) {
    const sbe::Error error =
        sbe::dispatch<Incoming>(message, [&](const auto& request) { accept(image, request); });
    // A kind of message that we do not know may be one of a later protocol.
    if (error && error.fault != sbe::Fault::kWrongTemplate) {
        context_.report(ErrorCode::kGeneric, "dropped a message of " + image.source_identity() +
                                                 " on a control stream: " + std::string(error.member) + ": " +
                                                 std::string(sbe::to_string(error.fault)));
    }
}

template <class M>
void Requests::accept(const Image& image, const sbe::Decoder<M>& request) {
    if constexpr (std::is_same_v<M, AuthConnectRequest>) {
        if (const Status status = context_.sessions.connect(image, request, context_.now); !status) {
            context_.report(status.error().code, status.error().message);
        }
    } else if constexpr (kIsReplay<M>) {
        accept_replay(image, request);
    } else if constexpr (std::is_same_v<M, ChallengeResponse>) {
        ControlSession* session = context_.sessions.find(request.template get<"controlSessionId">());
        if (session != nullptr && session->image_correlation_id() == image.correlation_id()) {
            session->on_challenge_response(request.template get<"correlationId">(),
                request.template data<"encodedCredentials">(), context_.now);
        }
    } else {
        ControlSession* session = session_of(image, request.template get<"controlSessionId">(), M::kId);
        if (session == nullptr) {
            return;
        }
        if constexpr (!std::is_same_v<M, CloseSessionRequest> && !std::is_same_v<M, KeepAliveRequest>) {
            if (!is_authorised(*session, M::kId, asker_of(request))) {
                return;
            }
        }
        handle(*session, request);
    }
}

template <class M>
void Requests::accept_replay(const Image& image, const sbe::Decoder<M>& request) {
    const Asker asker = asker_of(request);
    const std::int64_t recording_id = request.template get<"recordingId">();
    const std::int64_t token = request.template get<"replayToken">().value_or(kNullValue);
    ControlSession* session = context_.sessions.find(asker.control_session_id);
    std::int64_t token_session = kNullValue;
    const bool by_token = token != kNullValue && replays_.take_token(token, recording_id, &token_session) &&
                          token_session == asker.control_session_id;
    // With a token the request comes by a stream of its own, which the replay answers.
    if (!by_token || session == nullptr) {
        session = session_of(image, asker.control_session_id, M::kId);
    }
    if (session == nullptr || !is_authorised(*session, M::kId, asker)) {
        return;
    }
    Replays::Request replay{.recording_id = recording_id,
        .position = request.template get<"position">(),
        .length = request.template get<"length">(),
        .file_io_max_length = request.template get<"fileIoMaxLength">().value_or(-1),
        .stream_id = request.template get<"replayStreamId">(),
        .channel = request.template data<"replayChannel">(),
        .image_correlation_id = image.correlation_id()};
    if constexpr (std::is_same_v<M, BoundedReplayRequest>) {
        replay.limit_counter_id = request.template get<"limitCounterId">();
    }
    replays_.start(asker, replay);
}

ControlSession* Requests::session_of(const Image& image, std::int64_t id, std::uint16_t template_id) {
    ControlSession* session = context_.sessions.find(id);
    if (session == nullptr || session->image_correlation_id() != image.correlation_id()) {
        // Without the session's id: a client that tries them all is one error.
        context_.report(ErrorCode::kGeneric,
            "dropped request " + std::to_string(template_id) + " of " + image.source_identity() +
                ": its control session " + (session == nullptr ? "does not exist" : "is another client's"));
        return nullptr;
    }
    return session->on_request() ? session : nullptr;
}

bool Requests::is_authorised(ControlSession& session, std::uint16_t template_id, Asker asker) {
    Authoriser* authoriser = context_.options.authoriser;
    if (authoriser == nullptr || authoriser->may(template_id, session.principal())) {
        return true;
    }
    context_.sessions.error(asker, ArchiveErrorCode::kUnauthorisedAction,
        "unauthorised action: templateId=" + std::to_string(template_id));
    context_.report(ErrorCode::kGeneric, "refused request " + std::to_string(template_id) + " of " +
                                             session.description() + ": not authorised");
    return false;
}

bool Requests::exists(Asker asker, std::int64_t recording_id) {
    const Catalog& catalog = context_.catalog.catalog();
    if (catalog.find(recording_id) != catalog.size()) {
        return true;
    }
    context_.sessions.unknown_recording(asker, recording_id);
    return false;
}

bool Requests::may_list(ControlSession& session, Asker asker) {
    if (!session.is_listing()) {
        return true;
    }
    context_.sessions.error(asker, ArchiveErrorCode::kActiveListing, "active listing already in progress");
    return false;
}

void Requests::handle(ControlSession& session, const sbe::Decoder<CloseSessionRequest>&) {
    session.end("closed by its client", false);
}

void Requests::handle(ControlSession&, const sbe::Decoder<ArchiveIdRequest>& request) {
    context_.sessions.ok(asker_of(request), context_.archive_id);
}

void Requests::handle(ControlSession&, const sbe::Decoder<StartRecordingRequest>& request) {
    recordings_.start(asker_of(request), {.channel = request.data<"channel">(),
                                             .stream_id = request.get<"streamId">(),
                                             .source = request.get<"sourceLocation">()});
}

void Requests::handle(ControlSession&, const sbe::Decoder<StartRecordingRequest2>& request) {
    recordings_.start(asker_of(request), {.channel = request.data<"channel">(),
                                             .stream_id = request.get<"streamId">(),
                                             .source = request.get<"sourceLocation">(),
                                             .auto_stop = request.get<"autoStop">() == Boolean::kTrue});
}

void Requests::handle(ControlSession&, const sbe::Decoder<ExtendRecordingRequest>& request) {
    recordings_.start(asker_of(request), {.channel = request.data<"channel">(),
                                             .stream_id = request.get<"streamId">(),
                                             .source = request.get<"sourceLocation">(),
                                             .extends = request.get<"recordingId">()});
}

void Requests::handle(ControlSession&, const sbe::Decoder<ExtendRecordingRequest2>& request) {
    recordings_.start(asker_of(request), {.channel = request.data<"channel">(),
                                             .stream_id = request.get<"streamId">(),
                                             .source = request.get<"sourceLocation">(),
                                             .auto_stop = request.get<"autoStop">() == Boolean::kTrue,
                                             .extends = request.get<"recordingId">()});
}

void Requests::handle(ControlSession&, const sbe::Decoder<StopRecordingRequest>& request) {
    recordings_.stop(asker_of(request), request.data<"channel">(), request.get<"streamId">());
}

void Requests::handle(ControlSession&, const sbe::Decoder<StopRecordingSubscriptionRequest>& request) {
    recordings_.stop_subscription(asker_of(request), request.get<"subscriptionId">());
}

void Requests::handle(ControlSession&, const sbe::Decoder<StopRecordingByIdentityRequest>& request) {
    recordings_.stop_recording(asker_of(request), request.get<"recordingId">());
}

void Requests::handle(ControlSession&, const sbe::Decoder<StopReplayRequest>& request) {
    replays_.stop(asker_of(request), request.get<"replaySessionId">());
}

void Requests::handle(ControlSession&, const sbe::Decoder<StopAllReplaysRequest>& request) {
    replays_.stop_all(asker_of(request), request.get<"recordingId">());
}

void Requests::handle(ControlSession&, const sbe::Decoder<ReplayTokenRequest>& request) {
    replays_.give_token(asker_of(request), request.get<"recordingId">());
}

void Requests::handle(ControlSession& session, const sbe::Decoder<ListRecordingsRequest>& request) {
    const Asker asker = asker_of(request);
    if (may_list(session, asker)) {
        RecordingFilter filter;
        filter.from_recording_id = request.get<"fromRecordingId">();
        filter.count = request.get<"recordCount">();
        session.begin_listing(list_recordings(context_.catalog, asker.correlation_id, std::move(filter)));
    }
}

void Requests::handle(ControlSession& session, const sbe::Decoder<ListRecordingsForUriRequest>& request) {
    const Asker asker = asker_of(request);
    if (may_list(session, asker)) {
        RecordingFilter filter;
        filter.from_recording_id = request.get<"fromRecordingId">();
        filter.count = request.get<"recordCount">();
        filter.has_channel = true;
        filter.stream_id = request.get<"streamId">();
        filter.channel_part = request.data<"channel">();
        session.begin_listing(list_recordings(context_.catalog, asker.correlation_id, std::move(filter)));
    }
}

void Requests::handle(ControlSession& session, const sbe::Decoder<ListRecordingRequest>& request) {
    const Asker asker = asker_of(request);
    if (!may_list(session, asker)) {
        return;
    }
    const Catalog& catalog = context_.catalog.catalog();
    const std::int64_t recording_id = request.get<"recordingId">();
    if (catalog.find(recording_id) == catalog.size()) {
        session.responder().response(
            asker.correlation_id, ControlResponseCode::kRecordingUnknown, recording_id, "", context_.now);
        return;
    }
    session.begin_listing(list_recording(context_.catalog, asker.correlation_id, recording_id));
}

void Requests::handle(
    ControlSession& session, const sbe::Decoder<ListRecordingSubscriptionsRequest>& request) {
    const Asker asker = asker_of(request);
    if (may_list(session, asker)) {
        SubscriptionFilter filter;
        filter.skip = request.get<"pseudoIndex">();
        filter.count = request.get<"subscriptionCount">();
        filter.has_stream = request.get<"applyStreamId">() == Boolean::kTrue;
        filter.stream_id = request.get<"streamId">();
        filter.channel_part = request.data<"channel">();
        session.begin_listing(list_subscriptions(recordings_, asker.correlation_id, std::move(filter)));
    }
}

void Requests::handle(ControlSession&, const sbe::Decoder<FindLastMatchingRecordingRequest>& request) {
    const Asker asker = asker_of(request);
    const std::int64_t from = request.get<"minRecordingId">();
    if (from < 0) {
        context_.sessions.error(
            asker, ArchiveErrorCode::kUnknownRecording, "minRecordingId=" + std::to_string(from) + " < 0");
        return;
    }
    context_.sessions.ok(asker, find_last_recording(context_.catalog, from, request.get<"sessionId">(),
                                    request.get<"streamId">(), request.data<"channel">()));
}

void Requests::handle(ControlSession&, const sbe::Decoder<RecordingPositionRequest>& request) {
    const Asker asker = asker_of(request);
    if (exists(asker, request.get<"recordingId">())) {
        const auto progress = recordings_.progress(request.get<"recordingId">());
        context_.sessions.ok(
            asker, progress != nullptr ? progress->position.load(std::memory_order_acquire) : kNullValue);
    }
}

void Requests::handle(ControlSession&, const sbe::Decoder<StopPositionRequest>& request) {
    const Asker asker = asker_of(request);
    if (exists(asker, request.get<"recordingId">())) {
        const Catalog& catalog = context_.catalog.catalog();
        // Between its last block and its catalog entry a recording is not stopped yet.
        const bool is_active = recordings_.is_active(request.get<"recordingId">());
        context_.sessions.ok(asker,
            is_active ? kNullValue
                      : context_.recording_at(catalog.find(request.get<"recordingId">())).stop_position);
    }
}

void Requests::handle(ControlSession&, const sbe::Decoder<StartPositionRequest>& request) {
    const Asker asker = asker_of(request);
    if (exists(asker, request.get<"recordingId">())) {
        const Catalog& catalog = context_.catalog.catalog();
        context_.sessions.ok(asker, catalog.at(catalog.find(request.get<"recordingId">())).start_position);
    }
}

void Requests::handle(ControlSession&, const sbe::Decoder<MaxRecordedPositionRequest>& request) {
    const Asker asker = asker_of(request);
    if (exists(asker, request.get<"recordingId">())) {
        const Catalog& catalog = context_.catalog.catalog();
        const auto progress = recordings_.progress(request.get<"recordingId">());
        context_.sessions.ok(
            asker, progress != nullptr
                       ? progress->position.load(std::memory_order_acquire)
                       : context_.recording_at(catalog.find(request.get<"recordingId">())).stop_position);
    }
}

void Requests::handle(ControlSession&, const sbe::Decoder<TruncateRecordingRequest>& request) {
    segments_.truncate(asker_of(request), request.get<"recordingId">(), request.get<"position">());
}

void Requests::handle(ControlSession&, const sbe::Decoder<PurgeRecordingRequest>& request) {
    segments_.purge_recording(asker_of(request), request.get<"recordingId">());
}

void Requests::handle(ControlSession&, const sbe::Decoder<DetachSegmentsRequest>& request) {
    segments_.detach(asker_of(request), request.get<"recordingId">(), request.get<"newStartPosition">());
}

void Requests::handle(ControlSession&, const sbe::Decoder<DeleteDetachedSegmentsRequest>& request) {
    segments_.delete_detached(asker_of(request), request.get<"recordingId">());
}

void Requests::handle(ControlSession&, const sbe::Decoder<PurgeSegmentsRequest>& request) {
    segments_.purge_segments(
        asker_of(request), request.get<"recordingId">(), request.get<"newStartPosition">());
}

void Requests::handle(ControlSession&, const sbe::Decoder<AttachSegmentsRequest>& request) {
    segments_.attach(asker_of(request), request.get<"recordingId">());
}

void Requests::handle(ControlSession&, const sbe::Decoder<MigrateSegmentsRequest>& request) {
    segments_.migrate(asker_of(request), request.get<"srcRecordingId">(), request.get<"dstRecordingId">());
}

void Requests::handle(ControlSession& session, const sbe::Decoder<UpdateChannelRequest>& request) {
    const Asker asker = asker_of(request);
    if (!may_list(session, asker)) {
        return;
    }
    Catalog& catalog = context_.catalog.catalog();
    const std::int64_t recording_id = request.get<"recordingId">();
    const std::size_t index = catalog.find(recording_id);
    if (index == catalog.size()) {
        session.responder().response(
            asker.correlation_id, ControlResponseCode::kRecordingUnknown, recording_id, "", context_.now);
        return;
    }
    Recording recording = catalog.at(index);
    auto channel = recording_channel(request.data<"channel">(), recording.stream_id, SourceLocation::kRemote);
    if (!channel) {
        context_.sessions.error(asker, ArchiveErrorCode::kGeneric, channel.error().message);
        return;
    }
    recording.original_channel = request.data<"channel">();
    recording.stripped_channel = std::move(channel->stripped);
    if (const Status status = catalog.replace(index, recording); !status) {
        context_.sessions.error(asker, ArchiveErrorCode::kStorageSpace, status.error().message);
        return;
    }
    session.begin_listing(
        answer_when_persisted(context_.catalog, context_.catalog.commit(), asker.correlation_id));
}

void Requests::handle(ControlSession&, const sbe::Decoder<StopReplicationRequest>& request) {
    replications_.stop(asker_of(request), request.get<"replicationId">());
}

}  // namespace fulmar::archive
