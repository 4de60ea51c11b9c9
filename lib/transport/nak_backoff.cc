#include "transport/nak_backoff.h"

#include <algorithm>
#include <cmath>

namespace fulmar::transport {

NakBackoff::NakBackoff(const Options& options)
    : prng_(options.seed),
      longest_ns_(static_cast<double>(options.longest.ns)),
      lambda_(std::log(static_cast<double>(std::max<std::int64_t>(options.group_size, 1))) + 1),
      range_(std::expm1(lambda_)) {}

Duration NakBackoff::next() {
    // Uniform in [1, e^lambda], so that its logarithm lies between nothing and lambda, and mostly high.
    const double spread = std::log1p(prng_.unit() * range_) / lambda_;
    return Duration{static_cast<std::int64_t>(std::min(spread, 1.0) * longest_ns_)};
}

}  // namespace fulmar::transport
