/// Limits of the protocol that a configuration is checked against. They repeat numbers of wire/frame.h,
/// which this module does not depend on; a test keeps them equal.
/// units: bytes.
#pragma once

#include <cstdint>

namespace fulmar::config {

inline constexpr std::int32_t kTermLengthMin = 64 * 1024;
inline constexpr std::int32_t kTermLengthMax = 1024 * 1024 * 1024;
inline constexpr std::int32_t kMtuMin = 64;
inline constexpr std::int32_t kMtuMax = 65504;
inline constexpr std::int32_t kFrameAlignment = 32;

}  // namespace fulmar::config
