// Messages of older and newer versions of a schema than ours.
#include <array>

#include "bytes.h"
#include "fulmar/sbe/dispatch.h"

namespace fulmar::sbe::test {
namespace {

using G = Grown<Little>;

TEST_CASE("sbe versions: members newer than the message are absent") {
    // version 1: block of a only, g with x only, no h, no fresh
    const auto bytes = hex("0400 0500 0201 0100  01000000  0100 0200 0a 0b  02 6f6c");
    const auto decoded = Decoder<G>::decode(bytes);
    REQUIRE(decoded);
    CHECK(decoded->get<"a">() == 1);
    CHECK(!decoded->get<"b">());
    CHECK(!decoded->get<"c">());
    CHECK(decoded->get_raw<"c">() == 0xffff);
    CHECK(!decoded->carries<"h">());
    CHECK(decoded->group<"h">().empty());
    CHECK(decoded->data<"fresh">().empty());
    CHECK(decoded->data<"old">() == "ol");
    const auto g = decoded->group<"g">();
    REQUIRE(g.size() == 2);
    CHECK(g[1].get<"x">() == 0x0b);
    CHECK(!g[1].get<"y">());
    CHECK(decoded->encoded_length() == bytes.size());
}

TEST_CASE("sbe versions: longer blocks and parts of newer versions are passed over") {
    // version 9: two bytes more in the block, one more in each element of g and h, and another data after
    // fresh
    const auto bytes =
        hex("0a00 0500 0201 0900  01000000 0200 0300 9999  0300 0100 0a 0b 99  0200 0100 0c 99  01 6f  01 66 "
            " 01 99");
    const auto decoded = Decoder<G>::decode(bytes);
    REQUIRE(decoded);
    CHECK(decoded->get<"b">() == 2);
    CHECK(decoded->get<"c">() == 3);
    CHECK(decoded->group<"g">()[0].get<"y">() == 0x0b);
    CHECK(decoded->group<"h">()[0].get<"z">() == 0x0c);
    CHECK(decoded->data<"old">() == "o");
    CHECK(decoded->data<"fresh">() == "f");
    CHECK(decoded->acting_version() == 9);
    CHECK(decoded->acting_block_length() == 10);
}

TEST_CASE("sbe versions: our own message carries everything") {
    std::array<std::byte, 64> buffer;
    Encoder<G> encoder(buffer);
    encoder.set<"a">(1).set<"b">(2).set<"c">(3);
    encoder.group<"g">().add().set<"x">(4).set<"y">(5);
    encoder.group<"h">().add().set<"z">(6);
    encoder.data<"old">("o").data<"fresh">("f");
    const auto encoded = encoder.finish();
    REQUIRE(encoded);
    CHECK(copy(*encoded) ==
          hex("0800 0500 0201 0300  01000000 0200 0300  0200 0100 04 05  0100 0100 06  01 6f  01 66"));
    const auto decoded = Decoder<G>::decode(*encoded);
    CHECK(decoded->get<"c">() == 3);
    CHECK(decoded->group<"g">()[0].get<"y">() == 5);
    CHECK(decoded->data<"fresh">() == "f");
}

TEST_CASE("sbe dispatch: the handler gets the message that the header names") {
    using Both = Messages<Spaced<Little>, G>;
    int spaced = 0;
    int grown = 0;
    const auto handler = [&]<class M>(const Decoder<M>& message) {
        if constexpr (std::is_same_v<M, G>) {
            grown += static_cast<int>(message.template get<"a">());
        } else {
            spaced += message.template get<"a">();
        }
    };
    CHECK(!dispatch<Both>(hex("0400 0500 0201 0100  07000000  0100 0000 00"), handler));
    CHECK(grown == 7);
    CHECK(!dispatch<Both>(hex("1000 0400 0201 0300  05000000 0200 00000000000000000000"), handler));
    CHECK(spaced == 5);
    const Error unknown = dispatch<Both>(hex("1000 0900 0201 0300"), handler);
    CHECK(unknown.fault == Fault::kWrongTemplate);
    CHECK(unknown.have == 9);
    CHECK(dispatch<Both>(hex("1000 0400 0301 0300"), handler).fault == Fault::kWrongSchema);
    CHECK(dispatch<Both>(hex("1000 0400 0201 0300 01"), handler).fault == Fault::kBlockPastEnd);
    CHECK(spaced == 5);
}

}  // namespace
}  // namespace fulmar::sbe::test
