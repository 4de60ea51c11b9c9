// Conductor agent: how far producers may go, cleaning behind them, and the end of the stream.
#include <algorithm>

#include "base/plant.h"
#include "base/position.h"
#include "term/append.h"
#include "term/clean.h"
#include "term/unblock.h"
#include "transport/network_publication.h"

namespace fulmar::transport {

using layout::SystemCounter;

namespace {
/// Zeroed per duty cycle at most, so that cleaning never stalls the agent.
constexpr std::int32_t kCleanBytesMax = 64 * 1024;
/// Cleaned in one go when anything is.
constexpr std::int64_t kCleanBytesMin = 4 * 1024;
/// Producers get this much ahead of where they are, window or not: what was just zeroed is still in a
/// cache when they write it, which spares memory half of the traffic.
constexpr std::int64_t kLimitAheadMax = 1024 * 1024;
/// The longest block of frames that a foreign client appends at once: what an Aeron archive reads from a file
/// by default.
constexpr std::int32_t kBlockMax = 1024 * 1024;
}  // namespace

int NetworkPublication::clean_to(std::int64_t position) {
    if (position <= clean_position_) {
        return 0;
    }
    const std::int64_t end = std::max(position, clean_position_ + kCleanBytesMin);
    clean_position_ = FULMAR_PLANTED(kPublicationNeverCleans)
                          ? end
                          : term::clean(log_, clean_position_, end, kCleanBytesMax);
    return 1;
}

int NetworkPublication::update_publisher_limit() {
    const std::int64_t producer = log_.producer_position();
    if (counters_.publisher_position.get_relaxed() != producer) {
        counters_.publisher_position.set_release(producer);
    }
    if (state_ != State::kActive) {
        return 0;
    }
    const std::int64_t sent = counters_.sender_position.get_acquire();
    const std::int64_t consumed = read_spies().min;
    if (!is_connected()) {
        if (last_limit_ > sent) {
            last_limit_ = sent;
            counters_.publisher_limit.set_release(sent);
        }
        return 0;
    }
    const std::int64_t window_end =
        (FULMAR_PLANTED(kSpiesForgotten) ? sent : consumed) +
        (FULMAR_PLANTED(kPublisherLimitWide) ? 2 * log_.term_length() : options_.term_window_length);
    return raise_limit(std::min(window_end, producer + kLimitAheadMax), consumed);
}

bool NetworkPublication::add_spy(const observe::Counter& position) {
    if (!spies_.add(position, sender_position())) {
        return false;
    }
    read_spies();
    return true;
}

void NetworkPublication::remove_spy(std::int32_t counter_id) {
    spies_.remove(counter_id);
    read_spies();
}

/// The span of all who consume the log: spies and the sender.
LogReaders::Span NetworkPublication::read_spies() {
    const std::int64_t sent = sender_position();
    const LogReaders::Span span =
        spies_.empty() ? LogReaders::Span{sent, sent} : spies_.read(log_.producer_position(), {sent, sent});
    // Once the stream ends, the sender still gets as far as its spies did, also when they are gone already.
    if (options_.spies_simulate_connection && (state_ == State::kActive || !spies_.empty())) {
        const std::int64_t spied = spies_.empty() ? base::kNullPosition : span.max;
        if (spied_position_.load(std::memory_order_relaxed) != spied) {
            // SYNC(publication.spied): release; pairs with the sender's acquire before it follows.
            spied_position_.store(spied, std::memory_order_release);
        }
    }
    return span;
}

/// How far beyond the limit claims may reach that began before it: one message, with its headers, or one
/// block of frames, which ends with its term. Of concurrent producers one message each, for which a whole
/// term has to do.
std::int64_t NetworkPublication::claim_overshoot() const {
    const std::int32_t term_length = log_.term_length();
    if (!options_.is_exclusive) {
        return term_length;
    }
    const std::int32_t message =
        term::framed_length(term::message_length_max(term_length), options_.mtu - wire::kDataHeaderLength);
    return std::max(message, std::min(term_length, kBlockMax));
}

int NetworkPublication::raise_limit(std::int64_t wanted, std::int64_t consumed) {
    // Memory is reused three terms later.
    const std::int64_t lap = std::int64_t{layout::kPartitionCount} * log_.term_length();
    const std::int64_t reserve = claim_overshoot();
    int work = clean_to(FULMAR_PLANTED(kPublicationCleansUnsent) ? consumed : wanted + reserve - lap);
    const std::int64_t limit = std::min(wanted, clean_position_ + lap - reserve);
    if (limit > last_limit_) {
        last_limit_ = limit;
        counters_.publisher_limit.set_release(limit);
        ++work;
    }
    return work;
}

void NetworkPublication::check_for_blocked_producer(Instant now) {
    // Whoever got furthest stands before the hole.
    const std::int64_t consumer = read_spies().max;
    const Duration patience = FULMAR_PLANTED(kUnblockImpatient) ? Duration{} : options_.unblock_timeout;
    if (!producer_watch_.is_blocked(now, consumer, producer_position(), patience)) {
        return;
    }
    const std::int64_t overdue =
        state_ == State::kActive ? producer_watch_.overdue_until() : term::kAllOverdue;
    if (term::unblock(log_, consumer, overdue) != term::UnblockResult::kNoAction) {
        system_[SystemCounter::kUnblockedPublications].increment_relaxed();
    }
}

bool NetworkPublication::is_drained() const {
    return counters_.sender_position.get_acquire() >= log_.producer_position();
}

void NetworkPublication::close(Instant now) {
    if (state_ != State::kActive) {
        return;
    }
    const std::int64_t end = log_.producer_position();
    counters_.publisher_limit.set_release(end);
    log_.set_end_of_stream_position(end);
    state_ = State::kDraining;
    producer_watch_.reset();
    on_timer(now);
}

void NetworkPublication::revoke(Instant now) {
    if (state_ == State::kLinger || state_ == State::kDone) {
        return;
    }
    const std::int64_t end = log_.producer_position();
    counters_.publisher_limit.set_release(end);
    log_.set_end_of_stream_position(end);
    log_.set_connected(false);
    base::store_release<std::uint8_t>(log_.metadata(), layout::log_field::kIsPublicationRevoked, 1);
    revoked_.store(true, std::memory_order_relaxed);
    // SYNC(publication.eos): release; the sender reads revoked_ after it.
    end_of_stream_.store(true, std::memory_order_release);
    system_[SystemCounter::kPublicationsRevoked].increment_relaxed();
    linger_since_ = now;
    state_ = State::kLinger;
}

void NetworkPublication::announce_end() {
    // SYNC(publication.eos): release; pairs with the sender's acquire before a heartbeat.
    end_of_stream_.store(true, std::memory_order_release);
}

void NetworkPublication::on_timer(Instant now) {
    switch (state_) {
        case State::kActive:
            if (!options_.is_exclusive) {
                check_for_blocked_producer(now);
            }
            break;
        case State::kDraining: {
            check_for_blocked_producer(now);
            // An unacknowledged stream that nobody hears any more has nothing to wait for.
            const bool abandoned = !has_receivers_.load(std::memory_order_acquire);
            const bool drained = is_drained() || FULMAR_PLANTED(kEosBeforeDrained);
            if (drained) {
                announce_end();  // Receivers need not wait for spies.
            }
            read_spies();
            if ((drained || abandoned) && spies_.all_reached(log_.producer_position())) {
                announce_end();
                linger_since_ = now;
                state_ = State::kLinger;
            }
            break;
        }
        case State::kLinger:
            if (receiver_saw_eos_.load(std::memory_order_acquire) ||
                now - linger_since_ >= options_.linger_timeout) {
                state_ = State::kDone;
            }
            break;
        case State::kDone: break;
    }
}

}  // namespace fulmar::transport
