/// Virtual time. The world has one line of time; each node reads it through a clock of its own, with its own
/// origin and its own drift, as the monotonic clocks of real machines have.
/// threads: one.
#pragma once

#include <cstdint>

#include "fulmar/time.h"
#include "port/clock.h"

namespace fulmar::sim {

/// The world's time; only the scheduler moves it.
struct WorldTime {
    Instant now;
};

class SimClock final : public port::Clock {
  public:
    /// drift_ppm: how much faster than the world this clock runs, in millionths.
    SimClock(const WorldTime& world, Duration origin, std::int64_t drift_ppm)
        : world_(world), origin_(origin), drift_ppm_(drift_ppm) {}

    [[nodiscard]] Instant now() override { return at(world_.now); }
    [[nodiscard]] std::int64_t epoch_ms() override {
        return kEpochStartMs + (now().ns - origin_.ns) / 1'000'000;
    }
    [[nodiscard]] Instant at(Instant world) const {
        return Instant{origin_.ns + world.ns + world.ns / 1'000'000 * drift_ppm_};
    }

  private:
    static constexpr std::int64_t kEpochStartMs = 1'700'000'000'000;

    const WorldTime& world_;
    Duration origin_;
    std::int64_t drift_ppm_;
};

}  // namespace fulmar::sim
