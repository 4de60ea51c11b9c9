// A schema as standard XML, in one layout: four blanks a level, attributes in a fixed order, defaults left
// out.
#include <string>

#include "fulmar/sbe/schema_xml.h"
#include "sbe/schema_text.h"

namespace fulmar::sbe {

namespace {

using ir::Presence;

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\t':
            case '\n':
            case '\r': out += "&#" + std::to_string(static_cast<int>(c)) + ";"; break;
            default: out += c;
        }
    }
    return out;
}

std::string_view presence_text(Presence presence) {
    switch (presence) {
        case Presence::kRequired: return "required";
        case Presence::kOptional: return "optional";
        case Presence::kConstant: return "constant";
    }
    return "required";
}

class XmlWriter {
  public:
    explicit XmlWriter(const ir::Schema& schema) : schema_(schema), primitives_(schema) {}
    std::string write();

  private:
    void indent() { out_.append(depth_ * 4, ' '); }
    void begin(std::string_view element) {
        indent();
        out_ += '<';
        out_ += element;
    }
    void attribute(std::string_view name, std::string_view value) {
        out_ += ' ';
        out_ += name;
        out_ += "=\"" + escaped(value) + '"';
    }
    void attribute_unless_empty(std::string_view name, std::string_view value) {
        if (!value.empty()) {
            attribute(name, value);
        }
    }
    template <class Number>
    void attribute_if(std::string_view name, const std::optional<Number>& value) {
        if (value) {
            attribute(name, std::to_string(*value));
        }
    }
    void limit(std::string_view name, const std::optional<ir::Value>& value, ir::Primitive primitive) {
        if (value) {
            attribute(name, detail::limit_text(*value, primitive));
        }
    }
    void presence(Presence value) {
        if (value != Presence::kRequired) {
            attribute("presence", presence_text(value));
        }
    }
    void about(const ir::Named& named);
    void end_empty() { out_ += "/>\n"; }
    void end_with_text(std::string_view element, std::string_view text) {
        out_ += '>' + escaped(text) + "</";
        out_ += element;
        out_ += ">\n";
    }
    void open() {
        out_ += ">\n";
        ++depth_;
    }
    void close(std::string_view element) {
        --depth_;
        indent();
        out_ += "</";
        out_ += element;
        out_ += ">\n";
    }

    // Types; the offset is a member's.
    using Offset = std::optional<std::uint32_t>;
    void type(const ir::Encoding& encoding, Offset offset);
    void type(const ir::Enum& enumeration, Offset offset);
    void type(const ir::Set& set, Offset offset);
    void type(const ir::Composite& composite, Offset offset);
    void type(const ir::Ref& ref, Offset offset);

    void block(std::string_view element, const ir::Block& block);
    void field(const ir::Field& field);
    void group(const ir::Group& group);
    void data(const ir::Data& data);

    const ir::Schema& schema_;
    detail::PrimitiveNames primitives_;
    std::string out_;
    std::size_t depth_ = 0;
};

std::string XmlWriter::write() {
    out_ = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
    begin("sbe:messageSchema");
    attribute("xmlns:sbe", "http://fixprotocol.io/2016/sbe");
    attribute("package", schema_.package);
    attribute("id", std::to_string(schema_.id));
    attribute("version", std::to_string(schema_.version));
    attribute_unless_empty("semanticVersion", schema_.semantic_version);
    attribute_unless_empty("description", schema_.description);
    attribute("byteOrder", schema_.byte_order == ir::ByteOrder::kBigEndian ? "bigEndian" : "littleEndian");
    if (schema_.header_type != "messageHeader") {
        attribute("headerType", schema_.header_type);
    }
    open();
    if (!schema_.types.empty()) {
        begin("types");
        open();
        for (const ir::Type& each : schema_.types) {
            std::visit([this](const auto& alternative) { type(alternative, {}); }, each);
        }
        close("types");
    }
    for (const ir::Message& message : schema_.messages) {
        begin("sbe:message");
        attribute("name", message.name);
        attribute("id", std::to_string(message.id));
        block("sbe:message", message);
    }
    close("sbe:messageSchema");
    return std::move(out_);
}

void XmlWriter::about(const ir::Named& named) {
    attribute_unless_empty("semanticType", named.semantic_type);
    attribute_unless_empty("description", named.description);
    if (named.since_version != 0) {
        attribute("sinceVersion", std::to_string(named.since_version));
    }
    attribute_if("deprecated", named.deprecated);
}

