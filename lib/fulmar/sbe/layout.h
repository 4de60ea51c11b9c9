/// Where everything of a described message lies: offsets, block lengths, ids, as compile-time constants.
///
///     static_assert(sbe::offset_of<NewOrder, "price"> == 9);
///     static_assert(sbe::block_length<NewOrder> == 17);
///
/// errors: a broken rule stops the compiler in a function of namespace `rule` that is named after it.
/// source: FIX Simple Binary Encoding 1.0, sections 3 and 4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "fulmar/sbe/description.h"

namespace fulmar::sbe {

/// Not constexpr on purpose: naming one of these in a description's layout is the compile error.
namespace rule {
void no_member_of_that_name();
void two_members_have_one_name();
void offset_lies_inside_the_member_before();
void block_length_is_less_than_its_fields_need();
void block_length_does_not_fit_the_header();
void fields_come_first_then_groups_then_data();
void a_later_version_adds_at_the_end_of_the_block();
void a_member_is_newer_than_its_schema();
void groups_and_data_are_no_fields();
}  // namespace rule

namespace detail {

template <class Members>
struct Layout;

/// How a type lies in bytes: the kind, the arithmetic element, how many of them, and the type's own options.
template <class T>
struct Encoding;

template <class T>
requires std::is_arithmetic_v<T>
struct Encoding<T> {
    using Element = T;
    static constexpr TypeKind kKind = TypeKind::kPrimitive;
    static constexpr std::uint32_t kCount = 1;
    static constexpr std::uint32_t kBytes = sizeof(T);
    static constexpr Literal kValue{};
    static constexpr Options kOptions{};
};
template <class T, std::size_t kLength>
struct Encoding<T[kLength]> : Encoding<T> {
    static_assert(std::is_arithmetic_v<T>, "an array holds arithmetic elements");
    static constexpr std::uint32_t kCount = kLength;
    static constexpr std::uint32_t kBytes = sizeof(T) * kLength;
};
template <class T>
requires(T::kTypeKind == TypeKind::kPrimitive) struct Encoding<T> : Encoding<typename T::Encoded> {
    static constexpr Literal kValue = T::kValue;
    static constexpr Options kOptions = T::kOptions;
};
template <class T>
requires(T::kTypeKind == TypeKind::kEnum || T::kTypeKind == TypeKind::kSet) struct Encoding<T>
    : Encoding<typename T::Encoded> {
    static constexpr TypeKind kKind = T::kTypeKind;
    static constexpr Options kOptions = T::kOptions;
};
template <class T>
requires(T::kTypeKind == TypeKind::kComposite) struct Encoding<T> {
    using Element = void;
    static constexpr TypeKind kKind = TypeKind::kComposite;
    static constexpr std::uint32_t kCount = 1;
    static constexpr std::uint32_t kBytes = Layout<typename T::Members>::kBlockLength;
    static constexpr Literal kValue{};
    static constexpr Options kOptions = T::kOptions;
};

/// The value of a constant field: its own, or its type's. Not given where the field is none.
template <class F>
inline constexpr Literal literal_of = F::kValue.given() ? F::kValue : Encoding<typename F::Type>::kValue;
template <class F>
inline constexpr bool is_constant = literal_of<F>.given();

/// What the layout knows of one member; `bytes` is 0 for constants, groups, data and options.
struct MemberInfo {
    Role role = Role::kOption;
    bool constant = false;
    std::string_view name;
    std::uint16_t since = 0;
    /// The newest version that it or anything inside it came with.
    std::uint16_t newest = 0;
    std::int32_t explicit_offset = -1;
    std::uint32_t bytes = 0;
    std::uint32_t offset = 0;
    /// Which group or data of its list, counted together from 0.
    std::uint32_t part = 0;
};

template <class T>
constexpr MemberInfo member_info() {
    MemberInfo info;
    info.role = T::kRole;
    if constexpr (T::kRole != Role::kOption) {
        info.name = T::kName;
        info.since = T::kOptions.since;
        info.newest = info.since;
        info.explicit_offset = T::kOptions.offset;
    }
    if constexpr (T::kRole == Role::kGroup) {
        constexpr std::uint16_t inside = Layout<typename T::Members>::kLaid.newest;
        info.newest = inside > info.newest ? inside : info.newest;
    }
    if constexpr (T::kRole == Role::kField) {
        info.constant = is_constant<T>;
        if constexpr (!is_constant<T>) {
            info.bytes = Encoding<typename T::Type>::kBytes;
        }
    }
    return info;
}

template <std::size_t kSize>
struct Laid {
    // One more than there are members: an array of none does not exist.
    MemberInfo members[kSize + 1];
    std::uint32_t block_length = 0;
    std::uint32_t parts = 0;
    std::uint16_t newest = 0;
};

template <std::size_t kSize>
consteval Laid<kSize> lay_out(Laid<kSize> laid, Options options) {
    std::uint32_t end = 0;
    std::uint16_t since = 0;
    Role stage = Role::kField;
    for (std::size_t i = 0; i < kSize; ++i) {
        MemberInfo& member = laid.members[i];
        if (member.role == Role::kOption) {
            continue;
        }
        for (std::size_t j = 0; j < i; ++j) {
            if (laid.members[j].role != Role::kOption && laid.members[j].name == member.name) {
                rule::two_members_have_one_name();
            }
        }
        if (member.role < stage) {
            rule::fields_come_first_then_groups_then_data();
        }
        if (member.role != stage) {
            stage = member.role;
            since = 0;
        }
        if (member.newest > laid.newest) {
            laid.newest = member.newest;
        }
        if (member.role != Role::kField) {
            member.part = laid.parts++;
            continue;
        }
        if (member.constant) {
            continue;
        }
        if (member.explicit_offset < 0 && member.since < since) {
            rule::a_later_version_adds_at_the_end_of_the_block();
        }
        since = member.since;
        if (member.explicit_offset >= 0) {
            if (static_cast<std::uint32_t>(member.explicit_offset) < end) {
                rule::offset_lies_inside_the_member_before();
            }
            end = static_cast<std::uint32_t>(member.explicit_offset);
        }
        member.offset = end;
        end += member.bytes;
    }
    laid.block_length = end;
    if (options.block_length >= 0) {
        if (static_cast<std::uint32_t>(options.block_length) < end) {
            rule::block_length_is_less_than_its_fields_need();
        }
        laid.block_length = static_cast<std::uint32_t>(options.block_length);
    }
    return laid;
}

template <class... Ts>
struct Layout<List<Ts...>> {
    static constexpr std::size_t kSize = sizeof...(Ts);
    static constexpr Laid<kSize> kLaid =
        lay_out(Laid<kSize>{.members = {member_info<Ts>()...}}, options_of<Ts...>());
    static constexpr std::uint32_t kBlockLength = kLaid.block_length;
    static constexpr std::uint32_t kParts = kLaid.parts;

