/// sbe::walk over any bytes as messages of a schema with every construct, in either byte order (the first
/// byte says which): an error, or a length within the bytes; what the visitor is shown can be read and is
/// well nested.
#include <string>

#include "fulmar/sbe/schema_xml.h"
#include "fulmar/sbe/walk.h"
#include "fuzz.h"

namespace {

using namespace fulmar;
using namespace fulmar::sbe;

const char* const kParts = R"(
    <types>
        <composite name="tiny"><type name="numInGroup" primitiveType="int8"/><type name="blockLength" primitiveType="uint8"/></composite>
        <composite name="wide"><type name="blockLength" primitiveType="uint32"/><type name="numInGroup" primitiveType="uint64"/></composite>
        <composite name="v8"><type name="length" primitiveType="uint8"/><type name="varData" primitiveType="char" length="0"/></composite>
        <composite name="v64"><type name="length" primitiveType="uint64"/><type name="varData" primitiveType="uint8" length="0"/></composite>
        <type name="symbol" primitiveType="char" length="5" presence="optional"/>
        <type name="samples" primitiveType="float" length="3" presence="optional"/>
        <type name="fixed" primitiveType="char" presence="constant">fixed</type>
        <enum name="Side" encodingType="char"><validValue name="Buy">1</validValue></enum>
        <set name="Flags" encodingType="uint16"><choice name="A">0</choice><choice name="B">15</choice></set>
        <composite name="Price"><type name="mantissa" primitiveType="int64" presence="optional"/>
            <type name="exponent" primitiveType="int8" presence="constant">-3</type>
            <ref name="side" type="Side" offset="12" sinceVersion="2"/></composite>
    </types>
    <message name="Fields" id="1">
        <field name="a" id="1" type="double" presence="optional"/><field name="b" id="2" type="symbol"/>
        <field name="c" id="3" type="samples"/><field name="d" id="4" type="fixed"/><field name="e" id="5" type="Side"/>
        <field name="f" id="6" type="Flags"/><field name="g" id="7" type="Price"/>
        <field name="h" id="8" type="Side" presence="constant" valueRef="Side.Buy"/>
        <field name="i" id="9" type="uint64" sinceVersion="1"/><field name="j" id="10" type="Price" sinceVersion="2"/>
    </message>
    <message name="Groups" id="2">
        <group name="a" id="1"><field name="x" id="2" type="uint16"/>
            <group name="b" id="3" dimensionType="tiny"><group name="c" id="4" dimensionType="wide"/>
                <data name="d" id="5" type="v8"/></group>
            <data name="e" id="6" type="v64" sinceVersion="1"/></group>
        <group name="f" id="7" dimensionType="wide" sinceVersion="2"><field name="y" id="8" type="Flags"/></group>
        <data name="g" id="9" type="v8"/><data name="h" id="10" type="v64" sinceVersion="2"/>
    </message>
</messageSchema>)";

ResolvedSchema schema_of(const std::string& byte_order) {
    auto schema =
        read_xml("<messageSchema package='fuzz' id='7' version='2' byteOrder='" + byte_order + "'>" + kParts);
    FUZZ_CHECK(schema.has_value());
    auto resolved = ResolvedSchema::resolve(std::move(*schema));
    FUZZ_CHECK(resolved.has_value());
    return std::move(resolved).value();
}

/// Reads all it is shown and keeps count of what is open.
class Reader : public Visitor {
  public:
    int open = 0;

    void on_message_begin(const BlockLayout&, const HeaderValues&) override { ++open; }
    void on_message_end() override { --open; }
    void on_value(const FieldValue& value) override {
        if (value.is_absent()) {
            return;
        }
        const Element& element = value.element();
        for (std::uint32_t i = 0; i < (element.constant ? 1 : value.length()); ++i) {
            static_cast<void>(value.is_null(i));
            static_cast<void>(value.value(i));
        }
        if (element.kind == ElementKind::kEnum) {
            static_cast<void>(value.enumerator());
        }
        if (element.kind == ElementKind::kEncoding && element.primitive == ir::Primitive::kChar) {
            fuzz::touch(value.text());
        }
    }
    void on_composite_begin(const Element&) override { ++open; }
    void on_composite_end() override { --open; }
    void on_group_begin(const GroupLayout&, std::uint64_t) override { ++open; }
    void on_entry_begin() override { ++open; }
    void on_entry_end() override { --open; }
    void on_group_end() override { --open; }
    void on_data(const DataLayout&, std::span<const std::byte> bytes) override { fuzz::touch(bytes); }
    void on_absent_data(const DataLayout&) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const ResolvedSchema little = schema_of("littleEndian");
    static const ResolvedSchema big = schema_of("bigEndian");
    if (size == 0) {
        return 0;
    }
    const auto message = fuzz::copy_of(data + 1, size - 1);
    Reader reader;
    const auto walked = walk((data[0] & 1U) == 0 ? little : big, message, reader);
    if (walked) {
        FUZZ_CHECK(*walked <= message.size());
        FUZZ_CHECK(reader.open == 0);
        // Its own bytes are all it needs.
        Reader again;
        const auto shorter =
            walk((data[0] & 1U) == 0 ? little : big, std::span(message).first(*walked), again);
        FUZZ_CHECK(shorter.has_value() && *shorter == *walked);
    } else {
        FUZZ_CHECK(walked.error().position <= message.size());
        FUZZ_CHECK(!walked.error().text().empty());
    }
    return 0;
}
