// The types of a schema: encodings, enums, sets, composites and what they are made of.
#include "fulmar/sbe/resolved_schema.h"
#include "sbe/schema_text.h"
#include "sbe/xml_reader.h"

namespace fulmar::sbe::detail {

namespace {

using ir::Presence;
using ir::Primitive;
using ir::Value;

/// Blanks around a text belong to the layout of the file if they break lines, and else to the text.
std::string_view character_text(std::string_view text) {
    return text.find_first_of("\r\n") == std::string_view::npos ? text : trimmed(text);
}

fulmar::Result<Value> enum_value(std::string_view text, Primitive primitive) {
    const std::string_view wanted = primitive == Primitive::kChar ? character_text(text) : trimmed(text);
    if (const auto value = value_of(wanted, primitive)) {
        return *value;
    }
    return fail(ErrorCode::kGeneric,
        "its value " + quoted(wanted) + " is no " + std::string(ir::to_string(primitive)));
}

}  // namespace

ir::Encoding XmlReader::encoding(pugi::xml_node node) {
    XmlAttributes attributes(*this, node);
    ir::Encoding encoding;
    attributes.named(encoding);
    const std::string primitive = attributes.required_token("primitiveType");
    if (const auto known = ir::primitive_of(primitive)) {
        encoding.primitive = *known;
    } else {
        refuse(node, "primitiveType " + quoted(primitive) + " is none of SBE's");
    }
    const auto length = attributes.number("length");
    encoding.length = length.value_or(1);
    encoding.presence = attributes.presence().value_or(Presence::kRequired);
    encoding.value_ref = attributes.token("valueRef");
    encoding.character_encoding = attributes.token("characterEncoding");
    encoding.time_unit = attributes.text("timeUnit");
    encoding.epoch = attributes.text("epoch");
    encoding_values(node, attributes, encoding);
    static_cast<void>(attributes.number("offset"));  // a composite's business
    attributes.finish();
    if (encoding.presence == Presence::kConstant && encoding.value_ref.empty()) {
        encoding_constant(node, length.has_value(), encoding);
    }
    for_each_child(node, [this](pugi::xml_node child) { refuse_unknown(child); });
    return encoding;
}

void XmlReader::encoding_values(pugi::xml_node node, XmlAttributes& attributes, ir::Encoding& encoding) {
    const auto limit = [&](const char* name) -> std::optional<Value> {
        const auto text = attributes.find(name);
        if (!text) {
            return std::nullopt;
        }
        auto value =
            limit_of(encoding.primitive == Primitive::kChar ? *text : trimmed(*text), encoding.primitive);
        if (!value) {
            refuse(node, std::string(name) + " " + quoted(*text) + " is no " +
                             std::string(ir::to_string(encoding.primitive)));
        }
        return value;
    };
    encoding.null_value = limit("nullValue");
    encoding.min_value = limit("minValue");
    encoding.max_value = limit("maxValue");
}

void XmlReader::encoding_constant(pugi::xml_node node, bool has_length, ir::Encoding& encoding) {
    const std::string text = text_of(node);
    if (encoding.primitive != Primitive::kChar) {
        const auto value = value_of(trimmed(text), encoding.primitive);
        if (!value) {
            refuse(node, "its constant " + quoted(trimmed(text)) + " is no " +
                             std::string(ir::to_string(encoding.primitive)));
            return;
        }
        encoding.constant = *value;
        return;
    }
    encoding.constant = Value{std::string(character_text(text))};
    if (!has_length) {
        encoding.length = static_cast<std::uint32_t>(character_text(text).size());
    }
}

ir::Enum XmlReader::enumeration(pugi::xml_node node) {
    XmlAttributes attributes(*this, node);
    ir::Enum made;
    attributes.named(made);
    made.encoding_type = attributes.required_token("encodingType");
    made.presence = attributes.presence().value_or(Presence::kRequired);
    static_cast<void>(attributes.number("offset"));
    attributes.finish();
    for_each_child(node, [&](pugi::xml_node child) {
        if (local_name(child.name()) != "validValue") {
            return refuse_unknown(child);
        }
        XmlAttributes own(*this, child);
        ir::EnumValue& value = made.values.emplace_back();
        own.named(value);
        own.finish();
        value.value = {text_of(child)};
        for_each_child(child, [this](pugi::xml_node inner) { refuse_unknown(inner); });
    });
    return made;
}

ir::Set XmlReader::set(pugi::xml_node node) {
    XmlAttributes attributes(*this, node);
    ir::Set made;
    attributes.named(made);
    made.encoding_type = attributes.required_token("encodingType");
    static_cast<void>(attributes.number("offset"));
    attributes.finish();
    for_each_child(node, [&](pugi::xml_node child) {
        if (local_name(child.name()) != "choice") {
            return refuse_unknown(child);
        }
        XmlAttributes own(*this, child);
        ir::Choice& choice = made.choices.emplace_back();
        own.named(choice);
        own.finish();
        const std::string text = text_of(child);
        const auto bit = value_of(trimmed(text), Primitive::kUint8);
        if (!bit) {
            return refuse(child, "its bit " + quoted(trimmed(text)) + " is no small number");
        }
        choice.bit = static_cast<std::uint32_t>(std::get<std::uint64_t>(bit->data));
        for_each_child(child, [this](pugi::xml_node inner) { refuse_unknown(inner); });
    });
    return made;
}

ir::Composite XmlReader::composite(pugi::xml_node node) {
    ir::Composite made;
    if (nesting_ == kNestingMax) {
        refuse(node, "composites are nested deeper than " + std::to_string(kNestingMax));
        return made;
    }
    XmlAttributes attributes(*this, node);
    attributes.named(made);
    static_cast<void>(attributes.number("offset"));
    attributes.finish();
    ++nesting_;
    for_each_child(node, [&](pugi::xml_node child) { member(child, made); });
    --nesting_;
    return made;
}

void XmlReader::member(pugi::xml_node node, ir::Composite& composite_of) {
    const std::string_view name = local_name(node.name());
    ir::Member made;
    if (name == "type") {
        made.type = encoding(node);
    } else if (name == "enum") {
        made.type = enumeration(node);
    } else if (name == "set") {
        made.type = set(node);
    } else if (name == "composite") {
        made.type = composite(node);
    } else if (name == "ref") {
        made.type = ref(node);
    } else {
        return refuse_unknown(node);
    }
    XmlAttributes attributes(*this, node);
    made.offset = attributes.number("offset");
    composite_of.members.push_back(std::move(made));
}

ir::Ref XmlReader::ref(pugi::xml_node node) {
    XmlAttributes attributes(*this, node);
    ir::Ref made;
    attributes.named(made);
    made.type = attributes.required_token("type");
    static_cast<void>(attributes.number("offset"));
    attributes.finish();
    for_each_child(node, [this](pugi::xml_node child) { refuse_unknown(child); });
    return made;
}

void XmlReader::settle_enums() {
    const PrimitiveNames primitives(schema_);
    for (ir::Type& type : schema_.types) {
        if (auto* enumeration = std::get_if<ir::Enum>(&type)) {
            settle_enum(primitives, *enumeration);
        } else if (auto* composite_of = std::get_if<ir::Composite>(&type)) {
            settle_enums(primitives, *composite_of);
        }
    }
}

void XmlReader::settle_enums(const PrimitiveNames& primitives, ir::Composite& composite_of) {
    for (ir::Member& part : composite_of.members) {
        if (auto* enumeration = std::get_if<ir::Enum>(&part.type)) {
            settle_enum(primitives, *enumeration);
        } else if (auto* inner = std::get_if<ir::Composite>(&part.type)) {
            settle_enums(primitives, *inner);
        }
    }
}

void XmlReader::settle_enum(const PrimitiveNames& primitives, ir::Enum& enumeration) {
    if (error_) {
        return;
    }
    const auto complain = [&](const ir::Named& about, std::string_view why) {
        error_ = fulmar::Error{ErrorCode::kGeneric, origin_text(schema_.sources, about.origin) + "enum " +
                                                        quoted(enumeration.name) + ": " + std::string(why)};
    };
    const auto primitive = primitives.find(enumeration.encoding_type);
    if (!primitive || ir::is_floating(*primitive)) {
        return complain(
            enumeration, "its encodingType " + quoted(enumeration.encoding_type) + " is no integer or char");
    }
    for (ir::EnumValue& value : enumeration.values) {
        auto settled = enum_value(std::get<std::string>(value.value.data), *primitive);
        if (!settled) {
            return complain(value, quoted(value.name) + ": " + settled.error().message);
        }
        value.value = std::move(*settled);
    }
}

}  // namespace fulmar::sbe::detail
