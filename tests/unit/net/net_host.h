/// A second host for the stack under test to talk to, and frames to talk with.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "net/ip_stack.h"
#include "wire/icmp.h"

namespace fulmar::net::test {

inline constexpr wire::MacAddress kOurMac{{0x02, 0, 0, 0, 0, 1}};
inline constexpr wire::MacAddress kPeerMac{{0x02, 0, 0, 0, 0, 2}};
inline constexpr std::uint32_t kOurIp = 0x0A4D0001;   // 10.77.0.1
inline constexpr std::uint32_t kPeerIp = 0x0A4D0002;  // 10.77.0.2
inline constexpr std::uint16_t kOurPort = 40123;
inline constexpr std::uint16_t kPeerPort = 50123;

using Bytes = std::vector<std::byte>;

inline IpStackOptions our_options() {
    IpStackOptions options;
    options.mac = kOurMac;
    options.ip = kOurIp;
    return options;
}

inline port::Endpoint peer_endpoint() {
    return {port::IpAddress::from_v4(kPeerIp), kPeerPort};
}

inline Bytes text_bytes(const std::string& text) {
    Bytes bytes(text.size());
    std::transform(text.begin(), text.end(), bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
    return bytes;
}

inline Bytes arp_frame(
    const wire::ArpPacket& arp, const wire::MacAddress& destination = wire::MacAddress::broadcast()) {
    Bytes frame(wire::kEthernetHeaderLength + wire::kArpLength);
    wire::write_ethernet({destination, arp.sender_mac, wire::kEtherTypeArp}, frame.data());
    wire::write_arp(arp, frame.data() + wire::kEthernetHeaderLength);
    return frame;
}

inline wire::ArpPacket peer_request() {
    return {wire::ArpOperation::kRequest, kPeerMac, kPeerIp, {}, kOurIp};
}
inline wire::ArpPacket peer_reply() {
    return {wire::ArpOperation::kReply, kPeerMac, kPeerIp, kOurMac, kOurIp};
}

struct IpFrameOptions {
    wire::MacAddress destination_mac = kOurMac;
    wire::MacAddress source_mac = kPeerMac;
    std::uint32_t source = kPeerIp;
    std::uint32_t destination = kOurIp;
    std::uint16_t fragment = wire::Ipv4Header::kDontFragment;
};

inline Bytes ip_frame(std::uint8_t protocol, const Bytes& segment, const IpFrameOptions& o = {}) {
    Bytes frame(wire::kEthernetHeaderLength + wire::kIpv4HeaderLength);
    wire::write_ethernet({o.destination_mac, o.source_mac, wire::kEtherTypeIpv4}, frame.data());
    wire::Ipv4Header ip;
    ip.total_length = static_cast<std::uint16_t>(wire::kIpv4HeaderLength + segment.size());
    ip.protocol = protocol;
    ip.source = o.source;
    ip.destination = o.destination;
    ip.fragment = o.fragment;
    wire::write_ipv4(ip, frame.data() + wire::kEthernetHeaderLength);
    frame.insert(frame.end(), segment.begin(), segment.end());
    return frame;
}

inline Bytes udp_frame(const std::string& text, const IpFrameOptions& o = {}, std::uint16_t to = kOurPort) {
    Bytes segment(wire::kUdpHeaderLength);
    const auto payload = text_bytes(text);
    segment.insert(segment.end(), payload.begin(), payload.end());
    const auto length = static_cast<std::uint16_t>(segment.size());
    wire::write_udp({kPeerPort, to, length, 0}, segment.data());
    const auto sum = wire::pseudo_header_sum(o.source, o.destination, wire::kProtocolUdp, length);
    wire::store_be16(
        segment.data() + wire::kUdpChecksumOffset, wire::finish_udp_checksum(sum + wire::sum_of(segment)));
    return ip_frame(wire::kProtocolUdp, segment, o);
}

inline void set_udp_checksum(Bytes& frame, std::uint16_t checksum) {
    wire::store_be16(
        frame.data() + wire::kEthernetHeaderLength + wire::kIpv4HeaderLength + wire::kUdpChecksumOffset,
        checksum);
}

inline Bytes echo_frame(std::size_t payload, const IpFrameOptions& o = {}) {
    Bytes message(wire::kIcmpHeaderLength + payload, std::byte{0x33});
    message[0] = std::byte{wire::kIcmpEchoRequest};
    message[1] = std::byte{0};
    wire::store_be16(message.data() + 2, 0);
    wire::store_be16(message.data() + 2, wire::finish_checksum(wire::sum_of(message)));
    return ip_frame(wire::kProtocolIcmp, message, o);
}

/// Takes everything the stack wants to send.
inline std::vector<Bytes> take_output(IpStack& stack, Instant now) {
    std::vector<Bytes> frames;
    for (auto pending = stack.pending(now); !pending.empty(); pending = stack.pending(now)) {
        for (const auto& frame : pending) {
            frames.emplace_back(frame.bytes, frame.bytes + frame.length);
        }
        stack.consume(pending.size());
    }
    return frames;
}

inline Verdict give(IpStack& stack, Instant now, const Bytes& frame) {
    Datagram ignored;
    return stack.classify(now, frame, {}, ignored);
}

}  // namespace fulmar::net::test
