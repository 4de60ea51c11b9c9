#include <string>

#include <doctest/doctest.h>

#include "fulmar/sbe/resolved_schema.h"
#include "fulmar/sbe/schema_xml.h"
#include "tests/unit/golden.h"

namespace fulmar::sbe {

namespace {

fulmar::Result<ResolvedSchema> resolve(
    const std::string& types, const std::string& messages, const char* version = "2") {
    const auto schema = read_xml(std::string("<messageSchema package='p' id='1' version='") + version +
                                     "'>\n<types>" + types + "</types>\n" + messages + "</messageSchema>",
        {.name = "x.xml"});
    REQUIRE_MESSAGE(schema, (schema ? "" : schema.error().message));
    return ResolvedSchema::resolve(*schema);
}

std::string error_of(const std::string& types, const std::string& messages = "") {
    const auto resolved = resolve(types, messages);
    REQUIRE_MESSAGE(!resolved, types, messages);
    return resolved.error().message;
}

std::string message_of(const std::string& parts, const std::string& attributes = "") {
    return "<message name='M' id='1' " + attributes + ">" + parts + "</message>";
}

std::string error_in(const std::string& parts, const std::string& types = "") {
    return error_of(types, message_of(parts));
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

const Element& field(const BlockLayout& block, std::string_view name) {
    for (const Element& element : block.fields) {
        if (element.named->name == name) {
            return element;
        }
    }
    FAIL("no field ", std::string(name));
    return block.fields[0];
}

const char* const kVarData =
    "<composite name='v'><type name='length' primitiveType='uint8'/>"
    "<type name='varData' primitiveType='char' length='0'/></composite>";

}  // namespace

TEST_CASE("layout: offsets follow each other, declared ones win, constants take no room") {
    const auto resolved = ResolvedSchema::resolve(*read_xml(test::read_golden("sbe/every_construct.xml")));
    REQUIRE_MESSAGE(resolved, (resolved ? "" : resolved.error().message));
    CHECK(resolved->header().size == 8);
    CHECK(resolved->header().version.offset == 6);
    const BlockLayout* fields = resolved->message(1);
    REQUIRE(fields != nullptr);
    CHECK(fields->block_length == 160);
    CHECK(field(*fields, "small").offset == 2);
    CHECK(field(*fields, "number16").offset == 3);
    CHECK(field(*fields, "number32").offset == 8);
    CHECK(field(*fields, "number64").offset == 12);
    CHECK(field(*fields, "symbol").size == 8);
    CHECK(field(*fields, "price").size == 8);
    const Element& everything = field(*fields, "everything");
    CHECK(everything.size == 28);
    REQUIRE(everything.members.size() == 7);
    CHECK(everything.members[2].offset == everything.offset + 4);
    CHECK(everything.members[3].members[1].offset == everything.offset + 10);
    CHECK(everything.members[4].offset == everything.offset + 16);
    CHECK(everything.members[6].offset == everything.offset + 25);
    CHECK(field(*fields, "fixedText").size == 0);
    CHECK(field(*fields, "added").offset == field(*fields, "stamp").offset + 8);

    const BlockLayout* nested = resolved->message(2);
    REQUIRE(nested != nullptr);
    CHECK(nested->block_length == 8);
    REQUIRE(nested->groups.size() == 2);
    CHECK(nested->groups[0].block_length == 6);
    CHECK(nested->groups[0].header_size == 4);
    const GroupLayout& fills = nested->groups[0].groups[0];
    CHECK(fills.block_length == 8);
    CHECK(fills.header_size == 4);
    CHECK(fills.entry_count.offset == 3);
    CHECK(fills.groups[0].block_length == 8);
    CHECK(nested->data[0].header_size == 4);
    CHECK(nested->data[1].header_size == 2);
    CHECK(resolved->message(3)->block_length == 0);
    CHECK(resolved->message(99) == nullptr);
}

TEST_CASE("presence: the field's, else the type's, with the null value that counts") {
    const auto resolved = ResolvedSchema::resolve(*read_xml(test::read_golden("sbe/every_construct.xml")));
    REQUIRE(resolved);
    const BlockLayout& fields = *resolved->message(1);
    CHECK(field(fields, "number32").presence == ir::Presence::kOptional);
    CHECK(field(fields, "number32").null_value == ir::Value{std::int64_t{0}});
    CHECK(field(fields, "required32").presence == ir::Presence::kRequired);
    CHECK(field(fields, "optional64").null_value == ir::Value{std::int64_t{INT64_MIN}});
    CHECK(field(fields, "reason").null_value == ir::Value{std::uint64_t{999}});
    CHECK(field(fields, "optionalSide").null_value == ir::Value{std::int64_t{0}});
    CHECK(field(fields, "fixedNumber").presence == ir::Presence::kConstant);
    CHECK(field(fields, "fixedUnit").constant == ir::Value{std::uint64_t{9}});
    CHECK(field(fields, "fixedSide").constant == ir::Value{std::int64_t{'2'}});
    CHECK(field(fields, "fixedCode").constant == ir::Value{std::uint64_t{3}});
}

TEST_CASE("errors: path, and what does not fit together") {
    CHECK(
        error_in("<field name='f' id='1' type='nope'/>") == "x.xml:3: field 'M.f': there is no type 'nope'");
    CHECK(has(error_in("<field name='f' id='1' type='int8'/><field name='f' id='2' type='int8'/>"),
        "of this name"));
    CHECK(has(
        error_in("<field name='f' id='1' type='int8'/><field name='g' id='1' type='int8'/>"), "has id 1"));
    CHECK(
        has(error_in("<field name='f' id='1' type='int64'/><field name='g' id='2' type='int8' offset='7'/>"),
            "offset 7 overlaps what ends at 8"));
    CHECK(
        has(error_in("<field name='f' id='1' type='int8' offset='16777216'/>"), "beyond the longest block"));
    CHECK(has(
        error_in("<field name='f' id='1' type='int8' sinceVersion='3'/>"), "above the schema's version 2"));
    CHECK(has(error_in("<field name='1f' id='1' type='int8'/>"), "a name is a letter"));
    CHECK(
        has(error_in("<field name='f' id='1' type='v'/>", kVarData), "only data can be of variable length"));
    CHECK(has(error_in("<field name='f' id='1' type='int8' presence='constant'/>"), "gives it a value"));
    CHECK(has(error_in("<field name='f' id='1' type='int8' valueRef='E.v'/>"), "not constant"));
    CHECK(
        has(error_in("<field name='f' id='1' type='int8' presence='constant' valueRef='E'/>"), "Enum.Value"));
    CHECK(has(error_in("<field name='f' id='1' type='int8' presence='constant' valueRef='E.v'/>"),
        "none called 'E'"));
    CHECK(has(error_in("<group name='g' id='1' dimensionType='int8'/>"), "there is no composite 'int8'"));
    CHECK(has(error_in("<data name='d' id='1' type='d'/>",
                  "<composite name='d'><type name='length' primitiveType='int8'/></composite>"),
        "'length' must be an unsigned integer"));
    CHECK(has(error_in("<data name='d' id='1' type='d'/>",
                  "<composite name='d'><type name='length' primitiveType='uint8'/></composite>"),
        "must be 'varData'"));
    CHECK(has(error_of("", message_of("<field name='f' id='1' type='int64'/>", "blockLength='7'")),
        "message 'M': blockLength 7 is not between the 8 bytes"));
    CHECK(has(error_of("", message_of("") + message_of("")), "another message of this name"));
    CHECK(has(error_of("", message_of("") + "<message name='N' id='1'/>"), "another message has id 1"));
    CHECK(has(error_of("", message_of("", "blockLength='65536'")), "does not fit into the message header"));
}

TEST_CASE("errors in types: each is found though nothing uses it") {
    const std::string encoding = "<type name='t' primitiveType='int8' ";
    CHECK(has(error_of(encoding + "/>" + encoding + "/>"),
        "x.xml:2: type 't': there is another type of this name"));
    CHECK(has(error_of(encoding + "length='16777217'/>"), "longer than any block"));
    CHECK(has(error_of(encoding + "minValue='2' maxValue='1'/>"), "its minValue is above its maxValue"));
    CHECK(has(error_of(encoding + "presence='constant' length='2'>1</type>"), "not one int8"));
    CHECK(has(error_of("<type name='t' primitiveType='char' presence='constant' length='2'>abc</type>"),
        "no text of 1 to 2 characters"));
    CHECK(has(error_of("<enum name='E' encodingType='uint8'><validValue name='v'>255</validValue></enum>"),
        "validValue 'E.v': its value is the null value"));
    CHECK(has(error_of("<enum name='E' encodingType='uint8'><validValue name='v'>1</validValue>"
                       "<validValue name='w'>1</validValue></enum>"),
        "another name has the same value"));
    CHECK(has(error_of("<set name='S' encodingType='uint8'><choice name='c'>8</choice></set>"),
        "bit 8 is outside"));
    CHECK(has(error_of("<set name='S' encodingType='int8'/>"), "must be encoded as uint8"));
    CHECK(has(error_of("<composite name='C'><ref name='r' type='C'/></composite>"),
        "composite 'C.C': it contains itself"));
    CHECK(has(error_of("<composite name='C'><ref name='r' type='nope'/></composite>"),
        "ref 'C.r': there is no type"));
    CHECK(has(error_of("<composite name='C'><type name='a' primitiveType='int16'/>"
                       "<type name='b' primitiveType='int8' offset='1'/></composite>"),
        "member 'C.b': offset 1 overlaps what ends at 2"));
    CHECK(has(
        error_of(
            "<composite name='messageHeader'><type name='blockLength' primitiveType='uint16'/></composite>"),
        "it has no member 'templateId'"));
}

TEST_CASE("composites that multiply through refs are refused before they fill the memory") {
    std::string types = "<composite name='C0'>";
    for (int i = 0; i < 20; ++i) {
        types += "<type name='t" + std::to_string(i) + "' primitiveType='int8' presence='constant'>1</type>";
    }
    types += "</composite>";
    for (int level = 1; level < 12; ++level) {
        types += "<composite name='C" + std::to_string(level) + "'>";
        for (int i = 0; i < 20; ++i) {
            types += "<ref name='r" + std::to_string(i) + "' type='C" + std::to_string(level - 1) + "'/>";
        }
        types += "</composite>";
    }
    CHECK(has(error_of(types), "more than 4096 values"));
}

TEST_CASE("widths: header and dimensions of any unsigned integer") {
    const std::string header =
        "<composite name='messageHeader'><type name='blockLength' primitiveType='uint8'/>"
        "<type name='templateId' primitiveType='uint32'/><type name='schemaId' primitiveType='uint64'/>"
        "<type name='version' primitiveType='uint8'/></composite>";
    const auto resolved = resolve(header, message_of("<field name='f' id='1' type='int8'/>"));
    REQUIRE_MESSAGE(resolved, (resolved ? "" : resolved.error().message));
    CHECK(resolved->header().size == 14);
    CHECK(resolved->header().schema_id.offset == 5);
    CHECK(has(error_of(header, message_of("", "blockLength='256'")), "does not fit into the message header"));
    const auto version = resolve(header, "", "256");
    REQUIRE_FALSE(version);
    CHECK(has(version.error().message, "id or version does not fit"));
}

}  // namespace fulmar::sbe
