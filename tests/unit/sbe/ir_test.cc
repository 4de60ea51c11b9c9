#include "fulmar/sbe/ir.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

namespace fulmar::sbe::ir {

TEST_CASE("primitive: names, sizes and null values are the standard's") {
    CHECK(to_string(Primitive::kUint16) == "uint16");
    CHECK(primitive_of("double") == Primitive::kDouble);
    CHECK_FALSE(primitive_of("Double"));
    CHECK(size_of(Primitive::kInt64) == 8);
    CHECK(default_null(Primitive::kChar) == Value{std::int64_t{0}});
    CHECK(default_null(Primitive::kInt8) == Value{std::int64_t{-128}});
    CHECK(default_null(Primitive::kUint16) == Value{std::uint64_t{65535}});
    CHECK(default_null(Primitive::kInt64) == Value{std::numeric_limits<std::int64_t>::min()});
    CHECK(default_null(Primitive::kFloat) == Value{std::nan("")});
}

TEST_CASE("equality: deep, and blind for the line of the file") {
    Schema a;
    Message message;
    message.name = "M";
    Group group;
    group.name = "g";
    group.groups.emplace_back().name = "inner";
    message.groups.push_back(group);
    a.messages.push_back(message);
    Schema b = a;
    b.messages[0].origin.line = 7;
    CHECK(a == b);
    b.messages[0].groups[0].groups[0].dimension_type = "other";
    CHECK_FALSE(a == b);
}

TEST_CASE("standard types: added once, in front, and only where they are used") {
    Schema schema;
    schema.messages.emplace_back().name = "M";
    add_standard_types(schema);
    REQUIRE(schema.types.size() == 1);
    CHECK(about(schema.types[0]).name == "messageHeader");

    schema.messages[0].groups.emplace_back().groups.emplace_back();
    add_standard_types(schema);
    add_standard_types(schema);
    REQUIRE(schema.types.size() == 2);
    CHECK(find_type(schema, "groupSizeEncoding") != nullptr);
    CHECK(std::get<Composite>(*find_type(schema, "messageHeader")) == standard_message_header());
}

}  // namespace fulmar::sbe::ir
