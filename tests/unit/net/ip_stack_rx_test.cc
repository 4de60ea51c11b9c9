#include <array>
#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "net/ip_stack.h"
#include "net_host.h"

using namespace fulmar;
using namespace fulmar::net;
using namespace fulmar::net::test;

namespace {

constexpr Instant kNow{1'000};

struct Fixture {
    IpStack stack;
    explicit Fixture(const IpStackOptions& options = our_options()) : stack(options) {
        stack.bind(kOurPort, 7);
    }
    Verdict give(const Bytes& frame, RxHints hints = {}) {
        return stack.classify(kNow, frame, hints, datagram);
    }
    Datagram datagram;
};

/// The payload a frame was classified to.
std::string text_of(const Bytes& frame, const Datagram& d) {
    return {reinterpret_cast<const char*>(frame.data()) + d.offset, d.length};
}

}  // namespace

TEST_CASE("ip_stack: a datagram reaches its binding with payload and source") {
    Fixture f;
    const auto frame = udp_frame("hello");
    REQUIRE(f.give(frame) == Verdict::kDatagram);
    CHECK(text_of(frame, f.datagram) == "hello");
    CHECK(f.datagram.binding == 7);
    CHECK(f.datagram.source == peer_endpoint());
    CHECK(f.stack.stats().rx_udp == 1);
}

TEST_CASE("ip_stack: padding behind a short datagram is not payload") {
    Fixture f;
    auto frame = udp_frame("x");
    frame.resize(60, std::byte{0xEE});
    REQUIRE(f.give(frame) == Verdict::kDatagram);
    CHECK(f.datagram.length == 1);
}

TEST_CASE("ip_stack: an empty datagram and the longest one pass") {
    Fixture f;
    REQUIRE(f.give(udp_frame("")) == Verdict::kDatagram);
    CHECK(f.datagram.length == 0);
    const std::string longest(f.stack.payload_max(), 'x');
    const auto frame = udp_frame(longest);
    REQUIRE(f.give(frame) == Verdict::kDatagram);
    CHECK(text_of(frame, f.datagram) == longest);
}

TEST_CASE("ip_stack: an unbound port hears nothing") {
    Fixture f;
    CHECK(f.give(udp_frame("x", {}, kOurPort + 1)) == Verdict::kDropped);
    f.stack.unbind(kOurPort);
    CHECK(f.give(udp_frame("x")) == Verdict::kDropped);
    CHECK(f.stack.stats().rx_no_binding == 2);
}

TEST_CASE("ip_stack: every truncation of a datagram is dropped") {
    const auto frame = udp_frame("some payload");
    for (std::size_t n = 0; n < frame.size(); ++n) {
        CAPTURE(n);
        Fixture f;
        CHECK(f.give(Bytes(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(n))) ==
              Verdict::kDropped);
        CHECK(f.stack.stats().rx_truncated == 1);
    }
}

TEST_CASE("ip_stack: bad frames are dropped, each under its reason") {
    struct Case {
        std::string name;
        Bytes frame;
        std::uint64_t NetStats::*reason;
    };
    auto vlan = udp_frame("x");
    wire::store_be16(vlan.data() + 12, 0x8100);
    auto ip_damage = udp_frame("x");
    ip_damage[wire::kEthernetHeaderLength + 8] ^= std::byte{1};  // ttl
    auto udp_damage = udp_frame("x");
    udp_damage.back() ^= std::byte{1};
    auto udp_length = udp_frame("xxxx");
    wire::store_be16(udp_length.data() + wire::kEthernetHeaderLength + wire::kIpv4HeaderLength + 4, 99);
    auto icmp_damage = echo_frame(8);
    icmp_damage.back() ^= std::byte{1};
    auto echo_code = echo_frame(8);
    auto unreachable = echo_frame(8);
    unreachable[34] = std::byte{wire::kIcmpDestinationUnreachable};
    wire::store_be16(unreachable.data() + 36, 0);
    wire::store_be16(unreachable.data() + 36,
        wire::finish_checksum(wire::sum_of({unreachable.data() + 34, unreachable.size() - 34})));
    auto arp_garbage = arp_frame(peer_request());
    arp_garbage[wire::kEthernetHeaderLength] = std::byte{0xFF};
    auto arp_for_other = arp_frame(peer_request(), {{0x02, 9, 9, 9, 9, 9}});
    auto arp_from_broadcast = peer_request();
    arp_from_broadcast.sender_ip = 0xFFFF'FFFF;
    auto arp_off_link = peer_request();
    arp_off_link.sender_ip = 0x0B000001;
    using M = wire::MacAddress;
    const std::vector<Case> cases{
        {"no IP", vlan, &NetStats::rx_other_protocol},
        {"TCP", ip_frame(6, Bytes(20)), &NetStats::rx_other_protocol},
        {"another MAC", udp_frame("x", {.destination_mac = M{{2, 9, 9, 9, 9, 9}}}), &NetStats::rx_not_ours},
        {"broadcast MAC", udp_frame("x", {.destination_mac = M::broadcast()}), &NetStats::rx_not_ours},
        {"another IP", udp_frame("x", {.destination = kOurIp + 5}), &NetStats::rx_not_ours},
        {"broadcast IP", udp_frame("x", {.destination = 0xFFFF'FFFF}), &NetStats::rx_not_ours},
        {"source 0", udp_frame("x", {.source = 0}), &NetStats::rx_bad_source},
        {"source loopback", udp_frame("x", {.source = 0x7F000001}), &NetStats::rx_bad_source},
        {"source multicast", udp_frame("x", {.source = 0xE0000001}), &NetStats::rx_bad_source},
        {"source broadcast", udp_frame("x", {.source = 0x0A4D00FF}), &NetStats::rx_bad_source},
        {"source ours", udp_frame("x", {.source = kOurIp}), &NetStats::rx_bad_source},
        {"source MAC group", udp_frame("x", {.source_mac = M{{1, 0, 0, 0, 0, 1}}}), &NetStats::rx_bad_source},
        {"first fragment", udp_frame("x", {.fragment = 0x2000}), &NetStats::rx_fragments},
        {"last fragment", udp_frame("x", {.fragment = 0x0001}), &NetStats::rx_fragments},
        {"IP checksum", ip_damage, &NetStats::rx_ip_checksum_bad},
        {"UDP checksum", udp_damage, &NetStats::rx_udp_checksum_bad},
        {"UDP length", udp_length, &NetStats::rx_truncated},
        {"ICMP checksum", icmp_damage, &NetStats::rx_icmp_malformed},
        {"ICMP short", ip_frame(wire::kProtocolIcmp, Bytes(7)), &NetStats::rx_icmp_malformed},
        {"ICMP unreachable", unreachable, &NetStats::rx_icmp_other},
        {"ICMP fragment", echo_frame(8, {.fragment = 0x2000}), &NetStats::rx_fragments},
        {"ARP garbage", arp_garbage, &NetStats::rx_arp_malformed},
        {"ARP short", Bytes(arp_garbage.begin(), arp_garbage.begin() + 30), &NetStats::rx_arp_malformed},
        {"ARP to another", arp_for_other, &NetStats::rx_not_ours},
        {"ARP from broadcast", arp_frame(arp_from_broadcast), &NetStats::rx_bad_source},
        {"ARP from off the link", arp_frame(arp_off_link), &NetStats::rx_bad_source},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name);
        Fixture f;
        CHECK(f.give(c.frame) == Verdict::kDropped);
        CHECK(f.stack.stats().*c.reason == 1);
        CHECK(take_output(f.stack, kNow).empty());
        std::uint64_t total = 0;
        visit_stats(f.stack.stats(), [&](std::string_view, std::uint64_t value) { total += value; });
        CHECK(total == 1);
    }
}

TEST_CASE("ip_stack: a datagram without a checksum is accepted and counted") {
    Fixture f;
    auto frame = udp_frame("x");
    set_udp_checksum(frame, 0);
    CHECK(f.give(frame) == Verdict::kDatagram);
    CHECK(f.stack.stats().rx_checksum_absent == 1);
}

TEST_CASE("ip_stack: the bare pseudo-header sum passes where local kernels leave it, and only there") {
    auto frame = udp_frame("hello");
    const auto partial = wire::fold(wire::pseudo_header_sum(kPeerIp, kOurIp, wire::kProtocolUdp, 8 + 5));
    set_udp_checksum(frame, partial);
    auto options = our_options();
    {
        Fixture strict(options);
        CHECK(strict.give(frame) == Verdict::kDropped);
        CHECK(strict.stack.stats().rx_udp_checksum_bad == 1);
    }
    options.rx_accept_partial = true;
    Fixture tolerant(options);
    CHECK(tolerant.give(frame) == Verdict::kDatagram);
    CHECK(tolerant.stack.stats().rx_checksum_partial == 1);
    CHECK(tolerant.give(frame, {.udp = RxHints::Check::kBad}) == Verdict::kDatagram);

    set_udp_checksum(frame, static_cast<std::uint16_t>(partial + 1));
    CHECK(tolerant.give(frame) == Verdict::kDropped);
    CHECK(tolerant.stack.stats().rx_udp_checksum_bad == 1);
}

TEST_CASE("ip_stack: the device's word on checksums saves the sums") {
    auto damaged = udp_frame("hello");
    damaged.back() ^= std::byte{1};
    damaged[wire::kEthernetHeaderLength + 8] ^= std::byte{1};
    Fixture f;
    using enum RxHints::Check;
    CHECK(f.give(damaged, {kGood, kGood}) == Verdict::kDatagram);
    CHECK(f.give(damaged, {kBad, kGood}) == Verdict::kDropped);
    CHECK(f.give(udp_frame("x"), {kGood, kBad}) == Verdict::kDropped);
    CHECK(f.stack.stats().checksum_bad() == 2);
}

TEST_CASE("ip_stack: a wire that is trusted is not summed up") {
    auto options = our_options();
    options.rx_verify = false;
    Fixture f(options);
    auto damaged = udp_frame("hello");
    damaged.back() ^= std::byte{1};
    CHECK(f.give(damaged) == Verdict::kDatagram);
}

TEST_CASE("ip_stack: IP options are skipped") {
    Fixture f;
    auto frame = udp_frame("hello");
    const auto at = frame.begin() + wire::kEthernetHeaderLength + wire::kIpv4HeaderLength;
    frame.insert(at, 4, std::byte{1});  // four no-operations
    auto* ip = frame.data() + wire::kEthernetHeaderLength;
    ip[0] = std::byte{0x46};
    wire::store_be16(ip + 2, static_cast<std::uint16_t>(frame.size() - wire::kEthernetHeaderLength));
    wire::store_be16(ip + 10, 0);
    wire::store_be16(ip + 10, wire::finish_checksum(wire::sum_of({ip, 24})));
    REQUIRE(f.give(frame) == Verdict::kDatagram);
    CHECK(text_of(frame, f.datagram) == "hello");
}

TEST_CASE("ip_stack: an ARP request for us is answered, for others not") {
    Fixture f;
    CHECK(f.give(arp_frame(peer_request())) == Verdict::kConsumed);
    auto frames = take_output(f.stack, kNow);
    REQUIRE(frames.size() == 1);
    const auto ethernet = wire::parse_ethernet(frames[0]);
    REQUIRE(ethernet);
    CHECK(ethernet->destination == kPeerMac);
    CHECK(ethernet->source == kOurMac);
    const auto reply = wire::parse_arp({frames[0].data() + 14, frames[0].size() - 14});
    REQUIRE(reply);
    CHECK(reply->operation == wire::ArpOperation::kReply);
    CHECK(reply->sender_mac == kOurMac);
    CHECK(reply->sender_ip == kOurIp);
    CHECK(reply->target_mac == kPeerMac);
    CHECK(reply->target_ip == kPeerIp);

    auto for_other = peer_request();
    for_other.target_ip = kOurIp + 9;
    CHECK(f.give(arp_frame(for_other)) == Verdict::kConsumed);
    CHECK(take_output(f.stack, kNow).empty());
}

TEST_CASE("ip_stack: an address probe for our address is answered and not learned") {
    Fixture f;
    auto probe = peer_request();
    probe.sender_ip = 0;
    CHECK(f.give(arp_frame(probe)) == Verdict::kConsumed);
    CHECK(take_output(f.stack, kNow).size() == 1);
    CHECK(f.stack.neighbours().size() == 0);
}

TEST_CASE("ip_stack: somebody with our address is counted, our own echo is not") {
    Fixture f;
    auto conflict = peer_request();
    conflict.sender_ip = kOurIp;
    CHECK(f.give(arp_frame(conflict)) == Verdict::kConsumed);
    CHECK(f.stack.stats().address_conflicts == 1);
    conflict.sender_mac = kOurMac;
    CHECK(f.give(arp_frame(conflict)) == Verdict::kConsumed);
    CHECK(f.stack.stats().address_conflicts == 1);
    CHECK(f.stack.neighbours().size() == 0);
}

TEST_CASE("ip_stack: an echo request is answered to whom it came from") {
    Fixture f;
    const auto longest = f.stack.options().mtu - 28;
    for (const std::size_t payload : {std::size_t{0}, std::size_t{56}, std::size_t{longest}}) {
        CAPTURE(payload);
        const auto request = echo_frame(payload, {.source = 0x08080808});
        CHECK(f.give(request) == Verdict::kConsumed);
        const auto frames = take_output(f.stack, kNow);
        REQUIRE(frames.size() == 1);
        const auto& reply = frames[0];
        CHECK(wire::parse_ethernet(reply)->destination == kPeerMac);
        const auto ip = wire::parse_ipv4({reply.data() + 14, reply.size() - 14});
        REQUIRE(ip);
        CHECK(ip->destination == 0x08080808);
        CHECK(ip->source == kOurIp);
        CHECK(wire::ipv4_checksum_ok({reply.data() + 14, 20}));
        const std::span<const std::byte> message(reply.data() + 34, reply.size() - 34);
        CHECK(wire::parse_icmp(message)->type == wire::kIcmpEchoReply);
        CHECK(wire::icmp_checksum_ok(message));
        CHECK(message.size() == 8 + payload);
    }
}

TEST_CASE("ip_stack: answers are bounded; what finds no room is counted") {
    auto options = our_options();
    options.output_max = 4;
    Fixture f(options);
    for (int i = 0; i < 10; ++i) {
        CHECK(f.give(echo_frame(8)) == Verdict::kConsumed);
    }
    CHECK(f.stack.stats().tx_output_full == 6);
    CHECK(take_output(f.stack, kNow).size() == 4);
    CHECK(f.give(echo_frame(8)) == Verdict::kConsumed);
    CHECK(take_output(f.stack, kNow).size() == 1);
}

TEST_CASE("ip_stack: output not taken stays, in order, across the wrap of its memory") {
    auto options = our_options();
    options.output_max = 3;
    Fixture f(options);
    std::vector<std::size_t> lengths;
    for (std::size_t i = 0; i < 10; ++i) {
        f.give(echo_frame(i));
        f.give(echo_frame(i + 100));
        auto pending = f.stack.pending(kNow);
        REQUIRE_FALSE(pending.empty());
        lengths.push_back(pending[0].length);
        f.stack.consume(1);
        pending = f.stack.pending(kNow);
        REQUIRE_FALSE(pending.empty());
        lengths.push_back(pending[0].length);
        f.stack.consume(1);
    }
    for (std::size_t i = 0; i < 10; ++i) {
        CHECK(lengths[2 * i] == 42 + i);
        CHECK(lengths[2 * i + 1] == 142 + i);
    }
}
