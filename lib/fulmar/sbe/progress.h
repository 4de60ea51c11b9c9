/// Where the encoding of a message stands: the bytes taken so far, the part that each open level is at, the
/// first fault. threads: one writer.  source: FIX Simple Binary Encoding 1.0, section 3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "fulmar/sbe/error.h"
#include "fulmar/sbe/value.h"

namespace fulmar::sbe {

namespace detail {

template <class Body, bool kBigEndian>
void put_nulls(std::byte* block);

template <class F, bool kBigEndian>
void put_null(std::byte* at) {
    if constexpr (F::kRole == Role::kField) {
        if constexpr (!detail::is_constant<F>) {
            if constexpr (shape_of<typename F::Type>() == Shape::kComposite) {
                put_nulls<typename F::Type, kBigEndian>(at);
            } else if constexpr (has_null<F, kBigEndian>) {
                using Element = typename Encoding<typename F::Type>::Element;
                store<Element, kBigEndian>(at, null_of<F>());
            }
        }
    }
}
template <class Body, bool kBigEndian>
void put_nulls(std::byte* block) {
    [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
        (put_null<TypeAt<typename Body::Members, kIndex>, kBigEndian>(
             block + LayoutOf<Body>::kLaid.members[kIndex].offset),
            ...);
    }
    (std::make_index_sequence<LayoutOf<Body>::kSize>{});
}

/// The block with nothing in it: optional fields null, all else zero. What the caller sets right after
/// replaces this in the compiled code, as far as the compiler sees it.
template <class Body, bool kBigEndian>
void put_empty_block(std::byte* block) {
    std::memset(block, 0, block_length<Body>);
    put_nulls<Body, kBigEndian>(block);
}

/// How deep groups nest below a body, and the longest block among them.
template <class Body>
consteval std::size_t depth_of();
template <class Body>
consteval std::size_t longest_block_of();

template <class T>
consteval std::size_t group_depth() {
    if constexpr (T::kRole == Role::kGroup) {
        return 1 + depth_of<T>();
    } else {
        return 0;
    }
}
template <class T>
consteval std::size_t group_block() {
    if constexpr (T::kRole == Role::kGroup) {
        return longest_block_of<T>();
    } else {
        return 0;
    }
}
consteval std::size_t greater(std::size_t a, std::size_t b) {
    return a > b ? a : b;
}
template <class... Ts>
consteval std::size_t depth_of_list(List<Ts...>) {
    std::size_t depth = 0;
    ((depth = greater(depth, group_depth<Ts>())), ...);
    return depth;
}
template <class... Ts>
consteval std::size_t block_of_list(List<Ts...>) {
    std::size_t block = 0;
    ((block = greater(block, group_block<Ts>())), ...);
    return block;
}
template <class Body>
consteval std::size_t depth_of() {
    return depth_of_list(typename Body::Members{});
}
template <class Body>
consteval std::size_t longest_block_of() {
    return greater(block_length<Body>, block_of_list(typename Body::Members{}));
}

/// What the writers of one message share: where the next part begins, and which part each open level is at.
/// Level 0 is the message, level d + 1 the element last added to the open group of level d.
template <class M>
struct Progress {
    using Schema = typename M::Schema;
    static constexpr std::size_t kLevels = depth_of<M>() + 1;

    std::byte* base = nullptr;
    std::size_t size = 0;
    std::size_t at = 0;
    Error error{};
    /// The next part to be written of the element open at each level.
    std::uint32_t next[kLevels] = {};
    /// Which element is open at each level, 0 for none: a writer of another one is stale.
    std::uint32_t open[kLevels] = {};
    std::uint32_t serial = 0;

    /// Where fields of blocks that did not fit are set. Nobody reads it.
    static std::byte* scratch() {
        static thread_local std::byte bytes[longest_block_of<M>() + 1];
        return bytes;
    }

    // Always inline, and the scratch outside: an Encoder whose address goes nowhere lives in registers.
    [[gnu::always_inline]] void fail(
        Fault fault, std::string_view member, std::uint64_t have, std::uint64_t need) {
        if (!error) {
            error = Error{.fault = fault, .member = member, .offset = at, .have = have, .need = need};
        }
    }

