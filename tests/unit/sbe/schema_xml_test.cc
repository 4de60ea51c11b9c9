#include "fulmar/sbe/schema_xml.h"

#include <map>
#include <string>

#include <doctest/doctest.h>

#include "fulmar/sbe/resolved_schema.h"
#include "tests/unit/golden.h"

namespace fulmar::sbe {

namespace {

/// A schema with these types and messages.
std::string schema_of(const std::string& types, const std::string& messages = "") {
    return "<sbe:messageSchema xmlns:sbe='http://fixprotocol.io/2016/sbe' package='p' id='1' "
           "version='2'>\n<types>" +
           types + "</types>\n" + messages + "</sbe:messageSchema>";
}

std::string error_of(const std::string& xml) {
    const auto schema = read_xml(xml, {.name = "x.xml"});
    REQUIRE_MESSAGE(!schema, xml);
    return schema.error().message;
}

ir::Schema read(const std::string& xml) {
    auto schema = read_xml(xml);
    REQUIRE_MESSAGE(schema, (schema ? "" : schema.error().message));
    return *schema;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every construct: read, laid out, written, read again") {
    const ir::Schema schema = read(test::read_golden("sbe/every_construct.xml"));
    CHECK(schema.package == "fulmar.test.every_construct");
    CHECK(schema.id == 7001);
    CHECK(schema.version == 3);
    CHECK(schema.types.size() == 34);
    REQUIRE(schema.messages.size() == 4);
    CHECK(schema.messages[0].fields.size() == 33);

    const auto resolved = ResolvedSchema::resolve(schema);
    REQUIRE_MESSAGE(resolved, (resolved ? "" : resolved.error().message));

    const std::string once = write_xml(schema);
    const ir::Schema again = read(once);
    CHECK(again == schema);
    CHECK(write_xml(again) == once);
}

TEST_CASE("values: read as their primitive's, with text where it matters kept") {
    const ir::Schema schema = read(test::read_golden("sbe/every_construct.xml"));
    const auto encoding = [&](const char* name) {
        return std::get<ir::Encoding>(*ir::find_type(schema, name));
    };
    CHECK(encoding("constantNumber").constant == ir::Value{std::uint64_t{42}});
    CHECK(encoding("constantText").constant == ir::Value{std::string("R&D <1>")});
    CHECK(encoding("constantText").length == 7);
    CHECK(encoding("constantRoom").constant == ir::Value{std::string("XNAS")});
    CHECK(encoding("constantRoom").length == 6);
    CHECK(encoding("anInt64").null_value == ir::Value{std::int64_t{INT64_MIN}});
    CHECK(encoding("aUint64").max_value == ir::Value{std::uint64_t{UINT64_MAX - 1}});
    CHECK(encoding("aFloat").max_value == ir::Value{1e10});
    CHECK(encoding("aUint32").deprecated == 2U);
    const auto side = std::get<ir::Enum>(*ir::find_type(schema, "Side"));
    CHECK(side.values[1].value == ir::Value{std::int64_t{'2'}});
    CHECK(side.values[2].since_version == 2);
    const auto is_signed = std::get<ir::Enum>(*ir::find_type(schema, "Signed"));
    CHECK(is_signed.values[0].value == ir::Value{std::int64_t{-1}});
}

TEST_CASE("char limits: a printable character or a code of two or more digits") {
    const ir::Schema schema =
        read(schema_of("<type name='a' primitiveType='char' nullValue='0' minValue=' '/>"
                       "<type name='b' primitiveType='char' nullValue='00'/>"));
    const auto& a = std::get<ir::Encoding>(*ir::find_type(schema, "a"));
    CHECK(a.null_value == ir::Value{std::int64_t{'0'}});
    CHECK(a.min_value == ir::Value{std::int64_t{' '}});
    CHECK(std::get<ir::Encoding>(*ir::find_type(schema, "b")).null_value == ir::Value{std::int64_t{0}});
    CHECK(read(write_xml(schema)) == schema);
}

TEST_CASE("defaults: header and group dimensions are added, names of primitives are types") {
    const ir::Schema schema = read(schema_of("<type name='t' primitiveType='int8'/>",
        "<message name='M' id='1'><field name='f' id='1' type='uint32'/><group name='g' id='2'/></message>"));
    CHECK(schema.types.size() == 3);
    CHECK(ResolvedSchema::resolve(schema));
    CHECK(read(write_xml(schema)) == schema);
}

TEST_CASE("namespaces: any prefix of elements, and attributes of others are left out") {
    const ir::Schema schema = read(
        "<a:messageSchema xmlns:a='urn:a' xmlns:b='urn:b' package='p' b:owner='me' id='1' version='0'>"
        "<message name='M' id='1'/><a:message name='N' id='2' b:x='y'/></a:messageSchema>");
    CHECK(schema.messages.size() == 2);
}

TEST_CASE("texts: escaped on writing, with blanks and line breaks kept") {
    ir::Schema schema = read(schema_of("<type name='t' primitiveType='char' presence='constant'>x</type>"));
    schema.description = "a < b & \"c\"\n\tü ";
    auto& encoding = std::get<ir::Encoding>(schema.types[1]);
    encoding.constant = ir::Value{std::string(" <&> ")};
    encoding.length = 5;
    CHECK(read(write_xml(schema)) == schema);
    encoding.constant = ir::Value{std::string("  ")};
    encoding.length = 9;
    CHECK(read(write_xml(schema)) == schema);
}

TEST_CASE("errors: file, line, element and what is wrong with it") {
    CHECK(
        error_of("<messageSchema id='x'/>") == "x.xml:1: <messageSchema>: id 'x' is no number of 0 to 65535");
    CHECK(error_of(schema_of("\n<type name='t' primitiveType='int7'/>")) ==
          "x.xml:3: <type name='t'>: primitiveType 'int7' is none of SBE's");
    CHECK(has(error_of("<messageSchema"), "x.xml:1: not well-formed XML"));
    CHECK(has(error_of("<schema/>"), "begins with messageSchema"));
    CHECK(has(error_of(""), "not well-formed"));
    CHECK(has(error_of("<messageSchema/><messageSchema/>"), "second root"));
    CHECK(has(error_of(schema_of("<typ name='t'/>")), "<typ name='t'>: SBE knows no such element here"));
    CHECK(has(error_of(schema_of("<type name='t' primitiveType='int8' size='2'/>")), "no attribute 'size'"));
    CHECK(has(error_of(schema_of("<type name='t' primitiveType='int8' name='u'/>")), "'name' twice"));
    CHECK(has(error_of(schema_of("<type primitiveType='int8'/>")), "it has no name"));
    CHECK(has(error_of(schema_of("<type name='t' primitiveType='int8' nullValue='200'/>")), "is no int8"));
    CHECK(has(
        error_of(schema_of("<type name='t' primitiveType='int8' presence='maybe'/>")), "presence 'maybe'"));
    CHECK(
        has(error_of(schema_of("<type name='t' primitiveType='int8' presence='constant'/>")), "is no int8"));
    CHECK(has(error_of(schema_of("<enum name='E' encodingType='nope'/>")), "encodingType 'nope'"));
    CHECK(has(
        error_of(schema_of("<enum name='E' encodingType='char'><validValue name='v'>12</validValue></enum>")),
        "its value '12' is no char"));
    CHECK(has(error_of(schema_of("",
                  "<message name='M' id='1'><data name='d' id='1' type='v'/>"
                  "<field name='f' id='2' type='int8'/></message>")),
        "<field name='f'>: fields come before groups and data"));
    CHECK(has(error_of(schema_of("", "<message name='M'/>")), "it has no id"));
    CHECK(has(error_of(schema_of("", "<message name='M' id='1'>words</message>")), "it holds text"));
}

TEST_CASE("hostile text: no DTD, no foreign characters, no bottomless nesting") {
    CHECK(has(error_of("<!DOCTYPE m [<!ENTITY a 'b'>]><messageSchema/>"), "document type definition"));
    CHECK(has(error_of("<messageSchema description='\xC0\x80'/>"), "not UTF-8"));
    CHECK(has(error_of(std::string("<messageSchema description='a\0b'/>", 35)), "not UTF-8"));
    CHECK(has(error_of("<messageSchema\n package='&#0;'/>"), "x.xml:2: a reference to no character"));
    CHECK(has(error_of("<messageSchema package='&#4294967296;'/>"), "a reference to no character"));
    CHECK(has(error_of("<messageSchema package='&#xD800;'/>"), "a reference to no character"));
    std::string deep;
    for (int i = 0; i < 10000; ++i) {
        deep += "<composite name='c'>";
    }
    for (int i = 0; i < 10000; ++i) {
        deep += "</composite>";
    }
    CHECK(has(error_of(schema_of(deep)), "nested deeper than 16"));
    const auto too_long = read_xml("<messageSchema/>", {.name = "x.xml", .include = {}, .bytes_max = 8});
    REQUIRE_FALSE(too_long);
    CHECK(has(too_long.error().message, "longer than 8 bytes"));
}

TEST_CASE("include: through the caller, with its own lines, and bounded") {
    const std::string outer =
        "<m:messageSchema xmlns:m='urn:m' xmlns:xi='http://www.w3.org/2001/XInclude' package='p' id='1' "
        "version='0'>\n"
        "<xi:include href='types.xml'/></m:messageSchema>";
    CHECK(has(error_of(outer), "x.xml:2: <xi:include>: including 'types.xml' is not possible here"));

    std::map<std::string, std::string> files{
        {"types.xml",
            "<types>\n<type name='t' primitiveType='int8'/>\n<xi:include href='more.xml'/></types>"},
        {"more.xml", "<type name='u' primitiveType='int16'/>"}};
    std::string asked;
    XmlOptions options{.name = "x.xml"};
    options.include = [&](const std::string& href, const std::string& from) -> fulmar::Result<IncludedXml> {
        asked += from + ">" + href + " ";
        return IncludedXml{href, files[href]};
    };
    const auto schema = read_xml(outer, options);
    REQUIRE_MESSAGE(schema, (schema ? "" : schema.error().message));
    CHECK(asked == "x.xml>types.xml types.xml>more.xml ");
    REQUIRE(schema->types.size() == 3);
    CHECK(ir::about(schema->types[2]).name == "u");
    CHECK(schema->sources[ir::about(schema->types[1]).origin.source] == "types.xml");
    CHECK(ir::about(schema->types[1]).origin.line == 2);

    files["more.xml"] = "<type name='u'/>";
    const auto bad = read_xml(outer, options);
    REQUIRE_FALSE(bad);
    CHECK(has(bad.error().message, "more.xml:1: <type name='u'>"));

    files["more.xml"] = "<xi:include href='more.xml'/>";
    const auto endless = read_xml(outer, options);
    REQUIRE_FALSE(endless);
    CHECK(has(endless.error().message, "too deep"));
}

}  // namespace fulmar::sbe
