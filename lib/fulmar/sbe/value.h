/// The values that fields read as and are set from, and how they lie in bytes of either byte order.
/// threads: plain loads and stores.  source: FIX Simple Binary Encoding 1.0, section 2.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include "fulmar/sbe/layout.h"

namespace fulmar::sbe {

namespace detail {

template <std::size_t kBytes>
struct UnsignedOf;
template <>
struct UnsignedOf<1> {
    using type = std::uint8_t;
};
template <>
struct UnsignedOf<2> {
    using type = std::uint16_t;
};
template <>
struct UnsignedOf<4> {
    using type = std::uint32_t;
};
template <>
struct UnsignedOf<8> {
    using type = std::uint64_t;
};

constexpr std::uint8_t swap_bytes(std::uint8_t value) {
    return value;
}
constexpr std::uint16_t swap_bytes(std::uint16_t value) {
    return __builtin_bswap16(value);
}
constexpr std::uint32_t swap_bytes(std::uint32_t value) {
    return __builtin_bswap32(value);
}
constexpr std::uint64_t swap_bytes(std::uint64_t value) {
    return __builtin_bswap64(value);
}

template <class T, bool kBigEndian>
[[nodiscard]] constexpr typename UnsignedOf<sizeof(T)>::type to_wire(T value) {
    using Bits = typename UnsignedOf<sizeof(T)>::type;
    const Bits bits = std::bit_cast<Bits>(value);
    return kBigEndian == (std::endian::native == std::endian::big) ? bits : swap_bytes(bits);
}

template <class T, bool kBigEndian>
[[nodiscard]] inline T load(const std::byte* at) {
    typename UnsignedOf<sizeof(T)>::type bits;
    std::memcpy(&bits, at, sizeof bits);
    if constexpr (kBigEndian != (std::endian::native == std::endian::big)) {
        bits = swap_bytes(bits);
    }
    return std::bit_cast<T>(bits);
}

template <class T, bool kBigEndian>
inline void store(std::byte* at, T value) {
    const auto bits = to_wire<T, kBigEndian>(value);
    std::memcpy(at, &bits, sizeof bits);
}

/// SBE's own null of a primitive type: the least signed, the greatest unsigned, NaN, or a NUL character.
template <class T>
[[nodiscard]] constexpr T default_null() {
    if constexpr (std::is_same_v<T, char>) {
        return '\0';
    } else if constexpr (std::is_floating_point_v<T>) {
        return std::numeric_limits<T>::quiet_NaN();
    } else if constexpr (std::is_signed_v<T>) {
        return std::numeric_limits<T>::min();
    } else {
        return std::numeric_limits<T>::max();
    }
}

/// The null of a field: what the field says, else its type, else SBE.
template <class F>
[[nodiscard]] constexpr auto null_of() {
    using E = Encoding<typename F::Type>;
    using Element = typename E::Element;
    if constexpr (F::kOptions.null.given()) {
        return F::kOptions.null.template as<Element>();
    } else if constexpr (E::kOptions.null.given()) {
        return E::kOptions.null.template as<Element>();
    } else {
        return default_null<Element>();
    }
}

template <class T>
[[nodiscard]] constexpr bool is_null(T value, T null) {
    if constexpr (std::is_floating_point_v<T>) {
        return value == null || (value != value && null != null);
    } else {
        return value == null;
    }
}

template <class T>
struct CppEnumOf {
    using type = void;
};
template <class T>
requires requires {
    typename T::CppEnum;
}
struct CppEnumOf<T> {
    using type = typename T::CppEnum;
};

}  // namespace detail

/// The choices of a set that are present, as a value. `S` is the described Set.
template <class S>
class Choices {
  public:
    using Bits = typename S::Encoded;

    constexpr Choices() = default;
    constexpr explicit Choices(Bits bits) : bits_(bits) {}

