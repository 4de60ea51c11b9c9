/// Stepping over the groups and data of a described message: what a Decoder does to check it and to find
/// them. threads: pure.  errors: see Mode.  source: FIX Simple Binary Encoding 1.0, section 3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include "fulmar/sbe/error.h"
#include "fulmar/sbe/value.h"

namespace fulmar::sbe {

namespace detail {

/// The block of a message or group element as its sender laid it out.
struct Acting {
    std::uint32_t block_length = 0;
    std::uint16_t version = 0;
    bool valid = true;
};

/// How a walk treats what it meets: trusts it, refuses it, or says what is wrong with it. Refusing is the
/// path that matters and records nothing; a refused message is walked again to say why.
enum class Mode : std::uint8_t { kTrust, kCheck, kExplain };

/// Bytes being walked. `at` and the offsets handed out count from `base`.
template <Mode kMode>
struct Walk {
    const std::byte* base = nullptr;
    std::uint64_t size = 0;
    std::uint64_t at = 0;

    [[nodiscard]] std::uint64_t left() const { return size - at; }
    static bool fail(Fault, std::string_view, std::uint64_t, std::uint64_t) { return false; }
    static bool inside(std::string_view, std::uint64_t) { return false; }
};
template <>
struct Walk<Mode::kExplain> {
    const std::byte* base = nullptr;
    std::uint64_t size = 0;
    std::uint64_t at = 0;
    Error error{};

    [[nodiscard]] std::uint64_t left() const { return size - at; }
    bool fail(Fault fault, std::string_view member, std::uint64_t have, std::uint64_t need) {
        error = Error{.fault = fault, .member = member, .offset = at, .have = have, .need = need};
        return false;
    }
    bool inside(std::string_view group, std::uint64_t element) {
        if (error.group.empty()) {
            error.group = group;
            error.element = element;
        }
        return false;
    }
};

/// Offsets within a message are 32 bits wide; what lies further is past the end.
inline constexpr std::size_t kMaxLength = std::numeric_limits<std::uint32_t>::max();

/// Steps over the variable parts of a block, checking them or not, and notes where each begins.
template <class Body, class S, Mode kMode, class Sequence = std::make_index_sequence<LayoutOf<Body>::kSize>>
struct PartWalker;

template <class Body, class S, Mode kMode>
struct BlockWalker {
    /// From the start of the block at walk.at to the end of its last part. `parts` (kParts of them) may be
    /// null.
    static bool run(Walk<kMode>& walk, Acting acting, std::uint32_t* parts) {
        walk.at += acting.block_length;
        if constexpr (LayoutOf<Body>::kParts > 0) {
            return PartWalker<Body, S, kMode>::run(walk, acting.version, parts);
        } else {
            return true;
        }
    }
};

template <class G, class S, Mode kMode>
bool walk_group(Walk<kMode>& walk, std::uint16_t version) {
    using D = typename G::DimensionType;
    constexpr std::uint32_t kHead = block_length<D>;
    if (kMode != Mode::kTrust && walk.left() < kHead) {
        return walk.fail(Fault::kGroupHeaderPastEnd, G::kName, walk.left(), kHead);
    }
    const CompositeView<D, S::kBigEndian> head(walk.base + walk.at);
    const std::uint64_t length = head.template get<"blockLength">();
    const std::uint64_t count = head.template get<"numInGroup">();
    if constexpr (kMode != Mode::kTrust) {
        if (count > 0 && length < block_length<G> && length < LayoutOf<G>::needed(version)) {
            return walk.fail(Fault::kGroupBlockTooShort, G::kName, length, LayoutOf<G>::needed(version));
        }
        if (count > 0 && length == 0 && LayoutOf<G>::kParts == 0) {
            return walk.fail(Fault::kGroupWithoutBytes, G::kName, count, 0);
        }
        if (length > 0 && count > (walk.left() - kHead) / length) {
            return walk.fail(Fault::kGroupPastEnd, G::kName, walk.left() - kHead, count * length);
        }
    }
    walk.at += kHead;
    if constexpr (LayoutOf<G>::kParts == 0) {
        walk.at += count * length;
    } else {
        const Acting acting{static_cast<std::uint32_t>(length), version};
        for (std::uint64_t element = 0; element < count; ++element) {
            if (kMode != Mode::kTrust && walk.left() < length) {
                walk.fail(Fault::kGroupPastEnd, G::kName, walk.left(), length);
                return walk.inside(G::kName, element);
            }
            const std::uint64_t before = walk.at;
            if (!BlockWalker<G, S, kMode>::run(walk, acting, nullptr)) {
                return walk.inside(G::kName, element);
            }
            if (kMode != Mode::kTrust && walk.at == before) {
                // Nothing but parts newer than the message: a count of them could be a long loop over
                // nothing.
                return walk.fail(Fault::kGroupWithoutBytes, G::kName, count, 0);
            }
        }
    }
    return true;
}

template <class D, class S, Mode kMode>
bool walk_data(Walk<kMode>& walk) {
    using Length = typename D::Type::Length;
    if (kMode != Mode::kTrust && walk.left() < sizeof(Length)) {
        return walk.fail(Fault::kDataLengthPastEnd, D::kName, walk.left(), sizeof(Length));
    }
    const std::uint64_t length = load<Length, S::kBigEndian>(walk.base + walk.at);
    if (kMode != Mode::kTrust && walk.left() - sizeof(Length) < length) {
        return walk.fail(Fault::kDataPastEnd, D::kName, walk.left() - sizeof(Length), length);
    }
    walk.at += sizeof(Length) + length;
    return true;
}

template <class Body, class S, Mode kMode, std::size_t... kIndex>
struct PartWalker<Body, S, kMode, std::index_sequence<kIndex...>> {
    template <std::size_t kAt>
    static bool step(Walk<kMode>& walk, std::uint16_t version, std::uint32_t* parts) {
        constexpr MemberInfo info = LayoutOf<Body>::kLaid.members[kAt];
        if constexpr (info.role == Role::kGroup || info.role == Role::kData) {
            using Part = TypeAt<typename Body::Members, kAt>;
            if (info.since > 0 && version < info.since) {
                return true;
            }
            if (parts != nullptr) {
                parts[info.part] = static_cast<std::uint32_t>(walk.at);
            }
            if constexpr (info.role == Role::kGroup) {
                return walk_group<Part, S, kMode>(walk, version);
            } else {
                return walk_data<Part, S, kMode>(walk);
            }
        } else {
            return true;
        }
    }

    static bool run(Walk<kMode>& walk, std::uint16_t version, std::uint32_t* parts) {
        return (step<kIndex>(walk, version, parts) && ...);
    }
};

/// Where the parts of a block begin, from the start of the block; the end stands after the last.
template <std::uint32_t kParts>
struct PartOffsets {
    std::uint32_t at[kParts + 1];
};

}  // namespace detail

}  // namespace fulmar::sbe
