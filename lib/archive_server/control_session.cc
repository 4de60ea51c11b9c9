#include "archive_server/control_session.h"

namespace fulmar::archive {
namespace {

constexpr Duration kRepeatInterval = milliseconds(200);

}  // namespace

ControlSession::ControlSession(Init init, Client& client, const ServerOptions& options)
    : init_(std::move(init)),
      client_(client),
      options_(options),
      responder_(init_.id),
      active_deadline_(init_.now + options.connect_timeout) {}

ControlSession::~ControlSession() {
    if (publication_ == nullptr) {
        client_.cancel(init_.publication_request);
        return;
    }
    publication_->revoke();
}

int ControlSession::poll(Instant now) {
    if (state_ != State::kDone && state_ != State::kActive && now > active_deadline_) {
        // A rejected client that stays away is no event: it was told often enough.
        end("no connection within the connect timeout", state_ != State::kRejected);
        return 1;
    }
    switch (state_) {
        case State::kOpening: return open();
        case State::kConnecting: return connect(now);
        case State::kAuthenticated:
        case State::kRejected:
        case State::kChallenged: return repeat_outcome(now);
        case State::kActive: return serve(now);
        case State::kDone: return 0;
    }
    return 0;
}

int ControlSession::open() {
    if (publication_ == nullptr) {
        auto found = client_.find_exclusive_publication(init_.publication_request);
        if (!found) {
            end("no response stream: " + found.error().message, true);
            return 1;
        }
        if (*found == nullptr) {
            return 0;
        }
        publication_ = *std::move(found);
        responder_.open(*publication_);
    }
    if (!init_.counter.poll()) {
        return 0;
    }
    init_.counter.set(id());
    state_ = State::kConnecting;
    return 1;
}

int ControlSession::connect(Instant now) {
    if (!publication_->is_connected()) {
        return 0;
    }
    next_repeat_ = now;
    if (!init_.rejection.empty()) {
        state_ = State::kRejected;
    } else if (options_.authenticator == nullptr) {
        state_ = State::kAuthenticated;
    } else {
        decide(options_.authenticator->on_connect(id(), init_.credentials, now), now);
    }
    return 1;
}

void ControlSession::decide(const Authenticator::Decision& decision, Instant now) {
    using Kind = Authenticator::Decision::Kind;
    next_repeat_ = now;
    switch (decision.kind) {
        case Kind::kAccept:
            principal_ = decision.bytes;
            state_ = State::kAuthenticated;
            return;
        case Kind::kChallenge:
            challenge_ = decision.bytes;
            state_ = State::kChallenged;
            return;
        case Kind::kReject:
            init_.rejection = "authentication rejected";
            state_ = State::kRejected;
            return;
    }
}

void ControlSession::on_challenge_response(
    std::int64_t correlation_id, std::span<const std::byte> credentials, Instant now) {
    if (state_ == State::kChallenged && options_.authenticator != nullptr) {
        init_.connect_correlation_id = correlation_id;
        decide(options_.authenticator->on_challenge_response(id(), credentials, now), now);
    }
}

int ControlSession::repeat_outcome(Instant now) {
    if (now < next_repeat_ || !responder_.is_clear()) {
        return responder_.flush(now);
    }
    next_repeat_ = now + kRepeatInterval;
    if (state_ == State::kAuthenticated) {
        responder_.ok(init_.connect_correlation_id, id(), now);
    } else if (state_ == State::kRejected) {
        responder_.error(
            init_.connect_correlation_id, ArchiveErrorCode::kAuthenticationRejected, init_.rejection, now);
    } else {
        responder_.send<Challenge>(
            [&](auto& encoder) {
                encoder.template set<"correlationId">(init_.connect_correlation_id)
                    .template set<"version">(kControlProtocolVersion);
                encoder.template data<"encodedChallenge">(challenge_);
            },
            now);
    }
    return 1;
}

bool ControlSession::on_request() {
    if (state_ == State::kAuthenticated) {
        state_ = State::kActive;
        next_ping_ = {};
    }
    return state_ == State::kActive;
}

int ControlSession::serve(Instant now) {
    if (!publication_->is_connected()) {
        end("the response stream is not connected any more", false);
        return 1;
    }
    int work = responder_.flush(now);
    if (responder_.is_stuck(now, options_.connect_timeout) || responder_.is_broken()) {
        end(responder_.is_broken() ? "a response is longer than its stream takes: give the response channel "
                                     "a longer term-length"
                                   : "the client does not take its responses",
            true);
        return work + 1;
    }
    if (listing_ != nullptr && responder_.is_clear() && listing_->poll(responder_, now)) {
        listing_.reset();
        ++work;
    }
    if (now >= next_ping_) {
        next_ping_ = now + options_.session_liveness_interval;
        sbe::Encoder<Ping> ping(responder_.scratch());
        ping.set<"controlSessionId">(id());
        (void)responder_.try_post(*ping.finish());
        ++work;
    }
    return work;
}

void ControlSession::end(std::string_view reason, bool is_abnormal) {
    if (state_ == State::kDone) {
        return;
    }
    state_ = State::kDone;
    end_reason_ = reason;
    is_abnormal_ = is_abnormal;
    listing_.reset();
    if (options_.authenticator != nullptr) {
        options_.authenticator->on_end(id());
    }
}

}  // namespace fulmar::archive
