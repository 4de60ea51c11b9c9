/// Runs everything that would be a thread or a process, one duty cycle at a time, in an order drawn from the
/// seed. What did work runs again soon, what idles backs off, what is paused does not run at all.
/// threads: one.
#pragma once

#include <cstdint>
#include <vector>

#include "base/prng.h"
#include "fulmar/time.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_net.h"

namespace fulmar::sim {

/// One duty cycle per poll; returns work done.
class Actor {
  public:
    virtual ~Actor() = default;
    virtual int poll() = 0;
};

class Scheduler {
  public:
    struct Pace {
        Duration busy = microseconds(1);        ///< between cycles that did work
        Duration idle_max = microseconds(500);  ///< longest back-off of one that does not
    };
    using Id = std::size_t;

    Scheduler(std::uint64_t seed, WorldTime& time, SimNet& net) : prng_(seed, 2), time_(time), net_(net) {}

    Id add(Actor& actor, Pace pace);
    void remove(Id id);
    /// Runs it no later than about now, unless it is paused.
    void wake(Id id);
    /// Not scheduled until then; a longer pause wins.
    void pause(Id id, Instant until);
    void resume(Id id);
    [[nodiscard]] bool is_paused(Id id) const { return entries_[id].paused_until > time_.now; }

    /// Moves time to whatever is due next, at most to `limit`, and runs it. False when nothing was due.
    bool step(Instant limit);
    [[nodiscard]] std::uint64_t steps() const { return steps_; }

  private:
    struct Entry {
        Actor* actor = nullptr;
        Pace pace;
        Instant next;
        Instant paused_until;
        int idle_cycles = 0;
    };
    [[nodiscard]] Duration jittered(Duration base);

    base::Prng prng_;
    WorldTime& time_;
    SimNet& net_;
    std::vector<Entry> entries_;
    std::vector<Instant> due_;  // entries_[i].next, close together for the search
    std::uint64_t steps_ = 0;
};

}  // namespace fulmar::sim
