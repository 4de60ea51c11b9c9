// The messages of a schema, the header before them, and the headers of groups and data inside them.
#include <algorithm>
#include <unordered_set>

#include "sbe/resolver.h"
#include "sbe/schema_text.h"

namespace fulmar::sbe {

namespace {

using detail::quoted;
using ir::Presence;

std::uint64_t largest(ir::Primitive primitive) {
    const unsigned bits = ir::size_of(primitive) * 8 - (ir::is_signed(primitive) ? 1 : 0);
    return ~std::uint64_t{0} >> (64 - bits);
}

/// Offsets of members count from their composite until it has its place in a block.
void place(Element& element, std::uint32_t base) {
    element.offset += base;
    for (Element& member : element.members) {
        place(member, element.offset);
    }
}

const Element* member_of(const Element& composite, std::string_view name) {
    const auto found = std::find_if(composite.members.begin(), composite.members.end(),
        [&](const Element& member) { return member.named->name == name; });
    return found == composite.members.end() ? nullptr : &*found;
}

bool is_variable(const Element& element) {
    if (element.kind == ElementKind::kComposite) {
        return std::any_of(element.members.begin(), element.members.end(), is_variable);
    }
    return element.kind == ElementKind::kEncoding && element.length == 0;
}

}  // namespace

Resolver::Resolver(ir::Schema schema)
    : resolved_([&] {
          ResolvedSchema made;
          made.schema_ = std::make_unique<const ir::Schema>(std::move(schema));
          return made;
      }()),
      schema_(*resolved_.schema_) {}

fulmar::Result<ResolvedSchema> Resolver::run() && {
    FULMAR_TRY_VOID(check_schema());
    FULMAR_TRY_VOID(index_types());
    FULMAR_TRY_VOID(check_types());
    FULMAR_TRY_VOID(resolve_header());
    std::unordered_set<std::string_view> names;
    for (const ir::Message& message : schema_.messages) {
        if (!names.insert(message.name).second) {
            return refuse("message", message, "there is another message of this name");
        }
        if (!resolved_.index_by_id_.emplace(message.id, resolved_.messages_.size()).second) {
            return refuse("message", message, "another message has id " + std::to_string(message.id));
        }
        FULMAR_TRY_VOID(resolve_message(message));
    }
    return std::move(resolved_);
}

fulmar::Result<ResolvedSchema> ResolvedSchema::resolve(ir::Schema schema) {
    return Resolver(std::move(schema)).run();
}

const BlockLayout* ResolvedSchema::message(std::uint64_t template_id) const {
    const auto found = index_by_id_.find(template_id);
    return found == index_by_id_.end() ? nullptr : &messages_[found->second];
}

Unexpected<fulmar::Error> Resolver::refuse(
    std::string_view kind, const ir::Named& named, std::string_view why) const {
    std::string path;
    for (const std::string_view name : path_) {
        path += name;
        path += '.';
    }
    return fail(ErrorCode::kGeneric, detail::origin_text(schema_.sources, named.origin) + std::string(kind) +
                                         ' ' + quoted(path + named.name) + ": " + std::string(why));
}

Status Resolver::check_schema() {
    for (const std::string* text : {&schema_.package, &schema_.semantic_version, &schema_.description}) {
        if (!detail::is_xml_text(*text)) {
            return fail(ErrorCode::kGeneric, "schema: package, semanticVersion or description is no text");
        }
    }
    return Done{};
}

Status Resolver::resolve_header() {
    block_elements_ = 0;
    ir::Named user;
    user.name = schema_.package.empty() ? "messageSchema" : schema_.package;
    FULMAR_TRY(composite, composite_named("schema", user, schema_.header_type));
    HeaderLayout& header = resolved_.header_;
    FULMAR_TRY(block_length, integer_member(composite, "blockLength", false));
    FULMAR_TRY(template_id, integer_member(composite, "templateId", false));
    FULMAR_TRY(schema_id, integer_member(composite, "schemaId", false));
    FULMAR_TRY(version, integer_member(composite, "version", false));
    header = {block_length, template_id, schema_id, version, composite.size};
    if (schema_.version > largest(version.primitive) || schema_.id > largest(schema_id.primitive)) {
        return refuse("composite", *composite.named, "the schema's id or version does not fit into it");
    }
    return Done{};
}

Status Resolver::resolve_message(const ir::Message& message) {
    BlockLayout layout;
    FULMAR_TRY_VOID(resolve_block("message", message, layout));
    const HeaderLayout& header = resolved_.header_;
    if (message.id > largest(header.template_id.primitive) ||
        layout.block_length > largest(header.block_length.primitive)) {
        return refuse("message", message,
            "its id or its block of " + std::to_string(layout.block_length) +
                " bytes does not fit into the message header");
    }
    resolved_.messages_.push_back(std::move(layout));
    return Done{};
}

Status Resolver::resolve_block(std::string_view kind, const ir::Block& block, BlockLayout& layout) {
    FULMAR_TRY_VOID(check_named(kind, block));
    layout.named = &block;
    FULMAR_TRY(end, place_fields(block, layout));
    layout.block_length = block.block_length.value_or(end);
    if (layout.block_length < end || layout.block_length > kBlockLengthMax) {
        return refuse(kind, block,
            "blockLength " + std::to_string(layout.block_length) + " is not between the " +
                std::to_string(end) + " bytes of its fields and " + std::to_string(kBlockLengthMax));
    }
    const Scope scope(*this, block.name);
    for (const ir::Group& group : block.groups) {
        FULMAR_TRY(nested, group_layout(group));
        layout.groups.push_back(std::move(nested));
    }
    for (const ir::Data& data : block.data) {
        FULMAR_TRY(tail, data_layout(data));
        layout.data.push_back(std::move(tail));
    }
    return Done{};
}

Status Resolver::check_unique(const ir::Block& block) {
    std::unordered_set<std::string_view> names;
    std::unordered_set<std::uint16_t> ids;
    const auto check = [&](std::string_view kind, const auto& part) -> Status {
        if (!names.insert(part.name).second) {
            return refuse(kind, part, "there is another field, group or data of this name");
        }
        if (!ids.insert(part.id).second) {
            return refuse(kind, part, "another field, group or data has id " + std::to_string(part.id));
        }
        return Done{};
    };
    for (const ir::Field& field : block.fields) {
        FULMAR_TRY_VOID(check("field", field));
    }
    for (const ir::Group& group : block.groups) {
        FULMAR_TRY_VOID(check("group", group));
    }
    for (const ir::Data& data : block.data) {
        FULMAR_TRY_VOID(check("data", data));
    }
    return Done{};
}

fulmar::Result<std::uint32_t> Resolver::place_fields(const ir::Block& block, BlockLayout& layout) {
    const Scope scope(*this, block.name);
    FULMAR_TRY_VOID(check_unique(block));
    block_elements_ = 0;
    std::uint64_t end = 0;
    for (const ir::Field& field : block.fields) {
        FULMAR_TRY(element, field_element(field));
        if (field.offset && *field.offset < end) {
            return refuse("field", field,
                "offset " + std::to_string(*field.offset) + " overlaps what ends at " + std::to_string(end));
        }
        place(element, field.offset.value_or(static_cast<std::uint32_t>(end)));
        end = std::uint64_t{element.offset} + element.size;
        if (end > kBlockLengthMax) {
            return refuse("field", field, "it ends beyond the longest block");
        }
        layout.fields.push_back(std::move(element));
    }
    return static_cast<std::uint32_t>(end);
}

fulmar::Result<Element> Resolver::field_element(const ir::Field& field) {
    FULMAR_TRY_VOID(check_named("field", field));
    if (!detail::is_xml_text(field.time_unit) || !detail::is_xml_text(field.epoch)) {
        return refuse("field", field, "its timeUnit or epoch holds bytes that are no text");
    }
    Element element;
    if (const ir::Type* type = type_of(field.type)) {
        const Scope scope(*this, field.name);
        FULMAR_TRY(expanded, expand(*type));
        element = std::move(expanded);
    } else if (const auto primitive = ir::primitive_of(field.type)) {
        FULMAR_TRY_VOID(count_element(field));
        element.primitive = *primitive;
        element.size = ir::size_of(*primitive);
        element.null_value = ir::default_null(*primitive);
    } else {
        return refuse("field", field, "there is no type " + quoted(field.type));
    }
    if (is_variable(element)) {
        return refuse("field", field,
            "its type " + quoted(field.type) + " has no length; only data can be of variable length");
    }
    element.named = &field;
    element.since_version = field.since_version;
    FULMAR_TRY_VOID(settle_presence(field, element));
    return element;
}

Status Resolver::settle_presence(const ir::Field& field, Element& element) {
    const Presence presence = field.presence.value_or(element.presence);
    if (presence != Presence::kConstant && !field.value_ref.empty()) {
        return refuse("field", field, "it has a valueRef but its presence is not constant");
    }
    if (element.presence == Presence::kConstant && field.value_ref.empty()) {
        return Done{};  // the type's constant, whatever the field says
    }
    element.presence = presence;
    if (presence != Presence::kConstant) {
        return Done{};
    }
    if (field.value_ref.empty() || element.kind == ElementKind::kComposite ||
        element.kind == ElementKind::kSet) {
        return refuse("field", field, "it is constant but neither its type nor a valueRef gives it a value");
    }
    FULMAR_TRY(referred, refer("field", field, field.value_ref));
    const bool matches = element.kind == ElementKind::kEnum
                             ? element.enumeration == referred.enumeration
                             : element.primitive == referred.primitive && element.length == 1;
    if (!matches) {
        return refuse("field", field,
            "valueRef " + quoted(field.value_ref) + " is no value of its type " + quoted(field.type));
    }
    element.constant = referred.value->value;
    element.size = 0;
    return Done{};
}

fulmar::Result<GroupLayout> Resolver::group_layout(const ir::Group& group) {
    if (group_depth_ == kNestingMax) {
        return refuse("group", group, "groups are nested deeper than " + std::to_string(kNestingMax));
    }
    FULMAR_TRY(dimensions, composite_named("group", group, group.dimension_type));
    GroupLayout layout;
    FULMAR_TRY(entry_length, integer_member(dimensions, "blockLength", false));
    FULMAR_TRY(entry_count, integer_member(dimensions, "numInGroup", true));
    layout.entry_length = entry_length;
    layout.entry_count = entry_count;
    layout.header_size = dimensions.size;
    ++group_depth_;
    FULMAR_TRY_VOID(resolve_block("group", group, layout));
    --group_depth_;
    if (layout.block_length > largest(entry_length.primitive)) {
        return refuse("group", group,
            "its block of " + std::to_string(layout.block_length) + " bytes does not fit into " +
                quoted(group.dimension_type));
    }
    return layout;
}

fulmar::Result<DataLayout> Resolver::data_layout(const ir::Data& data) {
    FULMAR_TRY_VOID(check_named("data", data));
    if (data.presence == Presence::kConstant) {
        return refuse("data", data, "data cannot be constant");
    }
    FULMAR_TRY(composite, composite_named("data", data, data.type));
    DataLayout layout;
    layout.named = &data;
    FULMAR_TRY(length, integer_member(composite, "length", false));
    layout.length = length;
    const Element* bytes = member_of(composite, "varData");
    if (bytes == nullptr || bytes->kind != ElementKind::kEncoding || bytes->presence == Presence::kConstant ||
        ir::size_of(bytes->primitive) != 1 || bytes != &composite.members.back()) {
        return refuse("data", data,
            "the last member of " + quoted(data.type) + " must be 'varData' of a primitive of one byte");
    }
    layout.var_data = bytes->encoding;
    layout.header_size = bytes->offset;
    return layout;
}

fulmar::Result<Element> Resolver::composite_named(
    std::string_view kind, const ir::Named& user, std::string_view name) {
    const ir::Type* type = type_of(name);
    const auto* composite = type == nullptr ? nullptr : std::get_if<ir::Composite>(type);
    if (composite == nullptr) {
        return refuse(kind, user, "there is no composite " + quoted(name));
    }
    block_elements_ = 0;
    FULMAR_TRY(element, expand_composite(*composite));
    place(element, 0);
    return element;
}

fulmar::Result<IntegerAt> Resolver::integer_member(
    const Element& composite, std::string_view name, bool may_be_signed) {
    const Element* member = member_of(composite, name);
    if (member == nullptr) {
        return refuse("composite", *composite.named, "it has no member " + quoted(name));
    }
    const bool is_integer =
        ir::is_unsigned(member->primitive) || (may_be_signed && ir::is_signed(member->primitive));
    if (member->kind != ElementKind::kEncoding || member->length != 1 || !is_integer) {
        return refuse(
            "composite", *composite.named, "its member " + quoted(name) + " must be an unsigned integer");
    }
    return IntegerAt{member->offset, member->primitive, member->constant};
}

}  // namespace fulmar::sbe
