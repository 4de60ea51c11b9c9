/// What recording costs, beside a plain writer with the same pattern of writes and syncs on the same disk.
/// threads: one.
#pragma once

#include <string>

namespace fulmar::perf {

struct ArchiveOptions {
    std::string directory;  ///< recordings go below it; empty: one of our own in the working directory
    std::string sync = "both";
    std::size_t size = 288;
    std::int64_t bytes = std::int64_t{1} << 30;  ///< of each pass at full rate
    double seconds = 2;                          ///< of each pass at a fixed rate
    double live_rate = 50'000;  ///< messages per second of the stream whose latency is looked at
    int rounds = 5;
    bool json = false;
};

/// Runs both, one after the other, `rounds` times. Returns the exit status.
int run_archive(const ArchiveOptions& options);

}  // namespace fulmar::perf