    static constexpr std::size_t index_of(std::string_view name) {
        for (std::size_t i = 0; i < kSize; ++i) {
            if (kLaid.members[i].role != Role::kOption && kLaid.members[i].name == name) {
                return i;
            }
        }
        rule::no_member_of_that_name();
        return kSize;
    }

    /// The block length that a sender of `version` must at least have sent. Asked only where it sent less
    /// than ours.
    [[gnu::noinline, gnu::cold]] static constexpr std::uint32_t needed(std::uint16_t version) {
        std::uint32_t end = 0;
        for (std::size_t i = 0; i < kSize; ++i) {
            const MemberInfo& member = kLaid.members[i];
            if (member.bytes != 0 && member.since <= version && member.offset + member.bytes > end) {
                end = member.offset + member.bytes;
            }
        }
        return end;
    }
};

template <class Body>
using LayoutOf = Layout<typename Body::Members>;

template <class Body, Name kName>
inline constexpr std::size_t member_index = LayoutOf<Body>::index_of(kName.view());
template <class Body>
consteval std::size_t index_of_field(std::string_view name) {
    const std::size_t index = LayoutOf<Body>::index_of(name);
    if (LayoutOf<Body>::kLaid.members[index].role != Role::kField) {
        rule::groups_and_data_are_no_fields();
    }
    return index;
}
template <class Body, Name kName>
inline constexpr std::size_t field_index = index_of_field<Body>(kName.view());
template <class Body, Name kName>
using FieldNamed = TypeAt<typename Body::Members, field_index<Body, kName>>;
template <class Body, Name kName>
using MemberNamed = TypeAt<typename Body::Members, member_index<Body, kName>>;
template <class Body, Name kName>
inline constexpr MemberInfo info_of = LayoutOf<Body>::kLaid.members[member_index<Body, kName>];

/// Whether a composite has a member of that name: headers of other schemas may add members.
template <class C>
consteval bool has_member(std::string_view name) {
    using L = LayoutOf<C>;
    for (std::size_t i = 0; i < L::kSize; ++i) {
        if (L::kLaid.members[i].role != Role::kOption && L::kLaid.members[i].name == name) {
            return true;
        }
    }
    return false;
}

/// Whether composite C has bytes besides those of the members named: other members or gaps.
template <class C, Name... kNames>
inline constexpr bool has_other_bytes = (Encoding<typename MemberNamed<C, kNames>::Type>::kBytes +
                                            ...) < LayoutOf<C>::kBlockLength;

/// The largest value that the integer member `kName` of composite C holds.
template <class C, Name kName>
inline constexpr std::uint64_t member_max =
    std::numeric_limits<typename Encoding<typename MemberNamed<C, kName>::Type>::Element>::max();

template <class M>
consteval bool valid_message() {
    if (LayoutOf<M>::kBlockLength > member_max<typename M::Schema::Header, "blockLength">) {
        rule::block_length_does_not_fit_the_header();
    }
    if (LayoutOf<M>::kLaid.newest > M::Schema::kVersion || M::kOptions.since > M::Schema::kVersion) {
        rule::a_member_is_newer_than_its_schema();
    }
    return true;
}

}  // namespace detail

/// Length of the fixed block, bytes.
template <class Body>
inline constexpr std::uint32_t block_length = detail::LayoutOf<Body>::kBlockLength;
/// Offset of a field from the start of its block, bytes.
template <class Body, Name kName>
inline constexpr std::uint32_t offset_of = detail::info_of<Body, kName>.offset;
template <class M>
inline constexpr std::uint16_t template_id = M::kId;
/// Length of the header that stands before each message of M's schema, bytes.
template <class M>
inline constexpr std::uint32_t header_length = detail::LayoutOf<typename M::Schema::Header>::kBlockLength;

}  // namespace fulmar::sbe
