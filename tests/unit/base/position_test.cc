#include "base/position.h"

#include <cstdint>
#include <initializer_list>
#include <limits>

#include <doctest/doctest.h>

using namespace fulmar::base;

TEST_CASE("position: term count, offset and partition come back from a position") {
    constexpr std::int32_t term_length = 64 * 1024;
    constexpr int shift = term_length_shift(term_length);
    const std::int32_t initial = std::numeric_limits<std::int32_t>::max() - 1;
    for (std::int64_t term_count : {0, 1, 2, 3, 100}) {
        for (std::int32_t offset : {0, 32, term_length - 32}) {
            const auto position = term_count * term_length + offset;
            const auto term_id = compute_term_id(position, shift, initial);
            CHECK(compute_term_offset(position, term_length) == offset);
            CHECK(compute_position(term_id, offset, shift, initial) == position);
            CHECK(partition_of_position(position, shift) == term_count % 3);
        }
    }
}

TEST_CASE("position: term ids wrap through the sign without changing the position") {
    CHECK(wrapping_subtract(
              std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()) == 1);
    CHECK(wrapping_add(std::numeric_limits<std::int32_t>::max(), 1) ==
          std::numeric_limits<std::int32_t>::min());
}
