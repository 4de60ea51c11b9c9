#include "fulmar/archive/persistent_subscription.h"

#include "archive_client/channels.h"

namespace fulmar {

using config::ChannelUri;
using State = PersistentSubscription::State;

namespace {

/// Between questions to the archive while nothing else moves.
constexpr Duration kAskPause = milliseconds(50);
/// The live stream is joined when this close behind, at most: what a receiver's window holds meanwhile.
constexpr std::int64_t kLiveAddWindowMax = 32 << 20;

/// Takes what the driver made for a request; null while there is nothing yet, or it has to be asked again.
ArchiveResult<std::unique_ptr<Subscription>> take(Client& client, std::int64_t& request) {
    auto found = client.find_subscription(request);
    if (!found || *found != nullptr) {
        request = -1;
    }
    if (!found && found.error().code == ErrorCode::kResourceTemporarilyUnavailable) {
        return std::unique_ptr<Subscription>();
    }
    FULMAR_TRY(subscription, std::move(found));
    return subscription;
}

}  // namespace

std::string_view to_string(State state) {
    switch (state) {
        case State::kDescribe: return "DESCRIBE";
        case State::kStartReplay: return "START_REPLAY";
        case State::kReplay: return "REPLAY";
        case State::kSwitch: return "SWITCH";
        case State::kAwaitLive: return "AWAIT_LIVE";
        case State::kLive: return "LIVE";
        case State::kFailed: return "FAILED";
        case State::kClosed: return "CLOSED";
    }
    return "UNKNOWN";
}

ArchiveResult<std::unique_ptr<PersistentSubscription>> PersistentSubscription::create(
    ArchiveClient& archive, PersistentSubscriptionOptions options) {
    FULMAR_TRY_VOID(ChannelUri::parse(options.live_channel));
    FULMAR_TRY(replay, ChannelUri::parse(options.replay_channel));
    if (archive_client::is_response_mode(replay)) {
        return Unexpected{ArchiveError({ErrorCode::kNotSupported,
            "persistent subscription: replay_channel with control-mode=response"})};
    }
    return std::unique_ptr<PersistentSubscription>(new PersistentSubscription(archive, std::move(options)));
}

PersistentSubscription::PersistentSubscription(ArchiveClient& archive, PersistentSubscriptionOptions options)
    : archive_(archive), options_(std::move(options)), position_(options_.start_position) {}

Image* PersistentSubscription::readable_image() {
    switch (state_) {
        case State::kReplay: return replay_image_;
        case State::kSwitch: return has_reached_live() ? nullptr : replay_image_;
        case State::kLive: return live_image_;
        default: return nullptr;
    }
}

int PersistentSubscription::do_work() {
    if (state_ == State::kFailed || state_ == State::kClosed) {
        return 0;
    }
    const int polled = archive_.poll();
    const auto work = step();
    if (!work) {
        error_ = work.error();
        close();
        state_ = State::kFailed;
        return 1;
    }
    return polled + *work;
}

ArchiveResult<int> PersistentSubscription::step() {
    switch (state_) {
        case State::kDescribe: return describe();
        case State::kStartReplay: return start_replay();
        case State::kReplay: return replay();
        case State::kSwitch: return switch_over();
        case State::kAwaitLive: return await_live();
        case State::kLive: return live();
        case State::kFailed:
        case State::kClosed: break;
    }
    return 0;
}

ArchiveResult<int> PersistentSubscription::describe() {
    const Instant now = archive_.client().now();
    if (request_ == -1) {
        if (now < next_ask_) {
            return 0;
        }
        next_ask_ = now + kAskPause;
        descriptor_.reset();
        FULMAR_TRY(id, archive_.async_list_recording(options_.recording_id,
                           [this](const RecordingDescriptor& found) { descriptor_ = found; }));
        request_ = id;
        return 1;
    }
    FULMAR_TRY(answer, archive_.find_response(request_));
    if (!answer) {
        return 0;
    }
    request_ = -1;
    if (!descriptor_) {
        return failure(ArchiveErrorCode::kUnknownRecording, "is unknown to the archive");
    }
    if (descriptor_->stream_id != options_.live_stream_id) {
        return failure(ArchiveErrorCode::kGeneric,
            "is of stream " + std::to_string(descriptor_->stream_id) + ", not of live_stream_id");
    }
    if (position_ == kFromLive) {
        state_ = State::kAwaitLive;
        return 1;
    }
    if (position_ == kFromStart) {
        position_ = descriptor_->start_position;
    }
    if (position_ < descriptor_->start_position) {
        return failure(ArchiveErrorCode::kInvalidPosition, "begins at " +
                                                               std::to_string(descriptor_->start_position) +
                                                               ", after this subscription's position");
    }
    if (!descriptor_->is_active() && position_ > descriptor_->stop_position) {
        return failure(ArchiveErrorCode::kInvalidPosition, "ended at " +
                                                               std::to_string(descriptor_->stop_position) +
                                                               ", before this subscription's position");
    }
    const bool has_more = descriptor_->is_active() || position_ < descriptor_->stop_position;
    state_ = has_more ? State::kStartReplay : State::kAwaitLive;
    return 1;
}

// A free port has to be known before the archive is told where to send; on a channel that others may use too,
// the replay's session has to be known before it is subscribed to.
ArchiveResult<int> PersistentSubscription::start_replay() {
    FULMAR_TRY(channel, ChannelUri::parse(options_.replay_channel));
    if (archive_client::has_wildcard_port(channel)) {
        FULMAR_TRY_VOID(poll_replay_subscription(channel.text()));
        if (replay_ == nullptr) {
            return 0;
        }
        const auto resolved = archive_client::resolve_port(channel, *replay_);
        if (!resolved) {
            return 0;
        }
        FULMAR_TRY_VOID(ask_for_replay(*resolved));
    } else {
        FULMAR_TRY_VOID(ask_for_replay(channel.text()));
        if (state_ == State::kStartReplay && replay_session_id_ != -1) {
            archive_client::set_number(channel, "session-id", static_cast<std::int32_t>(replay_session_id_));
            FULMAR_TRY_VOID(poll_replay_subscription(channel.text()));
        }
    }
    if (state_ != State::kStartReplay || replay_session_id_ == -1 || replay_ == nullptr) {
        return 0;
    }
    replay_deadline_ = archive_.client().now() + archive_.options().message_timeout;
    state_ = State::kReplay;
    return 1;
}

ArchiveStatus PersistentSubscription::ask_for_replay(const std::string& channel) {
    if (replay_session_id_ != -1) {
        return Done{};
    }
    if (request_ == -1) {
        ReplayParams params;
        params.position = position_;
        FULMAR_TRY(id,
            archive_.async_start_replay(options_.recording_id, channel, options_.replay_stream_id, params));
        request_ = id;
        return Done{};
    }
    const auto answer = archive_.find_response(request_);
    if (answer && !*answer) {
        return Done{};
    }
    request_ = -1;
    if (!answer) {
        // The live stream may have brought us further than what is recorded of it yet.
        if (answer.error().archive_code == ArchiveErrorCode::kInvalidPosition && descriptor_->is_active()) {
            go_back_to_recording();
            return Done{};
        }
        return Unexpected{answer.error()};
    }
    replay_session_id_ = **answer;
    return Done{};
}

ArchiveStatus PersistentSubscription::poll_replay_subscription(const std::string& channel) {
    if (replay_ != nullptr) {
        return Done{};
    }
    if (driver_request_ == -1) {
        FULMAR_TRY(id, archive_.client().async_add_subscription(channel, options_.replay_stream_id));
        driver_request_ = id;
    }
    FULMAR_TRY(made, take(archive_.client(), driver_request_));
    replay_ = std::move(made);
    return Done{};
}

ArchiveResult<int> PersistentSubscription::replay() {
    if (replay_image_ == nullptr) {
        replay_image_ = replay_->image_by_session_id(static_cast<std::int32_t>(replay_session_id_));
        if (replay_image_ == nullptr) {
            if (archive_.client().now() >= replay_deadline_) {
                go_back_to_recording();
                return 1;
            }
            return 0;
        }
    }
    if (replay_image_->is_closed()) {
        go_back_to_recording();
        return 1;
    }
    FULMAR_TRY_VOID(approach_live());
    return 0;
}

ArchiveStatus PersistentSubscription::approach_live() {
    if (live_ == nullptr && live_request_ == -1) {
        FULMAR_TRY(recorded, poll_recorded_position());
        const std::int64_t window =
            std::min<std::int64_t>(replay_image_->term_length() / 4, kLiveAddWindowMax);
        if (!recorded || *recorded - position_ > window) {
            return Done{};
        }
    }
    FULMAR_TRY(image, poll_live_subscription());
    if (image != nullptr) {
        live_image_ = image;
        live_join_position_ = image->position();
        state_ = State::kSwitch;
    }
    return Done{};
}

ArchiveResult<std::optional<std::int64_t>> PersistentSubscription::poll_recorded_position() {
    const Instant now = archive_.client().now();
    if (request_ == -1) {
        if (now >= next_ask_) {
            next_ask_ = now + kAskPause;
            FULMAR_TRY(id, archive_.async_max_recorded_position(options_.recording_id));
            request_ = id;
        }
        return std::optional<std::int64_t>();
    }
    FULMAR_TRY(answer, archive_.find_response(request_));
    if (answer) {
        request_ = -1;
    }
    return answer;
}

ArchiveResult<Image*> PersistentSubscription::poll_live_subscription() {
    if (live_ == nullptr) {
        if (live_request_ == -1) {
            FULMAR_TRY(
                id, archive_.client().async_add_subscription(options_.live_channel, options_.live_stream_id));
            live_request_ = id;
        }
        FULMAR_TRY(made, take(archive_.client(), live_request_));
        live_ = std::move(made);
    }
    return live_ == nullptr || live_->has_no_images() ? nullptr : live_->images().front();
}

ArchiveResult<int> PersistentSubscription::switch_over() {
    if (live_image_->is_closed()) {
        end_live();
        state_ = State::kReplay;
        return 1;
    }
    if (!has_reached_live()) {
        if (replay_image_->is_closed()) {
            go_back_to_recording();
            return 1;
        }
        return 0;
    }
    // What the replay has delivered beyond the live image's beginning, to the end of a message.
    const std::int64_t delivered = replayed_position();
    const int skipped = live_image_->controlled_poll(
        [&](std::span<const std::byte>, const Header& header) {
            return header.position() <= delivered ? ControlledAction::kContinue : ControlledAction::kAbort;
        },
        INT32_MAX);
    if (live_image_->position() >= delivered) {
        go_live();
        return 1;
    }
    return skipped;
}

ArchiveResult<int> PersistentSubscription::await_live() {
    FULMAR_TRY(image, poll_live_subscription());
    if (image == nullptr) {
        if (position_ != kFromLive) {
            // The recording may go on where the live stream does not reach us.
            FULMAR_TRY(recorded, poll_recorded_position());
            if (recorded && *recorded > position_) {
                go_back_to_recording();
                return 1;
            }
        }
        return 0;
    }
    if (position_ != kFromLive && image->position() > position_) {
        go_back_to_recording();
        return 1;
    }
    if (position_ != kFromLive && image->position() < position_) {
        return failure(ArchiveErrorCode::kInvalidPosition,
            "does not go with the live stream, which joined at " + std::to_string(image->position()));
    }
    live_image_ = image;
    position_ = image->position();
    go_live();
    return 1;
}

ArchiveResult<int> PersistentSubscription::live() {
    if (!live_image_->is_closed()) {
        return 0;
    }
    go_back_to_recording();
    if (options_.on_live_left) {
        options_.on_live_left();
    }
    return 1;
}

void PersistentSubscription::go_live() {
    end_replay();
    state_ = State::kLive;
    if (options_.on_live_joined) {
        options_.on_live_joined();
    }
}

/// From the end of the last whole message on.
void PersistentSubscription::go_back_to_recording() {
    message_.reset();
    end_replay();
    end_live();
    next_ask_ = archive_.client().now() + kAskPause;
    state_ = State::kDescribe;
}

void PersistentSubscription::end_replay() {
    if (request_ != -1) {
        archive_.cancel(std::exchange(request_, -1));
    }
    if (driver_request_ != -1) {
        archive_.client().cancel(std::exchange(driver_request_, -1));
    }
    const std::int64_t session_id = std::exchange(replay_session_id_, -1);
    if (session_id != -1 && archive_.is_connected()) {
        if (const auto id = archive_.async_stop_replay(session_id); id) {
            archive_.cancel(*id);
        }
    }
    replay_image_ = nullptr;
    replay_.reset();
}

void PersistentSubscription::end_live() {
    if (live_request_ != -1) {
        archive_.client().cancel(std::exchange(live_request_, -1));
    }
    live_image_ = nullptr;
    live_.reset();
}

Unexpected<ArchiveError> PersistentSubscription::failure(ArchiveErrorCode code, std::string what) const {
    return fail(code, "persistent subscription: recording " + std::to_string(options_.recording_id) + " " +
                          std::move(what) + (position_ >= 0 ? " (" + std::to_string(position_) + ")" : ""));
}

void PersistentSubscription::close() {
    if (state_ == State::kClosed || state_ == State::kFailed) {
        return;
    }
    end_replay();
    end_live();
    state_ = State::kClosed;
}

}  // namespace fulmar
