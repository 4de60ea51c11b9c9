/// Tells when a log's producers are stuck: a claim lies at the consumer position and nobody commits it.
/// threads: the conductor.
#pragma once

#include <cstdint>

#include "base/position.h"
#include "fulmar/time.h"

namespace fulmar::transport {

class ProducerWatch {
  public:
    /// Call often: true once the consumer has stood before a claim for `patience`, and then again each
    /// further `patience`.
    [[nodiscard]] bool is_blocked(
        Instant now, std::int64_t consumer_position, std::int64_t producer_position, Duration patience) {
        if (producer_position <= consumer_position) {
            reset();
            return false;
        }
        if (blocked_at_ != consumer_position) {
            start(now, consumer_position, producer_position);
            return false;
        }
        if (now - since_ < patience) {
            return false;
        }
        overdue_until_ = claimed_then_;
        start(now, consumer_position, producer_position);
        return true;
    }
    /// After is_blocked() said true: what was claimed before this position has waited for `patience` or
    /// longer.
    [[nodiscard]] std::int64_t overdue_until() const { return overdue_until_; }
    /// Nobody is blocked since before.
    void reset() { blocked_at_ = base::kNullPosition; }

  private:
    void start(Instant now, std::int64_t consumer_position, std::int64_t producer_position) {
        blocked_at_ = consumer_position;
        since_ = now;
        claimed_then_ = producer_position;
    }

    std::int64_t blocked_at_ = base::kNullPosition;
    std::int64_t claimed_then_ = 0;  ///< the producer position when the time began to run
    std::int64_t overdue_until_ = 0;
    Instant since_;
};

}  // namespace fulmar::transport
