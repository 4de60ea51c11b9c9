#include "sbe/xml_reader.h"

#include <utility>

#include "fulmar/sbe/resolved_schema.h"
#include "sbe/schema_text.h"

namespace fulmar::sbe {

fulmar::Result<ir::Schema> read_xml(std::string_view text, const XmlOptions& options) {
    return detail::XmlReader(options).read(text);
}

namespace detail {

fulmar::Result<ir::Schema> XmlReader::read(std::string_view text) {
    if (text.size() > options_.bytes_max) {
        return fail(ErrorCode::kGeneric,
            options_.name + ": longer than " + std::to_string(options_.bytes_max) + " bytes");
    }
    bytes_ = text.size();
    schema_.sources = {options_.name};
    XmlSource source;
    FULMAR_TRY_VOID(source.parse(text, options_.name));
    source_ = &source;
    const pugi::xml_node root = source.root();
    if (local_name(root.name()) != "messageSchema") {
        refuse(root, "an SBE schema begins with messageSchema");
    } else {
        schema(root);
    }
    settle_enums();
    if (error_) {
        return Unexpected{std::move(*error_)};
    }
    ir::add_standard_types(schema_);
    return std::move(schema_);
}

void XmlReader::refuse(pugi::xml_node node, std::string_view why) {
    if (error_) {
        return;
    }
    std::string what = "<" + std::string(node.name()).substr(0, kNameLengthMax);
    if (const pugi::xml_attribute name = node.attribute("name")) {
        what += " name=" + quoted(name.value());
    }
    error_ = fulmar::Error{
        ErrorCode::kGeneric, origin_text(schema_.sources, origin(node)) + what + ">: " + std::string(why)};
}

ir::Origin XmlReader::origin(pugi::xml_node node) const {
    return {source_->line_of(node.offset_debug()), source_index_};
}

void XmlReader::for_each_child(pugi::xml_node node, const Each& each) {
    for (const pugi::xml_node child : node.children()) {
        if (error_) {
            return;
        }
        if (child.type() != pugi::node_element) {
            continue;
        }
        if (local_name(child.name()) == "include") {
            include(child, each);
        } else {
            each(child);
        }
    }
}

void XmlReader::include(pugi::xml_node node, const Each& each) {
    std::optional<IncludedXml> included = fetch(node);
    if (!included) {
        return;
    }
    XmlSource source;
    if (const Status parsed = source.parse(included->text, included->name); !parsed) {
        error_ = parsed.error();
        return;
    }
    const XmlSource* outer_source = std::exchange(source_, &source);
    const std::uint32_t outer_index =
        std::exchange(source_index_, static_cast<std::uint32_t>(schema_.sources.size()));
    schema_.sources.push_back(std::move(included->name));
    ++include_depth_;
    if (local_name(source.root().name()) == "include") {
        include(source.root(), each);
    } else {
        each(source.root());
    }
    --include_depth_;
    source_ = outer_source;
    source_index_ = outer_index;
}

std::optional<IncludedXml> XmlReader::fetch(pugi::xml_node node) {
    XmlAttributes attributes(*this, node);
    const std::string href = attributes.required_token("href");
    if (const std::string parse = attributes.token("parse"); !parse.empty() && parse != "xml") {
        refuse(node, "only XML can be included");
    }
    attributes.finish();
    expect_empty(node);
    if (!options_.include) {
        refuse(node, "including " + quoted(href) + " is not possible here");
    }
    if (include_depth_ == kIncludeDepthMax || schema_.sources.size() > kIncludesMax) {
        refuse(node, "too many documents are included, or too deep in each other");
    }
    if (error_) {
        return std::nullopt;
    }
    fulmar::Result<IncludedXml> included = options_.include(href, schema_.sources[source_index_]);
    if (!included) {
        refuse(node, "including " + quoted(href) + ": " + included.error().message);
        return std::nullopt;
    }
    bytes_ += included->text.size();
    if (bytes_ > options_.bytes_max) {
        refuse(node, "with what it includes the schema is longer than " + std::to_string(options_.bytes_max) +
                         " bytes");
        return std::nullopt;
    }
    return std::move(*included);
}

void XmlReader::refuse_unknown(pugi::xml_node node) {
    refuse(node, "SBE knows no such element here");
}

void XmlReader::expect_empty(pugi::xml_node node) {
    for_each_child(node, [this](pugi::xml_node child) { refuse_unknown(child); });
    if (!trimmed(text_of(node)).empty()) {
        refuse(node, "it holds text");
    }
}

void XmlReader::schema(pugi::xml_node node) {
    XmlAttributes attributes(*this, node);
    schema_.package = attributes.text("package");
    schema_.id = static_cast<std::uint16_t>(attributes.number("id", UINT16_MAX).value_or(0));
    schema_.version = attributes.number("version").value_or(0);
    schema_.semantic_version = attributes.text("semanticVersion");
    schema_.description = attributes.text("description");
    const std::string byte_order = attributes.token("byteOrder");
    if (byte_order == "bigEndian") {
        schema_.byte_order = ir::ByteOrder::kBigEndian;
    } else if (!byte_order.empty() && byte_order != "littleEndian") {
        refuse(node, "byteOrder " + quoted(byte_order) + " is neither littleEndian nor bigEndian");
    }
    if (std::string header_type = attributes.token("headerType"); !header_type.empty()) {
        schema_.header_type = std::move(header_type);
    }
    attributes.finish();
    for_each_child(node, [this](pugi::xml_node child) {
        const std::string_view name = local_name(child.name());
        if (name == "types") {
            types(child);
        } else if (name == "message") {
            ir::Message& message = schema_.messages.emplace_back();
            XmlAttributes own(*this, child);
            block(child, own, message);
        } else {
            refuse_unknown(child);
        }
    });
}

void XmlReader::types(pugi::xml_node node) {
    XmlAttributes attributes(*this, node);
    static_cast<void>(attributes.find("package"));  // where generators of other languages put the types
    attributes.finish();
    for_each_child(node, [this](pugi::xml_node child) {
        const std::string_view name = local_name(child.name());
        if (name == "type") {
            schema_.types.emplace_back(encoding(child));
        } else if (name == "enum") {
            schema_.types.emplace_back(enumeration(child));
        } else if (name == "set") {
            schema_.types.emplace_back(set(child));
        } else if (name == "composite") {
            schema_.types.emplace_back(composite(child));
        } else {
            refuse_unknown(child);
        }
    });
}

void XmlReader::block(pugi::xml_node node, XmlAttributes& attributes, ir::Block& made) {
    attributes.named(made);
    made.id = attributes.required_id();
    made.block_length = attributes.number("blockLength");
    attributes.finish();
    for_each_child(node, [&](pugi::xml_node child) { block_part(child, made); });
    if (!trimmed(text_of(node)).empty()) {
        refuse(node, "it holds text");
    }
}

void XmlReader::block_part(pugi::xml_node child, ir::Block& made) {
    const std::string_view name = local_name(child.name());
    if (name == "field") {
        if (!made.groups.empty() || !made.data.empty()) {
            return refuse(child, "fields come before groups and data");
        }
        made.fields.push_back(field(child));
    } else if (name == "group") {
        if (!made.data.empty()) {
            return refuse(child, "groups come before data");
        }
        made.groups.push_back(group(child));
    } else if (name == "data") {
        made.data.push_back(data(child));
    } else {
        refuse_unknown(child);
    }
}

ir::Field XmlReader::field(pugi::xml_node node) {
    XmlAttributes attributes(*this, node);
    ir::Field made;
    attributes.named(made);
    made.id = attributes.required_id();
    made.type = attributes.required_token("type");
    made.presence = attributes.presence();
    made.value_ref = attributes.token("valueRef");
    made.offset = attributes.number("offset");
    made.time_unit = attributes.text("timeUnit");
    made.epoch = attributes.text("epoch");
    attributes.finish();
    expect_empty(node);
    return made;
}

ir::Group XmlReader::group(pugi::xml_node node) {
    ir::Group made;
    if (nesting_ == kNestingMax) {
        refuse(node, "groups are nested deeper than " + std::to_string(kNestingMax));
        return made;
    }
    XmlAttributes attributes(*this, node);
    if (std::string dimension_type = attributes.token("dimensionType"); !dimension_type.empty()) {
        made.dimension_type = std::move(dimension_type);
    }
    ++nesting_;
    block(node, attributes, made);
    --nesting_;
    return made;
}

ir::Data XmlReader::data(pugi::xml_node node) {
    XmlAttributes attributes(*this, node);
    ir::Data made;
    attributes.named(made);
    made.id = attributes.required_id();
    made.type = attributes.required_token("type");
    made.presence = attributes.presence();
    attributes.finish();
    expect_empty(node);
    return made;
}

}  // namespace detail

}  // namespace fulmar::sbe
