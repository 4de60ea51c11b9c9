/// What a polling loop does when a round found no work. Pick by how dear a core is against a microsecond.
/// threads: one owner each.
#pragma once

#include <cstdint>
#include <sched.h>
#include <time.h>

#include "fulmar/time.h"

namespace fulmar {

inline void cpu_relax() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

/// Lowest latency; for a core of one's own.
struct BusySpinIdle {
    void idle(int work_count) {
        if (work_count <= 0) {
            cpu_relax();
        }
    }
};

/// Lets others run, comes back at once.
struct YieldIdle {
    void idle(int work_count) {
        if (work_count <= 0) {
            (void)::sched_yield();
        }
    }
};

/// Spins, then yields, then parks for doubling times: a fair default for shared machines.
class BackoffIdle {
  public:
    BackoffIdle() = default;
    BackoffIdle(Duration park_min, Duration park_max) : park_min_(park_min), park_max_(park_max) {}

    void idle(int work_count) {
        if (work_count > 0) {
            rounds_ = 0;
            park_ = park_min_;
            return;
        }
        ++rounds_;
        if (rounds_ <= kSpins) {
            cpu_relax();
        } else if (rounds_ <= kSpins + kYields) {
            (void)::sched_yield();
        } else {
            rounds_ = kSpins + kYields;  // stay in this branch without counting up for ever
            const timespec pause{park_.ns / 1'000'000'000, park_.ns % 1'000'000'000};
            (void)::nanosleep(&pause, nullptr);
            park_ = earlier_of(park_ * 2, park_max_);
        }
    }

  private:
    static constexpr std::uint32_t kSpins = 20;
    static constexpr std::uint32_t kYields = 50;
    static constexpr Duration earlier_of(Duration a, Duration b) { return a < b ? a : b; }

    Duration park_min_ = microseconds(1);
    Duration park_max_ = milliseconds(1);
    Duration park_ = park_min_;
    std::uint32_t rounds_ = 0;
};

}  // namespace fulmar
