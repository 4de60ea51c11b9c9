#include "wire/icmp.h"

#include <array>
#include <vector>

#include <doctest/doctest.h>

#include "wire/checksum.h"
#include "wire/network_order.h"

using namespace fulmar::wire;

namespace {

/// An echo request with identifier 0x0102, sequence 3 and a payload.
std::vector<std::byte> request_with(std::size_t payload) {
    std::vector<std::byte> message(kIcmpHeaderLength + payload, std::byte{0x5A});
    message[0] = std::byte{kIcmpEchoRequest};
    message[1] = std::byte{0};
    store_be16(message.data() + 2, 0);
    store_be32(message.data() + 4, 0x0102'0003);
    store_be16(message.data() + 2, finish_checksum(sum_of(message)));
    return message;
}

}  // namespace

TEST_CASE("icmp: the reply to an echo keeps identifier, sequence and payload") {
    for (const auto payload : std::array<std::size_t, 4>{0, 1, 56, 1472}) {
        const auto request = request_with(payload);
        REQUIRE(icmp_checksum_ok(request));
        std::vector<std::byte> reply(request.size());
        write_echo_reply(request, reply.data());
        const auto header = parse_icmp(reply);
        REQUIRE(header);
        CHECK(header->type == kIcmpEchoReply);
        CHECK(header->code == 0);
        CHECK(header->rest == 0x0102'0003);
        CHECK(icmp_checksum_ok(reply));
        CHECK(std::equal(reply.begin() + 8, reply.end(), request.begin() + 8));
    }
}

TEST_CASE("icmp: truncations and damage are noticed") {
    auto message = request_with(9);
    for (std::size_t n = 0; n < kIcmpHeaderLength; ++n) {
        CHECK_FALSE(parse_icmp({message.data(), n}));
    }
    message[12] ^= std::byte{1};
    CHECK_FALSE(icmp_checksum_ok(message));
}