    template <Name kChoice>
    [[nodiscard]] constexpr bool has() const {
        return (bits_ & mask<kChoice>()) != 0;
    }
    template <Name kChoice>
    [[nodiscard]] constexpr Choices with() const {
        return Choices(static_cast<Bits>(bits_ | mask<kChoice>()));
    }
    template <Name kChoice>
    [[nodiscard]] constexpr Choices without() const {
        return Choices(static_cast<Bits>(bits_ & static_cast<Bits>(~mask<kChoice>())));
    }
    /// All bits, those that no choice names included.
    [[nodiscard]] constexpr Bits bits() const { return bits_; }

    constexpr bool operator==(const Choices&) const = default;

  private:
    template <Name kChoice>
    static consteval Bits mask() {
        constexpr Bits found = S::mask(kChoice.view());
        static_assert(found != 0, "the set has no choice of that name");
        return found;
    }

    Bits bits_ = 0;
};

/// A fixed array of numbers where it lies in the message; elements may be unaligned and of either byte order.
template <class T, std::size_t kCount, bool kBigEndian>
class ArrayView {
  public:
    class Iterator {
      public:
        using value_type = T;
        using difference_type = std::ptrdiff_t;

        Iterator() = default;
        explicit Iterator(const std::byte* at) : at_(at) {}
        T operator*() const { return detail::load<T, kBigEndian>(at_); }
        Iterator& operator++() {
            at_ += sizeof(T);
            return *this;
        }
        Iterator operator++(int) {
            Iterator before = *this;
            ++*this;
            return before;
        }
        bool operator==(const Iterator&) const = default;

      private:
        const std::byte* at_ = nullptr;
    };

    explicit ArrayView(const std::byte* at) : at_(at) {}

    [[nodiscard]] static constexpr std::size_t size() { return kCount; }
    /// `index` < size(), not checked.
    [[nodiscard]] T operator[](std::size_t index) const {
        return detail::load<T, kBigEndian>(at_ + index * sizeof(T));
    }
    [[nodiscard]] Iterator begin() const { return Iterator(at_); }
    [[nodiscard]] Iterator end() const { return Iterator(at_ + kCount * sizeof(T)); }
    [[nodiscard]] std::span<const std::byte, kCount * sizeof(T)> bytes() const {
        return std::span<const std::byte, kCount * sizeof(T)>(at_, kCount * sizeof(T));
    }

