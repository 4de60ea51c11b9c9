/// Session ids for new publications: from a random start upwards, around a reserved range.
/// threads: the conductor.
#pragma once

#include <cstdint>

#include "base/position.h"

namespace fulmar::agent {

class SessionIds {
  public:
    SessionIds(std::int32_t start, std::int32_t reserved_low, std::int32_t reserved_high)
        : next_(start), low_(reserved_low), high_(reserved_high) {}

    /// The next id for which in_use(id) is false. The caller's uses are fewer than 2^31, so one is found.
    template <class InUse>
    std::int32_t take(InUse&& in_use) {
        for (;;) {
            if (next_ >= low_ && next_ <= high_) {
                next_ = base::wrapping_add(high_, 1);
            }
            const std::int32_t candidate = next_;
            next_ = base::wrapping_add(next_, 1);
            if (!in_use(candidate)) {
                return candidate;
            }
        }
    }

  private:
    std::int32_t next_;
    std::int32_t low_;
    std::int32_t high_;
};

}  // namespace fulmar::agent
