/// Checks that every command and event goes through: recorded bytes and bad ones.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/bytes.h"
#include "layout/decode.h"
#include "tests/unit/golden.h"

namespace fulmar::layout::test {

inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

inline std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class T>
std::vector<std::byte> encoded(const T& value) {
    std::vector<std::byte> bytes(value.encoded_length(), std::byte{0xEE});
    CHECK(value.encode(bytes) == bytes.size());
    std::vector<std::byte> small(bytes.size() - 1);
    CHECK(value.encode(small) == 0);
    return bytes;
}

/// Decodes a recorded record, encodes it again and expects the recorded bytes. The value's views point into
/// `bytes`, so the caller keeps them.
template <class T>
T check_recorded(const std::vector<std::byte>& bytes) {
    const auto value = T::decode(bytes);
    REQUIRE(value.has_value());
    const auto again = encoded(*value);
    CHECK(again.size() == bytes.size());
    CHECK(std::equal(again.begin(),
        again.begin() + static_cast<std::ptrdiff_t>(std::min(again.size(), bytes.size())), bytes.begin()));
    return *value;
}

/// No prefix decodes. Each is copied to its own allocation, so that a read beyond it is seen by sanitizers.
template <class T>
void check_truncations(const std::vector<std::byte>& bytes, std::size_t accepted_length = 0) {
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        if (length == accepted_length && length != 0) {
            continue;
        }
        CAPTURE(length);
        const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
        CHECK_FALSE(T::decode(cut).has_value());
    }
}

/// The length field at `offset` must not be believed beyond the record.
template <class T>
void check_length_field(std::vector<std::byte> bytes, std::size_t offset) {
    const auto right = base::load_le<std::int32_t>(bytes.data(), offset);
    const auto room = static_cast<std::int32_t>(bytes.size() - offset - 4);
    REQUIRE(right <= room);
    for (const std::int32_t wrong : {-1, room + 1, std::numeric_limits<std::int32_t>::min(),
             std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::max() - 3}) {
        CAPTURE(wrong);
        base::store_le(bytes.data(), offset, wrong);
        const auto value = T::decode(bytes);
        REQUIRE_FALSE(value.has_value());
        CHECK(value.error() == DecodeFault::kLength);
    }
}

}  // namespace fulmar::layout::test