  private:
    const std::byte* at_;
};

template <class C, bool kBigEndian>
class CompositeView;

namespace detail {

enum class Shape : std::uint8_t { kNumber, kText, kArray, kEnum, kSet, kComposite };

template <class T>
consteval Shape shape_of() {
    using E = Encoding<T>;
    switch (E::kKind) {
        case TypeKind::kEnum: return Shape::kEnum;
        case TypeKind::kSet: return Shape::kSet;
        case TypeKind::kComposite: return Shape::kComposite;
        default: break;
    }
    if constexpr (E::kKind == TypeKind::kPrimitive) {
        if (E::kCount != 1) {
            return std::is_same_v<typename E::Element, char> ? Shape::kText : Shape::kArray;
        }
    }
    return Shape::kNumber;
}

/// What a type reads as. Text ends at its first NUL.
template <class T, bool kBigEndian, Shape = shape_of<T>()>
struct Reader {
    using Element = typename Encoding<T>::Element;
    using Value = Element;
    static Value read(const std::byte* at) { return load<Element, kBigEndian>(at); }
};
template <class T, bool kBigEndian>
struct Reader<T, kBigEndian, Shape::kText> {
    using Value = std::string_view;
    static Value read(const std::byte* at) {
        const auto* text = reinterpret_cast<const char*>(at);
        return {text, ::strnlen(text, Encoding<T>::kCount)};
    }
};
template <class T, bool kBigEndian>
struct Reader<T, kBigEndian, Shape::kArray> {
    using Value = ArrayView<typename Encoding<T>::Element, Encoding<T>::kCount, kBigEndian>;
    static Value read(const std::byte* at) { return Value(at); }
};
template <class T, bool kBigEndian>
struct Reader<T, kBigEndian, Shape::kEnum> {
    using Value = typename CppEnumOf<T>::type;
    static Value read(const std::byte* at) {
        return static_cast<Value>(load<typename Encoding<T>::Element, kBigEndian>(at));
    }
};
template <class T, bool kBigEndian>
struct Reader<T, kBigEndian, Shape::kSet> {
    using Value = Choices<T>;
    static Value read(const std::byte* at) {
        return Value(load<typename Encoding<T>::Element, kBigEndian>(at));
    }
};
template <class T, bool kBigEndian>
struct Reader<T, kBigEndian, Shape::kComposite> {
    using Value = CompositeView<T, kBigEndian>;
    static Value read(const std::byte* at) { return Value(at); }
};

/// May the field say that it has no value (by its own option or by its type's)?
template <class F>
inline constexpr bool is_optional = F::kOptions.optional || Encoding<typename F::Type>::kOptions.optional;

template <class F, bool kBigEndian>
inline constexpr bool has_null = [] {
    constexpr Shape shape = shape_of<typename F::Type>();
    return is_optional<F> && (shape == Shape::kNumber || shape == Shape::kEnum || shape == Shape::kText);
}();

/// Does the field's optional value lack? Numbers and enums by their null value, text by being empty.
template <class F, bool kBigEndian>
[[nodiscard]] bool null_at(const std::byte* at) {
    using Element = typename Encoding<typename F::Type>::Element;
    return is_null<Element>(load<Element, kBigEndian>(at), null_of<F>());
}

/// The value of a constant field.
template <class F>
[[nodiscard]] constexpr auto constant_of() {
    using T = typename F::Type;
    if constexpr (literal_of<F>.kind == Literal::Kind::kText) {
        if constexpr (Encoding<T>::kCount == 1) {
            return literal_of<F>.text[0];
        } else {
            return literal_of<F>.view();
        }
    } else if constexpr (shape_of<T>() == Shape::kEnum) {
        return static_cast<typename CppEnumOf<T>::type>(
            literal_of<F>.template as<typename Encoding<T>::Element>());
    } else {
        return literal_of<F>.template as<typename Encoding<T>::Element>();
    }
}

/// What `get` of a field returns: its value, or an optional where it may be absent.
template <class F, bool kBigEndian>
[[nodiscard]] auto read_field(const std::byte* block, std::uint32_t offset, std::uint16_t acting_version) {
    if constexpr (is_constant<F>) {
        return constant_of<F>();
    } else {
        using R = Reader<typename F::Type, kBigEndian>;
        if constexpr (F::kOptions.since > 0 || has_null<F, kBigEndian>) {
            using Maybe = std::optional<typename R::Value>;
            if constexpr (F::kOptions.since > 0) {
                if (acting_version < F::kOptions.since) {
                    return Maybe();
                }
            }
            if constexpr (has_null<F, kBigEndian>) {
                if (null_at<F, kBigEndian>(block + offset)) {
                    return Maybe();
                }
            }
            return Maybe(R::read(block + offset));
        } else {
            return R::read(block + offset);
        }
    }
}

}  // namespace detail

/// A composite where it lies in a message: `price.get<"mantissa">()`.
template <class C, bool kBigEndian>
class CompositeView {
  public:
    explicit CompositeView(const std::byte* at) : at_(at) {}

    /// The member's value; of an optional member an optional, of a constant its constant.
    template <Name kName>
    [[nodiscard]] auto get() const {
        using F = detail::MemberNamed<C, kName>;
        return detail::read_field<F, kBigEndian>(
            at_, offset_of<C, kName>, std::numeric_limits<std::uint16_t>::max());
    }
    /// A number's or enum's element as it lies there, null values as they are.
    template <Name kName>
    [[nodiscard]] auto get_raw() const {
        using F = detail::MemberNamed<C, kName>;
        using Raw = typename detail::Encoding<typename F::Type>::Element;
        static_assert(!detail::is_constant<F> && std::is_arithmetic_v<Raw> &&
                      detail::Encoding<typename F::Type>::kCount == 1);
        return detail::load<Raw, kBigEndian>(at_ + offset_of<C, kName>);
    }
    [[nodiscard]] std::span<const std::byte> bytes() const { return {at_, block_length<C>}; }

  private:
    const std::byte* at_;
};

}  // namespace fulmar::sbe