void XmlWriter::type(const ir::Encoding& encoding, Offset offset) {
    begin("type");
    attribute("name", encoding.name);
    attribute("primitiveType", ir::to_string(encoding.primitive));
    const std::string* text =
        encoding.constant ? std::get_if<std::string>(&encoding.constant->data) : nullptr;
    if (encoding.length != (text == nullptr ? 1 : text->size())) {
        attribute("length", std::to_string(encoding.length));
    }
    attribute_if("offset", offset);
    presence(encoding.presence);
    attribute_unless_empty("valueRef", encoding.value_ref);
    limit("nullValue", encoding.null_value, encoding.primitive);
    limit("minValue", encoding.min_value, encoding.primitive);
    limit("maxValue", encoding.max_value, encoding.primitive);
    attribute_unless_empty("characterEncoding", encoding.character_encoding);
    attribute_unless_empty("timeUnit", encoding.time_unit);
    attribute_unless_empty("epoch", encoding.epoch);
    about(encoding);
    if (encoding.constant) {
        end_with_text("type", detail::value_text(*encoding.constant, encoding.primitive));
    } else {
        end_empty();
    }
}

void XmlWriter::type(const ir::Enum& enumeration, Offset offset) {
    const ir::Primitive primitive =
        primitives_.find(enumeration.encoding_type).value_or(ir::Primitive::kInt64);
    begin("enum");
    attribute("name", enumeration.name);
    attribute("encodingType", enumeration.encoding_type);
    attribute_if("offset", offset);
    presence(enumeration.presence);
    about(enumeration);
    open();
    for (const ir::EnumValue& value : enumeration.values) {
        begin("validValue");
        attribute("name", value.name);
        about(value);
        end_with_text("validValue", detail::value_text(value.value, primitive));
    }
    close("enum");
}

void XmlWriter::type(const ir::Set& set, Offset offset) {
    begin("set");
    attribute("name", set.name);
    attribute("encodingType", set.encoding_type);
    attribute_if("offset", offset);
    about(set);
    open();
    for (const ir::Choice& choice : set.choices) {
        begin("choice");
        attribute("name", choice.name);
        about(choice);
        end_with_text("choice", std::to_string(choice.bit));
    }
    close("set");
}

void XmlWriter::type(const ir::Composite& composite, Offset offset) {
    begin("composite");
    attribute("name", composite.name);
    attribute_if("offset", offset);
    about(composite);
    open();
    for (const ir::Member& member : composite.members) {
        std::visit([&](const auto& alternative) { type(alternative, member.offset); }, member.type);
    }
    close("composite");
}

void XmlWriter::type(const ir::Ref& ref, Offset offset) {
    begin("ref");
    attribute("name", ref.name);
    attribute("type", ref.type);
    attribute_if("offset", offset);
    about(ref);
    end_empty();
}

void XmlWriter::block(std::string_view element, const ir::Block& block) {
    attribute_if("blockLength", block.block_length);
    about(block);
    if (block.fields.empty() && block.groups.empty() && block.data.empty()) {
        return end_empty();
    }
    open();
    for (const ir::Field& each : block.fields) {
        field(each);
    }
    for (const ir::Group& each : block.groups) {
        group(each);
    }
    for (const ir::Data& each : block.data) {
        data(each);
    }
    close(element);
}

void XmlWriter::field(const ir::Field& field) {
    begin("field");
    attribute("name", field.name);
    attribute("id", std::to_string(field.id));
    attribute("type", field.type);
    attribute_if("offset", field.offset);
    if (field.presence) {
        attribute("presence", presence_text(*field.presence));
    }
    attribute_unless_empty("valueRef", field.value_ref);
    attribute_unless_empty("timeUnit", field.time_unit);
    attribute_unless_empty("epoch", field.epoch);
    about(field);
    end_empty();
}

void XmlWriter::group(const ir::Group& group) {
    begin("group");
    attribute("name", group.name);
    attribute("id", std::to_string(group.id));
    if (group.dimension_type != "groupSizeEncoding") {
        attribute("dimensionType", group.dimension_type);
    }
    block("group", group);
}

void XmlWriter::data(const ir::Data& data) {
    begin("data");
    attribute("name", data.name);
    attribute("id", std::to_string(data.id));
    attribute("type", data.type);
    if (data.presence) {
        attribute("presence", presence_text(*data.presence));
    }
    about(data);
    end_empty();
}

}  // namespace

std::string write_xml(const ir::Schema& schema) {
    return XmlWriter(schema).write();
}

}  // namespace fulmar::sbe
