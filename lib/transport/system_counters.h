/// The driver-wide counters as handles, by id.
/// threads: a counter of one writing agent uses increment_relaxed, one of several increment_shared; which is
/// which is fixed per call site.
#pragma once

#include <array>
#include <cstddef>

#include "layout/counters.h"
#include "observe/counters.h"

namespace fulmar::transport {

class SystemCounters {
  public:
    SystemCounters() = default;

    [[nodiscard]] const observe::Counter& operator[](layout::SystemCounter id) const {
        return counters_[static_cast<std::size_t>(id)];
    }
    void set(layout::SystemCounter id, observe::Counter counter) {
        counters_[static_cast<std::size_t>(id)] = counter;
    }

  private:
    std::array<observe::Counter, static_cast<std::size_t>(layout::SystemCounter::kCount)> counters_;
};

}  // namespace fulmar::transport
