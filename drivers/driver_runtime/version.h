/// What this build calls itself.
#pragma once

#include <cstdint>
#include <string>

namespace fulmar::drivers {

/// `0.1.0 commit=0123456789`
[[nodiscard]] std::string version_text();
/// major << 16 | minor << 8 | patch
[[nodiscard]] std::int32_t version_number();

}  // namespace fulmar::drivers
