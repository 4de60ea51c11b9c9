// Bytes that are not the message, and messages that do not fit: which member, why, and nothing beyond the
// span.
#include <algorithm>
#include <array>
#include <memory>

#include "bytes.h"

namespace fulmar::sbe::test {
namespace {

using M = Groups<Little>;

/// A message whose every part is there.
std::vector<std::byte> sample() {
    std::array<std::byte, 128> buffer;
    Encoder<M> encoder(buffer);
    encoder.set<"id">(7);
    auto flat = encoder.group<"flat">();
    flat.add().set<"a">(1).set<"b">(2);
    flat.add().set<"a">(3).set<"b">(4);
    auto deep = encoder.group<"deep">();
    deep.add().set<"c">(1);
    auto element = deep.add();
    auto inner = element.group<"inner">();
    inner.add().data<"note">("n0");
    inner.add().data<"note">("n1");
    element.data<"tail">("tail");
    encoder.data<"text">("abc").data<"blob">("xyz");
    return copy(*encoder.finish());
}

/// The error of exactly these bytes, on the heap, so that AddressSanitizer sees a read past them.
Error error_of(std::span<const std::byte> bytes) {
    const auto exact = std::make_unique<std::byte[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), exact.get());
    const auto decoded = Decoder<M>::decode(std::span<const std::byte>(exact.get(), bytes.size()));
    return decoded ? Error{} : decoded.error();
}

TEST_CASE("sbe bad input: every truncation names a member and how many bytes it lacks") {
    const auto whole = sample();
    REQUIRE(!error_of(whole));
    for (std::size_t length = 0; length < whole.size(); ++length) {
        CAPTURE(length);
        const Error error = error_of(std::span(whole).first(length));
        REQUIRE(error);
        CHECK(!error.member.empty());
        CHECK(error.have < error.need);
        CHECK(error.offset <= length);
    }
    CHECK(error_of(std::span(whole).first(7)).fault == Fault::kHeaderPastEnd);
    CHECK(error_of(std::span(whole).first(9)).fault == Fault::kBlockPastEnd);
    CHECK(error_of(std::span(whole).first(10)).fault == Fault::kGroupHeaderPastEnd);
    CHECK(error_of(std::span(whole).first(14)).fault == Fault::kGroupPastEnd);
    CHECK(error_of(std::span(whole).first(whole.size() - 4)).fault == Fault::kDataLengthPastEnd);
    CHECK(error_of(std::span(whole).first(whole.size() - 1)).fault == Fault::kDataPastEnd);
}

TEST_CASE("sbe bad input: a fault inside groups names the group and the element") {
    const auto whole = sample();
    // header 8, block 2, flat 4 + 6, deep 3, element 0: 1 + 8 + 2, element 1: 1 + 8, inner 0: 2 + 1 + 2,
    // inner 1: 2, its note
    const std::size_t note = 8 + 2 + 10 + 3 + 11 + 9 + 5 + 2;
    REQUIRE(whole[note] == std::byte{2});
    auto bytes = whole;
    bytes[note] = std::byte{0xff};
    const Error error = error_of(bytes);
    CHECK(error.fault == Fault::kDataPastEnd);
    CHECK(error.member == "note");
    CHECK(error.group == "inner");
    CHECK(error.element == 1);
    CHECK(error.offset == note);
    CHECK(error.need == 0xff);
}

TEST_CASE("sbe bad input: another schema and another template") {
    auto bytes = sample();
    bytes[4] = std::byte{9};
    Error error = error_of(bytes);
    CHECK(error.fault == Fault::kWrongSchema);
    CHECK(error.have == 0x0109);
    CHECK(error.need == 0x0102);
    bytes = sample();
    bytes[2] = std::byte{1};
    error = error_of(bytes);
    CHECK(error.fault == Fault::kWrongTemplate);
    CHECK(error.have == 1);
    CHECK(error.need == 6);
    CHECK(error.member == "Groups");
}

TEST_CASE("sbe bad input: a block shorter than its version needs, and one that its version explains") {
    // Grown of version 2 needs six bytes
    CHECK(Decoder<Grown<Little>>::decode(hex("0600 0500 0201 0200  01000000 0200  0200 0000 00")));
    const auto decoded = Decoder<Grown<Little>>::decode(hex("0400 0500 0201 0200  01000000  0200 0000 00"));
    REQUIRE(!decoded);
    CHECK(decoded.error().fault == Fault::kBlockTooShort);
    CHECK(decoded.error().have == 4);
    CHECK(decoded.error().need == 6);
    // and an element of g two
    const auto group =
        Decoder<Grown<Little>>::decode(hex("0600 0500 0201 0200  01000000 0200  0100 0100 0a  00"));
    REQUIRE(!group);
    CHECK(group.error().fault == Fault::kGroupBlockTooShort);
    CHECK(group.error().member == "g");
    CHECK_MESSAGE(Decoder<Grown<Little>>::decode(hex("0600 0500 0201 0200  01000000 0200  0000 0000  00")),
        "a group of none may say any length");
}

TEST_CASE("sbe bad input: counts and lengths whose product overflows are past the end") {
    auto bytes = sample();
    const std::size_t flat = 10;
    bytes[flat] = bytes[flat + 1] = bytes[flat + 2] = bytes[flat + 3] = std::byte{0xff};
    Error error = error_of(bytes);
    CHECK(error.fault == Fault::kGroupPastEnd);
    CHECK(error.member == "flat");
    CHECK(error.need == 0xffffULL * 0xffff);
    // inner has 32-bit numbers: 0xffffffff × 0xffffffff
    bytes = sample();
    const std::size_t inner = 8 + 2 + 10 + 3 + 11 + 1;
    std::fill_n(bytes.begin() + inner, 8, std::byte{0xff});
    error = error_of(bytes);
    CHECK(error.fault == Fault::kGroupPastEnd);
    CHECK(error.member == "inner");
}

TEST_CASE("sbe bad input: elements that occupy no bytes are refused, however many") {
    // version 0 of a schema in which the group's fields all came later
    struct Late : Message<Little, "Late", 8, Field<"a", 1, std::uint8_t>,
                      Group<"g", 2, Field<"x", 3, std::uint8_t, Since<2>>>> {};
    const auto decoded = Decoder<Late>::decode(hex("0100 0800 0201 0000  01  0000 ffff"));
    REQUIRE(!decoded);
    CHECK(decoded.error().fault == Fault::kGroupWithoutBytes);
    CHECK(decoded.error().have == 0xffff);
    struct Parts : Message<Little, "Parts", 9,
                       Group<"g", 2, Dimension<WideDimension>, Field<"x", 3, std::uint8_t, Since<2>>,
                           Data<"d", 4, Short, Since<2>>>> {};
    const auto parts = Decoder<Parts>::decode(hex("0000 0900 0201 0000  00000000 ffffffff"));
    REQUIRE(!parts);
    CHECK(parts.error().fault == Fault::kGroupWithoutBytes);
}

TEST_CASE("sbe bad input: an encoder never writes past its buffer and keeps the first fault") {
    const auto whole = sample();
    for (std::size_t length = 0; length < whole.size(); ++length) {
        CAPTURE(length);
        const auto exact = std::make_unique<std::byte[]>(length);
        Encoder<M> encoder(std::span(exact.get(), length));
        encoder.set<"id">(7);
        auto flat = encoder.group<"flat">();
        flat.add().set<"a">(1).set<"b">(2);
        flat.add().set<"a">(3).set<"b">(4);
        auto deep = encoder.group<"deep">();
        deep.add().set<"c">(1);
        auto element = deep.add();
        auto inner = element.group<"inner">();
        inner.add().data<"note">("n0");
        inner.add().data<"note">("n1");
        element.data<"tail">("tail");
        encoder.data<"text">("abc").data<"blob">("xyz");
        const auto encoded = encoder.finish();
        REQUIRE(!encoded);
        CHECK(encoded.error().fault == Fault::kBufferTooSmall);
        CHECK(encoded.error().have < encoded.error().need);
        CHECK(!encoded.error().member.empty());
    }
}

TEST_CASE("sbe bad input: parts written out of order are refused, not misplaced") {
    std::array<std::byte, 128> buffer;
    {
        Encoder<M> encoder(buffer);
        encoder.data<"text">("abc");
        encoder.group<"flat">().add().set<"a">(1);
        const auto encoded = encoder.finish();
        REQUIRE(!encoded);
        CHECK(encoded.error().fault == Fault::kOutOfOrder);
        CHECK(encoded.error().member == "flat");
    }
    {
        Encoder<M> encoder(buffer);
        auto flat = encoder.group<"flat">();
        flat.add();
        encoder.data<"text">("abc");
        flat.add();  // too late
        CHECK(encoder.finish().error().fault == Fault::kOutOfOrder);
    }
    {
        Encoder<M> encoder(buffer);
        auto deep = encoder.group<"deep">();
        auto first = deep.add();
        deep.add();
        first.data<"tail">("late");  // the second element has begun
        const auto encoded = encoder.finish();
        REQUIRE(!encoded);
        CHECK(encoded.error().fault == Fault::kOutOfOrder);
        CHECK(encoded.error().member == "deep");
    }
    {
        Encoder<M> encoder(buffer);
        auto deep = encoder.group<"deep">();
        auto first = deep.add();
        auto inner = first.group<"inner">();
        inner.add();
        deep.add();
        inner.add();  // of the first element
        CHECK(encoder.finish().error().fault == Fault::kOutOfOrder);
    }
    {
        Encoder<M> encoder(buffer);
        encoder.data<"blob">("a").data<"blob">("b");
        CHECK(encoder.finish().error().fault == Fault::kOutOfOrder);
    }
}

TEST_CASE("sbe bad input: more elements and more data than their headers can say") {
    std::array<std::byte, 4096> buffer;
    Encoder<M> many(buffer);
    auto deep = many.group<"deep">();
    for (int i = 0; i < 255; ++i) {
        deep.add();
    }
    CHECK(!many.error());
    deep.add();
    auto encoded = many.finish();
    REQUIRE(!encoded);
    CHECK(encoded.error().fault == Fault::kTooManyElements);
    CHECK(encoded.error().have == 256);
    CHECK(encoded.error().need == 255);

    Encoder<Grown<Little>> longer(buffer);
    longer.data<"old">(std::string(255, 'x'));
    CHECK(!longer.error());
    longer.data<"fresh">(std::string(256, 'x'));
    encoded = longer.finish();
    REQUIRE(!encoded);
    CHECK(encoded.error().fault == Fault::kDataTooLong);
    CHECK(encoded.error().member == "fresh");
}

}  // namespace
}  // namespace fulmar::sbe::test
