/// Length-prefixed texts in commands and events: the one place that believes a length field.
/// threads: pure functions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "layout/decode.h"

namespace fulmar::layout::internal {

inline constexpr std::size_t kLengthField = sizeof(std::int32_t);
inline constexpr std::size_t kTextAlignment = 4;

/// The bytes behind the length field at `offset`.
inline Decoded<std::span<const std::byte>> read_bytes(std::span<const std::byte> record, std::size_t offset) {
    if (record.size() < offset + kLengthField) {
        return Unexpected{DecodeFault::kTooShort};
    }
    const auto length = base::load_le<std::int32_t>(record.data(), offset);
    const std::size_t room = record.size() - offset - kLengthField;
    if (length < 0 || static_cast<std::size_t>(length) > room) {
        return Unexpected{DecodeFault::kLength};
    }
    return record.subspan(offset + kLengthField, static_cast<std::size_t>(length));
}

inline Decoded<std::string_view> read_text(std::span<const std::byte> record, std::size_t offset) {
    FULMAR_TRY(bytes, read_bytes(record, offset));
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

inline Decoded<std::string_view> read_channel(std::span<const std::byte> record, std::size_t offset) {
    FULMAR_TRY(channel, read_text(record, offset));
    if (channel.size() > kChannelMax) {
        return Unexpected{DecodeFault::kChannelTooLong};
    }
    return channel;
}

inline Decoded<std::string_view> read_reason(std::span<const std::byte> record, std::size_t offset) {
    FULMAR_TRY(text, read_text(record, offset));
    if (text.size() > kReasonTextMax) {
        return Unexpected{DecodeFault::kTextTooLong};
    }
    return text;
}

inline void write_bytes(std::span<std::byte> record, std::size_t offset, std::span<const std::byte> bytes) {
    base::store_le(record.data(), offset, static_cast<std::int32_t>(bytes.size()));
    std::copy(
        bytes.begin(), bytes.end(), record.begin() + static_cast<std::ptrdiff_t>(offset + kLengthField));
}

inline void write_text(std::span<std::byte> record, std::size_t offset, std::string_view text) {
    write_bytes(record, offset, std::as_bytes(std::span(text)));
}

/// Where the second of two texts has its length field, when the first one's is at `offset`.
inline std::size_t second_text_offset(std::size_t offset, std::size_t first_length) {
    return offset + kLengthField + base::align_up(first_length, kTextAlignment);
}

/// Zeroes the bytes between a text's end and `until`, so that nothing of an older record leaks out.
inline void zero(std::span<std::byte> record, std::size_t from, std::size_t until) {
    std::fill(record.begin() + static_cast<std::ptrdiff_t>(from),
        record.begin() + static_cast<std::ptrdiff_t>(until), std::byte{0});
}

}  // namespace fulmar::layout::internal
