#include "drivers/driver_runtime/threading.h"

#include <utility>

#include "config/setting_table.h"
#include "pmd_glue/placement.h"

namespace fulmar::drivers {
namespace {

using config::IdleStrategy;
using config::ThreadingMode;

std::vector<std::string> roles_of(ThreadingMode mode) {
    switch (mode) {
        case ThreadingMode::kDedicated: return {"conductor", "sender", "receiver"};
        case ThreadingMode::kSharedNetwork: return {"conductor", "network"};
        case ThreadingMode::kShared: return {"driver"};
        case ThreadingMode::kInvoker:
        case ThreadingMode::kAuto: break;
    }
    return {};
}

IdleStrategy idle_of(const config::DriverSettings& settings, const std::string& role) {
    if (role == "conductor") {
        return settings.conductor_idle_strategy;
    }
    if (role == "sender") {
        return settings.sender_idle_strategy;
    }
    if (role == "receiver") {
        return settings.receiver_idle_strategy;
    }
    return role == "network" ? settings.shared_network_idle_strategy : settings.shared_idle_strategy;
}

int affinity_of(const config::DriverSettings& settings, const std::string& role) {
    const auto chosen = [&]() -> std::int64_t {
        if (role == "conductor") {
            return settings.conductor_cpu_affinity;
        }
        return role == "sender" || role == "network" ? settings.sender_cpu_affinity
                                                     : settings.receiver_cpu_affinity;
    };
    return static_cast<int>(chosen());
}

Result<pmd_glue::Plan> place(
    const config::DriverSettings& settings, std::vector<std::string> roles, int numa_node) {
    pmd_glue::PlacementRequest request;
    request.roles = std::move(roles);
    request.numa_node = numa_node;
    if (!settings.cpus.empty()) {
        FULMAR_TRY(cpus, pmd_glue::parse_cpu_list(settings.cpus));
        request.cpus = std::move(cpus);
    }
    return pmd_glue::plan_placement(request);
}

struct Choice {
    ThreadingMode mode = ThreadingMode::kShared;
    std::string why;
};

/// What was asked for, or by the number of cores; and what a single queue then makes of it.
Result<Choice> choose_mode(const config::DriverSettings& settings, bool one_network_thread, int numa_node) {
    Choice choice{settings.threading_mode, "as configured"};
    if (choice.mode == ThreadingMode::kAuto) {
        const ThreadingMode wanted =
            one_network_thread ? ThreadingMode::kSharedNetwork : ThreadingMode::kDedicated;
        const std::vector<std::string> roles = roles_of(wanted);
        FULMAR_TRY(plan, place(settings, roles, numa_node));
        choice.mode = plan.enough() ? wanted : ThreadingMode::kShared;
        choice.why = std::to_string(plan.cores_usable) + " usable cores, " +
                     std::to_string(roles.size() + 1) + " would do for " +
                     std::string(config::to_string(wanted));
    }
    if (choice.mode == ThreadingMode::kDedicated && one_network_thread) {
        choice.mode = ThreadingMode::kSharedNetwork;
        choice.why = "a port has one queue pair, so sender and receiver share a thread";
    }
    return choice;
}

}  // namespace

Result<ThreadingPlan> plan_threading(
    const config::DriverSettings& settings, bool one_network_thread, int numa_node) {
    ThreadingPlan out;
    FULMAR_TRY(choice, choose_mode(settings, one_network_thread, numa_node));
    out.mode = choice.mode;
    if (out.mode == ThreadingMode::kInvoker) {
        out.description.emplace_back("threading invoker: the application polls");
        return out;
    }
    out.description.push_back("threading " + std::string(config::to_string(out.mode)) + ": " + choice.why);
    const std::vector<std::string> roles = roles_of(out.mode);
    FULMAR_TRY(plan, place(settings, roles, numa_node));
    for (std::size_t i = 0; i < roles.size(); ++i) {
        ThreadPlan thread{roles[i], affinity_of(settings, roles[i]), idle_of(settings, roles[i])};
        const auto& assigned = plan.assignments[i];
        // A core that others use as well is not ours to be tied to: two drivers would meet on it.
        const bool owned = assigned.cpu >= 0 && (assigned.exclusive || !settings.cpus.empty());
        if (thread.cpu < 0 && owned) {
            thread.cpu = assigned.cpu;
        }
        if (owned && assigned.exclusive && thread.idle == IdleStrategy::kBackoff) {
            thread.idle = IdleStrategy::kSpin;
        }
        out.description.push_back("agent " + thread.role + ": " +
                                  (thread.cpu >= 0 ? "cpu " + std::to_string(thread.cpu) : "any cpu") +
                                  ", idle " + std::string(config::to_string(thread.idle)));
        out.threads.push_back(std::move(thread));
    }
    return out;
}

}  // namespace fulmar::drivers
