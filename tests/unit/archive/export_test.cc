/// The schema that other languages generate their side of an archive's messages from.
#include "archive/mark_file.h"
#include "archive/messages.h"
#include "fulmar/sbe/describe.h"
#include "tests/unit/sbe_golden.h"

namespace fulmar::archive {

TEST_CASE("the exported schema reads back and is written the same again") {
    const auto xml = sbe::write_schema_of<Messages>();
    REQUIRE(xml);
    const auto schema = sbe::read_xml(*xml);
    REQUIRE_MESSAGE(schema, (schema ? "" : schema.error().message));
    CHECK(sbe::write_xml(*schema) == *xml);
    CHECK(schema->package == "io.aeron.archive.codecs");
    CHECK(schema->messages.size() == 49);
}

TEST_CASE("lengths of 32 bits have a bound: generators refuse them without one") {
    const auto xml = sbe::write_schema_of<Messages>();
    REQUIRE(xml);
    const std::string bounded = R"(<type name="length" primitiveType="uint32" maxValue="1073741824"/>)";
    const std::size_t ascii = xml->find(R"(<composite name="varAsciiEncoding">)");
    const std::size_t data = xml->find(R"(<composite name="varDataEncoding">)");
    REQUIRE(ascii != std::string::npos);
    REQUIRE(data != std::string::npos);
    CHECK(xml->find(bounded, ascii) < xml->find("</composite>", ascii));
    CHECK(xml->find(bounded, data) < xml->find("</composite>", data));
}

}  // namespace fulmar::archive
