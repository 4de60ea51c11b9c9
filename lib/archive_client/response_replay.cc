#include "archive_client/response_replay.h"

#include <utility>

#include "archive_client/asking.h"
#include "archive_client/channels.h"

namespace fulmar::archive_client {

using config::ChannelUri;

ResponseReplay::ResponseReplay(Client& client, std::int64_t correlation_id, ReplayFields fields)
    : client_(client), correlation_id_(correlation_id), fields_(std::move(fields)) {}

ResponseReplay::~ResponseReplay() {
    if (publication_request_ != -1) {
        client_.cancel(publication_request_);
    }
}

std::string_view ResponseReplay::step() const {
    switch (state_) {
        case State::kToken: return "a replay token";
        case State::kPublication: return "the driver to add the replay's own request stream";
        case State::kConnecting: return "the archive at the replay's own request stream";
        case State::kSent: break;
    }
    return "";
}

ArchiveResult<int> ResponseReplay::poll(Session& session) {
    switch (state_) {
        case State::kToken: return await_token(session);
        case State::kPublication: return open(session);
        case State::kConnecting: return send(session);
        case State::kSent: break;
    }
    FULMAR_TRY(flushed, writer_->flush());
    return flushed;
}

ArchiveResult<int> ResponseReplay::await_token(Session& session) {
    if (token_request_ == -1) {
        FULMAR_TRY(
            asked, ask_about<archive::ReplayTokenRequest>(session, "replay token", fields_.recording_id));
        token_request_ = asked;
        return 1;
    }
    FULMAR_TRY(token, session.find(token_request_));
    if (!token) {
        return 0;
    }
    fields_.token = *token;
    const ArchiveClientOptions& options = session.init().options;
    FULMAR_TRY(channel, ChannelUri::parse(options.control_request_channel));
    FULMAR_TRY(asked, client_.async_add_exclusive_publication(
                          response_request_channel(std::move(channel),
                              fields_.params.subscription_registration_id, options.control_term_length),
                          options.control_request_stream_id));
    publication_request_ = asked;
    state_ = State::kPublication;
    return 1;
}

ArchiveResult<int> ResponseReplay::open(Session&) {
    auto found = client_.find_exclusive_publication(publication_request_);
    if (!found) {
        publication_request_ = -1;
        return Unexpected{ArchiveError(found.error())};
    }
    if (*found == nullptr) {
        return 0;
    }
    publication_request_ = -1;
    writer_.emplace(*std::move(found));
    state_ = State::kConnecting;
    return 1;
}

ArchiveResult<int> ResponseReplay::send(Session& session) {
    if (!writer_->publication().is_connected() || writer_->publication().position_limit() <= 0) {
        return 0;
    }
    const auto fill = [&](auto& request) {
        request.template set<"controlSessionId">(session.init().control_session_id);
        request.template set<"correlationId">(correlation_id_);
        fields_(request);
    };
    FULMAR_TRY_VOID(fields_.is_bounded() ? writer_->write<archive::BoundedReplayRequest>(fill)
                                         : writer_->write<archive::ReplayRequest>(fill));
    state_ = State::kSent;
    return 1;
}

}  // namespace fulmar::archive_client
