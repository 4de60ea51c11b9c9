#include "pmd_glue/eal.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fmt/core.h>
#include <optional>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_version.h>
#include <sched.h>
#include <string_view>
#include <unistd.h>

#include "pmd_glue/hugepages.h"
#include "pmd_glue/log_capture.h"
#include "pmd_glue/signal_scope.h"

namespace fulmar::pmd_glue {
namespace {

struct EalState {
    std::optional<EalMode> mode;
    std::string failure;
    std::string runtime_dir;
    std::atomic<bool> running{false};
};

EalState& state() {
    static auto* const instance = new EalState;  // threads may end, and ask, after static destruction
    return *instance;
}

int first_allowed_cpu(const cpu_set_t& allowed) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &allowed)) {
            return cpu;
        }
    }
    return 0;
}

bool decide_hugepages(const EalOptions& options, HugepageStatus& status) {
    status = hugepage_status(std::int64_t{options.hugepage_memory_mib} << 20);
    switch (options.hugepages) {
        case EalOptions::Hugepages::kOn: return true;
        case EalOptions::Hugepages::kOff: return false;
        case EalOptions::Hugepages::kAuto: break;
    }
    return status.usable;
}

std::vector<std::string> build_args(
    const EalOptions& options, bool hugepages, int cpu, const std::string& prefix) {
    std::vector<std::string> args = {"fulmar", fmt::format("--lcores=0@{}", cpu), "--file-prefix=" + prefix,
        "--no-telemetry", "--no-shconf"};
    if (hugepages) {
        // Anonymous pages need no mount and no root; one file per segment list is what memif's zero copy
        // maps.
        args.insert(args.end(),
            {"--in-memory", "--single-file-segments", "-m", std::to_string(options.hugepage_memory_mib)});
    } else {
        args.insert(args.end(), {"--no-huge", "-m", std::to_string(options.memory_mib)});
    }
    if (options.pci_devices.empty()) {
        args.insert(args.end(), {"--no-pci", "--iova-mode=va"});
    }
    for (const auto& address : options.pci_devices) {
        args.insert(args.end(), {"-a", address});
    }
    args.insert(args.end(), options.extra_args.begin(), options.extra_args.end());
    return args;
}

int call_init(std::vector<std::string>& args, bool mute) {
    std::vector<char*> argv;
    argv.reserve(args.size() + 1);
    for (auto& arg : args) {
        argv.push_back(arg.data());
    }
    argv.push_back(nullptr);
    const StdioMute silence(mute);
    const AllSignalsBlocked quiet;
    return ::rte_eal_init(static_cast<int>(args.size()), argv.data());
}

std::string explain_failure(int error, const HugepageStatus& hugepages, bool with_hugepages) {
    auto reason = last_log_line();
    if (reason.empty()) {
        reason = ::rte_strerror(error);
    }
    if (with_hugepages && !hugepages.usable) {
        reason += "; " + hugepages.reason;
    }
    return "cannot start the device library: " + reason;
}

/// Directories of processes that were killed; nobody else removes them.
void remove_stale_runtime_dirs(const std::filesystem::path& ours) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(ours.parent_path(), ignored)) {
        const auto name = entry.path().filename().string();
        constexpr std::string_view kPrefix = "fulmar-";
        if (name.compare(0, kPrefix.size(), kPrefix) != 0 || entry.path() == ours) {
            continue;
        }
        const auto pid = name.substr(kPrefix.size());
        const bool numeric = !pid.empty() && pid.find_first_not_of("0123456789") == std::string::npos;
        if (numeric && !std::filesystem::exists("/proc/" + pid, ignored)) {
            std::filesystem::remove_all(entry.path(), ignored);
        }
    }
}

void remove_runtime_dir() {
    auto& eal = state();
    if (!eal.runtime_dir.empty()) {
        std::error_code ignored;
        std::filesystem::remove_all(eal.runtime_dir, ignored);
        eal.runtime_dir.clear();
    }
}

/// Undoes adopt_data_thread when its thread ends.
struct ThreadIdentity {
    bool registered = false;
    ~ThreadIdentity() {
        if (registered && eal_started()) {
            ::rte_thread_unregister();
        }
    }
};

}  // namespace

Result<EalMode> start_eal(const EalOptions& options) {
    auto& eal = state();
    if (eal.mode) {
        return *eal.mode;
    }
    if (!eal.failure.empty()) {
        return fail(ErrorCode::kGeneric, eal.failure);
    }

    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    ::pthread_getaffinity_np(::pthread_self(), sizeof allowed, &allowed);

    HugepageStatus hugepages;
    const bool with_hugepages = decide_hugepages(options, hugepages);
    const auto prefix =
        options.file_prefix.empty() ? fmt::format("fulmar-{}", ::getpid()) : options.file_prefix;
    auto args = build_args(options, with_hugepages, first_allowed_cpu(allowed), prefix);

    install_log_sink(options.verbose);
    const int started = call_init(args, !options.verbose);
    const int error = rte_errno;
    // EAL pins its caller; where our threads run is decided elsewhere.
    ::pthread_setaffinity_np(::pthread_self(), sizeof allowed, &allowed);
    if (started < 0) {
        eal.failure = explain_failure(error, hugepages, with_hugepages);
        return fail(ErrorCode::kGeneric, eal.failure);
    }

    eal.runtime_dir = ::rte_eal_get_runtime_dir();
    if (options.file_prefix.empty()) {
        remove_stale_runtime_dirs(eal.runtime_dir);
    }
    std::atexit(remove_runtime_dir);
    EalMode mode;
    mode.hugepages = with_hugepages;
    mode.version = ::rte_version();
    mode.file_prefix = prefix;
    mode.description = with_hugepages ? fmt::format("{}, hugepages ({})", mode.version, hugepages.reason)
                                      : fmt::format("{}, no hugepages ({} MiB of plain memory)", mode.version,
                                            options.memory_mib);
    eal.mode = mode;
    eal.running.store(true, std::memory_order_release);
    return mode;
}

bool eal_started() {
    return state().running.load(std::memory_order_acquire);
}

const EalMode& eal_mode() {
    static const EalMode none{};
    const auto& eal = state();
    return eal.mode ? *eal.mode : none;
}

void stop_eal() {
    auto& eal = state();
    if (!eal.running.exchange(false, std::memory_order_acq_rel)) {
        return;
    }
    // No rte_eal_cleanup(): it unmaps memory under the library's interrupt thread, which it leaves running,
    // and all that we took is anonymous and goes with the process.
    remove_runtime_dir();
}

bool adopt_data_thread() {
    if (::rte_lcore_id() != LCORE_ID_ANY) {
        return true;
    }
    thread_local ThreadIdentity identity;
    if (!identity.registered) {
        identity.registered = ::rte_thread_register() == 0;
    }
    return identity.registered;
}

}  // namespace fulmar::pmd_glue
