/// What the simulator can run: each profile makes a world of its own from a seed.
/// threads: one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tests/sim/counts.h"

namespace fulmar::sim {

struct RunResult {
    std::uint64_t hash = 0;
    std::uint64_t steps = 0;
    Counts counts;
    std::string failure;  ///< empty: passed
};

struct Profile {
    std::string_view name;
    std::string_view about;
    /// Of the values of Counts, from the first on.
    std::span<const std::string_view> counts;
    RunResult (*run)(std::uint64_t seed, bool verbose);
};

[[nodiscard]] std::span<const Profile> profiles();
/// Null: there is none of that name.
[[nodiscard]] const Profile* find_profile(std::string_view name);

}  // namespace fulmar::sim
