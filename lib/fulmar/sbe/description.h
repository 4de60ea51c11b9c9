/// Describing messages as C++ types. A schema, its types and its messages are empty structs whose base says
/// what stands in an SBE schema's XML, in the same order; offsets, lengths and ids follow at compile time.
///
///     struct Orders : sbe::Schema<"example.orders", 91, 2> {};
///     enum class Side : char { kBuy = '1', kSell = '2' };
///     struct SideType : sbe::Enum<"Side", Side, sbe::Value<"Buy", Side::kBuy>, sbe::Value<"Sell",
///     Side::kSell>> {}; struct Decimal : sbe::Composite<"Decimal", sbe::Member<"mantissa", std::int64_t>,
///                                     sbe::ConstantMember<"exponent", std::int8_t, -3>> {};
///     struct NewOrder : sbe::Message<Orders, "NewOrder", 1,
///         sbe::Field<"clOrdId", 1, std::uint64_t>,
///         sbe::Field<"side", 2, SideType>,
///         sbe::Field<"price", 3, Decimal>,
///         sbe::Field<"expiry", 4, std::int64_t, sbe::Optional, sbe::Since<2>>,
///         sbe::Group<"legs", 20, sbe::Field<"instrument", 21, std::uint32_t>>,
///         sbe::Data<"text", 30, sbe::VarAscii>> {};
///
/// A field's type is an arithmetic type, an array of one (`char[8]`), or a described Type, Enum, Set or
/// Composite. errors: a description that breaks a rule of SBE does not compile; fulmar/sbe/layout.h has the
/// rules. source: FIX Simple Binary Encoding 1.0, sections 2 to 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "fulmar/sbe/literal.h"

namespace fulmar::sbe {

/// What the options of one schema, type, field, group, data or message said.
struct Options {
    bool optional = false;
    bool big_endian = false;
    std::uint16_t since = 0;
    std::uint16_t deprecated = 0;
    /// -1: not said; the offset follows from what stands before, the length from what stands in the block.
    std::int32_t offset = -1;
    std::int32_t block_length = -1;
    Literal null;
    Literal min;
    Literal max;
    std::string_view character_encoding;
    std::string_view semantic_type;
    std::string_view semantic_version;
    std::string_view description;
    std::string_view time_unit;
    std::string_view epoch;

