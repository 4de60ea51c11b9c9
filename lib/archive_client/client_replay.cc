// Requests for replays, and subscriptions to them.
#include "archive_client/asking.h"
#include "archive_client/channels.h"

namespace fulmar {

using archive_client::RequestWriter;
using archive_client::Session;
using config::ChannelUri;

namespace {

constexpr std::int64_t kNoToken = -1;

/// All of a replay request but session and correlation id; both templates have these members.
struct ReplayFields {
    std::int64_t recording_id;
    const std::string& channel;
    std::int32_t stream_id;
    const ReplayParams& params;
    std::int64_t token = kNoToken;

    void operator()(auto& request) const {
        request.template set<"recordingId">(recording_id);
        request.template set<"position">(params.position);
        request.template set<"length">(params.length);
        request.template set<"replayStreamId">(stream_id);
        request.template set<"fileIoMaxLength">(params.file_io_max_length);
        request.template set<"replayToken">(token);
        if constexpr (std::is_same_v<typename std::remove_reference_t<decltype(request)>::Message,
                          archive::BoundedReplayRequest>) {
            request.template set<"limitCounterId">(params.bounding_limit_counter_id);
        }
        request.template data<"replayChannel">(channel);
    }
    [[nodiscard]] bool is_bounded() const { return params.bounding_limit_counter_id != kNullCounterId; }
};

/// errors: kTimeout, or what ended the session, when the condition does not come true in time.
template <class Condition>
ArchiveStatus wait_until(Session& session, std::string_view what, Condition&& condition) {
    const Instant deadline = session.deadline();
    while (!condition()) {
        if (!session.is_connected()) {
            return fail(ArchiveErrorCode::kNotConnected,
                "replay: the session with the archive ended while this client waited for " +
                    std::string(what));
        }
        if (session.client().now() >= deadline) {
            return fail(ArchiveErrorCode::kTimeout,
                "replay: waited " + std::to_string(session.init().options.message_timeout.ns / 1'000'000) +
                    " ms for " + std::string(what));
        }
        session.wait_step();
    }
    return Done{};
}

}  // namespace

ArchiveResult<std::int64_t> ArchiveClient::async_start_replay(std::int64_t recording_id,
    const std::string& channel, std::int32_t stream_id, const ReplayParams& params) {
    FULMAR_TRY(uri, ChannelUri::parse(channel));
    if (archive_client::is_response_mode(uri)) {
        return Unexpected{ArchiveError({ErrorCode::kNotSupported,
            "a replay to a channel with control-mode=response takes steps that wait; use start_replay or "
            "replay"})};
    }
    const ReplayFields fields{recording_id, channel, stream_id, params};
    return fields.is_bounded() ? session_->ask<archive::BoundedReplayRequest>("start bounded replay", fields)
                               : session_->ask<archive::ReplayRequest>("start replay", fields);
}

ArchiveResult<std::int64_t> ArchiveClient::start_replay(std::int64_t recording_id, const std::string& channel,
    std::int32_t stream_id, const ReplayParams& params) {
    FULMAR_TRY(uri, ChannelUri::parse(channel));
    if (archive_client::is_response_mode(uri)) {
        return start_response_replay(recording_id, channel, stream_id, params);
    }
    return await(async_start_replay(recording_id, channel, stream_id, params));
}

// The archive gives out a token; with it the request may come over a second publication, and the replay is
// that publication's response stream.
ArchiveResult<std::int64_t> ArchiveClient::start_response_replay(std::int64_t recording_id,
    const std::string& channel, std::int32_t stream_id, const ReplayParams& params) {
    FULMAR_TRY_VOID(session_->check_may_wait());
    if (params.subscription_registration_id == -1) {
        return Unexpected{ArchiveError({ErrorCode::kGeneric,
            "a replay to a response channel needs subscription_registration_id, that of the subscription it "
            "shall come to"})};
    }
    FULMAR_TRY(token, await(archive_client::ask_about<archive::ReplayTokenRequest>(
                          *session_, "replay token", recording_id)));
    FULMAR_TRY(request_channel, ChannelUri::parse(options().control_request_channel));
    FULMAR_TRY(publication, client().add_exclusive_publication(
                                archive_client::response_request_channel(std::move(request_channel),
                                    params.subscription_registration_id, options().control_term_length),
                                options().control_request_stream_id));
    RequestWriter writer(std::move(publication));
    const auto is_open = [&] {
        return writer.publication().is_connected() && writer.publication().position_limit() > 0;
    };
    FULMAR_TRY_VOID(wait_until(*session_, "the archive at the replay's own request stream", is_open));

    const std::int64_t id = client().next_correlation_id();
    const ReplayFields fields{recording_id, channel, stream_id, params, token};
    const auto fill = [&](auto& request) {
        request.template set<"controlSessionId">(control_session_id());
        request.template set<"correlationId">(id);
        fields(request);
    };
    FULMAR_TRY_VOID(fields.is_bounded() ? writer.write<archive::BoundedReplayRequest>(fill)
                                        : writer.write<archive::ReplayRequest>(fill));
    FULMAR_TRY_VOID(session_->expect(id, "start replay over a response channel"));
    return await_response(id);
}

ArchiveResult<std::unique_ptr<Subscription>> ArchiveClient::replay(std::int64_t recording_id,
    const std::string& channel, std::int32_t stream_id, const ReplayParams& params,
    SubscriptionHandlers handlers) {
    FULMAR_TRY_VOID(session_->check_may_wait());
    FULMAR_TRY(uri, ChannelUri::parse(channel));
    if (archive_client::is_response_mode(uri)) {
        FULMAR_TRY(subscription, client().add_subscription(channel, stream_id, std::move(handlers)));
        ReplayParams response_params = params;
        response_params.subscription_registration_id = subscription->registration_id();
        FULMAR_TRY_VOID(start_response_replay(recording_id, channel, stream_id, response_params));
        return subscription;
    }
    if (archive_client::has_wildcard_port(uri)) {
        // The port has to be known before the archive is told where to send.
        FULMAR_TRY(subscription, client().add_subscription(channel, stream_id, std::move(handlers)));
        std::optional<std::string> resolved;
        FULMAR_TRY_VOID(wait_until(*session_, "the port of " + channel,
            [&] { return (resolved = archive_client::resolve_port(uri, *subscription)).has_value(); }));
        FULMAR_TRY_VOID(start_replay(recording_id, *resolved, stream_id, params));
        return subscription;
    }
    FULMAR_TRY(replay_session_id, start_replay(recording_id, channel, stream_id, params));
    archive_client::set_number(uri, "session-id", static_cast<std::int32_t>(replay_session_id));
    auto subscription = client().add_subscription(uri.text(), stream_id, std::move(handlers));
    if (!subscription) {
        (void)async_stop_replay(replay_session_id);
        return Unexpected{ArchiveError(subscription.error())};
    }
    return std::move(*subscription);
}

ArchiveResult<std::int64_t> ArchiveClient::async_stop_replay(std::int64_t replay_session_id) {
    return session_->ask<archive::StopReplayRequest>(
        "stop replay", [&](auto& request) { request.template set<"replaySessionId">(replay_session_id); });
}

ArchiveResult<std::int64_t> ArchiveClient::async_stop_all_replays(std::int64_t recording_id) {
    return archive_client::ask_about<archive::StopAllReplaysRequest>(
        *session_, "stop all replays", recording_id);
}

ArchiveStatus ArchiveClient::stop_replay(std::int64_t replay_session_id) {
    return await_done(async_stop_replay(replay_session_id));
}

ArchiveStatus ArchiveClient::stop_all_replays(std::int64_t recording_id) {
    return await_done(async_stop_all_replays(recording_id));
}

}  // namespace fulmar
