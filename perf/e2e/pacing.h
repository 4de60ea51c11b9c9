/// When the next message is due at a fixed rate; latencies count from then, so that a stalled sender cannot
/// hide its stall.
#pragma once

#include <cstdint>

#include "fulmar/time.h"

namespace fulmar::perf {

class Pacing {
  public:
    /// rate 0: always due, intended time is now.  units: messages per second
    Pacing(double rate, Instant start) : interval_ns_(rate > 0 ? 1e9 / rate : 0), start_(start) {}

    [[nodiscard]] bool due(Instant now) const { return interval_ns_ == 0 || now >= intended(now); }
    [[nodiscard]] Instant intended(Instant now) const {
        return interval_ns_ == 0
                   ? now
                   : start_ + Duration{static_cast<std::int64_t>(static_cast<double>(sent_) * interval_ns_)};
    }
    void sent() { ++sent_; }

  private:
    double interval_ns_;
    Instant start_;
    std::int64_t sent_ = 0;
};

}  // namespace fulmar::perf
