/// What decoding a command or an event answers: the value, or why the record is not one.
/// threads: values, no sharing.
#pragma once

#include <cstdint>
#include <string_view>

#include "fulmar/result.h"

namespace fulmar::layout {

inline constexpr std::size_t kChannelMax = 4095;     ///< characters of a channel URI
inline constexpr std::size_t kReasonTextMax = 1023;  ///< characters of a rejection reason or error text

enum class DecodeFault : std::uint8_t {
    kTooShort,        ///< the record ends before the fixed fields do; it may not even hold a correlation id
    kLength,          ///< a length field is negative or points beyond the record
    kChannelTooLong,  ///< a channel of more than kChannelMax characters
    kTextTooLong,     ///< a reason or error text of more than kReasonTextMax characters
};

template <class T>
using Decoded = Result<T, DecodeFault>;

[[nodiscard]] constexpr std::string_view to_string(DecodeFault fault) {
    switch (fault) {
        case DecodeFault::kTooShort: return "record too short";
        case DecodeFault::kLength: return "length field beyond the record";
        case DecodeFault::kChannelTooLong: return "channel longer than 4095 characters";
        case DecodeFault::kTextTooLong: return "text longer than 1023 characters";
    }
    return "unknown fault";
}

/// The code that ON_ERROR carries for a command that could not be decoded.
[[nodiscard]] constexpr ErrorCode error_code(DecodeFault fault) {
    return fault == DecodeFault::kChannelTooLong ? ErrorCode::kInvalidChannel : ErrorCode::kMalformedCommand;
}

}  // namespace fulmar::layout
