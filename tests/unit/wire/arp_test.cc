#include "wire/arp.h"

#include <array>
#include <cstring>
#include <string>

#include <doctest/doctest.h>

using namespace fulmar::wire;

namespace {

// A request of 10.0.0.1 for 10.0.0.2, byte for byte as RFC 826 lays it out.
constexpr std::array<unsigned char, kArpLength> kRequest{0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01,  //
    0x02, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2};

using Bytes = std::array<std::byte, kArpLength>;

Bytes request_bytes() {
    Bytes bytes;
    std::memcpy(bytes.data(), kRequest.data(), bytes.size());
    return bytes;
}

}  // namespace

TEST_CASE("arp: a request is read as it stands on the wire") {
    const auto bytes = request_bytes();
    const auto arp = parse_arp(bytes);
    REQUIRE(arp);
    CHECK(arp->operation == ArpOperation::kRequest);
    CHECK(arp->sender_mac == MacAddress{{0x02, 0, 0, 0, 0, 1}});
    CHECK(arp->sender_ip == 0x0A000001);
    CHECK(arp->target_mac.is_zero());
    CHECK(arp->target_ip == 0x0A000002);
    Bytes written;
    write_arp(*arp, written.data());
    CHECK(written == bytes);
}

TEST_CASE("arp: garbage is refused") {
    struct Case {
        std::string name;
        std::size_t offset;
        unsigned char value;
    };
    const std::array<Case, 8> cases{{{"hardware", 1, 6}, {"protocol", 2, 0x86}, {"hardware length", 4, 8},
        {"protocol length", 5, 16}, {"operation 0", 7, 0}, {"operation 3", 7, 3},
        {"operation high byte", 6, 1}, {"group sender", 8, 0x01}}};
    for (const auto& c : cases) {
        CAPTURE(c.name);
        auto bytes = request_bytes();
        bytes[c.offset] = std::byte{c.value};
        CHECK_FALSE(parse_arp(bytes));
    }
    auto bytes = request_bytes();
    std::memset(bytes.data() + 8, 0, 6);
    CHECK_FALSE(parse_arp(bytes));
    for (std::size_t n = 0; n < kArpLength; ++n) {
        CHECK_FALSE(parse_arp({bytes.data(), n}));
    }
}

TEST_CASE("arp: padding behind is ignored") {
    std::array<std::byte, 46> padded{};
    std::memcpy(padded.data(), kRequest.data(), kRequest.size());
    CHECK(parse_arp(padded));
}
