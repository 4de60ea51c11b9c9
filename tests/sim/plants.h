/// Names of the bugs that lib/base/plant.h can put in.
/// threads: one.
#pragma once

#include <span>
#include <string_view>

#include "base/plant.h"

namespace fulmar::sim {

struct PlantRow {
    base::Plant plant;
    std::string_view name;
    std::string_view about;
};

/// Those that a profile of the simulator has to find; none of one that there is not.
[[nodiscard]] std::span<const PlantRow> plants(std::string_view profile);
/// Null: the profile has no such plant.
[[nodiscard]] const PlantRow* find_plant(std::string_view profile, std::string_view name);

}  // namespace fulmar::sim
