#include "agent/driver_directory.h"

#include <utility>

#include "base/bytes.h"
#include "layout/loss_report.h"
#include "ring/shm_mpsc_ring.h"

namespace fulmar::agent {
namespace {

std::string cnc_path(const std::string& dir) {
    return dir + "/" + std::string(layout::kCncFileName);
}

/// What a dead driver left, and nothing else: the directory may be one that somebody chose by mistake.
Status delete_own_files(port::MemoryMap& memory, const DriverOptions& options) {
    for (const auto& path :
        {cnc_path(options.dir), options.dir + "/" + std::string(layout::kLossReportFileName)}) {
        if (memory.exists(path)) {
            FULMAR_TRY_VOID(memory.remove(path));
        }
    }
    FULMAR_TRY_VOID(memory.remove_directory(log_root(options) + "/publications"));
    return memory.remove_directory(log_root(options) + "/images");
}

}  // namespace

std::string log_root(const DriverOptions& options) {
    if (options.log_dir.empty()) {
        return options.dir;
    }
    std::string name = options.dir;
    while (!name.empty() && name.back() == '/') {
        name.pop_back();
    }
    return options.log_dir + "/" + name.substr(name.rfind('/') + 1);
}

bool is_driver_active(
    port::MemoryMap& memory, const std::string& dir, Duration driver_timeout, std::int64_t now_ms) {
    const std::string path = cnc_path(dir);
    if (!memory.exists(path)) {
        return false;
    }
    const auto mapping = memory.open(path, false);
    if (!mapping) {
        return false;
    }
    const auto bytes = (*mapping)->bytes();
    const auto is_recent = [&](std::int64_t ms) {
        return ms > 0 && now_ms - ms <= driver_timeout.ns / milliseconds(1).ns;
    };
    if (layout::cnc_version_acquire(bytes) == 0) {
        // A driver that is only just starting has said when.
        return bytes.size() >= layout::kCncHeaderLength &&
               is_recent(
                   base::load_relaxed<std::int64_t>(bytes.data(), layout::cnc_field::kStartTimestampMs));
    }
    const auto cnc = layout::CncFile::open(bytes);
    if (!cnc) {
        return false;
    }
    const auto ring = ring::ShmMpscRing::attach(cnc->to_driver());
    return ring && is_recent(ring->consumer_heartbeat_ms());
}

Status prepare_directory(port::MemoryMap& memory, const DriverOptions& options, std::int64_t now_ms) {
    if (!options.dir_delete_on_start &&
        is_driver_active(memory, options.dir, options.driver_timeout, now_ms)) {
        return fail(ErrorCode::kGeneric,
            "a driver is active in " + options.dir + ": stop it, or choose another directory with --dir");
    }
    if (options.dir_delete_on_start) {
        FULMAR_TRY_VOID(delete_directory(memory, options));
    } else {
        FULMAR_TRY_VOID(delete_own_files(memory, options));
    }
    FULMAR_TRY_VOID(memory.make_directory(options.dir));
    FULMAR_TRY_VOID(memory.make_directory(log_root(options) + "/publications"));
    return memory.make_directory(log_root(options) + "/images");
}

Result<SharedFiles> create_shared_files(
    port::MemoryMap& memory, const DriverOptions& options, std::int64_t now_ms) {
    FULMAR_TRY(length, layout::cnc_file_length(options.cnc_lengths, options.page_size));
    SharedFiles files;
    // Most of it is room for counters that may never be: it is checked for, but not taken. That also keeps
    // short the moment in which the file has no header yet.
    if (memory.usable_space(options.dir) < length + options.loss_report_length) {
        return fail(ErrorCode::kStorageSpace, options.dir + ": " +
                                                  std::to_string(length + options.loss_report_length) +
                                                  " bytes are needed, free some or choose another --dir");
    }
    FULMAR_TRY(cnc_mapping, memory.create(cnc_path(options.dir), length, true));
    files.cnc_mapping = std::move(cnc_mapping);
    layout::CncParams params;
    params.lengths = options.cnc_lengths;
    params.client_liveness_timeout_ns = options.client_liveness_timeout.ns;
    params.start_timestamp_ms = now_ms;
    params.pid = options.pid;
    params.file_page_size = options.page_size;
    FULMAR_TRY(cnc, layout::CncFile::create(files.cnc_mapping->bytes(), params));
    files.cnc = cnc;
    const std::string report = options.dir + "/" + std::string(layout::kLossReportFileName);
    FULMAR_TRY(loss_report, memory.create(report, options.loss_report_length, true));
    files.loss_report = std::move(loss_report);
    return files;
}

Status delete_directory(port::MemoryMap& memory, const DriverOptions& options) {
    if (const std::string logs = log_root(options); logs != options.dir) {
        FULMAR_TRY_VOID(memory.remove_directory(logs));
    }
    return memory.remove_directory(options.dir);
}

}  // namespace fulmar::agent
