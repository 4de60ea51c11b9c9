/// Time as a port: agents read it once per duty cycle and hand it on.
#pragma once

#include <cstdint>

#include "fulmar/time.h"

namespace fulmar::port {

/// threads: any.
class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Instant now() = 0;
    /// Wall time for heartbeats and reports that other processes compare with their own.
    /// units: milliseconds since 1970
    [[nodiscard]] virtual std::int64_t epoch_ms() = 0;
};

}  // namespace fulmar::port
