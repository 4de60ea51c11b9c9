#include <array>
#include <string>

#include <doctest/doctest.h>

#include "net/ip_stack.h"
#include "net_host.h"

using namespace fulmar;
using namespace fulmar::net;
using namespace fulmar::net::test;

namespace {

constexpr Instant kStart{5'000'000};

port::Endpoint at(std::uint32_t ip, std::uint16_t udp_port = kPeerPort) {
    return {port::IpAddress::from_v4(ip), udp_port};
}

/// Headers and payload as one frame; empty if the stack was not ready.
Bytes build(IpStack& stack, Instant now, const port::Endpoint& to, const Bytes& payload) {
    Bytes frame(kHeadersLength);
    if (stack.build_headers(now, kOurPort, to, payload, frame.data()) != TxOutcome::kReady) {
        return {};
    }
    frame.insert(frame.end(), payload.begin(), payload.end());
    return frame;
}

void make_reachable(IpStack& stack, Instant now) {
    REQUIRE(give(stack, now, arp_frame(peer_request())) == Verdict::kConsumed);
    (void)take_output(stack, now);
}

/// A stack at the peer's place, to receive what ours sent.
IpStack peer_stack(bool verify = true) {
    IpStackOptions options;
    options.mac = kPeerMac;
    options.ip = kPeerIp;
    options.rx_verify = verify;
    IpStack stack(options);
    stack.bind(kPeerPort, 3);
    return stack;
}

}  // namespace

TEST_CASE("ip_stack: what we send, a strict host accepts") {
    IpStack stack(our_options());
    make_reachable(stack, kStart);
    auto peer = peer_stack();
    for (const auto* text : {"", "x", "odd", "even", "something longer"}) {
        const auto frame = build(stack, kStart, peer_endpoint(), text_bytes(text));
        REQUIRE_FALSE(frame.empty());
        Datagram d;
        REQUIRE(peer.classify(kStart, frame, {}, d) == Verdict::kDatagram);
        CHECK(std::string(reinterpret_cast<const char*>(frame.data()) + d.offset, d.length) == text);
        CHECK(d.source == at(kOurIp, kOurPort));
    }
    CHECK(peer.stats().rx_checksum_absent == 0);
}

TEST_CASE("ip_stack: checksum modes write zero, the whole sum or the pseudo-header's") {
    const auto checksum_with = [](TxChecksum mode) {
        auto options = our_options();
        options.tx_checksum = mode;
        IpStack stack(options);
        make_reachable(stack, kStart);
        const auto frame = build(stack, kStart, peer_endpoint(), text_bytes("hello"));
        REQUIRE_FALSE(frame.empty());
        CHECK(wire::ipv4_checksum_ok({frame.data() + 14, 20}));
        return wire::load_be16(frame.data() + 40);
    };
    CHECK(checksum_with(TxChecksum::kNone) == 0);
    CHECK(checksum_with(TxChecksum::kPartial) ==
          wire::fold(wire::pseudo_header_sum(kOurIp, kPeerIp, wire::kProtocolUdp, 13)));
    CHECK(checksum_with(TxChecksum::kFull) != 0);
}

TEST_CASE("ip_stack: an unknown neighbour is asked for once, and answers make it ready") {
    IpStack stack(our_options());
    CHECK(stack.resolve(kStart, peer_endpoint()) == TxOutcome::kUnresolved);
    CHECK(stack.resolve(kStart, peer_endpoint()) == TxOutcome::kUnresolved);
    const auto frames = take_output(stack, kStart);
    REQUIRE(frames.size() == 1);
    CHECK(wire::parse_ethernet(frames[0])->destination == wire::MacAddress::broadcast());
    const auto request = wire::parse_arp({frames[0].data() + 14, frames[0].size() - 14});
    REQUIRE(request);
    CHECK(request->operation == wire::ArpOperation::kRequest);
    CHECK(request->target_ip == kPeerIp);
    CHECK(request->sender_ip == kOurIp);

    CHECK(give(stack, kStart, arp_frame(peer_reply(), kOurMac)) == Verdict::kConsumed);
    CHECK(stack.resolve(kStart, peer_endpoint()) == TxOutcome::kReady);
    const auto frame = build(stack, kStart, peer_endpoint(), text_bytes("x"));
    REQUIRE_FALSE(frame.empty());
    CHECK(wire::parse_ethernet(frame)->destination == kPeerMac);
}

