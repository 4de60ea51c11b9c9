#include "fulmar/sbe/ir.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <tuple>

namespace fulmar::sbe::ir {

namespace {

struct PrimitiveRow {
    Primitive primitive;
    std::string_view name;
    std::uint32_t size;
};

constexpr std::array<PrimitiveRow, 11> kPrimitives{{
    {Primitive::kChar, "char", 1},
    {Primitive::kInt8, "int8", 1},
    {Primitive::kInt16, "int16", 2},
    {Primitive::kInt32, "int32", 4},
    {Primitive::kInt64, "int64", 8},
    {Primitive::kUint8, "uint8", 1},
    {Primitive::kUint16, "uint16", 2},
    {Primitive::kUint32, "uint32", 4},
    {Primitive::kUint64, "uint64", 8},
    {Primitive::kFloat, "float", 4},
    {Primitive::kDouble, "double", 8},
}};

const PrimitiveRow& row(Primitive primitive) {
    return kPrimitives[static_cast<std::size_t>(primitive)];
}

bool same_named(const Named& a, const Named& b) {
    return a == b;
}

template <class Integer>
Value signed_null() {
    return {static_cast<std::int64_t>(std::numeric_limits<Integer>::min())};
}

template <class Integer>
Value unsigned_null() {
    return {static_cast<std::uint64_t>(std::numeric_limits<Integer>::max())};
}

Member uint16_member(std::string_view name) {
    Encoding encoding;
    encoding.name = name;
    encoding.primitive = Primitive::kUint16;
    return {encoding, {}};
}

Composite uint16_composite(std::string_view name, std::initializer_list<std::string_view> members) {
    Composite composite;
    composite.name = name;
    for (const std::string_view member : members) {
        composite.members.push_back(uint16_member(member));
    }
    return composite;
}

bool has_group_of(const Block& block, std::string_view dimension_type) {
    return std::any_of(block.groups.begin(), block.groups.end(), [&](const Group& group) {
        return group.dimension_type == dimension_type || has_group_of(group, dimension_type);
    });
}

}  // namespace

bool Value::operator==(const Value& other) const {
    const auto* mine = std::get_if<double>(&data);
    const auto* theirs = std::get_if<double>(&other.data);
    if (mine != nullptr && theirs != nullptr && std::isnan(*mine) && std::isnan(*theirs)) {
        return true;
    }
    return data == other.data;
}

bool Named::operator==(const Named& other) const {
    return std::tie(name, description, semantic_type, since_version, deprecated) ==
           std::tie(
               other.name, other.description, other.semantic_type, other.since_version, other.deprecated);
}

bool Encoding::operator==(const Encoding& other) const {
    return same_named(*this, other) &&
           std::tie(primitive, length, presence, null_value, min_value, max_value, constant, value_ref,
               character_encoding, time_unit,
               epoch) == std::tie(other.primitive, other.length, other.presence, other.null_value,
                             other.min_value, other.max_value, other.constant, other.value_ref,
                             other.character_encoding, other.time_unit, other.epoch);
}

bool EnumValue::operator==(const EnumValue& other) const {
    return same_named(*this, other) && value == other.value;
}

bool Enum::operator==(const Enum& other) const {
    return same_named(*this, other) && std::tie(encoding_type, presence, values) ==
                                           std::tie(other.encoding_type, other.presence, other.values);
}

bool Choice::operator==(const Choice& other) const {
    return same_named(*this, other) && bit == other.bit;
}

bool Set::operator==(const Set& other) const {
    return same_named(*this, other) &&
           std::tie(encoding_type, choices) == std::tie(other.encoding_type, other.choices);
}

bool Ref::operator==(const Ref& other) const {
    return same_named(*this, other) && type == other.type;
}

bool Composite::operator==(const Composite& other) const {
    return same_named(*this, other) && members == other.members;
}

const Named& Member::about() const {
    return std::visit([](const auto& named) -> const Named& { return named; }, type);
}

bool Member::operator==(const Member& other) const {
    return type == other.type && offset == other.offset;
}

bool Field::operator==(const Field& other) const {
    return same_named(*this, other) && std::tie(id, type, presence, value_ref, offset, time_unit, epoch) ==
                                           std::tie(other.id, other.type, other.presence, other.value_ref,
                                               other.offset, other.time_unit, other.epoch);
}

bool Data::operator==(const Data& other) const {
    return same_named(*this, other) &&
           std::tie(id, type, presence) == std::tie(other.id, other.type, other.presence);
}

bool Block::operator==(const Block& other) const {
    return same_named(*this, other) &&
           std::tie(id, block_length, fields, groups, data) ==
               std::tie(other.id, other.block_length, other.fields, other.groups, other.data);
}

bool Group::operator==(const Group& other) const {
    const Block& block = *this;
    return block == other && dimension_type == other.dimension_type;
}

bool Schema::operator==(const Schema& other) const {
    return std::tie(package, id, version, semantic_version, description, byte_order, header_type, types,
               messages) == std::tie(other.package, other.id, other.version, other.semantic_version,
                                other.description, other.byte_order, other.header_type, other.types,
                                other.messages);
}

const Named& about(const Type& type) {
    return std::visit([](const auto& named) -> const Named& { return named; }, type);
}

const Type* find_type(const Schema& schema, std::string_view name) {
    const auto found = std::find_if(
        schema.types.begin(), schema.types.end(), [&](const Type& type) { return about(type).name == name; });
    return found == schema.types.end() ? nullptr : &*found;
}

std::string_view to_string(Primitive primitive) {
    return row(primitive).name;
}

std::optional<Primitive> primitive_of(std::string_view name) {
    for (const PrimitiveRow& known : kPrimitives) {
        if (known.name == name) {
            return known.primitive;
        }
    }
    return std::nullopt;
}

std::uint32_t size_of(Primitive primitive) {
    return row(primitive).size;
}

bool is_unsigned(Primitive primitive) {
    return primitive >= Primitive::kUint8 && primitive <= Primitive::kUint64;
}

bool is_signed(Primitive primitive) {
    return primitive >= Primitive::kInt8 && primitive <= Primitive::kInt64;
}

bool is_floating(Primitive primitive) {
    return primitive == Primitive::kFloat || primitive == Primitive::kDouble;
}

Value default_null(Primitive primitive) {
    switch (primitive) {
        case Primitive::kChar: return {std::int64_t{0}};
        case Primitive::kInt8: return signed_null<std::int8_t>();
        case Primitive::kInt16: return signed_null<std::int16_t>();
        case Primitive::kInt32: return signed_null<std::int32_t>();
        case Primitive::kInt64: return signed_null<std::int64_t>();
        case Primitive::kUint8: return unsigned_null<std::uint8_t>();
        case Primitive::kUint16: return unsigned_null<std::uint16_t>();
        case Primitive::kUint32: return unsigned_null<std::uint32_t>();
        case Primitive::kUint64: return unsigned_null<std::uint64_t>();
        case Primitive::kFloat:
        case Primitive::kDouble: break;
    }
    return {std::numeric_limits<double>::quiet_NaN()};
}

Composite standard_message_header() {
    return uint16_composite("messageHeader", {"blockLength", "templateId", "schemaId", "version"});
}

Composite standard_group_size() {
    return uint16_composite("groupSizeEncoding", {"blockLength", "numInGroup"});
}

void add_standard_types(Schema& schema) {
    const Composite group_size = standard_group_size();
    const bool uses_group_size = std::any_of(schema.messages.begin(), schema.messages.end(),
        [&](const Message& message) { return has_group_of(message, group_size.name); });
    if (uses_group_size && find_type(schema, group_size.name) == nullptr) {
        schema.types.insert(schema.types.begin(), group_size);
    }
    const Composite header = standard_message_header();
    if (schema.header_type == header.name && find_type(schema, header.name) == nullptr) {
        schema.types.insert(schema.types.begin(), header);
    }
}

}  // namespace fulmar::sbe::ir
