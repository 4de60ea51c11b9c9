#include "pmd_glue/placement.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fmt/core.h>
#include <fstream>
#include <hwloc.h>
#include <memory>
#include <numa.h>
#include <pthread.h>
#include <sched.h>
#include <system_error>

namespace fulmar::pmd_glue {
namespace {

constexpr int kCpuMax = 4095;

struct TopologyDelete {
    void operator()(hwloc_topology_t topology) const { ::hwloc_topology_destroy(topology); }
};
using Topology = std::unique_ptr<std::remove_pointer_t<hwloc_topology_t>, TopologyDelete>;

Topology load_topology() {
    hwloc_topology_t topology = nullptr;
    if (::hwloc_topology_init(&topology) != 0) {
        return nullptr;
    }
    Topology owned(topology);
    return ::hwloc_topology_load(topology) == 0 ? std::move(owned) : nullptr;
}

/// The kernel's own list; empty on most machines.
std::vector<int> isolated_cpus() {
    std::ifstream file("/sys/devices/system/cpu/isolated");
    std::string text;
    std::getline(file, text);
    if (text.empty()) {
        return {};
    }
    auto list = parse_cpu_list(text);
    return list ? std::move(list).value() : std::vector<int>{};
}

bool contains(std::span<const int> list, int value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

Unexpected<Error> bad_list(std::string_view part) {
    return fail(ErrorCode::kGeneric,
        fmt::format("'{}' is no processor or range of processors: write --cpus 2,4-6", part));
}

bool parse_number(std::string_view text, int& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && value >= 0 && value <= kCpuMax;
}

/// Better cores first: on the device's node, isolated, first hyper-thread of a core not yet taken, low number
/// last because the system's own work gathers at processor 0.
std::vector<CpuInfo> by_preference(std::span<const CpuInfo> cpus, int numa_node) {
    std::vector<CpuInfo> sorted(cpus.begin(), cpus.end());
    std::vector<int> first_of_core;
    for (const auto& cpu : cpus) {
        const bool seen = std::any_of(cpus.begin(), cpus.end(),
            [&](const CpuInfo& other) { return other.core == cpu.core && other.cpu < cpu.cpu; });
        if (!seen) {
            first_of_core.push_back(cpu.cpu);
        }
    }
    std::stable_sort(sorted.begin(), sorted.end(), [&](const CpuInfo& a, const CpuInfo& b) {
        const auto rank = [&](const CpuInfo& cpu) {
            return (contains(first_of_core, cpu.cpu) ? 0 : 8) + (cpu.isolated ? 0 : 4) +
                   (numa_node < 0 || cpu.numa_node == numa_node ? 0 : 2) + (cpu.cpu == 0 ? 1 : 0);
        };
        return rank(a) < rank(b);
    });
    return sorted;
}

std::size_t count_cores(std::span<const CpuInfo> cpus) {
    std::vector<int> cores;
    for (const auto& cpu : cpus) {
        if (!contains(cores, cpu.core)) {
            cores.push_back(cpu.core);
        }
    }
    return cores.size();
}

Result<std::vector<CpuInfo>> listed_cpus(std::span<const int> list, std::span<const CpuInfo> cpus) {
    std::vector<CpuInfo> chosen;
    for (const int number : list) {
        const auto found =
            std::find_if(cpus.begin(), cpus.end(), [&](const CpuInfo& cpu) { return cpu.cpu == number; });
        if (found == cpus.end()) {
            return fail(ErrorCode::kGeneric,
                fmt::format(
                    "--cpus names processor {}, which this process may not use: see taskset -p $$", number));
        }
        chosen.push_back(*found);
    }
    return chosen;
}

}  // namespace

Result<std::vector<CpuInfo>> usable_cpus() {
    const auto topology = load_topology();
    if (topology == nullptr) {
        return fail(ErrorCode::kGeneric, "cannot read the processor topology");
    }
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    ::sched_getaffinity(0, sizeof allowed, &allowed);
    const auto isolated = isolated_cpus();
    std::vector<CpuInfo> cpus;
    for (hwloc_obj_t unit = nullptr;
         (unit = ::hwloc_get_next_obj_by_type(topology.get(), HWLOC_OBJ_PU, unit)) != nullptr;) {
        const int number = static_cast<int>(unit->os_index);
        // Isolated processors are outside the inherited affinity, yet ours to ask for.
        if (!CPU_ISSET(unit->os_index, &allowed) && !contains(isolated, number)) {
            continue;
        }
        const auto* core = ::hwloc_get_ancestor_obj_by_type(topology.get(), HWLOC_OBJ_CORE, unit);
        const int node = unit->nodeset != nullptr ? ::hwloc_bitmap_first(unit->nodeset) : 0;
        cpus.push_back({number, core != nullptr ? static_cast<int>(core->logical_index) : number,
            std::max(node, 0), contains(isolated, number)});
    }
    std::sort(cpus.begin(), cpus.end(), [](const CpuInfo& a, const CpuInfo& b) { return a.cpu < b.cpu; });
    return cpus;
}

Result<std::vector<int>> parse_cpu_list(std::string_view text) {
    std::vector<int> list;
    while (true) {
        const auto comma = text.find(',');
        const auto part = text.substr(0, comma);
        const auto dash = part.find('-');
        int first = 0;
        int last = 0;
        if (!parse_number(part.substr(0, dash), first)) {
            return bad_list(part);
        }
        last = first;
        if (dash != std::string_view::npos && (!parse_number(part.substr(dash + 1), last) || last < first)) {
            return bad_list(part);
        }
        for (int cpu = first; cpu <= last; ++cpu) {
            if (contains(list, cpu)) {
                return fail(ErrorCode::kGeneric, fmt::format("processor {} is listed twice in --cpus", cpu));
            }
            list.push_back(cpu);
        }
        if (comma == std::string_view::npos) {
            return list;
        }
        text.remove_prefix(comma + 1);
    }
}

Result<Plan> plan_placement(const PlacementRequest& request) {
    FULMAR_TRY(cpus, usable_cpus());
    return plan_placement(request, cpus);
}

Result<Plan> plan_placement(const PlacementRequest& request, std::span<const CpuInfo> cpus) {
    std::vector<CpuInfo> candidates;
    if (request.cpus.empty()) {
        candidates = by_preference(cpus, request.numa_node);
    } else {
        FULMAR_TRY(listed, listed_cpus(request.cpus, cpus));
        candidates = std::move(listed);
    }
    Plan plan;
    plan.cores_usable = count_cores(cpus);
    plan.memory_node = request.numa_node;
    const bool chosen_by_user = !request.cpus.empty();
    for (std::size_t i = 0; i < request.roles.size(); ++i) {
        Assignment assignment{request.roles[i]};
        // Without a core for everybody pinning only gets in the scheduler's way, unless the user asked for
        // it.
        const bool pin = chosen_by_user || (cpus.size() > request.roles.size() && i < candidates.size());
        if (pin && !candidates.empty()) {
            const auto& cpu = candidates[i % candidates.size()];
            assignment.cpu = cpu.cpu;
            assignment.numa_node = cpu.numa_node;
            const bool alone = candidates.size() >= request.roles.size();
            assignment.exclusive = alone && (chosen_by_user || cpu.isolated);
        }
        if (plan.memory_node < 0) {
            plan.memory_node = assignment.numa_node;
        }
        plan.assignments.push_back(std::move(assignment));
    }
    return plan;
}

std::string Plan::to_text() const {
    std::string text;
    for (const auto& assignment : assignments) {
        text += assignment.cpu < 0 ? fmt::format("{}: any cpu\n", assignment.role)
                                   : fmt::format("{}: cpu {} node {}{}\n", assignment.role, assignment.cpu,
                                         assignment.numa_node, assignment.exclusive ? " exclusive" : "");
    }
    return text;
}

Status pin_this_thread(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(cpu), &set);
    const int result = ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
    if (result != 0) {
        return fail(ErrorCode::kGeneric,
            fmt::format("cannot run on processor {}: {}", cpu, std::generic_category().message(result)));
    }
    return Done{};
}

Status bind_memory(void* address, std::size_t bytes, int numa_node) {
    if (numa_node < 0 || ::numa_available() < 0 || ::numa_max_node() == 0) {
        return Done{};
    }
    if (numa_node > ::numa_max_node()) {
        return fail(ErrorCode::kGeneric, fmt::format("there is no NUMA node {}", numa_node));
    }
    ::numa_tonode_memory(address, bytes, numa_node);
    return Done{};
}

}  // namespace fulmar::pmd_glue
