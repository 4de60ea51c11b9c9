// Offsets, lengths and ids are constants of the compiler; most of this file is checked by compiling it.
#include <array>

#include "bytes.h"

namespace fulmar::sbe::test {
namespace {

static_assert(template_id<Numbers<Little>> == 1);
static_assert(header_length<Numbers<Little>> == 8);
static_assert(block_length<Numbers<Little>> == 43);
static_assert(offset_of<Numbers<Little>, "i8"> == 0);
static_assert(offset_of<Numbers<Little>, "i16"> == 2);
static_assert(offset_of<Numbers<Little>, "i64"> == 14);
static_assert(offset_of<Numbers<Little>, "letter"> == 42);

static_assert(block_length<Price> == 8, "a constant takes no bytes");
static_assert(offset_of<Nested, "price"> == 3);
static_assert(offset_of<Nested, "late"> == 12);
static_assert(block_length<Nested> == 17);
static_assert(block_length<Shapes<Big>> == 33);
static_assert(offset_of<Shapes<Big>, "name"> == 22);

static_assert(block_length<Spaced<Little>> == 16);
static_assert(offset_of<Spaced<Little>, "b"> == 4);
static_assert(block_length<Grown<Little>> == 8);
static_assert(detail::LayoutOf<Grown<Little>>::needed(0) == 4);
static_assert(detail::LayoutOf<Grown<Little>>::needed(2) == 6);
static_assert(detail::LayoutOf<Grown<Little>>::needed(3) == 8);
static_assert(detail::LayoutOf<Grown<Little>>::needed(9) == 8);
static_assert(block_length<Empty> == 0);
static_assert(encoded_length<Groups<Little>> == 8 + 2 + 4 + 3 + 4 + 4);
static_assert(element_length<Groups<Little>, "flat"> == 3);
static_assert(element_length<Groups<Little>, "deep"> == 1 + 8 + 2);

/// A header with other widths and a member more: its members are found by name.
struct WideHeader : Composite<"wideHeader", Member<"version", std::uint16_t>,
                        Member<"templateId", std::uint16_t>, Member<"blockLength", std::uint32_t>,
                        Member<"schemaId", std::uint16_t>, Member<"reserved", std::uint16_t>> {};
struct Wide : Schema<"test.wide", 9, 1, HeaderType<WideHeader>> {};
struct WideMessage : Message<Wide, "WideMessage", 5, Field<"a", 1, std::uint8_t>> {};
static_assert(header_length<WideMessage> == 12);

TEST_CASE("sbe layout: a header of another shape is written and read by its members' names") {
    std::array<std::byte, 32> buffer;
    buffer.fill(std::byte{0xee});
    Encoder<WideMessage> encoder(buffer);
    encoder.set<"a">(0x77);
    const auto encoded = encoder.finish();
    REQUIRE(encoded);
    CHECK(copy(*encoded) == hex("0100 0500 01000000 0900 0000 77"));
    const auto decoded = Decoder<WideMessage>::decode(*encoded);
    REQUIRE(decoded);
    CHECK(decoded->get<"a">() == 0x77);
}

}  // namespace
}  // namespace fulmar::sbe::test
