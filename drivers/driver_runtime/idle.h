/// What an agent's thread does when a cycle found no work, chosen by configuration.
/// threads: one owner.
#pragma once

#include <ctime>

#include "config/settings.h"
#include "fulmar/idle.h"

namespace fulmar::drivers {

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

  private:
    static constexpr long kSleepNs = 1'000'000;

    config::IdleStrategy strategy_;
    BusySpinIdle spin_;
    YieldIdle yield_;
    BackoffIdle backoff_;
};

}  // namespace fulmar::drivers
