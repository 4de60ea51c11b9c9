/// Values that stand in a message's description: names, constants, null values.
/// shapes: structural types, so that they can be template arguments; they hold no pointer.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace fulmar::sbe {

/// The name of a message, field, type or choice, as it stands in the schema: `Field<"price", 4, Decimal>`.
template <std::size_t kSize>
struct Name {
    char text[kSize]{};

    consteval Name(const char (&literal)[kSize]) {
        for (std::size_t i = 0; i < kSize; ++i) {
            text[i] = literal[i];
        }
    }
    [[nodiscard]] constexpr std::string_view view() const { return {text, kSize - 1}; }
};

/// A value written into a description: an integer, a floating-point number, an enumerator or a short text.
/// 64-bit patterns are kept whole: `bits` is the integer itself, or the bits of the double.
struct Literal {
    enum class Kind : std::uint8_t { kNone, kSigned, kUnsigned, kReal, kText };
    static constexpr std::size_t kMaxText = 47;

    Kind kind = Kind::kNone;
    std::uint8_t length = 0;
    std::uint64_t bits = 0;
    char text[kMaxText + 1]{};

    constexpr Literal() = default;

    template <class T>
    requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) consteval Literal(T value) {
        if constexpr (std::is_floating_point_v<T>) {
            kind = Kind::kReal;
            bits = std::bit_cast<std::uint64_t>(static_cast<double>(value));
        } else if constexpr (std::is_enum_v<T>) {
            *this = Literal(static_cast<std::underlying_type_t<T>>(value));
        } else {
            kind = std::is_signed_v<T> ? Kind::kSigned : Kind::kUnsigned;
            bits = static_cast<std::uint64_t>(value);
        }
    }

    template <std::size_t kSize>
    consteval Literal(const char (&literal)[kSize])
        : kind(Kind::kText), length(static_cast<std::uint8_t>(kSize - 1)) {
        static_assert(kSize - 1 <= kMaxText, "a constant text holds at most Literal::kMaxText characters");
        for (std::size_t i = 0; i + 1 < kSize; ++i) {
            text[i] = literal[i];
        }
    }

    [[nodiscard]] constexpr bool given() const { return kind != Kind::kNone; }
    [[nodiscard]] constexpr std::string_view view() const { return {text, length}; }

    /// The value as a field's element type.
    template <class T>
    [[nodiscard]] constexpr T as() const {
        if (kind == Kind::kReal) {
            return static_cast<T>(std::bit_cast<double>(bits));
        }
        if (kind == Kind::kSigned) {
            return static_cast<T>(static_cast<std::int64_t>(bits));
        }
        return static_cast<T>(bits);
    }

    constexpr bool operator==(const Literal&) const = default;
};

}  // namespace fulmar::sbe
