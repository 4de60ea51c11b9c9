/// Who was kept from running or from being heard, and until when: what excuses a lost connection.
/// threads: one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "fulmar/time.h"
#include "tests/sim/sim_clock.h"

namespace fulmar::sim {

class Disturbances {
  public:
    Disturbances(int nodes, const WorldTime& time)
        : time_(time), nodes_(static_cast<std::size_t>(nodes)), until_(nodes_ * nodes_, Instant{-1}) {}

    /// Something about this node alone: its processes did not run, or died.
    void on_node(int node, Instant until) { raise(node, node, until); }
    /// Something between two.
    void on_link(int a, int b, Instant until) {
        raise(a, b, until);
        raise(b, a, until);
    }
    /// Either of the two, or what is between them, was disturbed less than `window` ago.
    [[nodiscard]] bool recent(int a, int b, Duration window) const {
        const Instant latest = std::max({at(a, a), at(b, b), at(a, b)});
        return latest.ns >= 0 && latest + window >= time_.now;
    }

  private:
    void raise(int a, int b, Instant until) {
        Instant& known = until_[static_cast<std::size_t>(a) * nodes_ + static_cast<std::size_t>(b)];
        known = std::max(known, until);
    }
    [[nodiscard]] Instant at(int a, int b) const {
        return until_[static_cast<std::size_t>(a) * nodes_ + static_cast<std::size_t>(b)];
    }

    const WorldTime& time_;
    std::size_t nodes_;
    std::vector<Instant> until_;
};

}  // namespace fulmar::sim