    /// Whether one was given that only a type can have in a schema.
    [[nodiscard]] constexpr bool names_type() const {
        return null.given() || min.given() || max.given() || !character_encoding.empty();
    }
};

/// What stands in the list of a message, group, composite, enumeration or set.
enum class Role : std::uint8_t { kOption, kValue, kField, kGroup, kData };

struct OptionBase {
    static constexpr Role kRole = Role::kOption;
};

/// The field may be absent: reading it gives a std::optional, and absence is its type's null value.
struct Optional : OptionBase {
    static constexpr void apply(Options& options) { options.optional = true; }
};
/// Came with this version of the schema: absent from messages of an older one.
template <std::uint16_t kVersion>
struct Since : OptionBase {
    static constexpr void apply(Options& options) { options.since = kVersion; }
};
template <std::uint16_t kVersion>
struct Deprecated : OptionBase {
    static constexpr void apply(Options& options) { options.deprecated = kVersion; }
};
/// Offset in bytes from the start of the block or composite; leaves a gap before the field.
template <std::int32_t kOffset>
struct At : OptionBase {
    static constexpr void apply(Options& options) { options.offset = kOffset; }
};
/// Length of the fixed block in bytes where it is more than the fields need.
template <std::int32_t kBytes>
struct BlockLength : OptionBase {
    static constexpr void apply(Options& options) { options.block_length = kBytes; }
};
/// The value that means "absent", where it is not SBE's own for the primitive type.
template <Literal kValue>
struct Null : OptionBase {
    static constexpr void apply(Options& options) { options.null = kValue; }
};
template <Literal kValue>
struct MinValue : OptionBase {
    static constexpr void apply(Options& options) { options.min = kValue; }
};
template <Literal kValue>
struct MaxValue : OptionBase {
    static constexpr void apply(Options& options) { options.max = kValue; }
};
template <Name kText>
struct CharacterEncoding : OptionBase {
    static constexpr void apply(Options& options) { options.character_encoding = kText.view(); }
};
template <Name kText>
struct SemanticType : OptionBase {
    static constexpr void apply(Options& options) { options.semantic_type = kText.view(); }
};
template <Name kText>
struct SemanticVersion : OptionBase {
    static constexpr void apply(Options& options) { options.semantic_version = kText.view(); }
};
template <Name kText>
struct Description : OptionBase {
    static constexpr void apply(Options& options) { options.description = kText.view(); }
};
template <Name kText>
struct TimeUnit : OptionBase {
    static constexpr void apply(Options& options) { options.time_unit = kText.view(); }
};
template <Name kText>
struct Epoch : OptionBase {
    static constexpr void apply(Options& options) { options.epoch = kText.view(); }
};
/// Multi-byte values of the schema's messages travel most significant byte first.
struct BigEndian : OptionBase {
    static constexpr void apply(Options& options) { options.big_endian = true; }
};

namespace detail {

template <class T>
constexpr void apply_option(Options& options) {
    if constexpr (T::kRole == Role::kOption) {
        T::apply(options);
    }
}
template <class... Ts>
constexpr Options options_of() {
    Options options;
    (apply_option<Ts>(options), ...);
    return options;
}

template <class T, class E>
constexpr bool has_value(E value) {
    if constexpr (T::kRole == Role::kOption) {
        return false;
    } else {
        return T::kValue == value;
    }
}
template <class C, class T>
constexpr T choice_mask(std::string_view name) {
    if constexpr (C::kRole == Role::kOption) {
        return 0;
    } else {
        static_assert(C::kBit < 8 * sizeof(T), "a choice's bit lies in its set");
        return C::kName == name ? static_cast<T>(T{1} << C::kBit) : T{0};
    }
}

/// The member types of a list by index, without a recursion per element.
template <std::size_t kIndex, class T>
struct Indexed {};
template <class Sequence, class... Ts>
struct IndexedList;
template <std::size_t... kIndex, class... Ts>
struct IndexedList<std::index_sequence<kIndex...>, Ts...> : Indexed<kIndex, Ts>... {};
template <std::size_t kIndex, class T>
std::type_identity<T> type_at(const Indexed<kIndex, T>&);

template <class... Ts>
struct List {
    static constexpr std::size_t kSize = sizeof...(Ts);
    using Index = IndexedList<std::make_index_sequence<sizeof...(Ts)>, Ts...>;
};
template <class L, std::size_t kIndex>
using TypeAt = typename decltype(type_at<kIndex>(typename L::Index{}))::type;

/// The type that an option such as Dimension<C> or HeaderType<C> names among `Ts`, else `Default`.
template <template <class> class Option, class T>
struct NamedBy {
    using type = void;
};
template <template <class> class Option, class C>
struct NamedBy<Option, Option<C>> {
    using type = C;
};
template <class Default, class... Ts>
struct FirstOf {
    using type = Default;
};
template <class Default, class T, class... Ts>
struct FirstOf<Default, T, Ts...> {
    using type = T;
};
template <class Default, class... Ts>
struct FirstOf<Default, void, Ts...> : FirstOf<Default, Ts...> {};
template <template <class> class Option, class Default, class... Ts>
using Choose = typename FirstOf<Default, typename NamedBy<Option, Ts>::type...>::type;

}  // namespace detail

// ---- types
// --------------------------------------------------------------------------------------------------

enum class TypeKind : std::uint8_t { kPrimitive, kEnum, kSet, kComposite, kVarData };

/// A named simple type: an arithmetic type or an array of one, with options of its own (Null, MinValue,
/// Optional, CharacterEncoding …).
template <Name kTypeName, class T, class... TypeOptions>
struct Type {
    static constexpr TypeKind kTypeKind = TypeKind::kPrimitive;
    static constexpr std::string_view kName = kTypeName.view();
    static constexpr Literal kValue{};
    static constexpr Options kOptions = detail::options_of<TypeOptions...>();
    using Encoded = T;
};

/// A named type whose value is part of the schema: fields of it take no bytes.
template <Name kTypeName, class T, Literal kLiteral, class... TypeOptions>
struct ConstantType {
    static constexpr TypeKind kTypeKind = TypeKind::kPrimitive;
    static constexpr std::string_view kName = kTypeName.view();
    static constexpr Literal kValue = kLiteral;
    static constexpr Options kOptions = detail::options_of<TypeOptions...>();
    using Encoded = T;
};

/// An enumerator: its name in the schema and its C++ value.
template <Name kValueName, auto kEnumerator, class... ValueOptions>
struct Value {
    static constexpr Role kRole = Role::kValue;
    static constexpr std::string_view kName = kValueName.view();
    static constexpr auto kValue = kEnumerator;
    static constexpr Options kOptions = detail::options_of<ValueOptions...>();
};

/// An enumeration. `E` is a C++ enum whose underlying type (char or an unsigned integer; others are accepted)
/// is the encoding. A value that no enumerator has is read as it is: `known<SideType>(side)` tells.
template <Name kTypeName, class E, class... ValuesAndOptions>
struct Enum {
    static_assert(std::is_enum_v<E>, "the second argument of Enum is a C++ enum");
    static constexpr TypeKind kTypeKind = TypeKind::kEnum;
    static constexpr std::string_view kName = kTypeName.view();
    static constexpr Options kOptions = detail::options_of<ValuesAndOptions...>();
    using Encoded = std::underlying_type_t<E>;
    using CppEnum = E;
    using Values = detail::List<ValuesAndOptions...>;

