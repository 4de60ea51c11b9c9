#include "wire/ethernet.h"

#include <array>
#include <string>

#include <doctest/doctest.h>

using namespace fulmar::wire;

TEST_CASE("ethernet: a header written is read back, and laid out as on the wire") {
    const EthernetHeader header{{{1, 2, 3, 4, 5, 6}}, {{7, 8, 9, 10, 11, 12}}, kEtherTypeArp};
    std::array<std::byte, kEthernetHeaderLength> bytes;
    write_ethernet(header, bytes.data());
    CHECK(bytes[0] == std::byte{1});
    CHECK(bytes[6] == std::byte{7});
    CHECK(bytes[12] == std::byte{0x08});
    CHECK(bytes[13] == std::byte{0x06});
    const auto parsed = parse_ethernet(bytes);
    REQUIRE(parsed);
    CHECK(parsed->destination == header.destination);
    CHECK(parsed->source == header.source);
    CHECK(parsed->ether_type == kEtherTypeArp);
}

TEST_CASE("ethernet: every truncation is refused") {
    const std::array<std::byte, kEthernetHeaderLength> bytes{};
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        CHECK_FALSE(parse_ethernet({bytes.data(), n}));
    }
}

TEST_CASE("ethernet: MAC text is strict and round-trips") {
    const auto mac = parse_mac("02:00:5e:aB:00:ff");
    REQUIRE(mac);
    CHECK(to_string(*mac) == "02:00:5e:ab:00:ff");
    for (const char* bad : {"", "02:00:5e:ab:00", "02-00-5e-ab-00-ff", "02:00:5e:ab:00:f",
             "02:00:5e:ab:00:fg", "02:00:5e:ab:00:ff ", "0200:5e:ab:00:fff"}) {
        CAPTURE(std::string(bad));
        CHECK_FALSE(parse_mac(bad));
    }
}

TEST_CASE("ethernet: only single stations may be sources") {
    CHECK(MacAddress{{0x02, 0, 0, 0, 0, 1}}.is_station());
    CHECK_FALSE(MacAddress::broadcast().is_station());
    CHECK_FALSE(MacAddress{{0x01, 0, 0x5E, 0, 0, 1}}.is_station());
    CHECK_FALSE(MacAddress{}.is_station());
}
