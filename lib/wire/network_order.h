/// Big-endian fields, as the Internet's headers have them.
/// threads: plain loads and stores.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace fulmar::wire {

[[nodiscard]] inline std::uint16_t load_be16(const std::byte* bytes) {
    return __builtin_bswap16(base::load_le<std::uint16_t>(bytes, 0));
}
[[nodiscard]] inline std::uint32_t load_be32(const std::byte* bytes) {
    return __builtin_bswap32(base::load_le<std::uint32_t>(bytes, 0));
}
inline void store_be16(std::byte* bytes, std::uint16_t value) {
    base::store_le(bytes, 0, __builtin_bswap16(value));
}
inline void store_be32(std::byte* bytes, std::uint32_t value) {
    base::store_le(bytes, 0, __builtin_bswap32(value));
}

}  // namespace fulmar::wire
