/// The Internet checksum.
/// Sums are partial: they may be added to each other as long as every part but the last has an even
/// length, and become a checksum by finish_checksum.
/// threads: pure functions.  source: RFC 1071, RFC 1624.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace fulmar::wire {

/// A partial sum in the byte order of the machine; the one's complement sum does not mind (RFC 1071, 2B).
/// A 64-bit sum of 32-bit halves cannot overflow below 2^32 of them, more than any packet has.
struct ChecksumSum {
    std::uint64_t value = 0;
};

[[nodiscard]] inline ChecksumSum operator+(ChecksumSum a, ChecksumSum b) {
    return {a.value + b.value};
}

[[nodiscard]] inline ChecksumSum sum_of(std::span<const std::byte> bytes) {
    const auto* at = bytes.data();
    auto left = bytes.size();
    std::uint64_t sum = 0;
    for (; left >= 8; left -= 8, at += 8) {
        const auto word = base::load_le<std::uint64_t>(at, 0);
        sum += (word & 0xFFFF'FFFF) + (word >> 32);
    }
    if (left >= 4) {
        sum += base::load_le<std::uint32_t>(at, 0);
        at += 4;
        left -= 4;
    }
    if (left >= 2) {
        sum += base::load_le<std::uint16_t>(at, 0);
        at += 2;
        left -= 2;
    }
    if (left == 1) {
        sum += std::to_integer<std::uint64_t>(*at);  // padded with a zero behind it
    }
    return {sum};
}

/// A 16-bit field, given in host order.
[[nodiscard]] inline ChecksumSum sum_of_be16(std::uint16_t value) {
    return {__builtin_bswap16(value)};
}
[[nodiscard]] inline ChecksumSum sum_of_be32(std::uint32_t value) {
    return {__builtin_bswap32(value)};
}

/// Folded to 16 bits, not complemented, in host order: what a partly offloaded packet carries.
[[nodiscard]] inline std::uint16_t fold(ChecksumSum sum) {
    auto value = (sum.value & 0xFFFF'FFFF) + (sum.value >> 32);
    value = (value & 0xFFFF) + ((value >> 16) & 0xFFFF) + (value >> 32);
    value = (value & 0xFFFF) + (value >> 16);
    value = (value & 0xFFFF) + (value >> 16);
    return __builtin_bswap16(static_cast<std::uint16_t>(value));
}

/// The value of the checksum field, in host order. Verifying: over a header with its field included it is 0.
[[nodiscard]] inline std::uint16_t finish_checksum(ChecksumSum sum) {
    return static_cast<std::uint16_t>(~fold(sum));
}

/// Checksum after one 16-bit field changed (RFC 1624, eqn. 3); all in host order.
[[nodiscard]] inline std::uint16_t update_checksum(
    std::uint16_t checksum, std::uint16_t old_field, std::uint16_t new_field) {
    const auto complement = [](std::uint16_t v) { return static_cast<std::uint16_t>(~v); };
    return finish_checksum(
        sum_of_be16(complement(checksum)) + sum_of_be16(complement(old_field)) + sum_of_be16(new_field));
}

}  // namespace fulmar::wire
