// Requests for replays, and subscriptions to them.
#include "archive_client/asking.h"
#include "archive_client/channels.h"
#include "archive_client/response_replay.h"

namespace fulmar {

using archive_client::ReplayFields;
using archive_client::Session;
using config::ChannelUri;

namespace {

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
    ReplayFields fields{recording_id, channel, stream_id, params};
    if (archive_client::is_response_mode(uri)) {
        if (params.subscription_registration_id == -1) {
            return Unexpected{ArchiveError({ErrorCode::kGeneric,
                "a replay to a response channel needs subscription_registration_id, that of the subscription "
                "it shall come to"})};
        }
        const std::int64_t id = client().next_correlation_id();
        FULMAR_TRY_VOID(session_->run("start replay over a response channel", id,
            std::make_unique<archive_client::ResponseReplay>(client(), id, std::move(fields))));
        return id;
    }
    return fields.is_bounded() ? session_->ask<archive::BoundedReplayRequest>("start bounded replay", fields)
                               : session_->ask<archive::ReplayRequest>("start replay", fields);
}

ArchiveResult<std::int64_t> ArchiveClient::start_replay(std::int64_t recording_id, const std::string& channel,
    std::int32_t stream_id, const ReplayParams& params) {
    FULMAR_TRY_VOID(session_->check_may_wait());
    return await(async_start_replay(recording_id, channel, stream_id, params));
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
        FULMAR_TRY_VOID(start_replay(recording_id, channel, stream_id, response_params));
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
