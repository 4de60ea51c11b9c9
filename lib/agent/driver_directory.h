/// The driver's directory: whose it is, making it, and the shared files at its root.
/// threads: start-up and shutdown only.
#pragma once

#include <memory>
#include <string>

#include "agent/driver_options.h"
#include "fulmar/result.h"
#include "layout/cnc.h"
#include "port/memory_map.h"

namespace fulmar::agent {

/// Where publications/ and images/ are: below the log directory a folder named as the driver's own, so that
/// several drivers may share one hugetlbfs mount.
[[nodiscard]] std::string log_root(const DriverOptions& options);

/// True when a driver wrote its heartbeat into `dir` within the time-out.
[[nodiscard]] bool is_driver_active(
    port::MemoryMap& memory, const std::string& dir, Duration driver_timeout, std::int64_t now_ms);

/// Leaves an empty directory tree: what a dead driver left is deleted.
/// errors: kGeneric while another driver is active there, unless dir_delete_on_start says not to ask.
[[nodiscard]] Status prepare_directory(
    port::MemoryMap& memory, const DriverOptions& options, std::int64_t now_ms);

struct SharedFiles {
    std::unique_ptr<port::Mapping> cnc_mapping;
    layout::CncFile cnc;
    std::unique_ptr<port::Mapping> loss_report;
};

/// Creates cnc.dat, not yet marked ready, and the loss report.
[[nodiscard]] Result<SharedFiles> create_shared_files(
    port::MemoryMap& memory, const DriverOptions& options, std::int64_t now_ms);

[[nodiscard]] Status delete_directory(port::MemoryMap& memory, const DriverOptions& options);

}  // namespace fulmar::agent
