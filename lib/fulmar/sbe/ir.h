/// A message schema as plain values: what a schema XML says, and what a C++ description says when asked. SBE
/// calls it the intermediate representation. It holds what was declared and no more: an offset, a block's
/// length or a null value that nobody wrote is absent here; what follows from it is in resolved_schema.h.
/// units: lengths and offsets in bytes.  threads: values, no sharing.  source: SBE 1.0, message schema.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fulmar::sbe::ir {

enum class Primitive : std::uint8_t {
    kChar,
    kInt8,
    kInt16,
    kInt32,
    kInt64,
    kUint8,
    kUint16,
    kUint32,
    kUint64,
    kFloat,
    kDouble,
};

enum class Presence : std::uint8_t { kRequired, kOptional, kConstant };
enum class ByteOrder : std::uint8_t { kLittleEndian, kBigEndian };

/// A value of a primitive type: char and signed integers hold std::int64_t, unsigned ones std::uint64_t,
/// float and double hold double. A constant of char, of any length, holds text.
struct Value {
    std::variant<std::int64_t, std::uint64_t, double, std::string> data;

    /// NaN equals NaN here: it is SBE's null value of floats.
    bool operator==(const Value& other) const;
};

/// Where something was read, for messages to people.
struct Origin {
    std::uint32_t line = 0;    ///< 0: not read from a file
    std::uint32_t source = 0;  ///< index into Schema::sources
};

/// What everything with a name may say about itself.
struct Named {
    std::string name;
    std::string description;
    std::string semantic_type;
    std::uint32_t since_version = 0;
    std::optional<std::uint32_t> deprecated;  ///< the version from which it should no longer be used
    Origin origin;                            ///< equality leaves it out

    bool operator==(const Named& other) const;
};

/// `<type>`: a primitive or an array of it.
struct Encoding : Named {
    Primitive primitive = Primitive::kUint8;
    std::uint32_t length =
        1;  ///< elements; 0 in the varData of variable-length data; of a constant text, its room
    Presence presence = Presence::kRequired;
    std::optional<Value> null_value;  ///< absent: the primitive's own
    std::optional<Value> min_value;
    std::optional<Value> max_value;
    std::optional<Value> constant;  ///< of presence constant, unless value_ref names it
    std::string value_ref;          ///< `Enum.Value`
    std::string character_encoding;
    std::string time_unit;
    std::string epoch;

    bool operator==(const Encoding& other) const;
};

struct EnumValue : Named {
    Value value;  ///< std::int64_t for char and signed encodings, std::uint64_t for unsigned ones

    bool operator==(const EnumValue& other) const;
};

struct Enum : Named {
    std::string encoding_type;  ///< a primitive's name or that of an Encoding
    Presence presence = Presence::kRequired;
    std::vector<EnumValue> values;

    bool operator==(const Enum& other) const;
};

struct Choice : Named {
    std::uint32_t bit = 0;

    bool operator==(const Choice& other) const;
};

struct Set : Named {
    std::string encoding_type;  ///< an unsigned primitive's name or that of an Encoding
    std::vector<Choice> choices;

    bool operator==(const Set& other) const;
};

/// A member of a composite that is a named type used again.
struct Ref : Named {
    std::string type;

    bool operator==(const Ref& other) const;
};

struct Member;

struct Composite : Named {
    std::vector<Member> members;

    bool operator==(const Composite& other) const;
};

/// One part of a composite: a type of its own, or a Ref; its name is the type's or the Ref's.
struct Member {
    std::variant<Encoding, Enum, Set, Composite, Ref> type;
    std::optional<std::uint32_t> offset;  ///< from the composite's begin

    [[nodiscard]] const Named& about() const;
    bool operator==(const Member& other) const;
};

/// What stands under `<types>`.
using Type = std::variant<Encoding, Enum, Set, Composite>;

struct Field : Named {
    std::uint16_t id = 0;
    std::string type;                     ///< a Type's name or a primitive's
    std::optional<Presence> presence;     ///< absent: what the type says
    std::string value_ref;                ///< `Enum.Value` of a constant
    std::optional<std::uint32_t> offset;  ///< from the block's begin
    std::string time_unit;
    std::string epoch;

    bool operator==(const Field& other) const;
};

/// Variable-length data: a length and that many bytes.
struct Data : Named {
    std::uint16_t id = 0;
    std::string type;                  ///< a Composite of `length` and `varData`
    std::optional<Presence> presence;  ///< required or optional, which both mean that it may be empty

    bool operator==(const Data& other) const;
};

struct Group;

/// What a message and an entry of a group have in common: fixed-length fields, then groups, then data.
struct Block : Named {
    std::uint16_t id = 0;
    std::optional<std::uint32_t> block_length;
    std::vector<Field> fields;
    std::vector<Group> groups;
    std::vector<Data> data;

    bool operator==(const Block& other) const;
};

struct Group : Block {
    std::string dimension_type = "groupSizeEncoding";

    bool operator==(const Group& other) const;
};

/// A message template; its id is the template id.
struct Message : Block {};

struct Schema {
    std::string package;
    std::uint16_t id = 0;
    std::uint32_t version = 0;
    std::string semantic_version;
    std::string description;
    ByteOrder byte_order = ByteOrder::kLittleEndian;
    std::string header_type = "messageHeader";
    std::vector<Type> types;  ///< in the order given, which may name a type before it stands here
    std::vector<Message> messages;
    std::vector<std::string> sources;  ///< files it was read from; equality leaves them out

    bool operator==(const Schema& other) const;
};

[[nodiscard]] const Named& about(const Type& type);
/// Null when there is none of this name.
[[nodiscard]] const Type* find_type(const Schema& schema, std::string_view name);

/// `uint16` and so on, as a schema spells it.
[[nodiscard]] std::string_view to_string(Primitive primitive);
[[nodiscard]] std::optional<Primitive> primitive_of(std::string_view name);
[[nodiscard]] std::uint32_t size_of(Primitive primitive);
[[nodiscard]] bool is_unsigned(Primitive primitive);
[[nodiscard]] bool is_signed(Primitive primitive);  ///< int8 to int64
[[nodiscard]] bool is_floating(Primitive primitive);
/// The value that stands for none where the schema names no other.
[[nodiscard]] Value default_null(Primitive primitive);

/// SBE's standard message header, group dimensions; and adds them in front of the types where the schema uses
/// them by their default names without having declared them. A schema is complete only then: other tools
/// insist.
[[nodiscard]] Composite standard_message_header();
[[nodiscard]] Composite standard_group_size();
void add_standard_types(Schema& schema);

}  // namespace fulmar::sbe::ir
