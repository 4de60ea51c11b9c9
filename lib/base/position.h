/// Stream positions, term ids and offsets, and the wrapping arithmetic between them.
/// units: positions and lengths in bytes; term ids wrap at 2^32.
/// source: log buffer arithmetic of the Aeron protocol.
#pragma once

#include <bit>
#include <cstdint>

namespace fulmar::base {

inline constexpr std::int64_t kNullPosition = -1;

/// a + b, a - b in two's complement, without undefined overflow.
[[nodiscard]] constexpr std::int32_t wrapping_add(std::int32_t a, std::int32_t b) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}
[[nodiscard]] constexpr std::int32_t wrapping_subtract(std::int32_t a, std::int32_t b) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b));
}

/// log2 of a term length, which is a power of two.
[[nodiscard]] constexpr int term_length_shift(std::int32_t term_length) {
    return std::countr_zero(static_cast<std::uint32_t>(term_length));
}

[[nodiscard]] constexpr std::int64_t compute_position(
    std::int32_t term_id, std::int32_t term_offset, int shift, std::int32_t initial_term_id) {
    const auto term_count = static_cast<std::int64_t>(wrapping_subtract(term_id, initial_term_id));
    return (term_count << shift) + term_offset;
}

[[nodiscard]] constexpr std::int32_t compute_term_id(
    std::int64_t position, int shift, std::int32_t initial_term_id) {
    return wrapping_add(static_cast<std::int32_t>(position >> shift), initial_term_id);
}

[[nodiscard]] constexpr std::int32_t compute_term_offset(std::int64_t position, std::int32_t term_length) {
    return static_cast<std::int32_t>(position & (term_length - 1));
}

/// Which of the three partitions holds a position.
[[nodiscard]] constexpr int partition_of_position(std::int64_t position, int shift) {
    return static_cast<int>((position >> shift) % 3);
}

}  // namespace fulmar::base
