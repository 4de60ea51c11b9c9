// The types of a schema: each is checked on its own, and laid out anew wherever it is used.
#include <algorithm>
#include <set>
#include <string>
#include <unordered_set>

#include "sbe/resolver.h"
#include "sbe/schema_text.h"

namespace fulmar::sbe {

namespace {

using detail::quoted;
using ir::Presence;
using ir::Primitive;

bool is_printable(char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
}

/// Both hold the same alternative: they passed fits() for one primitive.
bool is_less(const ir::Value& a, const ir::Value& b) {
    return a.data < b.data;
}

}  // namespace

Status Resolver::index_types() {
    for (const ir::Type& type : schema_.types) {
        const ir::Named& named = ir::about(type);
        if (!types_.emplace(named.name, &type).second) {
            return refuse("type", named, "there is another type of this name");
        }
    }
    return Done{};
}

Status Resolver::check_types() {
    for (const ir::Type& type : schema_.types) {
        block_elements_ = 0;
        FULMAR_TRY(element, expand(type));
    }
    return Done{};
}

const ir::Type* Resolver::type_of(std::string_view name) const {
    const auto found = types_.find(name);
    return found == types_.end() ? nullptr : found->second;
}

fulmar::Result<Element> Resolver::expand(const ir::Type& type) {
    struct Expand {
        Resolver& self;
        fulmar::Result<Element> operator()(const ir::Encoding& encoding) {
            return self.expand_encoding(encoding);
        }
        fulmar::Result<Element> operator()(const ir::Enum& enumeration) {
            return self.expand_enum(enumeration);
        }
        fulmar::Result<Element> operator()(const ir::Set& set) { return self.expand_set(set); }
        fulmar::Result<Element> operator()(const ir::Composite& composite) {
            return self.expand_composite(composite);
        }
    };
    return std::visit(Expand{*this}, type);
}

fulmar::Result<Element> Resolver::expand(const ir::Member& member) {
    struct Expand {
        Resolver& self;
        fulmar::Result<Element> operator()(const ir::Encoding& encoding) {
            return self.expand_encoding(encoding);
        }
        fulmar::Result<Element> operator()(const ir::Enum& enumeration) {
            return self.expand_enum(enumeration);
        }
        fulmar::Result<Element> operator()(const ir::Set& set) { return self.expand_set(set); }
        fulmar::Result<Element> operator()(const ir::Composite& composite) {
            return self.expand_composite(composite);
        }
        fulmar::Result<Element> operator()(const ir::Ref& ref) { return self.expand_ref(ref); }
    };
    return std::visit(Expand{*this}, member.type);
}

fulmar::Result<Element> Resolver::expand_encoding(const ir::Encoding& encoding) {
    FULMAR_TRY_VOID(check_named("type", encoding));
    FULMAR_TRY_VOID(count_element(encoding));
    FULMAR_TRY_VOID(check_limits(encoding));
    const std::uint64_t size = std::uint64_t{ir::size_of(encoding.primitive)} * encoding.length;
    if (size > kBlockLengthMax) {
        return refuse("type", encoding,
            "its length of " + std::to_string(encoding.length) + " makes it longer than any block may be");
    }
    Element element;
    element.named = &encoding;
    element.encoding = &encoding;
    element.presence = encoding.presence;
    element.primitive = encoding.primitive;
    element.length = encoding.length;
    element.size = static_cast<std::uint32_t>(size);
    element.since_version = encoding.since_version;
    element.null_value = encoding.null_value.value_or(ir::default_null(encoding.primitive));
    if (encoding.presence == Presence::kConstant) {
        FULMAR_TRY(constant, constant_of(encoding));
        element.constant = std::move(constant);
        element.size = 0;
    } else if (encoding.constant || !encoding.value_ref.empty()) {
        return refuse("type", encoding, "it has a constant value but its presence is not constant");
    }
    return element;
}

Status Resolver::check_limits(const ir::Encoding& encoding) {
    const auto misfit = [&](const std::optional<ir::Value>& value) {
        return value && !detail::fits(*value, encoding.primitive);
    };
    if (misfit(encoding.null_value) || misfit(encoding.min_value) || misfit(encoding.max_value)) {
        return refuse("type", encoding,
            "its nullValue, minValue or maxValue is no " + std::string(ir::to_string(encoding.primitive)));
    }
    if (encoding.min_value && encoding.max_value && is_less(*encoding.max_value, *encoding.min_value)) {
        return refuse("type", encoding, "its minValue is above its maxValue");
    }
    for (const std::string* text : {&encoding.character_encoding, &encoding.time_unit, &encoding.epoch}) {
        if (!detail::is_xml_text(*text)) {
            return refuse("type", encoding, "an attribute holds bytes that are no text");
        }
    }
    return Done{};
}

fulmar::Result<ir::Value> Resolver::constant_of(const ir::Encoding& encoding) {
    if (!encoding.value_ref.empty()) {
        if (encoding.constant) {
            return refuse("type", encoding, "it has both a value and a valueRef");
        }
        FULMAR_TRY(referred, refer("type", encoding, encoding.value_ref));
        if (referred.primitive != encoding.primitive) {
            return refuse("type", encoding,
                "valueRef " + quoted(encoding.value_ref) + " is a " +
                    std::string(ir::to_string(referred.primitive)));
        }
        return referred.value->value;
    }
    if (!encoding.constant) {
        return refuse("type", encoding, "it is constant but has no value");
    }
    if (encoding.primitive != Primitive::kChar) {
        if (encoding.length != 1 || !detail::fits(*encoding.constant, encoding.primitive)) {
            return refuse("type", encoding,
                "its constant is not one " + std::string(ir::to_string(encoding.primitive)));
        }
        return *encoding.constant;
    }
    const auto* text = std::get_if<std::string>(&encoding.constant->data);
    if (text == nullptr || text->empty() || text->size() > encoding.length) {
        return refuse("type", encoding,
            "its constant is no text of 1 to " + std::to_string(encoding.length) + " characters");
    }
    if (!detail::is_xml_text(*text) || !std::all_of(text->begin(), text->end(), is_printable)) {
        return refuse("type", encoding, "its constant holds characters that are no text");
    }
    return *encoding.constant;
}

fulmar::Result<Element> Resolver::expand_enum(const ir::Enum& enumeration) {
    FULMAR_TRY_VOID(check_named("enum", enumeration));
    FULMAR_TRY_VOID(count_element(enumeration));
    if (enumeration.presence == Presence::kConstant) {
        return refuse("enum", enumeration, "a field can be a constant, an enum cannot");
    }
    FULMAR_TRY(element, underlying("enum", enumeration, enumeration.encoding_type));
    if (ir::is_floating(element.primitive)) {
        return refuse("enum", enumeration, "it cannot be encoded as a floating-point number");
    }
    element.kind = ElementKind::kEnum;
    element.enumeration = &enumeration;
    element.presence = enumeration.presence;
    const Scope scope(*this, enumeration.name);
    std::unordered_set<std::string_view> names;
    std::set<decltype(ir::Value::data)> values;
    for (const ir::EnumValue& value : enumeration.values) {
        FULMAR_TRY_VOID(check_enum_value(element, value));
        if (!names.insert(value.name).second) {
            return refuse("validValue", value, "there is another value of this name");
        }
        if (!values.insert(value.value.data).second) {
            return refuse("validValue", value, "another name has the same value");
        }
    }
    return element;
}

Status Resolver::check_enum_value(const Element& element, const ir::EnumValue& value) {
    FULMAR_TRY_VOID(check_named("validValue", value));
    if (!detail::fits(value.value, element.primitive)) {
        return refuse(
            "validValue", value, "its value is no " + std::string(ir::to_string(element.primitive)));
    }
    if (element.primitive == Primitive::kChar) {
        const std::int64_t code = std::get<std::int64_t>(value.value.data);
        if (code < 0x20 || code > 0x7E) {
            return refuse("validValue", value, "its character cannot be printed");
        }
    }
    if (value.value == element.null_value) {
        return refuse("validValue", value, "its value is the null value of the encoding");
    }
    const ir::Encoding* encoding = element.encoding;
    if (encoding != nullptr && ((encoding->min_value && is_less(value.value, *encoding->min_value)) ||
                                   (encoding->max_value && is_less(*encoding->max_value, value.value)))) {
        return refuse("validValue", value, "its value is outside the range of " + quoted(encoding->name));
    }
    return Done{};
}

fulmar::Result<Element> Resolver::expand_set(const ir::Set& set) {
    FULMAR_TRY_VOID(check_named("set", set));
    FULMAR_TRY_VOID(count_element(set));
    FULMAR_TRY(element, underlying("set", set, set.encoding_type));
    if (!ir::is_unsigned(element.primitive)) {
        return refuse("set", set, "it must be encoded as uint8, uint16, uint32 or uint64");
    }
    element.kind = ElementKind::kSet;
    element.set = &set;
    element.presence = Presence::kRequired;
    const Scope scope(*this, set.name);
    std::unordered_set<std::string_view> names;
    std::uint64_t bits = 0;
    for (const ir::Choice& choice : set.choices) {
        FULMAR_TRY_VOID(check_named("choice", choice));
        if (choice.bit >= element.size * 8) {
            return refuse("choice", choice,
                "bit " + std::to_string(choice.bit) + " is outside a " +
                    std::string(ir::to_string(element.primitive)));
        }
        const std::uint64_t bit = std::uint64_t{1} << choice.bit;
        if (!names.insert(choice.name).second || (bits & bit) != 0) {
            return refuse("choice", choice, "another choice has the same name or bit");
        }
        bits |= bit;
    }
    return element;
}

fulmar::Result<Element> Resolver::expand_composite(const ir::Composite& composite) {
    FULMAR_TRY_VOID(check_named("composite", composite));
    FULMAR_TRY_VOID(count_element(composite));
    if (std::find(open_composites_.begin(), open_composites_.end(), &composite) != open_composites_.end()) {
        return refuse("composite", composite, "it contains itself");
    }
    if (open_composites_.size() == kNestingMax) {
        return refuse(
            "composite", composite, "composites are nested deeper than " + std::to_string(kNestingMax));
    }
    open_composites_.push_back(&composite);
    Element element;
    element.named = &composite;
    element.kind = ElementKind::kComposite;
    element.since_version = composite.since_version;
    const Scope scope(*this, composite.name);
    std::unordered_set<std::string_view> names;
    std::uint64_t end = 0;
    for (const ir::Member& member : composite.members) {
        FULMAR_TRY(part, expand(member));
        if (!names.insert(part.named->name).second) {
            return refuse("member", *part.named, "there is another member of this name");
        }
        if (member.offset && *member.offset < end) {
            return refuse("member", *part.named,
                "offset " + std::to_string(*member.offset) + " overlaps what ends at " + std::to_string(end));
        }
        part.offset = static_cast<std::uint32_t>(member.offset.value_or(static_cast<std::uint32_t>(end)));
        end = std::uint64_t{part.offset} + part.size;
        if (end > kBlockLengthMax) {
            return refuse("member", *part.named, "it ends beyond the longest block");
        }
        element.members.push_back(std::move(part));
    }
    element.size = static_cast<std::uint32_t>(end);
    open_composites_.pop_back();
    return element;
}

fulmar::Result<Element> Resolver::expand_ref(const ir::Ref& ref) {
    FULMAR_TRY_VOID(check_named("ref", ref));
    const ir::Type* type = type_of(ref.type);
    if (type == nullptr) {
        return refuse("ref", ref, "there is no type " + quoted(ref.type));
    }
    FULMAR_TRY(element, expand(*type));
    element.named = &ref;
    if (ref.since_version != 0) {
        element.since_version = ref.since_version;
    }
    return element;
}

fulmar::Result<Resolver::Referred> Resolver::refer(
    std::string_view kind, const ir::Named& user, std::string_view value_ref) {
    const auto parts = detail::value_ref_of(value_ref);
    if (!parts) {
        return refuse(kind, user, "valueRef " + quoted(value_ref) + " is not of the form Enum.Value");
    }
    const ir::Type* type = type_of(parts->enumeration);
    const auto* enumeration = type == nullptr ? nullptr : std::get_if<ir::Enum>(type);
    if (enumeration == nullptr) {
        return refuse(
            kind, user, "valueRef names no enum: there is none called " + quoted(parts->enumeration));
    }
    const auto value = std::find_if(enumeration->values.begin(), enumeration->values.end(),
        [&](const ir::EnumValue& candidate) { return candidate.name == parts->value; });
    if (value == enumeration->values.end()) {
        return refuse(
            kind, user, "enum " + quoted(parts->enumeration) + " has no value " + quoted(parts->value));
    }
    FULMAR_TRY(element, underlying("enum", *enumeration, enumeration->encoding_type));
    return Referred{enumeration, &*value, element.primitive};
}

fulmar::Result<Element> Resolver::underlying(
    std::string_view kind, const ir::Named& user, std::string_view encoding_type) {
    Element element;
    element.named = &user;
    element.since_version = user.since_version;
    if (const ir::Type* type = type_of(encoding_type)) {
        const auto* encoding = std::get_if<ir::Encoding>(type);
        if (encoding == nullptr || encoding->length != 1 || encoding->presence == Presence::kConstant) {
            return refuse(kind, user, "its encodingType " + quoted(encoding_type) + " is not a single value");
        }
        element.encoding = encoding;
        element.primitive = encoding->primitive;
        element.null_value = encoding->null_value.value_or(ir::default_null(encoding->primitive));
    } else if (const auto primitive = ir::primitive_of(encoding_type)) {
        element.primitive = *primitive;
        element.null_value = ir::default_null(*primitive);
    } else {
        return refuse(kind, user, "there is no type " + quoted(encoding_type) + " to encode it as");
    }
    element.size = ir::size_of(element.primitive);
    return element;
}

Status Resolver::check_named(std::string_view kind, const ir::Named& named) {
    if (!detail::is_symbolic_name(named.name)) {
        return refuse(kind, named,
            "a name is a letter or underscore, then letters, digits and underscores, at most " +
                std::to_string(detail::kNameLengthMax));
    }
    if (named.since_version > schema_.version) {
        return refuse(kind, named,
            "sinceVersion " + std::to_string(named.since_version) + " is above the schema's version " +
                std::to_string(schema_.version));
    }
    if (!detail::is_xml_text(named.description) || !detail::is_xml_text(named.semantic_type)) {
        return refuse(kind, named, "its description or semanticType holds bytes that are no text");
    }
    return Done{};
}

Status Resolver::count_element(const ir::Named& named) {
    ++block_elements_;
    ++schema_elements_;
    if (block_elements_ > kBlockElementsMax) {
        return refuse("field", named,
            "its block or composite has more than " + std::to_string(kBlockElementsMax) +
                " values when every composite is counted with its members");
    }
    if (schema_elements_ > kSchemaElementsMax) {
        return refuse("field", named,
            "the schema has more than " + std::to_string(kSchemaElementsMax) +
                " values when every composite is counted with its members");
    }
    return Done{};
}

}  // namespace fulmar::sbe
