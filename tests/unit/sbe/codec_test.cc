// Each construct encoded by hand from SBE 1.0, in both directions and both byte orders.
#include <array>
#include <cmath>
#include <cstring>

#include "bytes.h"

namespace fulmar::sbe::test {
namespace {

/// Runs a case for a message in both schemas; the encodings differ only in byte order.
template <template <class> class M, class Check>
void both(Check check) {
    check(std::type_identity<M<Little>>{}, std::string_view("little"));
    check(std::type_identity<M<Big>>{}, std::string_view("big"));
}

std::vector<std::byte> order(std::string_view which, std::string_view little, std::string_view big) {
    return hex(which == "little" ? little : big);
}

TEST_CASE("sbe: numbers of every primitive type") {
    both<Numbers>([](auto type, std::string_view which) {
        using M = typename decltype(type)::type;
        std::array<std::byte, 64> buffer;
        buffer.fill(std::byte{0xee});
        Encoder<M> encoder(buffer);
        encoder.template set<"i8">(-2).template set<"u8">(0xfe).template set<"i16">(-3).template set<"u16">(
            0x1122);
        encoder.template set<"i32">(-4).template set<"u32">(0x11223344).template set<"i64">(-5);
        encoder.template set<"u64">(0x1122334455667788).template set<"f32">(1.5F).template set<"f64">(-2.25);
        encoder.template set<"letter">('x');
        const auto encoded = encoder.finish();
        REQUIRE(encoded);
        // header: block 0x2b, template 1, schema 0x0102, version 3
        CHECK(copy(*encoded) == order(which,
                                    "2b00 0100 0201 0300  fe fe fdff 2211 fcffffff 44332211 fbffffffffffffff "
                                    "8877665544332211 0000c03f "
                                    "00000000000002c0 78",
                                    "002b 0001 0102 0003  fe fe fffd 1122 fffffffc 11223344 fffffffffffffffb "
                                    "1122334455667788 3fc00000 "
                                    "c002000000000000 78"));
        const auto decoded = Decoder<M>::decode(*encoded);
        REQUIRE(decoded);
        CHECK(decoded->template get<"i8">() == -2);
        CHECK(decoded->template get<"u8">() == 0xfe);
        CHECK(decoded->template get<"i16">() == -3);
        CHECK(decoded->template get<"u16">() == 0x1122);
        CHECK(decoded->template get<"i32">() == -4);
        CHECK(decoded->template get<"u32">() == 0x11223344);
        CHECK(decoded->template get<"i64">() == -5);
        CHECK(decoded->template get<"u64">() == 0x1122334455667788);
        CHECK(decoded->template get<"f32">() == 1.5F);
        CHECK(decoded->template get<"f64">() == -2.25);
        CHECK(decoded->template get<"letter">() == 'x');
        CHECK(decoded->encoded_length() == encoded->size());
    });
}

TEST_CASE("sbe: enums, sets, composites in composites, arrays and constants") {
    both<Shapes>([](auto type, std::string_view which) {
        using M = typename decltype(type)::type;
        std::array<std::byte, 64> buffer;
        buffer.fill(std::byte{0xee});
        Encoder<M> encoder(buffer);
        encoder.template set<"side">(Side::kSell)
            .template set<"level">(Level::kHigh)
            .template set<"name">("abc");
        encoder.template set<"flags">(Choices<Flags>().with<"First">().with<"Last">());
        const std::array<std::uint16_t, 3> ratios{1, 0x0203, 3};
        encoder.template set_array<"ratios">(std::span(ratios));
        auto nested = encoder.template composite<"nested">();
        nested.template set<"kind">(9)
            .template set<"level">(Level::kLow)
            .template set<"late">(0x0708)
            .template set<"code">("XYZ");
        nested.template composite<"price">().template set<"mantissa">(0x0102030405060708);
        const auto encoded = encoder.finish();
        REQUIRE(encoded);
        // side, level, flags; nested: kind, level, mantissa at 3, one byte of gap, late at 12, code; name,
        // ratios
        CHECK(copy(*encoded) == order(which,
                                    "2100 0200 0201 0300  53 3412 0180  09 0100 0807060504030201 00 0807 "
                                    "58595a  6162630000 0100 0302 0300",
                                    "0021 0002 0102 0003  53 1234 8001  09 0001 0102030405060708 00 0708 "
                                    "58595a  6162630000 0001 0203 0003"));
        const auto decoded = Decoder<M>::decode(*encoded);
        REQUIRE(decoded);
        CHECK(decoded->template get<"side">() == Side::kSell);
        CHECK(decoded->template get<"level">() == Level::kHigh);
        CHECK(decoded->template get<"flags">().template has<"First">());
        CHECK(!decoded->template get<"flags">().template has<"Ninth">());
        CHECK(decoded->template get<"flags">().bits() == 0x8001);
        CHECK(decoded->template get<"flags">().template without<"First">().bits() == 0x8000);
        const auto read = decoded->template get<"nested">();
        CHECK(read.template get<"kind">() == 9);
        CHECK(read.template get<"level">() == Level::kLow);
        CHECK(read.template get<"price">().template get<"mantissa">() == 0x0102030405060708);
        CHECK(read.template get<"price">().template get<"exponent">() == -4);
        CHECK(read.template get<"late">() == 0x0708);
        CHECK(read.template get<"code">() == "XYZ");
        CHECK(decoded->template get<"name">() == "abc");
        const auto array = decoded->template get<"ratios">();
        CHECK(std::vector<std::uint16_t>(array.begin(), array.end()) ==
              std::vector<std::uint16_t>{1, 0x0203, 3});
        CHECK(array[1] == 0x0203);
        CHECK(array.size() == 3);
        CHECK(decoded->template get<"venue">() == "XFUL");
        CHECK(decoded->template get<"usual">() == Side::kSell);
        CHECK(decoded->template get<"answer">() == 42);
        CHECK(decoded->template get<"place">() == "XFUL");
    });
}

TEST_CASE("sbe: a text fills its field with NUL, and one too long is refused at the end") {
    std::array<std::byte, 64> buffer;
    Encoder<Shapes<Little>> encoder(buffer);
    encoder.set<"name">("abcde").set<"name">("z");
    auto encoded = encoder.finish();
    REQUIRE(encoded);
    CHECK(Decoder<Shapes<Little>>::decode(*encoded)->get<"name">() == "z");
    Encoder<Shapes<Little>> second(buffer);
    second.set<"name">("abcdef");
    encoded = second.finish();
    REQUIRE(!encoded);
    CHECK(encoded.error().fault == Fault::kTextTooLong);
    CHECK(encoded.error().member == "name");
}

TEST_CASE("sbe: an optional field has no value by default, and its null is the standard's or the type's") {
    both<Options>([](auto type, std::string_view which) {
        using M = typename decltype(type)::type;
        std::array<std::byte, 64> buffer;
        buffer.fill(std::byte{0xee});
        Encoder<M> empty(buffer);
        auto encoded = empty.finish();
        REQUIRE(encoded);
        CHECK(copy(*encoded) ==
              order(which,
                  "1d00 0300 0201 0300  00000080 ffffffffffffffff 000000000000f87f 00 ffff 00000000 0000",
                  "001d 0003 0102 0003  80000000 ffffffffffffffff 7ff8000000000000 00 ffff 00000000 0000"));
        auto decoded = Decoder<M>::decode(*encoded);
        REQUIRE(decoded);
        CHECK(!decoded->template get<"i32">());
        CHECK(!decoded->template get<"u64">());
        CHECK(!decoded->template get<"f64">());
        CHECK(!decoded->template get<"letter">());
        CHECK(!decoded->template get<"level">());
        CHECK(!decoded->template get<"capacity">());
        CHECK(!decoded->template get<"name">());
        CHECK(decoded->template get_raw<"u64">() == ~std::uint64_t{0});

        Encoder<M> full(buffer);
        full.template set<"i32">(0).template set<"u64">(7).template set<"f64">(0.5).template set<"letter">(
            'q');
        full.template set<"level">(Level::kLow).template set<"capacity">(-1).template set<"name">("ab");
        encoded = full.finish();
        decoded = Decoder<M>::decode(*encoded);
        REQUIRE(decoded);
        CHECK(decoded->template get<"i32">() == 0);
        CHECK(decoded->template get<"u64">() == 7U);
        CHECK(decoded->template get<"f64">() == 0.5);
        CHECK(decoded->template get<"letter">() == 'q');
        CHECK(decoded->template get<"level">() == Level::kLow);
        CHECK(decoded->template get<"capacity">() == -1);
        CHECK(decoded->template get<"name">() == "ab");

        Encoder<M> again(buffer);
        again.template set<"i32">(5)
            .template set<"i32">(std::nullopt)
            .template set<"name">("a")
            .template set<"name">(std::nullopt);
        encoded = again.finish();
        decoded = Decoder<M>::decode(*encoded);
        CHECK(!decoded->template get<"i32">());
        CHECK(!decoded->template get<"name">());
    });
}

TEST_CASE("sbe: offsets and block lengths that the description gives leave gaps of zero") {
    std::array<std::byte, 32> buffer;
    buffer.fill(std::byte{0xee});
    Encoder<Spaced<Little>> encoder(buffer);
    encoder.set<"a">(1).set<"b">(2);
    const auto encoded = encoder.finish();
    REQUIRE(encoded);
    CHECK(copy(*encoded) == hex("1000 0400 0201 0300  01000000 0200 00000000000000000000"));
    const auto decoded = Decoder<Spaced<Little>>::decode(*encoded);
    REQUIRE(decoded);
    CHECK(decoded->get<"b">() == 2);
}

constexpr std::string_view kGroupsLittle =
    "0200 0600 0201 0300  0700"
    "0300 0200  01 0200  03 0400"                              // flat: 2 × {a, b}
    "0100 02"                                                  // deep: u16 block, u8 count
    "  05  02000000 02000000  0600 02 6869  0800 00  0100 ff"  // c, inner 2 × {d, note}, tail
    "  09  02000000 00000000  0000"                            // no inner, empty tail
    "03000000 616263  00000000";
constexpr std::string_view kGroupsBig =
    "0002 0006 0102 0003  0007"
    "0003 0002  01 0002  03 0004"
    "0001 02"
    "  05  00000002 00000002  0006 02 6869  0008 00  0001 ff"
    "  09  00000002 00000000  0000"
    "00000003 616263  00000000";

TEST_CASE("sbe: groups, groups in groups, and data of every length type") {
    both<Groups>([](auto type, std::string_view which) {
        using M = typename decltype(type)::type;
        std::array<std::byte, 128> buffer;
        buffer.fill(std::byte{0xee});
        Encoder<M> encoder(buffer);
        encoder.template set<"id">(7);
        auto flat = encoder.template group<"flat">();
        flat.add().template set<"a">(1).template set<"b">(2);
        flat.add().template set<"a">(3).template set<"b">(4);
        auto deep = encoder.template group<"deep">();
        auto first = deep.add();
        first.template set<"c">(5);
        auto inner = first.template group<"inner">();
        auto leaf = inner.add();
        leaf.template set<"d">(6);
        leaf.template data<"note">("hi");
        inner.add().template set<"d">(8);  // its note is left out: encoded empty
        const std::byte tail{0xff};
        first.template data<"tail">(std::span(&tail, 1));
        deep.add().template set<"c">(9);  // so are its group and tail
        encoder.template data<"text">("abc");
        const auto encoded = encoder.finish();
        REQUIRE(encoded);
        CHECK(copy(*encoded) == order(which, kGroupsLittle, kGroupsBig));

        const auto decoded = Decoder<M>::decode(*encoded);
        REQUIRE(decoded);
        // in any order
        CHECK(decoded->template data<"text">() == "abc");
        CHECK(decoded->template data<"blob">().empty());
        const auto read_deep = decoded->template group<"deep">();
        REQUIRE(read_deep.size() == 2);
        auto element = read_deep.begin();
        CHECK(element->template get<"c">() == 5);
        CHECK(copy(element->template data<"tail">()) == std::vector<std::byte>{std::byte{0xff}});
        const auto read_inner = element->template group<"inner">();
        REQUIRE(read_inner.size() == 2);
        std::vector<std::pair<std::uint16_t, std::string>> leaves;
        for (const auto& one : read_inner) {
            leaves.emplace_back(one.template get<"d">(), one.template data<"note">());
        }
        CHECK(leaves == std::vector<std::pair<std::uint16_t, std::string>>{{6, "hi"}, {8, ""}});
        ++element;
        CHECK(element->template get<"c">() == 9);
        CHECK(element->template group<"inner">().empty());
        ++element;
        CHECK(element == read_deep.end());
        const auto read_flat = decoded->template group<"flat">();
        REQUIRE(read_flat.size() == 2);
        CHECK(read_flat[1].template get<"a">() == 3);
        CHECK(read_flat[1].template get<"b">() == 4);
        CHECK(decoded->encoded_length() == encoded->size());

        const auto trusted = Decoder<M>::trusted(encoded->data());
        CHECK(trusted.template data<"text">() == "abc");
        CHECK(trusted.encoded_length() == encoded->size());
    });
}

TEST_CASE("sbe: what follows the first part skipped by the caller is encoded empty") {
    std::array<std::byte, 64> buffer;
    Encoder<Groups<Little>> encoder(buffer);
    encoder.data<"blob">("x");
    const auto encoded = encoder.finish();
    REQUIRE(encoded);
    CHECK(copy(*encoded) == hex("0200 0600 0201 0300  0000  0300 0000  0100 00  00000000  01000000 78"));
    CHECK(encoded->size() == encoded_length<Groups<Little>> + 1);
}

TEST_CASE("sbe: a message without fields is its header") {
    std::array<std::byte, 8> buffer;
    Encoder<Empty> encoder(buffer);
    const auto encoded = encoder.finish();
    REQUIRE(encoded);
    CHECK(copy(*encoded) == hex("0000 0700 0201 0300"));
    CHECK(Decoder<Empty>::decode(*encoded)->encoded_length() == 8);
}

TEST_CASE("sbe: a body without its header is wrapped with the numbers the container keeps") {
    std::array<std::byte, 32> buffer;
    auto encoder = Encoder<Spaced<Little>>::without_header(buffer);
    encoder.set<"a">(1).set<"b">(2);
    const auto encoded = encoder.finish();
    REQUIRE(encoded);
    CHECK(encoded->size() == 16);
    const auto wrapped = Decoder<Spaced<Little>>::wrap(*encoded, 16, 3);
    REQUIRE(wrapped);
    CHECK(wrapped->get<"b">() == 2);
    CHECK(wrapped->length() == 16);
    CHECK(Decoder<Spaced<Little>>::wrap(*encoded, 17, 3).error().fault == Fault::kBlockPastEnd);
    CHECK(Decoder<Spaced<Little>>::wrap(encoded->first(5), 5, 3).error().fault == Fault::kBlockTooShort);
}

TEST_CASE("sbe: an enum value that nobody described is read as it is") {
    std::array<std::byte, 64> buffer;
    Encoder<Shapes<Little>> encoder(buffer);
    encoder.set<"side">(static_cast<Side>('?'));
    const auto encoded = encoder.finish();
    const auto decoded = Decoder<Shapes<Little>>::decode(*encoded);
    CHECK(decoded->get<"side">() == static_cast<Side>('?'));
    CHECK(!known<SideType>(decoded->get<"side">()));
    CHECK(known<SideType>(Side::kBuy));
}

struct GapHeader
    : Composite<"gapHeader", Member<"blockLength", std::uint16_t>, Member<"templateId", std::uint16_t>,
          Member<"schemaId", std::uint16_t, At<8>>, Member<"version", std::uint16_t>> {};
struct GapDimension : Composite<"gapDimension", Member<"blockLength", std::uint8_t>,
                          Member<"numInGroup", std::uint8_t, At<3>>> {};
struct Gaps : Schema<"test.gaps", 2, 1, HeaderType<GapHeader>> {};
struct Gapped
    : Message<Gaps, "Gapped", 5, Group<"g", 1, Dimension<GapDimension>, Field<"f", 2, std::uint8_t>>> {};

TEST_CASE("sbe: gaps in the headers of messages and groups do not show what the buffer held") {
    std::array<std::byte, 17> buffer;
    buffer.fill(std::byte{0xa5});
    Encoder<Gapped> encoder(buffer);
    encoder.group<"g">().add().set<"f">(7);
    const auto encoded = encoder.finish();
    REQUIRE(encoded);
    CHECK(copy(*encoded) == hex("0000 0500 0000 0000 0200 0100 01000001 07"));
}

}  // namespace
}  // namespace fulmar::sbe::test
