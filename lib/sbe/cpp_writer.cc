#include "sbe/cpp_writer.h"

#include "fulmar/sbe/resolved_schema.h"
#include "fulmar/sbe/schema_cpp.h"

namespace fulmar::sbe {

fulmar::Result<std::string> write_cpp(const ir::Schema& schema) {
    FULMAR_TRY(resolved, ResolvedSchema::resolve(schema));
    return detail::CppWriter(resolved.schema()).write();
}

namespace detail {

namespace {

std::string number(std::uint32_t value) {
    return std::to_string(value);
}

/// The same bytes and names; what a schema says about it besides stays behind.
bool is_plain(const ir::Type* type, const ir::Composite& standard) {
    const auto* composite = type == nullptr ? nullptr : std::get_if<ir::Composite>(type);
    return composite == nullptr || *composite == standard;
}

}  // namespace

void add_named_options(const ir::Named& named, CppExpression& expression) {
    if (!named.semantic_type.empty()) {
        expression.args.push_back(text_option("sbe::SemanticType", named.semantic_type));
    }
    if (!named.description.empty()) {
        expression.args.push_back(text_option("sbe::Description", named.description));
    }
    if (named.since_version != 0) {
        expression.args.push_back(number_option("sbe::Since", named.since_version));
    }
    if (named.deprecated.value_or(0) != 0) {
        expression.args.push_back(number_option("sbe::Deprecated", *named.deprecated));
    }
}

void add(CppExpression& expression, std::optional<CppExpression> option) {
    if (option) {
        expression.args.push_back(std::move(*option));
    }
}

CppExpression text_option(std::string_view option, std::string_view text) {
    return {std::string(option), {{string_literal(text)}}};
}

CppExpression number_option(std::string_view option, std::uint32_t value) {
    return {std::string(option), {{number(value)}}};
}

std::optional<CppExpression> CppWriter::Placing::place(
    std::optional<std::uint32_t> offset, std::uint32_t size, std::uint32_t since, bool is_constant) {
    end_ = offset.value_or(end_);
    if (is_constant) {
        return std::nullopt;
    }
    const bool is_said = end_ != described_end_ || since < since_;
    const std::uint32_t begin = end_;
    end_ += size;
    described_end_ = end_;
    since_ = since;
    return is_said ? std::optional(number_option("sbe::At", begin)) : std::nullopt;
}

std::optional<CppExpression> CppWriter::Placing::length(std::optional<std::uint32_t> declared) const {
    const std::uint32_t length = declared.value_or(end_);
    return length != described_end_ ? std::optional(number_option("sbe::BlockLength", length)) : std::nullopt;
}

CppWriter::CppWriter(const ir::Schema& schema) : schema_(schema), primitives_(schema) {
    for (const ir::Type& type : schema.types) {
        types_.emplace(ir::about(type).name, &type);
        type_names_.insert(ir::about(type).name);
    }
}

fulmar::Result<std::string> CppWriter::write() {
    if (schema_.version > UINT16_MAX) {
        return fail(ErrorCode::kGeneric, "schema: a description's version has 16 bits");
    }
    std::vector<CppExpression> names;
    for (const char* reserved : {"Schema", "Messages"}) {
        names_.take(reserved);
    }
    for (const ir::Message& each : schema_.messages) {
        collect_data_types(each);
        names.push_back({names_.take(camel_case(each.name))});
    }
    out_ = schema();
    for (std::size_t i = 0; i < names.size(); ++i) {
        const ir::Message& each = schema_.messages[i];
        CppExpression expression{
            "sbe::Message", {{"Schema"}, {string_literal(each.name)}, {number(each.id)}}};
        block(each, expression);
        define(names[i].head, expression);
    }
    if (error_) {
        return Unexpected{std::move(*error_)};
    }
    const std::string space = namespace_of(schema_.package);
    const std::string limits =
        out_.find("std::numeric_limits") != std::string::npos ? "#include <limits>\n" : "";
    return "/// The messages of schema " + std::to_string(schema_.id) + " version " +
           number(schema_.version) +
           ", described in C++. Written by `fulmar sbe import`.\n#pragma once\n\n#include <cstdint>\n" +
           limits + "\n#include \"fulmar/sbe/description.h\"\n\nnamespace " + space +
           " {\n\nnamespace sbe = ::fulmar::sbe;\n\n" + out_ +
           laid_out({"sbe::Messages", names}, "using Messages = ", names.empty() ? "<>;" : ";") +
           "\n\n}  // namespace " + space + "\n";
}

void CppWriter::collect_data_types(const ir::Block& block) {
    for (const ir::Data& each : block.data) {
        data_types_.insert(each.type);
    }
    for (const ir::Group& each : block.groups) {
        collect_data_types(each);
    }
}

std::string CppWriter::schema() {
    CppExpression expression{"sbe::Schema",
        {{string_literal(schema_.package)}, {std::to_string(schema_.id)}, {number(schema_.version)}}};
    if (!is_plain(find(schema_.header_type), ir::standard_message_header())) {
        expression.args.push_back({"sbe::HeaderType", {{type_named(schema_.header_type)}}});
    }
    if (schema_.byte_order == ir::ByteOrder::kBigEndian) {
        expression.args.push_back({"sbe::BigEndian"});
    }
    if (!schema_.semantic_version.empty()) {
        expression.args.push_back(text_option("sbe::SemanticVersion", schema_.semantic_version));
    }
    if (!schema_.description.empty()) {
        expression.args.push_back(text_option("sbe::Description", schema_.description));
    }
    define("Schema", expression);
    return std::move(out_);
}

void CppWriter::block(const ir::Block& block, CppExpression& expression) {
    add_named_options(block, expression);
    std::vector<CppExpression> members;
    Placing placing;
    for (const ir::Field& each : block.fields) {
        members.push_back(field(each, placing));
    }
    add(expression, placing.length(block.block_length));
    expression.args.insert(expression.args.end(), members.begin(), members.end());
    for (const ir::Group& each : block.groups) {
        expression.args.push_back(group(each));
    }
    for (const ir::Data& each : block.data) {
        expression.args.push_back(data(each));
    }
}

CppExpression CppWriter::field(const ir::Field& field, Placing& placing) {
    const bool is_constant = field.presence == ir::Presence::kConstant || is_constant_type(field.type);
    std::optional<CppExpression> at = placing.place(
        field.offset, is_constant ? 0 : size_of_type(field.type), field.since_version, is_constant);
    CppExpression expression{"sbe::Field", {{string_literal(field.name)}, {std::to_string(field.id)}}};
    const auto* type = find(field.type);
    const auto* encoding = type == nullptr ? nullptr : std::get_if<ir::Encoding>(type);
    const auto* enumeration = type == nullptr ? nullptr : std::get_if<ir::Enum>(type);
    const bool is_optional_type =
        (encoding != nullptr && encoding->presence == ir::Presence::kOptional) ||
        (enumeration != nullptr && enumeration->presence == ir::Presence::kOptional);
    if (!field.value_ref.empty()) {
        expression = constant_field(field);
    } else if (field.presence == ir::Presence::kRequired && is_optional_type) {
        if (encoding == nullptr) {
            refuse(
                "field", field, "it is required, but every field of its enum is optional in a description");
            return expression;
        }
        expression.args.push_back({required_type(*encoding)});
    } else {
        expression.args.push_back({type_named(field.type)});
        if (field.presence == ir::Presence::kOptional && !is_optional_type) {
            expression.args.push_back({"sbe::Optional"});
        }
    }
    add(expression, std::move(at));
    if (!field.time_unit.empty()) {
        expression.args.push_back(text_option("sbe::TimeUnit", field.time_unit));
    }
    if (!field.epoch.empty()) {
        expression.args.push_back(text_option("sbe::Epoch", field.epoch));
    }
    add_named_options(field, expression);
    return expression;
}

CppExpression CppWriter::constant_field(const ir::Field& field) {
    const Enumerator named = enumerator(field.value_ref);
    return {"sbe::Constant",
        {{string_literal(field.name)}, {std::to_string(field.id)}, {named.description}, {named.value}}};
}

CppExpression CppWriter::group(const ir::Group& group) {
    CppExpression expression{"sbe::Group", {{string_literal(group.name)}, {std::to_string(group.id)}}};
    const ir::Composite standard = ir::standard_group_size();
    if (group.dimension_type != standard.name || !is_plain(find(group.dimension_type), standard)) {
        expression.args.push_back({"sbe::Dimension", {{type_named(group.dimension_type)}}});
    }
    block(group, expression);
    return expression;
}

CppExpression CppWriter::data(const ir::Data& data) {
    CppExpression expression{
        "sbe::Data", {{string_literal(data.name)}, {std::to_string(data.id)}, {type_named(data.type)}}};
    add_named_options(data, expression);
    return expression;
}

void CppWriter::define(const std::string& name, const CppExpression& expression) {
    const std::string definition = laid_out(expression, "struct " + name + " : ", " {};");
    const bool is_long = definition.find('\n') != std::string::npos;
    out_ += definition + (is_long ? "\n\n" : "\n");
}

void CppWriter::refuse(std::string_view kind, const ir::Named& named, std::string_view why) {
    if (!error_) {
        error_ = fulmar::Error{ErrorCode::kGeneric, origin_text(schema_.sources, named.origin) +
                                                        std::string(kind) + ' ' + quoted(named.name) + ": " +
                                                        std::string(why)};
    }
}

}  // namespace detail

}  // namespace fulmar::sbe
