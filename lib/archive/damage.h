/// Bytes of a recording that are not what was recorded, for people and for repair.
/// threads: values.
#pragma once

#include <cstdint>
#include <string>

namespace fulmar::archive {

struct Damage {
    std::int64_t recording_id = 0;
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::string why;

    bool operator==(const Damage&) const = default;
};

/// One line that names all of it.
[[nodiscard]] inline std::string to_string(const Damage& damage) {
    return "recording " + std::to_string(damage.recording_id) + ": damaged from " +
           std::to_string(damage.begin) + " to " + std::to_string(damage.end) + ": " + damage.why;
}

}  // namespace fulmar::archive
