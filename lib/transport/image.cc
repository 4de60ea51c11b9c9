// Construction, subscribers and life cycle.
#include "transport/image.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/plant.h"
#include "base/position.h"

namespace fulmar::transport {

namespace {
/// Status messages with EOS go out for this many intervals before the image leaves.
constexpr int kDrainStatusMessages = 5;
}  // namespace

Image::Image(const ImageOptions& options, layout::LogBuffer log, const ImageCounters& counters,
    const SystemCounters& system, LossObserver* loss)
    : options_(options),
      log_(log),
      counters_(counters),
      system_(system),
      loss_(loss),
      gaps_(options.initial_position),
      last_sm_position_(options.initial_position),
      consumed_position_(options.initial_position),
      sm_deadline_(options.created),
      last_packet_(options.created),
      consumed_(options.initial_position) {
    nak_delay_ = options.nak_delay;
    if (options.nak_backoff && options.reliable) {
        nak_backoff_.emplace(*options.nak_backoff);
        draw_nak_delay();
    }
    counters_.receiver_hwm.set_release(options.initial_position);
    counters_.receiver_position.set_release(options.initial_position);
    paths_.heard(options.created, {options.binding, options_.control});
    show_paths();
}

void Image::draw_nak_delay() {
    if (nak_backoff_) {
        nak_delay_ = nak_backoff_->next();
    }
}

/// What tells a client that a further transport has taken over.
void Image::show_paths() {
    const bool is_active = state_.load(std::memory_order_relaxed) == State::kActive;
    log_.set_active_transport_count(is_active ? static_cast<std::int32_t>(paths_.size()) : 0);
}

void Image::remove_path(const port::Binding* binding) {
    if (paths_.remove(binding)) {
        show_paths();
    }
}

/// Behind the last one if it is not there.
std::size_t Image::find_subscriber(std::int32_t counter_id) const {
    std::size_t index = 0;
    while (index < subscriber_count_ && subscribers_[index].id() != counter_id) {
        ++index;
    }
    return index;
}

bool Image::add_subscriber(const observe::Counter& position) {
    const std::size_t index = find_subscriber(position.id());
    if (index == kSubscribersMax) {
        return false;
    }
    if (index == subscriber_count_) {
        subscribers_[subscriber_count_++] = position;
        had_subscriber_ = true;
    }
    if (index >= reader_count_) {
        std::swap(subscribers_[index], subscribers_[reader_count_++]);
    }
    return true;
}

void Image::rest_subscriber(std::int32_t counter_id) {
    const std::size_t index = find_subscriber(counter_id);
    if (index < reader_count_) {
        std::swap(subscribers_[index], subscribers_[--reader_count_]);
    }
}

void Image::remove_subscriber(std::int32_t counter_id) {
    rest_subscriber(counter_id);
    const std::size_t index = find_subscriber(counter_id);
    if (index < subscriber_count_) {
        subscribers_[index] = subscribers_[--subscriber_count_];
    }
}

void Image::respond(std::int32_t response_session_id) {
    is_responding_ = true;
    response_session_id_ = response_session_id;
    sm_due_ = true;
}

void Image::reject(std::string_view reason) {
    wire::ErrorFrame error;
    error.session_id = options_.session_id;
    error.stream_id = options_.stream_id;
    error.receiver_id = options_.receiver_id;
    error.error_code = static_cast<std::int32_t>(ErrorCode::kImageRejected);
    error.text = reason;
    reject_frame_length_ = wire::write_error(reject_frame_.data(), error);
}

std::int64_t Image::min_subscriber_position() const {
    // Positions are shared memory: what a client wrote counts only between what was already consumed and
    // what has arrived.
    const std::int64_t arrived = gaps_.contiguous();
    std::int64_t least = arrived;
    for (std::size_t i = 0; i < reader_count_; ++i) {
        least = std::min(least, subscribers_[i].get_acquire());
    }
    if (FULMAR_PLANTED(kSlowReaderForgotten)) {
        return arrived;
    }
    return std::max(least, consumed_position_);
}

bool Image::subscribers_at(std::int64_t position) const {
    for (std::size_t i = 0; i < reader_count_; ++i) {
        if (subscribers_[i].get_acquire() < position) {
            return false;
        }
    }
    return true;
}

void Image::start_draining(Instant now) {
    drain_started_ = now;
    sm_due_ = true;
    state_.store(State::kDraining, std::memory_order_release);
    show_paths();
}

void Image::on_timer(Instant now) {
    switch (state_.load(std::memory_order_relaxed)) {  // relaxed: only this agent writes it
        case State::kActive: {
            const bool deserted = had_subscriber_ && subscriber_count_ == 0;
            const bool silent = now - last_packet_ >= options_.liveness_timeout;
            const bool ended = end_position_ >= 0 && gaps_.contiguous() >= end_position_;
            if (deserted || silent || ended || revoked_) {
                start_draining(now);
            }
            break;
        }
        case State::kDraining: {
            const bool told = now - drain_started_ >= options_.status_message_timeout * kDrainStatusMessages;
            if (revoked_ || FULMAR_PLANTED(kEarlyLinger) || (told && subscribers_at(gaps_.contiguous()))) {
                // SYNC(image.state): release; pairs with the conductor's acquire in state().
                state_.store(State::kLinger, std::memory_order_release);
            }
            break;
        }
        case State::kLinger: break;
    }
}

}  // namespace fulmar::transport
