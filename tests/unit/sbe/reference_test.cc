/// Every construct against bytes of the reference tool's codecs, both by C++ descriptions and by a schema
/// that is read at run time (tests/golden/README.md tells how the bytes were made).
#include "apps/fulmar/sbe_json.h"
#include "fulmar/sbe/schema_xml.h"
#include "tests/unit/sbe/every_construct.h"
#include "tests/unit/sbe_golden.h"

namespace fulmar::every_construct {

namespace {

/// What a walk shows against the golden values. It names what the sender's version lacks, which these leave
/// out.
void check_walked(const test::Json& walked, const test::Json& golden) {
    if (golden.is_object()) {
        for (const auto& item : walked.items()) {
            const std::string& name = item.key();
            const test::Json& value = item.value();
            CAPTURE(name);
            if (!golden.contains(name)) {
                CHECK((value.is_null() || (value.is_array() && value.empty())));
            } else {
                check_walked(value, golden[name]);
            }
        }
        CHECK(walked.size() >= golden.size());
    } else if (golden.is_array()) {
        REQUIRE(walked.size() == golden.size());
        for (std::size_t i = 0; i < golden.size(); ++i) {
            check_walked(walked[i], golden[i]);
        }
    } else {
        CHECK(walked == golden);
    }
}

void check_walks(const std::string& file, bool big_endian) {
    auto schema = sbe::read_xml(test::read_golden("sbe/every_construct.xml"));
    REQUIRE_MESSAGE(schema, (schema ? "" : schema.error().message));
    if (big_endian) {
        schema->byte_order = sbe::ir::ByteOrder::kBigEndian;
    }
    const auto resolved = sbe::ResolvedSchema::resolve(*schema);
    REQUIRE_MESSAGE(resolved, (resolved ? "" : resolved.error().message));
    const test::Json golden = test::golden_sbe(file);
    for (const test::Json& entry : golden["messages"]) {
        CAPTURE(entry["name"]);
        CAPTURE(entry["variant"]);
        const std::vector<std::byte> bytes = test::from_hex(entry["hex"]);
        cli::JsonVisitor visitor;
        const auto length = sbe::walk(*resolved, bytes, visitor);
        REQUIRE_MESSAGE(length, (length ? "" : length.error().text()));
        CHECK(*length == bytes.size());
        CHECK(visitor.message()["message"] == entry["name"]);
        CHECK(visitor.message()["version"] == entry["version"]);
        check_walked(visitor.message()["fields"], entry["fields"]);
    }
}

}  // namespace

TEST_CASE("every construct of the reference codecs, both ways, little endian") {
    test::check_codecs("every_construct_little", Messages<Little>{});
}

TEST_CASE("every construct of the reference codecs, both ways, big endian") {
    test::check_codecs("every_construct_big", Messages<Big>{});
}

TEST_CASE("every construct of the reference codecs, walked by its XML schema") {
    check_walks("every_construct_little", false);
    check_walks("every_construct_big", true);
}

}  // namespace fulmar::every_construct
