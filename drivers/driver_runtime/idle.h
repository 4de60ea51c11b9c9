/// What an agent's thread does when a cycle found no work, chosen by configuration.
/// threads: one owner.
#pragma once

#include <ctime>

#include "config/settings.h"
#include "fulmar/idle.h"

namespace fulmar::drivers {

/// Yields, then parks for doubling times. No spinning first: a cycle over sockets takes microseconds, and on
/// cores that are shared with the very clients it serves each of them would be theirs.
class SharedCoreBackoff {
  public:
    void idle(int work) {
        if (work > 0) {
            rounds_ = 0;
            park_ = kParkMin;
        } else if (rounds_ < kYields) {
            ++rounds_;
            (void)::sched_yield();
        } else {
            const timespec pause{0, static_cast<long>(park_.ns)};
            (void)::nanosleep(&pause, nullptr);
            park_ = park_ * 2 < kParkMax ? park_ * 2 : kParkMax;
        }
    }

    /// The next cycle without work is slept through.
    [[nodiscard]] bool is_parking() const { return rounds_ == kYields; }

  private:
    static constexpr int kYields = 100;
    static constexpr Duration kParkMin = microseconds(1);
    static constexpr Duration kParkMax = milliseconds(1);

    int rounds_ = 0;
    Duration park_ = kParkMin;
};

class Idle {
  public:
    explicit Idle(config::IdleStrategy strategy) : strategy_(strategy) {}

    void idle(int work) {
        switch (strategy_) {
            case config::IdleStrategy::kNoOp: break;
            case config::IdleStrategy::kSpin: spin_.idle(work); break;
            case config::IdleStrategy::kYield: yield_.idle(work); break;
            case config::IdleStrategy::kBackoff: backoff_.idle(work); break;
            case config::IdleStrategy::kSleep:
                if (work == 0) {
                    const timespec pause{0, kSleepNs};
                    (void)::nanosleep(&pause, nullptr);
                }
                break;
        }
    }

    /// The next cycle without work is slept through.
    [[nodiscard]] bool is_parking() const {
        return strategy_ == config::IdleStrategy::kSleep ||
               (strategy_ == config::IdleStrategy::kBackoff && backoff_.is_parking());
    }

  private:
    static constexpr long kSleepNs = 1'000'000;

    config::IdleStrategy strategy_;
    BusySpinIdle spin_;
    YieldIdle yield_;
    SharedCoreBackoff backoff_;
};

}  // namespace fulmar::drivers
