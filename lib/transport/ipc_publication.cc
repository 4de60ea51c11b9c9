#include "transport/ipc_publication.h"

#include <algorithm>

#include "base/assert.h"
#include "base/plant.h"
#include "term/clean.h"
#include "term/unblock.h"

namespace fulmar::transport {
namespace {

/// Once nobody holds the publication, a hole has no owner who might still fill it; this is only the grace
/// for a thread that was inside an offer when its client closed.
constexpr Duration kAbandonedGrace = seconds(1);

}  // namespace

IpcPublication::IpcPublication(const IpcPublicationOptions& options, layout::LogBuffer log,
    const IpcPublicationCounters& counters, const SystemCounters& system)
    : options_(options),
      log_(log),
      counters_(counters),
      system_(system),
      trip_gain_(options.term_window_length / 8),
      limit_(options.initial_position),
      trip_limit_(options.initial_position),
      clean_position_(options.initial_position),
      consumer_position_(options.initial_position),
      last_producer_position_(options.initial_position) {
    counters_.publisher_position.set_release(options.initial_position);
    counters_.publisher_limit.set_release(options.initial_position);
}

std::int64_t IpcPublication::join_position() const {
    return subscribers_.slowest(consumer_position_);
}

bool IpcPublication::add_subscriber(const observe::Counter& position) {
    if (!subscribers_.add(position, join_position())) {
        return false;
    }
    if (state_ == State::kActive) {
        log_.set_connected(true);
    }
    return true;
}

void IpcPublication::remove_subscriber(std::int32_t counter_id) {
    // What it had read counts as consumed, else a lone subscriber that leaves would give its successor old
    // data again.
    read_positions(log_.producer_position());
    subscribers_.remove(counter_id);
    if (subscribers_.empty()) {
        log_.set_connected(false);
    }
}

LogReaders::Span IpcPublication::read_positions(std::int64_t producer_position) {
    const LogReaders::Span span =
        subscribers_.read(producer_position, {producer_position, consumer_position_});
    consumer_position_ = span.max;
    return span;
}

int IpcPublication::update_publisher_limit() {
    if (state_ != State::kActive) {
        return 0;
    }
    const std::int64_t producer_position = log_.producer_position();
    if (producer_position != last_producer_position_) {
        last_producer_position_ = producer_position;
        counters_.publisher_position.set_release(producer_position);
    }
    if (!subscribers_.empty()) {
        const LogReaders::Span span = read_positions(producer_position);
        const std::int64_t min_position = FULMAR_PLANTED(kIpcIgnoresSlowest) ? span.max : span.min;
        return clean_to(min_position) + propose_limit(min_position);
    }
    if (limit_ > consumer_position_) {
        // Nobody reads: producers get as far as somebody once read, and no further.
        limit_ = consumer_position_;
        trip_limit_ = consumer_position_;
        counters_.publisher_limit.set_release(limit_);
        return 1 + clean_to(consumer_position_);
    }
    return clean_to(consumer_position_);
}

int IpcPublication::propose_limit(std::int64_t min_position) {
    const std::int64_t proposed = min_position + options_.term_window_length;
    if (proposed <= trip_limit_) {
        return 0;
    }
    // The partition a producer gets next was last used three terms earlier; one term of reserve covers the
    // message by which a claim may overshoot the limit.
    if (proposed - clean_position_ > std::int64_t{2} * log_.term_length()) {
        return 0;
    }
    limit_ = proposed;
    trip_limit_ = proposed + trip_gain_;
    counters_.publisher_limit.set_release(proposed);
    return 1;
}

/// Starts when as much is dirty as the limit moves in one step, and goes on until nothing is: between two
/// steps the conductor finds no work and may idle.
int IpcPublication::clean_to(std::int64_t position) {
    const std::int64_t dirty = position - clean_position_;
    if (dirty <= 0 || (!cleaning_ && dirty < trip_gain_)) {
        return 0;
    }
    clean_position_ = term::clean(log_, clean_position_, position, kCleanBytesMax);
    cleaning_ = clean_position_ < position;
    return 1;
}

void IpcPublication::on_timer(Instant now) {
    switch (state_) {
        case State::kActive: check_for_blocked_producer(now); break;
        case State::kDraining:
            read_positions(log_.producer_position());
            if (is_drained()) {
                enter_linger(now);
            } else {
                check_for_blocked_producer(now);
            }
            break;
        case State::kLinger:
            if (now - linger_since_ >= options_.linger_timeout) {
                state_ = State::kDone;
            }
            break;
        case State::kDone: break;
    }
}

bool IpcPublication::is_drained() const {
    return subscribers_.all_reached(log_.producer_position());
}

void IpcPublication::check_for_blocked_producer(Instant now) {
    const bool abandoned = state_ != State::kActive;
    if (options_.is_exclusive && !abandoned) {
        return;  // Its one producer owns the hole and may take its time.
    }
    const Duration usual =
        abandoned ? std::min(kAbandonedGrace, options_.unblock_timeout) : options_.unblock_timeout;
    const Duration patience = FULMAR_PLANTED(kUnblockImpatient) ? Duration{} : usual;
    if (!producer_watch_.is_blocked(now, consumer_position_, log_.producer_position(), patience)) {
        return;
    }
    const std::int64_t overdue = abandoned ? term::kAllOverdue : producer_watch_.overdue_until();
    if (term::unblock(log_, consumer_position_, overdue) != term::UnblockResult::kNoAction) {
        system_[layout::SystemCounter::kUnblockedPublications].increment_relaxed();
    }
}

void IpcPublication::close(Instant now) {
    if (state_ != State::kActive) {
        return;
    }
    const std::int64_t producer_position = log_.producer_position();
    limit_ = producer_position;
    counters_.publisher_limit.set_release(limit_);
    counters_.publisher_position.set_release(producer_position);
    log_.set_end_of_stream_position(producer_position);
    state_ = State::kDraining;
    producer_watch_.reset();
    on_timer(now);
}

void IpcPublication::revoke(Instant now) {
    if (state_ != State::kActive && state_ != State::kDraining) {
        return;
    }
    const std::int64_t producer_position = log_.producer_position();
    limit_ = producer_position;
    counters_.publisher_limit.set_release(limit_);
    log_.set_end_of_stream_position(producer_position);
    base::store_release<std::uint8_t>(log_.metadata(), layout::log_field::kIsPublicationRevoked, 1);
    system_[layout::SystemCounter::kPublicationsRevoked].increment_relaxed();
    enter_linger(now);
}

void IpcPublication::enter_linger(Instant now) {
    log_.set_connected(false);
    state_ = State::kLinger;
    linger_since_ = now;
}

}  // namespace fulmar::transport
