/// What hugepage memory this machine offers, for start-up decisions, `doctor` and error lines.
/// threads: any; reads sysfs and procfs, so never on a data path.
#pragma once

#include <cstdint>
#include <string>

namespace fulmar::pmd_glue {

struct HugepageStatus {
    std::int64_t page_bytes = 0;  ///< size of the pages counted below; 0: the kernel has none
    std::int64_t total = 0;       ///< units: pages
    std::int64_t free = 0;        ///< units: pages
    std::string mount;            ///< a hugetlbfs mount this user may write, or empty
    bool usable = false;          ///< enough free pages for one port
    std::string reason;           ///< one line: what was found, and how to get pages when there are none

    [[nodiscard]] std::int64_t free_bytes() const { return page_bytes * free; }
};

/// needed_bytes: how much the caller wants to place in hugepages.
[[nodiscard]] HugepageStatus hugepage_status(std::int64_t needed_bytes = std::int64_t{64} << 20);

}  // namespace fulmar::pmd_glue
