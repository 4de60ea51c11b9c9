#include "wire/udp.h"

#include <array>
#include <cstring>

#include <doctest/doctest.h>

using namespace fulmar::wire;

namespace {

constexpr std::uint32_t kSource = 0x98010101;
constexpr std::uint32_t kDestination = 0x98010102;

}  // namespace

TEST_CASE("udp: a header written is read back, and laid out as on the wire") {
    std::array<std::byte, 12> segment{};
    write_udp({1087, 13, 12, 0xABCD}, segment.data());
    CHECK(segment[1] == std::byte{0x3F});
    CHECK(segment[3] == std::byte{13});
    CHECK(segment[5] == std::byte{12});
    CHECK(segment[6] == std::byte{0xAB});
    const auto header = parse_udp(segment);
    REQUIRE(header);
    CHECK(header->source_port == 1087);
    CHECK(header->destination_port == 13);
    CHECK(header->payload_length() == 4);
    CHECK(header->checksum == 0xABCD);
}

TEST_CASE("udp: lengths that contradict each other are refused") {
    std::array<std::byte, 12> segment{};
    for (const auto length : std::array<std::uint16_t, 4>{0, 7, 13, 65535}) {
        write_udp({1, 2, length, 0}, segment.data());
        CAPTURE(length);
        CHECK_FALSE(parse_udp(segment));
    }
    for (const auto length : std::array<std::uint16_t, 3>{8, 11, 12}) {
        write_udp({1, 2, length, 0}, segment.data());
        CHECK(parse_udp(segment));
    }
    write_udp({1, 2, 8, 0}, segment.data());
    for (std::size_t n = 0; n < kUdpHeaderLength; ++n) {
        CHECK_FALSE(parse_udp({segment.data(), n}));
    }
}

TEST_CASE("udp: a checksum over pseudo-header, header and an odd payload") {
    // A known datagram: every 16-bit term of the sum is written out below.
    std::array<std::byte, 15> segment{};
    write_udp({1087, 13, 15, 0}, segment.data());
    std::memcpy(segment.data() + 8, "TESTING", 7);
    const std::uint32_t terms =
        0x9801 + 0x0101 + 0x9801 + 0x0102 + 17 + 15 + 1087 + 13 + 15 + 0x5445 + 0x5354 + 0x494E + 0x4700;
    const auto expected = static_cast<std::uint16_t>(~((terms & 0xFFFF) + (terms >> 16)));
    const auto sum = pseudo_header_sum(kSource, kDestination, kProtocolUdp, 15) + sum_of(segment);
    CHECK(finish_udp_checksum(sum) == expected);
    store_be16(segment.data() + kUdpChecksumOffset, expected);
    CHECK(udp_checksum_ok(kSource, kDestination, segment));
    CHECK_FALSE(udp_checksum_ok(kSource, kDestination + 1, segment));
    for (std::size_t bit = 0; bit < segment.size() * 8; ++bit) {
        auto damaged = segment;
        damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        CHECK_FALSE(udp_checksum_ok(kSource, kDestination, damaged));
    }
}

TEST_CASE("udp: a checksum that comes out as zero is sent as all ones") {
    CHECK(finish_udp_checksum(sum_of_be16(0xFFFF)) == 0xFFFF);
    CHECK(finish_udp_checksum(sum_of_be16(0x0001)) == 0xFFFE);
}
