/// Which agents share a thread, and on which cores they run: decided once at start, and said.
/// threads: start-up.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"
#include "fulmar/result.h"

namespace fulmar::drivers {

struct ThreadPlan {
    std::string role;  ///< conductor, sender, receiver, network or driver
    int cpu = -1;      ///< -1: wherever the scheduler likes
    config::IdleStrategy idle = config::IdleStrategy::kBackoff;
};

struct ThreadingPlan {
    config::ThreadingMode mode = config::ThreadingMode::kShared;  ///< never kAuto
    std::vector<ThreadPlan> threads;                              ///< none when the application polls
    std::vector<std::string> description;
};

/// one_network_thread: a port has a single queue, so that sender and receiver cannot part.
/// errors: kGeneric when --cpus names cores that are not there or too few.
[[nodiscard]] Result<ThreadingPlan> plan_threading(
    const config::DriverSettings& settings, bool one_network_thread, int numa_node);

}  // namespace fulmar::drivers
