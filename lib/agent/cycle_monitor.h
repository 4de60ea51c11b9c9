/// How long an agent's duty cycles take, as the counters that tools show.
/// threads: the agent's.
#pragma once

#include "fulmar/time.h"
#include "observe/counters.h"

namespace fulmar::agent {

class CycleMonitor {
  public:
    CycleMonitor() = default;
    CycleMonitor(const observe::Counter& max, const observe::Counter& exceeded, Duration threshold)
        : max_(max), exceeded_(exceeded), threshold_(threshold) {}

    void on_cycle(Instant now) {
        const Duration cycle = now - last_;
        if (cycle > longest_ && last_.ns != 0) {
            longest_ = cycle;
            max_.set_relaxed(cycle.ns);
        }
        if (cycle > threshold_ && last_.ns != 0) {
            exceeded_.increment_relaxed();
        }
        last_ = now;
    }

  private:
    observe::Counter max_;
    observe::Counter exceeded_;
    Duration threshold_ = Instant::never() - Instant{};
    Duration longest_;
    Instant last_;
};

}  // namespace fulmar::agent
