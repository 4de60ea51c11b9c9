// The types of a description, each written once, in front of what uses it first.
#include "sbe/cpp_writer.h"

namespace fulmar::sbe::detail {

namespace {

using ir::Presence;
using ir::Primitive;

std::string array_type(Primitive primitive, std::uint32_t length) {
    const std::string element(cpp_type(primitive));
    return length == 1 ? element : element + '[' + std::to_string(length) + ']';
}

}  // namespace

const ir::Type* CppWriter::find(std::string_view name) const {
    const auto found = types_.find(name);
    return found == types_.end() ? nullptr : found->second;
}

std::string CppWriter::type_named(std::string_view name) {
    if (const auto known = described_.find(name); known != described_.end()) {
        return known->second;
    }
    const ir::Type* found = find(name);
    if (found == nullptr) {
        return std::string(detail::cpp_type(ir::primitive_of(name).value_or(Primitive::kUint8)));
    }
    const auto* composite = std::get_if<ir::Composite>(found);
    std::string described = composite != nullptr && data_types_.contains(name)
                                ? var_data(*composite)
                                : std::visit([&](const auto& any) { return type(any, any.name); }, *found);
    return described_.emplace(name, std::move(described)).first->second;
}

std::string CppWriter::type(const ir::Encoding& encoding, const std::string& schema_name) {
    CppExpression expression{
        "sbe::Type", {{string_literal(schema_name)}, {array_type(encoding.primitive, encoding.length)}}};
    if (encoding.length == 0) {
        refuse("type", encoding,
            "a description has data of variable length only where nothing else uses its type");
    }
    if (encoding.presence == Presence::kConstant) {
        expression.head = "sbe::ConstantType";
        expression.args.push_back(
            {encoding.value_ref.empty() ? value_literal(*encoding.constant, encoding.primitive)
                                        : enumerator(encoding.value_ref).value});
    }
    encoding_options(encoding, expression);
    add_named_options(encoding, expression);
    std::string name = names_.take(camel_case(schema_name));
    define(name, expression);
    return name;
}

std::string CppWriter::required_type(const ir::Encoding& encoding) {
    if (const auto known = required_types_.find(encoding.name); known != required_types_.end()) {
        return known->second;
    }
    ir::Encoding required = encoding;
    required.presence = Presence::kRequired;
    required.null_value.reset();
    std::string schema_name = encoding.name.substr(0, kNameLengthMax - 10) + "Required";
    while (!type_names_.insert(schema_name).second) {
        schema_name += '_';
    }
    return required_types_.emplace(encoding.name, type(required, schema_name)).first->second;
}

void CppWriter::encoding_options(const ir::Encoding& encoding, CppExpression& expression) {
    constexpr std::size_t kTextMax = 47;  // Literal::kMaxText
    if (const auto* text = encoding.constant ? std::get_if<std::string>(&encoding.constant->data) : nullptr;
        text != nullptr && text->size() > kTextMax) {
        refuse("type", encoding,
            "a constant text in a description has at most " + std::to_string(kTextMax) + " bytes");
    }
    const auto limit = [&](std::string_view option, const std::optional<ir::Value>& value) {
        if (value) {
            expression.args.push_back({std::string(option), {{value_literal(*value, encoding.primitive)}}});
        }
    };
    if (encoding.presence == Presence::kOptional) {
        expression.args.push_back({"sbe::Optional"});
    }
    if (encoding.null_value && *encoding.null_value != ir::default_null(encoding.primitive)) {
        limit("sbe::Null", encoding.null_value);
    }
    limit("sbe::MinValue", encoding.min_value);
    limit("sbe::MaxValue", encoding.max_value);
    if (!encoding.character_encoding.empty()) {
        expression.args.push_back(text_option("sbe::CharacterEncoding", encoding.character_encoding));
    }
    if (!encoding.time_unit.empty()) {
        expression.args.push_back(text_option("sbe::TimeUnit", encoding.time_unit));
    }
    if (!encoding.epoch.empty()) {
        expression.args.push_back(text_option("sbe::Epoch", encoding.epoch));
    }
}

std::string CppWriter::type(const ir::Enum& enumeration, const std::string& schema_name) {
    EnumNames made = describe_enum(enumeration, schema_name);
    std::string description = made.description;
    enums_.emplace(enumeration.name, std::move(made));
    return description;
}

CppWriter::EnumNames CppWriter::describe_enum(const ir::Enum& enumeration, const std::string& schema_name) {
    constexpr std::string_view kSuffix = "Type";
    const Primitive primitive = primitives_.find(enumeration.encoding_type).value_or(Primitive::kUint8);
    std::string base = camel_case(schema_name);
    if (base.size() > kSuffix.size() && base.ends_with(kSuffix)) {
        base.resize(base.size() - kSuffix.size());
    }
    EnumNames made;
    made.cpp_enum = names_.take(base);
    made.description = names_.take(base + std::string(kSuffix));
    CppNames enumerators;
    CppExpression expression{"sbe::Enum", {{string_literal(schema_name)}, {made.cpp_enum}}};
    if (enumeration.presence == Presence::kOptional) {
        expression.args.push_back({"sbe::Optional"});
    }
    const ir::Type* encoding_type = find(enumeration.encoding_type);
    const auto* encoding = encoding_type == nullptr ? nullptr : std::get_if<ir::Encoding>(encoding_type);
    if (encoding != nullptr && encoding->null_value && *encoding->null_value != ir::default_null(primitive)) {
        expression.args.push_back({"sbe::Null", {{value_literal(*encoding->null_value, primitive)}}});
    }
    add_named_options(enumeration, expression);
    std::string body;
    for (const ir::EnumValue& value : enumeration.values) {
        const std::string name = enumerators.take("k" + camel_case(value.name));
        body += "    " + name + " = " + value_literal(value.value, primitive) + ",\n";
        CppExpression one{"sbe::Value", {{string_literal(value.name)}, {made.cpp_enum + "::" + name}}};
        add_named_options(value, one);
        expression.args.push_back(std::move(one));
        made.values.emplace(value.name, name);
    }
    out_ += "enum class " + made.cpp_enum + " : " + std::string(detail::cpp_type(primitive)) + " {\n" + body +
            "};\n";
    define(made.description, expression);
    return made;
}

CppWriter::Enumerator CppWriter::enumerator(std::string_view value_ref) {
    const auto ref = value_ref_of(value_ref);
    const std::string description = type_named(ref->enumeration);
    const EnumNames& names = enums_.at(ref->enumeration);
    return {description, names.cpp_enum + "::" + names.values.at(ref->value)};
}

std::string CppWriter::type(const ir::Set& set, const std::string& schema_name) {
    const Primitive primitive = primitives_.find(set.encoding_type).value_or(Primitive::kUint8);
    CppExpression expression{
        "sbe::Set", {{string_literal(schema_name)}, {std::string(detail::cpp_type(primitive))}}};
    add_named_options(set, expression);
    for (const ir::Choice& choice : set.choices) {
        CppExpression one{"sbe::Choice", {{string_literal(choice.name)}, {std::to_string(choice.bit)}}};
        add_named_options(choice, one);
        expression.args.push_back(std::move(one));
    }
    std::string name = names_.take(camel_case(schema_name));
    define(name, expression);
    return name;
}

std::string CppWriter::type(const ir::Composite& composite, const std::string& schema_name) {
    CppExpression expression{"sbe::Composite", {{string_literal(schema_name)}}};
    add_named_options(composite, expression);
    std::vector<CppExpression> members;
    Placing placing;
    for (const ir::Member& each : composite.members) {
        members.push_back(member(composite, each, placing));
    }
    add(expression, placing.length({}));
    expression.args.insert(expression.args.end(), members.begin(), members.end());
    std::string name = names_.take(camel_case(schema_name));
    define(name, expression);
    return name;
}

/// A type inside a composite becomes one of its own, and the member a field of it.
CppExpression CppWriter::member(const ir::Composite& composite, const ir::Member& member, Placing& placing) {
    const ir::Named& about = member.about();
    const auto* encoding = std::get_if<ir::Encoding>(&member.type);
    const auto* ref = std::get_if<ir::Ref>(&member.type);
    const bool is_constant = encoding != nullptr ? encoding->presence == Presence::kConstant
                                                 : ref != nullptr && is_constant_type(ref->type);
    std::optional<CppExpression> at = placing.place(member.offset,
        std::visit([this](const auto& any) { return size_of(any); }, member.type), about.since_version,
        is_constant);
    CppExpression expression;
    if (encoding != nullptr) {
        expression = encoding_member(*encoding);
        add_named_options(about, expression);
    } else if (ref != nullptr) {
        expression = {"sbe::Member", {{string_literal(ref->name)}, {type_named(ref->type)}}};
        add_named_options(about, expression);
    } else {
        expression = {"sbe::Member", {{string_literal(about.name)}, {inner_type(composite, member)}}};
        if (about.since_version != 0) {
            expression.args.push_back(number_option("sbe::Since", about.since_version));
        }
    }
    add(expression, std::move(at));
    return expression;
}

CppExpression CppWriter::encoding_member(const ir::Encoding& encoding) {
    CppExpression expression{
        "sbe::Member", {{string_literal(encoding.name)}, {array_type(encoding.primitive, encoding.length)}}};
    if (encoding.length == 0) {
        refuse("type", encoding,
            "a description has data of variable length only where nothing else uses its type");
    }
    if (encoding.presence == Presence::kConstant) {
        expression.head = "sbe::ConstantMember";
        if (encoding.value_ref.empty()) {
            expression.args.push_back({value_literal(*encoding.constant, encoding.primitive)});
        } else {
            const Enumerator named = enumerator(encoding.value_ref);
            expression.args.back() = {named.description};
            expression.args.push_back({named.value});
        }
    }
    encoding_options(encoding, expression);
    return expression;
}

std::string CppWriter::inner_type(const ir::Composite& composite, const ir::Member& member) {
    const std::string schema_name = free_type_name(composite, member.about().name);
    if (const auto* enumeration = std::get_if<ir::Enum>(&member.type)) {
        return describe_enum(*enumeration, schema_name).description;
    }
    if (const auto* set = std::get_if<ir::Set>(&member.type)) {
        return type(*set, schema_name);
    }
    return type(std::get<ir::Composite>(member.type), schema_name);
}

std::string CppWriter::free_type_name(const ir::Composite& composite, const std::string& name) {
    if (type_names_.insert(name).second) {
        return name;
    }
    const std::string longer = (composite.name + "_" + name).substr(0, kNameLengthMax - 6);
    std::string free = longer;
    for (int i = 2; !type_names_.insert(free).second; ++i) {
        free = longer + std::to_string(i);
    }
    return free;
}

std::string CppWriter::var_data(const ir::Composite& composite) {
    const auto* length =
        composite.members.size() == 2 ? std::get_if<ir::Encoding>(&composite.members[0].type) : nullptr;
    const auto* bytes =
        composite.members.size() == 2 ? std::get_if<ir::Encoding>(&composite.members[1].type) : nullptr;
    if (length == nullptr || bytes == nullptr || length->name != "length" ||
        length->presence == Presence::kConstant || composite.members[0].offset.value_or(0) != 0 ||
        composite.members[1].offset.value_or(ir::size_of(length->primitive)) !=
            ir::size_of(length->primitive) ||
        length->primitive == Primitive::kUint64) {
        refuse("composite", composite,
            "a description's variable-length data is a length of at most 32 bits and, right behind it, the "
            "bytes");
        return "";
    }
    CppExpression expression{"sbe::VarData",
        {{string_literal(composite.name)}, {std::string(detail::cpp_type(length->primitive))}}};
    if (length->max_value) {
        expression.args.push_back(
            {"sbe::MaxValue", {{value_literal(*length->max_value, length->primitive)}}});
    }
    // Characters without an encoding are ASCII's.
    const bool is_text = bytes->primitive == Primitive::kChar;
    if (!bytes->character_encoding.empty() || is_text) {
        expression.args.push_back(text_option("sbe::CharacterEncoding",
            bytes->character_encoding.empty() ? "US-ASCII" : bytes->character_encoding));
    }
    add_named_options(composite, expression);
    std::string name = names_.take(camel_case(composite.name));
    define(name, expression);
    return name;
}

bool CppWriter::is_constant_type(std::string_view name) const {
    const ir::Type* type = find(name);
    const auto* encoding = type == nullptr ? nullptr : std::get_if<ir::Encoding>(type);
    return encoding != nullptr && encoding->presence == Presence::kConstant;
}

std::uint32_t CppWriter::size_of_type(std::string_view name) {
    const ir::Type* type = find(name);
    if (type == nullptr) {
        return ir::size_of(ir::primitive_of(name).value_or(Primitive::kUint8));
    }
    return std::visit([this](const auto& any) { return size_of(any); }, *type);
}

std::uint32_t CppWriter::size_of(const ir::Encoding& encoding) const {
    return encoding.presence == Presence::kConstant ? 0 : ir::size_of(encoding.primitive) * encoding.length;
}
std::uint32_t CppWriter::size_of(const ir::Enum& enumeration) const {
    return ir::size_of(primitives_.find(enumeration.encoding_type).value_or(Primitive::kUint8));
}
std::uint32_t CppWriter::size_of(const ir::Set& set) const {
    return ir::size_of(primitives_.find(set.encoding_type).value_or(Primitive::kUint8));
}
std::uint32_t CppWriter::size_of(const ir::Ref& ref) {
    return size_of_type(ref.type);
}

std::uint32_t CppWriter::size_of(const ir::Composite& composite) {
    if (const auto known = composite_sizes_.find(&composite); known != composite_sizes_.end()) {
        return known->second;
    }
    std::uint32_t end = 0;
    for (const ir::Member& each : composite.members) {
        end = each.offset.value_or(end) +
              std::visit([this](const auto& any) { return size_of(any); }, each.type);
    }
    return composite_sizes_[&composite] = end;
}

}  // namespace fulmar::sbe::detail
