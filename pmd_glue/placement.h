/// Which agent runs on which core: cores next to the device first, isolated ones before others, and memory on
/// the same NUMA node. The plan is a value that start-up prints and `doctor` explains.
/// threads: planning on the control thread; pin_this_thread on the thread it concerns.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fulmar/result.h"

namespace fulmar::pmd_glue {

struct CpuInfo {
    int cpu = 0;   ///< as the system numbers it
    int core = 0;  ///< logical index of the physical core; hyper-threads share it
    int numa_node = 0;
    bool isolated = false;  ///< the kernel schedules nothing else there (isolcpus)
};

/// The processors this process may use, by number.
/// errors: kGeneric when the topology cannot be read.
[[nodiscard]] Result<std::vector<CpuInfo>> usable_cpus();

/// `2,4-6` in the order given.  errors: kGeneric naming the bad part; each processor once, 0 to 4095.
[[nodiscard]] Result<std::vector<int>> parse_cpu_list(std::string_view text);

struct PlacementRequest {
    std::vector<std::string> roles;  ///< in order of claim: who comes first gets the better core
    std::vector<int> cpus;           ///< the user's list; empty: we choose
    int numa_node = -1;              ///< of the device, -1: none in particular
};

struct Assignment {
    std::string role;
    int cpu = -1;  ///< -1: runs wherever the scheduler likes
    bool exclusive =
        false;  ///< nobody of ours shares it and the kernel keeps others away, or the user chose it
    int numa_node = -1;
};

struct Plan {
    std::vector<Assignment> assignments;
    std::size_t cores_usable = 0;  ///< physical ones
    int memory_node = -1;          ///< where buffers and logs should lie, -1: anywhere
    /// A core for each role and one left for the rest of the system.
    [[nodiscard]] bool enough() const { return cores_usable >= assignments.size() + 1; }
    /// One line per role, for start-up output.
    [[nodiscard]] std::string to_text() const;
};

/// errors: kGeneric when a listed processor does not exist or is not ours.
[[nodiscard]] Result<Plan> plan_placement(const PlacementRequest& request);
/// The same over a given machine.
[[nodiscard]] Result<Plan> plan_placement(const PlacementRequest& request, std::span<const CpuInfo> cpus);

/// errors: kGeneric when the system refuses.
[[nodiscard]] Status pin_this_thread(int cpu);

/// Asks for a node's memory behind a range not yet touched. Nothing to do, and success, on one node.
[[nodiscard]] Status bind_memory(void* address, std::size_t bytes, int numa_node);

}  // namespace fulmar::pmd_glue
