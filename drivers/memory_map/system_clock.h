/// The machine's clocks behind port::Clock.
/// threads: any.
#pragma once

#include <ctime>

#include "port/clock.h"

namespace fulmar::drivers {

class SystemClock final : public port::Clock {
  public:
    [[nodiscard]] Instant now() override {
        const auto t = read(CLOCK_MONOTONIC);
        return {t.tv_sec * 1'000'000'000 + t.tv_nsec};
    }
    /// The coarse clock suffices: heartbeats are compared in whole milliseconds over seconds.
    [[nodiscard]] std::int64_t epoch_ms() override {
        const auto t = read(CLOCK_REALTIME_COARSE);
        return t.tv_sec * 1'000 + t.tv_nsec / 1'000'000;
    }

  private:
    static timespec read(clockid_t id) {
        timespec t{};
        (void)::clock_gettime(id, &t);  // cannot fail for these two clocks
        return t;
    }
};

}  // namespace fulmar::drivers
