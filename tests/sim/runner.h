/// Runs seeds in worker processes: a seed that kills its process is a failure like any other.
/// threads: one; forks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/sim/profiles.h"

namespace fulmar::sim {

struct SeedResult {
    std::uint64_t seed = 0;
    std::uint64_t hash = 0;
    Counts counts;
    std::string failure;  ///< empty: passed
};

/// One seed of a profile, twice: both runs must be the same.
[[nodiscard]] SeedResult run_seed(const Profile& profile, std::uint64_t seed, bool verbose);

struct RunnerOptions {
    const Profile* profile = nullptr;
    std::uint64_t first_seed = 1;
    std::uint64_t count = 1;
    int workers = 1;
    bool stop_at_failure = false;
};

struct Summary {
    std::uint64_t seeds = 0;  ///< run
    std::uint64_t hash = 0;   ///< of all seeds' hashes, whatever order they were run in
    Counts counts;
    std::vector<SeedResult> failures;  ///< by seed
};

/// on_result is called in this process as results come in.
[[nodiscard]] Summary run_seeds(const RunnerOptions& options,
    const std::function<void(const SeedResult&, std::uint64_t done)>& on_result);

}  // namespace fulmar::sim
