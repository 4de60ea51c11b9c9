/// How long one receiver of a group waits before it asks for what is missing: a random time, short for few of
/// them, so that one asks and is answered before the others would.
/// threads: the receiver agent.  source: RFC 5401, exponentially distributed random backoff, as Aeron uses
/// it.
#pragma once

#include <cstdint>

#include "base/prng.h"
#include "fulmar/time.h"

namespace fulmar::transport {

class NakBackoff {
  public:
    struct Options {
        Duration longest = milliseconds(10);
        std::int64_t group_size = 10;  ///< receivers that are expected
        std::uint64_t seed = 0;
    };

    explicit NakBackoff(const Options& options);

    /// From 0 to `longest`.
    [[nodiscard]] Duration next();

  private:
    base::Prng prng_;
    double longest_ns_;
    double lambda_;
    double range_;  ///< e^lambda - 1
};

}  // namespace fulmar::transport
