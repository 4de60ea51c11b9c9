#include "archive_server/replication.h"

#include <algorithm>

#include "config/channel_uri.h"

namespace fulmar::archive {
namespace {

using config::ChannelUri;

/// The live stream is joined when the copy is this near, or a quarter of a term where that is less.
constexpr std::int64_t kLiveAddMax = 32 * 1024 * 1024;

/// Of the session with the source; empty: as its client likes.
std::string response_channel(const Replication::Request& request, const ServerOptions& options) {
    if (!request.source_response_channel.empty()) {
        return request.source_response_channel;
    }
    if (!options.source_response_channel.empty()) {
        return options.source_response_channel;
    }
    const auto source = ChannelUri::parse(request.source_control_channel);
    const auto ours = ChannelUri::parse(options.control_channel);
    if (!source || source->media() == config::Media::kIpc || !ours) {
        return "";
    }
    // The host that clients reach us by; the source may be on another one.
    const auto endpoint = ours->find("endpoint");
    const std::size_t colon = endpoint ? endpoint->rfind(':') : std::string_view::npos;
    return colon == std::string_view::npos
               ? ""
               : "aeron:udp?endpoint=" + std::string(endpoint->substr(0, colon)) + ":0";
}

}  // namespace

Replication::Replication(Request request, ServerContext& context, Recordings& recordings)
    : request_(std::move(request)), context_(context), recordings_(recordings) {
    enter(State::kConnecting);
    ArchiveClientOptions options;
    options.control_request_channel = request_.source_control_channel;
    options.control_request_stream_id = request_.source_control_stream_id;
    options.control_response_channel = response_channel(request_, context_.options);
    options.message_timeout = context_.options.message_timeout;
    options.client_name = "archiveId=" + std::to_string(context_.archive_id) +
                          " replicationSessionId=" + std::to_string(request_.id);
    if (!request_.credentials.empty()) {
        options.credentials.initial = [credentials = request_.credentials] { return credentials; };
    }
    auto connecting = ArchiveClient::async_connect(context_.client, std::move(options));
    if (!connecting) {
        fail(ArchiveErrorCode::kReplicationConnectionFailure,
            "replication connection failed: " + connecting.error().message);
        return;
    }
    connecting_ = *std::move(connecting);
}

Replication::~Replication() = default;

void Replication::enter(State state) {
    state_ = state;
    asked_ = -1;
    deadline_ = context_.now + context_.options.message_timeout;
}

void Replication::fail(ArchiveErrorCode code, std::string why) {
    context_.sessions.error(request_.asker, code, why);
    context_.report(ErrorCode::kGeneric, "replication " + std::to_string(request_.id) + " of recording " +
                                             std::to_string(request_.source_id) + " from " +
                                             request_.source_control_channel + " ended: " + why);
    end();
}

void Replication::signal(RecordingSignal what, std::int64_t position) {
    context_.sessions.signal(request_.asker, {.signal = what,
                                                 .recording_id = request_.destination_id,
                                                 .subscription_id = subscription_,
                                                 .position = position});
}

void Replication::end() {
    if (state_ == State::kStopping || state_ == State::kDone) {
        return;
    }
    if (source_ != nullptr && source_replay_ != -1 && source_->is_connected()) {
        if (const auto asked = source_->async_stop_replay(source_replay_)) {
            source_->cancel(*asked);
        }
    }
    if (subscription_ != -1 && !keeps_recording_) {
        (void)recordings_.stop_quietly(subscription_);
    }
    enter(State::kStopping);
}

int Replication::await_stop() {
    const bool runs_on = !keeps_recording_ && subscription_ != -1 &&
                         std::any_of(recordings_.subscribers().begin(), recordings_.subscribers().end(),
                             [&](const auto& subscriber) { return subscriber.id == subscription_; });
    if (runs_on) {
        return 0;
    }
    signal(RecordingSignal::kReplicateEnd, kNullValue);
    connecting_.reset();
    source_.reset();
    state_ = State::kDone;
    return 1;
}

int Replication::poll() {
    int work = source_ != nullptr ? source_->poll() : 0;
    // Connecting has a deadline of its own, and says what it waits for.
    const bool waits = state_ != State::kConnecting && state_ != State::kCopying &&
                       state_ != State::kCatchingUp && state_ != State::kJoining &&
                       state_ != State::kStopping && state_ != State::kDone;
    if (waits && context_.now > deadline_) {
        fail(
            ArchiveErrorCode::kGeneric, "the source or the driver did not answer within the message timeout");
    }
    if (source_ != nullptr && !source_->is_connected() && state_ != State::kStopping &&
        state_ != State::kDone) {
        fail(ArchiveErrorCode::kGeneric, "the session with the source archive ended");
    }
    const bool has_lost_recording = subscription_ != -1 && state_ > State::kSubscribing &&
                                    state_ < State::kCopying &&
                                    recordings_.find_subscriber(subscription_) == nullptr;
    if (has_lost_recording) {
        end();  // somebody stopped the recording
    }
    switch (state_) {
        case State::kConnecting: return work + connect();
        case State::kDescribing: return work + describe();
        case State::kPersisting:
            if (context_.catalog.is_persisted(ticket_)) {
                signal(RecordingSignal::kReplicate, position_);
                enter(State::kLocating);
                ++work;
            }
            return work;
        case State::kLocating: return work + locate();
        case State::kSubscribing: return work + await_subscription();
        case State::kResolving: return work + resolve();
        case State::kReplaying: return work + await_replay();
        case State::kAwaitingImage: return work + await_image();
        case State::kCopying: return work + copy();
        case State::kCatchingUp: return work + catch_up();
        case State::kJoining: return work + join();
        case State::kStopping: return work + await_stop();
        case State::kDone: return work;
    }
    return work;
}

void Replication::ask(ArchiveResult<std::int64_t> asked) {
    if (asked) {
        asked_ = *asked;
    } else {
        fail(asked.error().archive_code >= ArchiveErrorCode::kGeneric ? asked.error().archive_code
                                                                      : ArchiveErrorCode::kGeneric,
            asked.error().message);
    }
}

std::optional<std::int64_t> Replication::answer() {
    auto found = source_->find_response(asked_);
    if (!found) {
        fail(found.error().archive_code >= ArchiveErrorCode::kGeneric ? found.error().archive_code
                                                                      : ArchiveErrorCode::kGeneric,
            found.error().message);
        return std::nullopt;
    }
    return *found;
}

Image* Replication::image() {
    Recordings::Subscriber* subscriber = recordings_.find_subscriber(subscription_);
    return subscriber != nullptr && subscriber->subscription != nullptr
               ? subscriber->subscription->image_by_session_id(static_cast<std::int32_t>(source_replay_))
               : nullptr;
}

int Replication::await_image() {
    if (image() == nullptr || !recordings_.is_active(request_.destination_id)) {
        return 0;
    }
    enter(is_merging() ? State::kCatchingUp : State::kCopying);
    return 1;
}

int Replication::copy() {
    const auto progress = recordings_.progress(request_.destination_id);
    if (progress != nullptr) {
        position_ = progress->position.load(std::memory_order_acquire);
    } else {
        const Catalog& catalog = context_.catalog.catalog();
        const std::size_t index = catalog.find(request_.destination_id);
        position_ = index != catalog.size() ? catalog.at(index).stop_position : position_;
    }
    const bool has_all = source_stop_ != kNullValue && position_ >= source_stop_;
    const bool has_enough = request_.stop_position != kNullValue && position_ >= request_.stop_position;
    if (!has_all && !has_enough && progress != nullptr) {
        return 0;
    }
    if (has_all) {
        signal(RecordingSignal::kSync, position_);
    }
    source_replay_ = -1;  // it ends by itself
    end();
    return 1;
}

int Replication::catch_up() {
    Image* image = this->image();
    if (image == nullptr) {
        fail(ArchiveErrorCode::kGeneric, "the replay ended before it had caught up with the live stream");
        return 1;
    }
    if (image->position() < source_position_) {
        return 0;
    }
    enter(State::kJoining);
    return 1;
}

int Replication::join() {
    Image* image = this->image();
    if (image == nullptr) {
        fail(ArchiveErrorCode::kGeneric, "the replay ended before the live stream was joined");
        return 1;
    }
    if (asked_ == -1) {
        ask(source_->async_recording_position(request_.source_id));
        return 1;
    }
    const auto position = answer();
    if (!position) {
        return 0;
    }
    asked_ = -1;
    if (*position == kNullValue) {
        fail(ArchiveErrorCode::kGeneric, "cannot live merge without active source recording");
        return 1;
    }
    source_position_ = *position;
    const std::int64_t distance = source_position_ - image->position();
    Subscription& subscription = *recordings_.find_subscriber(subscription_)->subscription;
    if (!is_live_added_ && distance <= std::min<std::int64_t>(image->term_length() / 4, kLiveAddMax)) {
        const auto added = subscription.async_add_destination(request_.live_destination);
        if (!added) {
            fail(ArchiveErrorCode::kGeneric, added.error().message);
            return 1;
        }
        is_live_added_ = true;
    } else if (is_live_added_ && distance <= 0 && image->active_transport_count() >= 2) {
        (void)subscription.async_remove_destination(replay_destination_);
        signal(RecordingSignal::kMerge, image->position());
        keeps_recording_ = true;
        end();
    }
    return 1;
}

}  // namespace fulmar::archive
