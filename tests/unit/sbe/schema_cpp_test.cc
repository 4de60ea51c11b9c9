#include "fulmar/sbe/schema_cpp.h"

#include <string>

#include <doctest/doctest.h>

#include "fulmar/sbe/resolved_schema.h"
#include "fulmar/sbe/schema_xml.h"
#include "tests/unit/golden.h"

namespace fulmar::sbe {

namespace {

fulmar::Result<std::string> description_of(const std::string& types, const std::string& fields,
    const std::string& attributes = "package='a.b' version='2'") {
    const auto schema =
        read_xml("<messageSchema id='1' " + attributes + "><types>" + types +
                     "</types><message name='M' id='1'>" + fields + "</message></messageSchema>",
            {.name = "x.xml"});
    REQUIRE_MESSAGE(schema, (schema ? "" : schema.error().message));
    return write_cpp(*schema);
}

std::string cpp(const std::string& types, const std::string& fields,
    const std::string& attributes = "package='a.b' version='2'") {
    const auto described = description_of(types, fields, attributes);
    REQUIRE_MESSAGE(described, (described ? "" : described.error().message));
    return *described;
}

std::string refusal(const std::string& types, const std::string& fields) {
    const auto described = description_of(types, fields);
    REQUIRE_FALSE(described);
    return described.error().message;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("description: only what differs from SBE's defaults") {
    const std::string text = cpp("<type name='qty_t' primitiveType='uint32'/>",
        "<field name='a' id='1' type='qty_t' offset='0'/><field name='b' id='2' type='int8' "
        "presence='required'/>"
        "<group name='g' id='3'><field name='c' id='4' type='char' presence='optional'/></group>");
    CHECK(has(text,
        "namespace a::b {\n\nnamespace sbe = ::fulmar::sbe;\n\n"
        "struct Schema : sbe::Schema<\"a.b\", 1, 2> {};\n"
        "struct QtyT : sbe::Type<\"qty_t\", std::uint32_t> {};\n"
        "struct M : sbe::Message<Schema, \"M\", 1,\n"
        "    sbe::Field<\"a\", 1, QtyT>,\n"
        "    sbe::Field<\"b\", 2, std::int8_t>,\n"
        "    sbe::Group<\"g\", 3, sbe::Field<\"c\", 4, char, sbe::Optional>>> {};\n\n"
        "using Messages = sbe::Messages<M>;\n"));
}

TEST_CASE("names: legal, free, and no words of the language") {
    const std::string types =
        "<type name='class' primitiveType='int8'/><type name='M' primitiveType='int8'/>"
        "<type name='NULL' primitiveType='int8'/><type name='_x__y' primitiveType='int8'/>"
        "<enum name='side' encodingType='uint8'><validValue name='default'>1</validValue>"
        "<validValue name='Default'>2</validValue></enum><type name='Side' primitiveType='int8'/>";
    const std::string text = cpp(types,
        "<field name='new' id='1' type='class'/><field name='b' id='2' type='M'/><field name='c' id='3' "
        "type='NULL'/>"
        "<field name='d' id='4' type='_x__y'/><field name='e' id='5' type='side'/><field name='f' id='6' "
        "type='Side'/>",
        "package='com.9th-Street.int.std..sbe' version='0'");
    CHECK(has(text, "namespace com::n9th_street::int_::std_::n::sbe {"));
    CHECK(has(text, "struct Class : sbe::Type<\"class\""));
    CHECK(has(text, "struct M2 : sbe::Type<\"M\""));
    CHECK(has(text, "struct Null : sbe::Type<\"NULL\""));
    CHECK(has(text, "struct XY : sbe::Type<\"_x__y\""));
    CHECK(has(text, "enum class Side : std::uint8_t {\n    kDefault = 1,\n    kDefault2 = 2,\n};"));
    CHECK(has(text, "struct Side2 : sbe::Type<\"Side\""));
    CHECK(has(text, "sbe::Field<\"new\", 1, Class>"));
}

TEST_CASE("values: as literals of their types") {
    const std::string text = cpp(
        "<type name='a' primitiveType='int64' presence='optional' nullValue='-1' "
        "minValue='-9223372036854775808'/>"
        "<type name='b' primitiveType='char' nullValue='07' minValue=\"'\" maxValue='\\'/>"
        "<type name='c' primitiveType='float' minValue='-Infinity' maxValue='2'/>"
        "<type name='d' primitiveType='char' presence='constant'>say \"\\\"</type>",
        "<field name='a' id='1' type='a'/><field name='b' id='2' type='b'/><field name='c' id='3' type='c'/>"
        "<field name='d' id='4' type='d' description='two&#10;lines'/>");
    CHECK(has(text, "sbe::Null<-1>, sbe::MinValue<INT64_MIN>>"));
    CHECK(has(text, "sbe::Null<'\\x07'>, sbe::MinValue<'\\''>, sbe::MaxValue<'\\\\'>>"));
    CHECK(has(text, "sbe::MinValue<-std::numeric_limits<float>::infinity()>"));
    CHECK(has(text, "sbe::MaxValue<2.0F>"));
    CHECK(has(text, "#include <limits>"));
    CHECK(has(text, "sbe::ConstantType<\"d\", char[7], \"say \\\"\\\\\\\"\">"));
    CHECK(has(text, "sbe::Description<\"two\\nlines\">"));
}

TEST_CASE("places: said where the description would put them elsewhere") {
    const std::string text = cpp("<type name='k' primitiveType='int8' presence='constant'>1</type>",
        "<field name='a' id='1' type='int8'/><field name='k' id='2' type='k' offset='4'/><field name='b' "
        "id='3' type='int8'/>"
        "<field name='c' id='4' type='int8' sinceVersion='2'/><field name='d' id='5' type='int8' "
        "sinceVersion='1'/>");
    CHECK(has(text, "sbe::Field<\"b\", 3, std::int8_t, sbe::At<4>>"));
    CHECK(has(text, "sbe::Field<\"c\", 4, std::int8_t, sbe::Since<2>>"));
    CHECK(has(text, "sbe::Field<\"d\", 5, std::int8_t, sbe::At<6>, sbe::Since<1>>"));
}

TEST_CASE("types inside composites get names of their own") {
    const std::string kind =
        "<enum name='kind' encodingType='uint8'><validValue name='x'>1</validValue></enum>";
    const std::string text =
        cpp("<composite name='A'>" + kind + "</composite><composite name='B'>" + kind + "</composite>",
            "<field name='a' id='1' type='A'/><field name='b' id='2' type='B'/>");
    CHECK(has(text, "struct KindType : sbe::Enum<\"kind\", Kind"));
    CHECK(has(text, "sbe::Enum<\"B_kind\", BKind"));
    CHECK(has(text, "sbe::Member<\"kind\", BKindType>"));
}

TEST_CASE("refused: what changes bytes and a description cannot say") {
    const std::string odd =
        "<composite name='v'><type name='length' primitiveType='uint64'/>"
        "<type name='varData' primitiveType='uint8' length='0'/></composite>";
    CHECK(has(refusal(odd, "<data name='d' id='1' type='v'/>"),
        "composite 'v': a description's variable-length data"));
    CHECK(has(
        refusal("<type name='t' primitiveType='char' presence='constant'>" + std::string(48, 'x') + "</type>",
            "<field name='f' id='1' type='t'/>"),
        "x.xml:1: type 't': a constant text in a description has at most 47 bytes"));
    CHECK(has(refusal("", "<field name='f' id='1' type='nope'/>"), "there is no type 'nope'"));
}

}  // namespace fulmar::sbe
