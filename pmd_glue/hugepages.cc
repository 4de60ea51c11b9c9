#include "pmd_glue/hugepages.h"

#include <fmt/core.h>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace fulmar::pmd_glue {
namespace {

constexpr std::int64_t kPageBytes = std::int64_t{2} << 20;
constexpr const char* kPagePath = "/sys/kernel/mm/hugepages/hugepages-2048kB/";

std::int64_t read_number(const std::string& path) {
    std::ifstream file(path);
    std::int64_t value = 0;
    return file >> value ? value : 0;
}

/// The first hugetlbfs mount we may write; only log files need one, ports use anonymous pages.
std::string writable_mount() {
    std::ifstream mounts("/proc/self/mounts");
    std::string line;
    while (std::getline(mounts, line)) {
        std::istringstream fields(line);
        std::string device;
        std::string path;
        std::string type;
        fields >> device >> path >> type;
        if (type == "hugetlbfs" && ::access(path.c_str(), W_OK) == 0) {
            return path;
        }
    }
    return {};
}

}  // namespace

HugepageStatus hugepage_status(std::int64_t needed_bytes) {
    HugepageStatus status;
    if (::access(kPagePath, F_OK) != 0) {
        status.reason = "this kernel offers no 2 MiB hugepages";
        return status;
    }
    status.page_bytes = kPageBytes;
    status.total = read_number(std::string(kPagePath) + "nr_hugepages");
    status.free = read_number(std::string(kPagePath) + "free_hugepages");
    status.mount = writable_mount();
    status.usable = status.free_bytes() >= needed_bytes;
    const auto needed_pages = (needed_bytes + kPageBytes - 1) / kPageBytes;
    if (status.usable) {
        status.reason = fmt::format("{} of {} hugepages of 2 MiB free", status.free, status.total);
    } else {
        status.reason =
            fmt::format("{} of {} hugepages of 2 MiB free, {} needed: sudo sysctl -w vm.nr_hugepages={}",
                status.free, status.total, needed_pages, status.total - status.free + needed_pages);
    }
    return status;
}

}  // namespace fulmar::pmd_glue