TEST_CASE("ip_stack: an unsolicited reply teaches nothing") {
    IpStack stack(our_options());
    CHECK(give(stack, kStart, arp_frame(peer_reply(), kOurMac)) == Verdict::kConsumed);
    CHECK(stack.neighbours().size() == 0);
    CHECK(stack.resolve(kStart, peer_endpoint()) == TxOutcome::kUnresolved);
}

TEST_CASE("ip_stack: a datagram from the neighbour we ask for is an answer too") {
    IpStack stack(our_options());
    stack.bind(kOurPort, 0);
    REQUIRE(give(stack, kStart, udp_frame("early")) == Verdict::kDatagram);  // heard before it was needed
    CHECK(stack.neighbours().size() == 0);
    CHECK(stack.resolve(kStart, peer_endpoint()) == TxOutcome::kUnresolved);
    REQUIRE(give(stack, kStart, udp_frame("again")) == Verdict::kDatagram);
    CHECK(stack.resolve(kStart, peer_endpoint()) == TxOutcome::kReady);
}

TEST_CASE("ip_stack: parked datagrams go out in order once the neighbour answers") {
    IpStack stack(our_options());
    auto peer = peer_stack();
    stack.park(kStart, kOurPort, peer_endpoint(), text_bytes("one"));
    stack.park(kStart, kOurPort, peer_endpoint(), text_bytes("two"));
    CHECK(take_output(stack, kStart).size() == 1);  // the question
    CHECK(give(stack, kStart, arp_frame(peer_reply(), kOurMac)) == Verdict::kConsumed);
    const auto frames = take_output(stack, kStart);
    REQUIRE(frames.size() == 2);
    std::vector<std::string> texts;
    for (const auto& frame : frames) {
        Datagram d;
        REQUIRE(peer.classify(kStart, frame, {}, d) == Verdict::kDatagram);
        texts.emplace_back(reinterpret_cast<const char*>(frame.data()) + d.offset, d.length);
    }
    CHECK(texts == std::vector<std::string>{"one", "two"});
    CHECK(take_output(stack, kStart).empty());
}

TEST_CASE("ip_stack: parking is bounded per neighbour and in all, the newest stay") {
    auto options = our_options();
    options.parked_max = 5;
    options.parked_per_neighbour_max = 3;
    IpStack stack(options);
    for (const auto* text : {"1", "2", "3", "4"}) {
        stack.park(kStart, kOurPort, peer_endpoint(), text_bytes(text));
    }
    CHECK(stack.stats().parked_dropped == 1);
    for (const auto* text : {"a", "b", "c"}) {
        stack.park(kStart, kOurPort, at(kPeerIp + 1), text_bytes(text));
    }
    CHECK(stack.stats().parked_dropped == 2);
    (void)take_output(stack, kStart);
    CHECK(give(stack, kStart, arp_frame(peer_reply(), kOurMac)) == Verdict::kConsumed);
    const auto frames = take_output(stack, kStart);
    REQUIRE(frames.size() == 2);  // "2" made room for another neighbour
    CHECK(frames[0].back() == std::byte{'3'});
    CHECK(frames[1].back() == std::byte{'4'});
}

TEST_CASE("ip_stack: parked datagrams are given up with their neighbour") {
    IpStack stack(our_options());
    stack.park(kStart, kOurPort, peer_endpoint(), text_bytes("x"));
    auto now = kStart;
    for (int i = 0; i < 20; ++i) {
        (void)take_output(stack, now);
        now = now + milliseconds(100);
    }
    CHECK(stack.stats().neighbour_failures == 1);
    CHECK(stack.stats().parked_dropped == 1);
    CHECK(give(stack, now, arp_frame(peer_reply(), kOurMac)) == Verdict::kConsumed);
    CHECK(take_output(stack, now).empty());
}

TEST_CASE("ip_stack: a full output list delays parked datagrams and questions, and loses none") {
    auto options = our_options();
    options.output_max = 1;
    IpStack stack(options);
    stack.bind(kOurPort, 0);
    stack.park(kStart, kOurPort, peer_endpoint(), text_bytes("1"));
    stack.park(kStart, kOurPort, peer_endpoint(), text_bytes("2"));
    CHECK(give(stack, kStart, echo_frame(0)) == Verdict::kConsumed);  // takes the only place
    CHECK(stack.pending(kStart).size() == 1);
    CHECK(stack.stats().tx_arp_requests == 0);
    stack.consume(1);
    const auto later = kStart + milliseconds(100);
    CHECK(stack.pending(later).size() == 1);
    CHECK(stack.stats().tx_arp_requests == 1);
    CHECK(give(stack, later, udp_frame("answer")) == Verdict::kDatagram);
    stack.consume(1);
    CHECK(take_output(stack, later).size() == 2);
}

