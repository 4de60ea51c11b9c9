#include "wire/ipv4.h"

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"

using namespace fulmar::wire;
using fulmar::base::Prng;

namespace {

std::vector<std::byte> bytes_of(std::initializer_list<unsigned> values) {
    std::vector<std::byte> bytes;
    for (const auto v : values) {
        bytes.push_back(static_cast<std::byte>(v));
    }
    return bytes;
}

/// RFC 1071 as its text has it, two bytes at a time.
std::uint16_t slow_checksum(std::span<const std::byte> bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        const auto high = std::to_integer<std::uint32_t>(bytes[i]) << 8;
        const auto low = i + 1 < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i + 1]) : 0;
        sum += high + low;
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(~sum);
}

Ipv4Header sample() {
    Ipv4Header header;
    header.type_of_service = 0x10;
    header.total_length = 48;
    header.identification = 0x1234;
    header.ttl = 3;
    header.protocol = kProtocolUdp;
    header.source = 0x0A000001;
    header.destination = 0xC0A80102;
    return header;
}

std::array<std::byte, 48> sample_packet() {
    std::array<std::byte, 48> packet{};
    write_ipv4(sample(), packet.data());
    return packet;
}

}  // namespace

TEST_CASE("checksum: the example of RFC 1071") {
    // 0001 f203 f4f5 f6f7 sums to ddf2 before the complement.
    const auto bytes = bytes_of({0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7});
    CHECK(fold(sum_of(bytes)) == 0xDDF2);
    CHECK(finish_checksum(sum_of(bytes)) == 0x220D);
}

TEST_CASE("checksum: the fast sum equals the slow one at every length, alignment and split") {
    Prng prng(1);
    std::array<std::byte, 300> memory;
    for (int round = 0; round < 2'000; ++round) {
        for (auto& b : memory) {
            b = round % 4 == 0 ? std::byte{0xFF} : static_cast<std::byte>(prng.next());
        }
        const auto skip = prng.below(8);
        const auto length = prng.below(280);
        const std::span<const std::byte> bytes(memory.data() + skip, length);
        REQUIRE(finish_checksum(sum_of(bytes)) == slow_checksum(bytes));
        const auto split = prng.below(length / 2 + 1) * 2;
        if (split <= length) {
            REQUIRE(finish_checksum(sum_of(bytes.first(split)) + sum_of(bytes.subspan(split))) ==
                    slow_checksum(bytes));
        }
    }
}

TEST_CASE("checksum: fields in host order add up like their bytes") {
    const auto bytes = bytes_of({0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC});
    CHECK(fold(sum_of_be32(0x12345678) + sum_of_be16(0x9ABC)) == fold(sum_of(bytes)));
}

TEST_CASE("checksum: an incremental update equals a new sum") {
    Prng prng(2);
    for (int round = 0; round < 2'000; ++round) {
        std::array<std::byte, 20> bytes;
        for (auto& b : bytes) {
            b = static_cast<std::byte>(prng.next());
        }
        const auto before = finish_checksum(sum_of(bytes));
        const auto old_field = load_be16(bytes.data() + 4);
        const auto new_field = static_cast<std::uint16_t>(prng.next());
        store_be16(bytes.data() + 4, new_field);
        const auto after = finish_checksum(sum_of(bytes));
        const auto updated = update_checksum(before, old_field, new_field);
        // 0x0000 and 0xFFFF are both zero in one's complement.
        REQUIRE((updated == after || (updated % 0xFFFF == 0 && after % 0xFFFF == 0)));
    }
}

TEST_CASE("ipv4: a header written is read back with a right checksum") {
    const auto packet = sample_packet();
    const auto header = parse_ipv4(packet);
    REQUIRE(header);
    CHECK(header->header_length == 20);
    CHECK(header->type_of_service == 0x10);
    CHECK(header->total_length == 48);
    CHECK(header->payload_length() == 28);
    CHECK(header->identification == 0x1234);
    CHECK(header->ttl == 3);
    CHECK(header->protocol == kProtocolUdp);
    CHECK(header->source == 0x0A000001);
    CHECK(header->destination == 0xC0A80102);
    CHECK_FALSE(header->is_fragment());
    CHECK(ipv4_checksum_ok({packet.data(), 20}));
    CHECK(header->checksum == slow_checksum([] {
        auto zeroed = sample_packet();
        store_be16(zeroed.data() + kIpv4ChecksumOffset, 0);
        return std::vector<std::byte>(zeroed.begin(), zeroed.begin() + 20);
    }()));
}

TEST_CASE("ipv4: any flipped bit of a header fails its checksum") {
    const auto packet = sample_packet();
    for (std::size_t bit = 0; bit < 20 * 8; ++bit) {
        auto damaged = packet;
        damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        CHECK_FALSE(ipv4_checksum_ok({damaged.data(), 20}));
    }
}

TEST_CASE("ipv4: lengths that contradict each other are refused") {
    const auto packet = sample_packet();
    for (std::size_t n = 0; n < packet.size(); ++n) {
        CAPTURE(n);
        CHECK_FALSE(parse_ipv4({packet.data(), n}));
    }
    struct Case {
        std::string name;
        unsigned first;
        std::uint16_t total_length;
    };
    const std::array<Case, 6> cases{
        {{"version 6", 0x65, 48}, {"version 0", 0x05, 48}, {"short header", 0x44, 48},
            {"no header", 0x40, 48}, {"total below header", 0x45, 19}, {"options beyond total", 0x4F, 48}}};
    for (const auto& c : cases) {
        CAPTURE(c.name);
        auto bad = packet;
        bad[0] = static_cast<std::byte>(c.first);
        store_be16(bad.data() + kIpv4TotalLengthOffset, c.total_length);
        CHECK_FALSE(parse_ipv4(bad));
    }
}

TEST_CASE("ipv4: options are skipped, padding is cut off") {
    auto packet = sample_packet();
    packet[0] = std::byte{0x47};
    store_be16(packet.data() + kIpv4TotalLengthOffset, 30);
    const auto header = parse_ipv4(packet);
    REQUIRE(header);
    CHECK(header->header_length == 28);
    CHECK(header->payload_length() == 2);
}

TEST_CASE("ipv4: first, middle and last fragments are fragments, DF alone is none") {
    Ipv4Header header;
    header.fragment = Ipv4Header::kMoreFragments;
    CHECK(header.is_fragment());
    header.fragment = Ipv4Header::kMoreFragments | 185;
    CHECK(header.is_fragment());
    header.fragment = 185;
    CHECK(header.is_fragment());
    header.fragment = Ipv4Header::kDontFragment;
    CHECK_FALSE(header.is_fragment());
    header.fragment = 0;
    CHECK_FALSE(header.is_fragment());
}
