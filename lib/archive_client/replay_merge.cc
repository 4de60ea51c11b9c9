#include "fulmar/archive/replay_merge.h"

#include <algorithm>

#include "archive_client/channels.h"

namespace fulmar {

using config::ChannelUri;
using State = ReplayMerge::State;

namespace {

constexpr Duration kAskPauseMin = milliseconds(8);
constexpr Duration kAskPauseMax = milliseconds(500);
/// The live stream is joined when this close behind, at most: what a receiver's window holds meanwhile.
constexpr std::int64_t kLiveAddWindowMax = 32 << 20;
/// Both transports carry the image.
constexpr std::int32_t kTransportsMerged = 2;

Unexpected<ArchiveError> refuse(std::string message) {
    return {ArchiveError({ErrorCode::kInvalidChannel, "replay merge: " + std::move(message)})};
}

ArchiveResult<ChannelUri> parse_udp(std::string_view what, const std::string& channel) {
    auto uri = ChannelUri::parse(channel);
    if (!uri) {
        return refuse(std::string(what) + ": " + uri.error().message);
    }
    if (uri->media() != config::Media::kUdp || uri->is_spy()) {
        return refuse(std::string(what) + " " + channel + " is not of aeron:udp; nothing else can be merged");
    }
    return std::move(*uri);
}

}  // namespace

std::string_view to_string(State state) {
    switch (state) {
        case State::kResolveReplayPort: return "RESOLVE_REPLAY_PORT";
        case State::kGetRecordingPosition: return "GET_RECORDING_POSITION";
        case State::kReplay: return "REPLAY";
        case State::kCatchup: return "CATCHUP";
        case State::kAttemptLiveJoin: return "ATTEMPT_LIVE_JOIN";
        case State::kMerged: return "MERGED";
        case State::kFailed: return "FAILED";
        case State::kClosed: return "CLOSED";
    }
    return "UNKNOWN";
}

ArchiveResult<std::unique_ptr<ReplayMerge>> ReplayMerge::create(
    ArchiveClient& archive, Subscription& subscription, ReplayMergeOptions options) {
    std::unique_ptr<ReplayMerge> merge(new ReplayMerge(archive, subscription, std::move(options)));
    if (auto begun = merge->begin(); !begun) {
        merge->state_ = State::kClosed;  // nothing was begun that has to be undone
        return Unexpected{begun.error()};
    }
    return merge;
}

ReplayMerge::ReplayMerge(ArchiveClient& archive, Subscription& subscription, ReplayMergeOptions options)
    : archive_(archive),
      subscription_(subscription),
      options_(std::move(options)),
      last_progress_(archive.client().now()),
      next_ask_(last_progress_),
      ask_pause_(kAskPauseMin) {}

ArchiveStatus ReplayMerge::begin() {
    FULMAR_TRY(subscribed, parse_udp("the subscription's channel", subscription_.channel()));
    if (subscribed.find("control-mode") != "manual") {
        return refuse("the subscription's channel " + subscription_.channel() +
                      " needs control-mode=manual, so that destinations can come and go");
    }
    FULMAR_TRY(replay_destination, parse_udp("replay_destination", options_.replay_destination));
    FULMAR_TRY_VOID(parse_udp("live_destination", options_.live_destination));
    FULMAR_TRY(replay, parse_udp("replay_channel", options_.replay_channel));
    const auto endpoint = replay_destination.find("endpoint");
    if (!endpoint) {
        return refuse("replay_destination " + options_.replay_destination + " has no endpoint");
    }
    // Its end must not look like the end of the live stream, which goes on in the same image.
    replay.set("linger", "0");
    replay.set("eos", "false");
    replay.set("endpoint", *endpoint);
    replay_channel_ = replay.text();
    if (!archive_client::has_wildcard_port(replay)) {
        state_ = State::kGetRecordingPosition;
    }
    FULMAR_TRY(id, subscription_.async_add_destination(options_.replay_destination));
    replay_destination_request_ = id;
    return Done{};
}

int ReplayMerge::do_work() {
    if (state_ == State::kMerged || state_ == State::kFailed || state_ == State::kClosed) {
        return 0;
    }
    const int polled = archive_.poll();
    const Instant now = archive_.client().now();
    auto work = step(now);
    ArchiveStatus checked = work ? check_destinations() : ArchiveStatus(Unexpected{work.error()});
    if (checked && !is_merged()) {
        checked = check_progress(now);
    }
    if (!checked) {
        error_ = checked.error();
        enter(State::kFailed);
        remove_replay();
        return 1;
    }
    return polled + *work;
}

ArchiveResult<int> ReplayMerge::step(Instant now) {
    switch (state_) {
        case State::kResolveReplayPort: return resolve_replay_port(now);
        case State::kGetRecordingPosition: return get_recording_position(now);
        case State::kReplay: return start_replay(now);
        case State::kCatchup: return catch_up(now);
        case State::kAttemptLiveJoin: return attempt_live_join(now);
        case State::kMerged:
        case State::kFailed:
        case State::kClosed: break;
    }
    return 0;
}

ArchiveResult<int> ReplayMerge::resolve_replay_port(Instant now) {
    FULMAR_TRY(replay, ChannelUri::parse(replay_channel_));
    const auto resolved = archive_client::resolve_port(replay, subscription_);
    if (!resolved) {
        return 0;
    }
    replay_channel_ = *resolved;
    progressed(now);
    enter(State::kGetRecordingPosition);
    return 1;
}

ArchiveResult<int> ReplayMerge::get_recording_position(Instant now) {
    FULMAR_TRY(is_known, poll_recorded_position(now));
    if (!is_known) {
        return 0;
    }
    progressed(now);
    enter(State::kReplay);
    return 1;
}

ArchiveResult<int> ReplayMerge::start_replay(Instant now) {
    if (request_ == -1) {
        ReplayParams params;
        params.position = options_.start_position;
        FULMAR_TRY(id, archive_.async_start_replay(
                           options_.recording_id, replay_channel_, subscription_.stream_id(), params));
        request_ = id;
        progressed(now);
        return 1;
    }
    FULMAR_TRY(answer, archive_.find_response(request_));
    if (!answer) {
        return 0;
    }
    request_ = -1;
    replay_session_id_ = *answer;
    is_replay_active_ = true;
    ask_pause_ = kAskPauseMin;
    next_ask_ = now;
    progressed(now);
    enter(State::kCatchup);
    return 1;
}

ArchiveResult<int> ReplayMerge::catch_up(Instant now) {
    if (image_ == nullptr) {
        image_ = subscription_.image_by_session_id(static_cast<std::int32_t>(replay_session_id_));
        if (image_ == nullptr) {
            return 0;
        }
        last_position_ = image_->position();
        progressed(now);
    }
    const std::int64_t position = image_->position();
    if (position >= target_position_) {
        last_position_ = position;
        progressed(now);
        enter(State::kAttemptLiveJoin);
        return 1;
    }
    if (image_->is_closed()) {
        return fail(ArchiveErrorCode::kNotConnected, "replay merge: the replay ended at " +
                                                         std::to_string(position) + ", before " +
                                                         std::to_string(target_position_));
    }
    if (position > last_position_) {
        last_position_ = position;
        progressed(now);
    }
    return 0;
}

ArchiveResult<int> ReplayMerge::attempt_live_join(Instant now) {
    if (image_->is_closed()) {
        return fail(ArchiveErrorCode::kNotConnected, "replay merge: the image closed at " +
                                                         std::to_string(image_->position()) +
                                                         " before the streams had met");
    }
    FULMAR_TRY(is_known, poll_recorded_position(now));
    if (!is_known) {
        return 0;
    }
    FULMAR_TRY_VOID(join_or_merge(now, image_->position()));
    return 1;
}

ArchiveStatus ReplayMerge::join_or_merge(Instant now, std::int64_t position) {
    const std::int64_t behind = target_position_ - position;
    const std::int64_t window = std::min<std::int64_t>(image_->term_length() / 4, kLiveAddWindowMax);
    if (!is_live_added_ && behind <= window) {
        FULMAR_TRY(id, subscription_.async_add_destination(options_.live_destination));
        live_destination_request_ = id;
        is_live_added_ = true;
        progressed(now);
    } else if (is_live_added_ && behind <= 0 && image_->active_transport_count() >= kTransportsMerged) {
        remove_replay();
        progressed(now);
        enter(State::kMerged);
        return Done{};
    }
    last_position_ = position;
    enter(State::kCatchup);
    return Done{};
}

ArchiveResult<bool> ReplayMerge::poll_recorded_position(Instant now) {
    if (request_ == -1) {
        if (now < next_ask_) {
            return false;
        }
        FULMAR_TRY(id, archive_.async_max_recorded_position(options_.recording_id));
        request_ = id;
        ask_pause_ = std::min(ask_pause_ * 2, kAskPauseMax);
        next_ask_ = now + ask_pause_;
        return false;
    }
    FULMAR_TRY(answer, archive_.find_response(request_));
    if (!answer) {
        return false;
    }
    request_ = -1;
    target_position_ = *answer;
    return target_position_ != kNullPosition;
}

ArchiveStatus ReplayMerge::check_destinations() {
    for (std::int64_t* request : {&replay_destination_request_, &live_destination_request_}) {
        if (*request == -1) {
            continue;
        }
        const auto done = archive_.client().find_operation(*request);
        if (!done || *done) {
            *request = -1;
        }
        if (!done) {
            return Unexpected{ArchiveError(
                {done.error().code, "replay merge: adding a destination: " + done.error().message})};
        }
    }
    return Done{};
}

ArchiveStatus ReplayMerge::check_progress(Instant now) const {
    if (now <= last_progress_ + options_.progress_timeout) {
        return Done{};
    }
    return fail(ArchiveErrorCode::kTimeout,
        "replay merge: no progress for " + std::to_string(options_.progress_timeout.ns / 1'000'000) +
            " ms in " + std::string(to_string(state_)) + ", at position " + std::to_string(last_position_) +
            " of " + std::to_string(target_position_) + " with " +
            std::to_string(image_ == nullptr ? 0 : image_->active_transport_count()) + " active transports");
}

void ReplayMerge::enter(State state) {
    if (request_ != -1) {
        archive_.cancel(request_);
        request_ = -1;
    }
    state_ = state;
}

void ReplayMerge::remove_replay() {
    if (!archive_.client().is_closed()) {
        if (const auto id = subscription_.async_remove_destination(options_.replay_destination); id) {
            archive_.client().cancel(*id);
        }
    }
    if (std::exchange(is_replay_active_, false) && archive_.is_connected()) {
        if (const auto id = archive_.async_stop_replay(replay_session_id_); id) {
            archive_.cancel(*id);
        }
    }
}

void ReplayMerge::close() {
    if (state_ == State::kClosed) {
        return;
    }
    const bool has_replay = state_ != State::kMerged && state_ != State::kFailed;
    enter(State::kClosed);
    for (std::int64_t* request : {&replay_destination_request_, &live_destination_request_}) {
        if (*request != -1) {
            archive_.client().cancel(std::exchange(*request, -1));
        }
    }
    if (has_replay) {
        remove_replay();
    }
}

}  // namespace fulmar
