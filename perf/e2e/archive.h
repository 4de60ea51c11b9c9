/// What recording costs, beside a plain writer with the same pattern of writes and syncs on the same disk.
/// threads: one.
#pragma once

#include <string>

namespace fulmar::perf {

struct ArchiveOptions {
    std::string directory;  ///< recordings go below it; empty: one of our own in the working directory
    std::string sync = "both";
    std::size_t size = 288;
    double seconds = 3;
    int rounds = 3;
    bool json = false;
};

/// Runs both, one after the other, `rounds` times. Returns the exit status.
int run_archive(const ArchiveOptions& options);

}  // namespace fulmar::perf