TEST_CASE("ip_stack: destinations beyond the link go to the gateway, and nowhere without one") {
    auto options = our_options();
    const auto far = at(0x08080808);
    {
        IpStack stack(options);
        CHECK(stack.resolve(kStart, far) == TxOutcome::kUnroutable);
        CHECK(take_output(stack, kStart).empty());
    }
    options.gateway = kPeerIp;
    IpStack stack(options);
    make_reachable(stack, kStart);
    const auto frame = build(stack, kStart, far, text_bytes("x"));
    REQUIRE_FALSE(frame.empty());
    CHECK(wire::parse_ethernet(frame)->destination == kPeerMac);
    CHECK(wire::parse_ipv4({frame.data() + 14, frame.size() - 14})->destination == 0x08080808);
}

TEST_CASE("ip_stack: what cannot be sent says why") {
    IpStack stack(our_options());
    make_reachable(stack, kStart);
    CHECK(stack.resolve(kStart, at(kOurIp)) == TxOutcome::kLocal);
    for (const std::uint32_t ip : {0x00000000U, 0x7F000001U, 0xE0000001U, 0xFFFFFFFFU, 0x0A4D00FFU}) {
        CAPTURE(ip);
        CHECK(stack.resolve(kStart, at(ip)) == TxOutcome::kUnroutable);
    }
    port::Endpoint v6;
    v6.ip.family = port::IpAddress::Family::kV6;
    CHECK(stack.resolve(kStart, v6) == TxOutcome::kUnroutable);
    std::array<std::byte, kHeadersLength> out;
    const Bytes longest(stack.payload_max());
    const Bytes too_long(stack.payload_max() + 1);
    CHECK(stack.build_headers(kStart, kOurPort, peer_endpoint(), longest, out.data()) == TxOutcome::kReady);
    CHECK(
        stack.build_headers(kStart, kOurPort, peer_endpoint(), too_long, out.data()) == TxOutcome::kTooLong);
    CHECK(stack.build_headers(kStart, kOurPort, at(kPeerIp + 1), longest, out.data()) ==
          TxOutcome::kUnresolved);
    CHECK(stack.stats().neighbour_misses == 1);
}

TEST_CASE("ip_stack: a neighbour that moves is followed at the next packet") {
    IpStack stack(our_options());
    make_reachable(stack, kStart);
    REQUIRE_FALSE(build(stack, kStart, peer_endpoint(), {}).empty());
    const wire::MacAddress moved{{0x02, 0, 0, 0, 0, 9}};
    // A gratuitous announcement of the new place.
    const wire::ArpPacket announcement{wire::ArpOperation::kRequest, moved, kPeerIp, {}, kPeerIp};
    CHECK(give(stack, kStart, arp_frame(announcement)) == Verdict::kConsumed);
    CHECK(wire::parse_ethernet(build(stack, kStart, peer_endpoint(), {}))->destination == moved);
    CHECK(stack.stats().neighbour_moves == 1);
}

TEST_CASE("ip_stack: more flows than templates still get their own headers") {
    IpStack stack(our_options());
    make_reachable(stack, kStart);
    for (int round = 0; round < 2; ++round) {
        for (std::uint16_t udp_port = 1000; udp_port < 1500; ++udp_port) {
            const auto frame = build(stack, kStart, at(kPeerIp, udp_port), {});
            REQUIRE(frame.size() == kHeadersLength);
            REQUIRE(wire::load_be16(frame.data() + 36) == udp_port);
        }
    }
}

TEST_CASE("ip_stack: an announcement asks for our own address") {
    IpStack stack(our_options());
    stack.announce();
    const auto frames = take_output(stack, kStart);
    REQUIRE(frames.size() == 1);
    CHECK(wire::parse_ethernet(frames[0])->destination == wire::MacAddress::broadcast());
    const auto arp = wire::parse_arp({frames[0].data() + 14, frames[0].size() - 14});
    REQUIRE(arp);
    CHECK(arp->sender_ip == kOurIp);
    CHECK(arp->target_ip == kOurIp);
}
