/// Starts the device library once per process from typed options, and says in which mode.
/// threads: start and stop from one thread, before and after every port.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fulmar/result.h"

namespace fulmar::pmd_glue {

struct EalOptions {
    enum class Hugepages : std::uint8_t { kAuto, kOn, kOff };

    Hugepages hugepages = Hugepages::kAuto;
    /// Memory for ports. Without hugepages: address space, touched on use, and the limit. With them: taken at
    /// start, so that a later port does not find the pages gone; more is taken as needed.  units: MiB
    std::int32_t memory_mib = 256;
    std::int32_t hugepage_memory_mib = 64;
    /// Empty: fulmar-<pid>, so that processes never meet.
    std::string file_prefix;
    /// PCI addresses that will become ports; empty leaves the PCI bus alone.
    std::vector<std::string> pci_devices;
    /// Raw arguments behind ours, an escape for what has no option.
    std::vector<std::string> extra_args;
    bool verbose = false;  ///< library log lines to stderr
};

struct EalMode {
    bool hugepages = false;
    std::string version;      ///< of the device library
    std::string description;  ///< one line for start-up output
    std::string file_prefix;
};

/// Idempotent: later calls return the mode of the first one. The calling thread keeps its affinity.
/// errors: kGeneric, one line with the library's reason.
[[nodiscard]] Result<EalMode> start_eal(const EalOptions& options);
[[nodiscard]] bool eal_started();
[[nodiscard]] const EalMode& eal_mode();

/// Removes what the library left on disk; its threads and memory go with the process. Every Device must be
/// closed; no restart after it.
void stop_eal();

/// Gives the calling thread an identity in the device library, without which its buffer caches stay
/// unused. Cheap when done before; undone when the thread ends. False if too many threads ask.
bool adopt_data_thread();

}  // namespace fulmar::pmd_glue