    /// Takes `bytes` for a part; null when they are not there.
    std::byte* take(std::size_t bytes, std::string_view member) {
        if (size - at < bytes) [[unlikely]] {
            fail(Fault::kBufferTooSmall, member, size - at, bytes);
            return nullptr;
        }
        std::byte* taken = base + at;
        at += bytes;
        return taken;
    }

    template <class G>
    std::byte* begin_group() {
        using Head = typename G::DimensionType;
        std::byte* head = take(block_length<Head>, G::kName);
        if (head != nullptr) {
            if constexpr (has_other_bytes<Head, "blockLength", "numInGroup">) {
                std::memset(head, 0, block_length<Head>);
            }
            using Length = typename Encoding<typename MemberNamed<Head, "blockLength">::Type>::Element;
            static_assert(block_length<G> <= std::numeric_limits<Length>::max(),
                "the group's block length fits its header");
            store<Length, Schema::kBigEndian>(
                head + offset_of<Head, "blockLength">, static_cast<Length>(block_length<G>));
            set_count<G>(head, 0);
        }
        return head;
    }

    template <class G>
    static void set_count(std::byte* head, std::uint64_t count) {
        using Head = typename G::DimensionType;
        using Count = typename Encoding<typename MemberNamed<Head, "numInGroup">::Type>::Element;
        store<Count, Schema::kBigEndian>(head + offset_of<Head, "numInGroup">, static_cast<Count>(count));
    }

    template <class D>
    void put_data(const void* bytes, std::size_t length) {
        using Length = typename D::Type::Length;
        constexpr std::uint64_t most = D::Type::kMax.given() ? D::Type::kMax.template as<std::uint64_t>()
                                                             : std::numeric_limits<Length>::max();
        if (length > most) {
            fail(Fault::kDataTooLong, D::kName, length, most);
            return;
        }
        std::byte* to = take(sizeof(Length) + length, D::kName);
        if (to != nullptr) {
            store<Length, Schema::kBigEndian>(to, static_cast<Length>(length));
            if (length != 0) {
                std::memcpy(to + sizeof(Length), bytes, length);
            }
        }
    }

    /// Ends the open element of `kLevel`: its open group, and the parts that nobody wrote as empty ones.
    template <class Body, std::size_t kLevel>
    void close() {
        if constexpr (LayoutOf<Body>::kParts > 0) {
            [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
                (close_part<Body, kLevel, kIndex>(LayoutOf<Body>::kParts), ...);
            }
            (std::make_index_sequence<LayoutOf<Body>::kSize>{});
            next[kLevel] = LayoutOf<Body>::kParts;
        }
    }
    /// Brings `kLevel` to its part `part`, ending what is open before it. False where that part is already
    /// behind.
    template <class Body, std::size_t kLevel>
    bool reach(std::uint32_t part, std::string_view member) {
        if (next[kLevel] > part) {
            fail(Fault::kOutOfOrder, member, next[kLevel], part);
            return false;
        }
        [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
            (close_part<Body, kLevel, kIndex>(part), ...);
        }
        (std::make_index_sequence<LayoutOf<Body>::kSize>{});
        next[kLevel] = part + 1;
        return !error;
    }

  private:
    template <class Body, std::size_t kLevel, std::size_t kIndex>
    void close_part(std::uint32_t before) {
        constexpr MemberInfo info = LayoutOf<Body>::kLaid.members[kIndex];
        if constexpr (info.role == Role::kGroup || info.role == Role::kData) {
            using Part = TypeAt<typename Body::Members, kIndex>;
            if (info.part >= before) {
                return;
            }
            if constexpr (info.role == Role::kGroup) {
                if (next[kLevel] == info.part + 1 && open[kLevel + 1] != 0) {
                    close<Part, kLevel + 1>();
                    open[kLevel + 1] = 0;
                }
            }
            if (next[kLevel] <= info.part) {
                if constexpr (info.role == Role::kGroup) {
                    begin_group<Part>();
                } else {
                    put_data<Part>(nullptr, 0);
                }
            }
        }
    }
};

}  // namespace detail

}  // namespace fulmar::sbe