    [[nodiscard]] static constexpr bool contains(E value) {
        return (detail::has_value<ValuesAndOptions>(value) || ...);
    }
};

/// Whether an enumerator of the description has this value: a newer peer may send others.
template <class EnumType>
[[nodiscard]] constexpr bool known(typename EnumType::CppEnum value) {
    return EnumType::contains(value);
}

/// A choice of a set: its name and its bit, 0 the least significant.
template <Name kChoiceName, unsigned kBitIndex, class... ChoiceOptions>
struct Choice {
    static constexpr Role kRole = Role::kValue;
    static constexpr std::string_view kName = kChoiceName.view();
    static constexpr unsigned kBit = kBitIndex;
    static constexpr Options kOptions = detail::options_of<ChoiceOptions...>();
};

/// A set of named bits in an unsigned integer.
template <Name kTypeName, class T, class... Choices>
struct Set {
    static_assert(std::is_unsigned_v<T>, "a set lies in an unsigned integer");
    static constexpr TypeKind kTypeKind = TypeKind::kSet;
    static constexpr std::string_view kName = kTypeName.view();
    static constexpr Options kOptions = detail::options_of<Choices...>();
    using Encoded = T;
    using ChoiceList = detail::List<Choices...>;

    /// The mask of a choice by name; 0 where there is none.
    [[nodiscard]] static constexpr T mask(std::string_view name) {
        return static_cast<T>((detail::choice_mask<Choices, T>(name) | ... | T{0}));
    }
};

/// A composite: members side by side. Its list holds Member and ConstantMember and options.
template <Name kTypeName, class... MembersAndOptions>
struct Composite {
    static constexpr TypeKind kTypeKind = TypeKind::kComposite;
    static constexpr std::string_view kName = kTypeName.view();
    static constexpr Options kOptions = detail::options_of<MembersAndOptions...>();
    using Members = detail::List<MembersAndOptions...>;
};

/// Variable-length data: a length of type `L`, then so many elements of one byte. With a CharacterEncoding it
/// reads as text, else as bytes.
template <Name kTypeName, class L, class... TypeOptions>
struct VarData {
    static_assert(std::is_unsigned_v<L> && sizeof(L) <= 4,
        "a length is a std::uint8_t, std::uint16_t or std::uint32_t");
    static constexpr TypeKind kTypeKind = TypeKind::kVarData;
    static constexpr std::string_view kName = kTypeName.view();
    static constexpr Options kOptions = detail::options_of<TypeOptions...>();
    static constexpr bool kText = !kOptions.character_encoding.empty();
    /// The greatest length, from MaxValue. Generators refuse 32 bits without one, so they have Aeron's.
    static constexpr Literal kMax =
        kOptions.max.given() || sizeof(L) < 4 ? kOptions.max : Literal(std::uint32_t{1} << 30);
    using Length = L;
};
struct VarBytes : VarData<"varDataEncoding", std::uint32_t> {};
struct VarAscii : VarData<"varAsciiEncoding", std::uint32_t, CharacterEncoding<"US-ASCII">> {};
struct VarUtf8 : VarData<"varUtf8Encoding", std::uint32_t, CharacterEncoding<"UTF-8">> {};

// ---- members
// ------------------------------------------------------------------------------------------------

namespace detail {
template <Name kMemberName, class T, Literal kLiteral, class... MemberOptions>
struct FieldBase {
    static constexpr Role kRole = Role::kField;
    static constexpr std::string_view kName = kMemberName.view();
    /// Given for constants, which take no bytes.
    static constexpr Literal kValue = kLiteral;
    static constexpr Options kOptions = options_of<MemberOptions...>();
    using Type = T;
};
}  // namespace detail

/// A field of a message or group: name, id, type. Null, MinValue, MaxValue and CharacterEncoding belong to
/// its type.
template <Name kFieldName, std::uint16_t kFieldId, class T, class... FieldOptions>
struct Field : detail::FieldBase<kFieldName, T, Literal{}, FieldOptions...> {
    static constexpr std::uint16_t kId = kFieldId;
    static_assert(
        !Field::kOptions.names_type(), "a schema says these of a type: describe one with sbe::Type");
};

/// A field that takes no bytes because its value is part of the schema: a number, a text, or an enumerator of
/// an Enum (the schema's valueRef).
template <Name kFieldName, std::uint16_t kFieldId, class T, Literal kLiteral, class... FieldOptions>
struct Constant : detail::FieldBase<kFieldName, T, kLiteral, FieldOptions...> {
    static constexpr std::uint16_t kId = kFieldId;
    static_assert(!Constant::kOptions.names_type(),
        "a schema says these of a type: describe one with sbe::ConstantType");
};

/// A member of a composite.
template <Name kMemberName, class T, class... MemberOptions>
struct Member : detail::FieldBase<kMemberName, T, Literal{}, MemberOptions...> {};
template <Name kMemberName, class T, Literal kLiteral, class... MemberOptions>
struct ConstantMember : detail::FieldBase<kMemberName, T, kLiteral, MemberOptions...> {};

/// What stands before the elements of a group.
struct GroupSizeEncoding : Composite<"groupSizeEncoding", Member<"blockLength", std::uint16_t>,
                               Member<"numInGroup", std::uint16_t>> {};
/// Another composite before the elements: members `blockLength` and `numInGroup`, others are left zero.
template <class C>
struct Dimension : OptionBase {
    static constexpr void apply(Options&) {}
};

/// A repeating group: fields, then groups, then data, as in a message.
template <Name kGroupName, std::uint16_t kGroupId, class... MembersAndOptions>
struct Group {
    static constexpr Role kRole = Role::kGroup;
    static constexpr std::string_view kName = kGroupName.view();
    static constexpr std::uint16_t kId = kGroupId;
    static constexpr Options kOptions = detail::options_of<MembersAndOptions...>();
    using Members = detail::List<MembersAndOptions...>;
    using DimensionType = detail::Choose<Dimension, GroupSizeEncoding, MembersAndOptions...>;
};

/// Data of variable length at the end of a message or group element.
template <Name kDataName, std::uint16_t kDataId, class T = VarBytes, class... DataOptions>
struct Data {
    static_assert(T::kTypeKind == TypeKind::kVarData, "the type of a Data is a VarData");
    static constexpr Role kRole = Role::kData;
    static constexpr std::string_view kName = kDataName.view();
    static constexpr std::uint16_t kId = kDataId;
    static constexpr Options kOptions = detail::options_of<DataOptions...>();
    using Type = T;
};

// ---- schema and message
// -------------------------------------------------------------------------------------

/// What stands before each message; the members are found by these names.
struct MessageHeader
    : Composite<"messageHeader", Member<"blockLength", std::uint16_t>, Member<"templateId", std::uint16_t>,
          Member<"schemaId", std::uint16_t>, Member<"version", std::uint16_t>> {};
template <class C>
struct HeaderType : OptionBase {
    static constexpr void apply(Options&) {}
};

/// A schema: package, id, version; options BigEndian, HeaderType, SemanticVersion, Description.
template <Name kPackageName, std::uint16_t kSchemaId, std::uint16_t kSchemaVersion, class... SchemaOptions>
struct Schema {
    static constexpr std::string_view kPackage = kPackageName.view();
    static constexpr std::uint16_t kId = kSchemaId;
    static constexpr std::uint16_t kVersion = kSchemaVersion;
    static constexpr Options kOptions = detail::options_of<SchemaOptions...>();
    static constexpr bool kBigEndian = kOptions.big_endian;
    using Header = detail::Choose<HeaderType, MessageHeader, SchemaOptions...>;
};

/// The messages of a protocol, to export or to dispatch on.
template <class... Ms>
struct Messages {};

/// A message: fields, then groups, then data, with options among them.
template <class SchemaType, Name kMessageName, std::uint16_t kTemplateId, class... MembersAndOptions>
struct Message {
    using Schema = SchemaType;
    static constexpr std::string_view kName = kMessageName.view();
    static constexpr std::uint16_t kId = kTemplateId;
    static constexpr Options kOptions = detail::options_of<MembersAndOptions...>();
    using Members = detail::List<MembersAndOptions...>;
};

}  // namespace fulmar::sbe
