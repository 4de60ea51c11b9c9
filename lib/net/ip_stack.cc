// What comes in: frames, and the answers they call for. What goes out is in ip_stack_tx.cc.
#include "net/ip_stack.h"

#include <cstring>

#include "base/assert.h"
#include "wire/icmp.h"

namespace fulmar::net {

namespace {

constexpr std::uint32_t kBroadcastIp = 0xFFFF'FFFF;

std::uint32_t mask_of(int prefix_length) {
    return prefix_length <= 0 ? 0 : ~std::uint32_t{0} << (32 - prefix_length);
}

}  // namespace

IpStack::IpStack(const IpStackOptions& options)
    : options_(options),
      mask_(mask_of(options.prefix_length)),
      neighbours_(options.neighbours, stats_),
      output_(options.output_max, wire::kEthernetHeaderLength + options.mtu),
      bindings_(65536),
      templates_(kTemplates),
      parked_(options.parked_max),
      parked_memory_(std::make_unique<std::byte[]>(options.parked_max * options.mtu)) {
    FULMAR_ASSERT(options.prefix_length <= 32, "an IPv4 prefix has 32 bits");
    FULMAR_ASSERT(options.mtu >= 576, "RFC 791 wants hosts to take 576 bytes");
    FULMAR_ASSERT(options.mtu <= 65535, "an IPv4 packet has 65535 bytes at most");
    FULMAR_ASSERT(options.output_max > 0, "replies need room");
    FULMAR_ASSERT(options.parked_max > 0, "parking needs room");
    FULMAR_ASSERT(options.parked_per_neighbour_max > 0, "parking needs room");
}

void IpStack::bind(std::uint16_t udp_port, std::uint16_t binding) {
    FULMAR_ASSERT(binding != 0xFFFF, "stored plus one");
    bindings_[udp_port] = static_cast<std::uint16_t>(binding + 1);
}

void IpStack::unbind(std::uint16_t udp_port) {
    bindings_[udp_port] = 0;
}

bool IpStack::is_broadcast(std::uint32_t ip) const {
    return ip == kBroadcastIp ||
           (options_.prefix_length < 31 && is_on_link(ip) && ((ip & ~mask_) == ~mask_ || (ip & ~mask_) == 0));
}

/// A unicast address that is not ours, not loopback and not "this network" (RFC 1122, 3.2.1.3).
bool IpStack::may_be_source(std::uint32_t ip) const {
    const auto first = ip >> 24;
    return first != 0 && first != 127 && first < 224 && ip != options_.ip && !is_broadcast(ip);
}

Verdict IpStack::drop(std::uint64_t& reason) {
    base::count(reason);
    return Verdict::kDropped;
}

Verdict IpStack::classify(Instant now, std::span<const std::byte> frame, RxHints hints, Datagram& out) {
    if (frame.size() < wire::kEthernetHeaderLength) {
        return drop(stats_.rx_truncated);
    }
    const auto ether_type = wire::load_be16(frame.data() + wire::kEtherTypeOffset);
    if (ether_type == wire::kEtherTypeIpv4) [[likely]] {
        return on_ipv4(now, frame, hints, out);
    }
    if (ether_type == wire::kEtherTypeArp) {
        return on_arp(now, frame);
    }
    return drop(stats_.rx_other_protocol);
}

Verdict IpStack::on_ipv4(Instant now, std::span<const std::byte> frame, RxHints hints, Datagram& out) {
    const auto packet = frame.subspan(wire::kEthernetHeaderLength);
    const auto ip = wire::parse_ipv4(packet);
    if (!ip) {
        return drop(stats_.rx_truncated);
    }
    // A bridge may flood frames that are for others; multicast and broadcast are nobody's here.
    if (wire::load_mac(frame.data()) != options_.mac || ip->destination != options_.ip) {
        return drop(stats_.rx_not_ours);
    }
    const bool check_header = options_.rx_verify && hints.ip == RxHints::Check::kUnknown;
    if (hints.ip == RxHints::Check::kBad ||
        (check_header && !wire::ipv4_checksum_ok(packet.first(ip->header_length)))) {
        return drop(stats_.rx_ip_checksum_bad);
    }
    const auto from = wire::load_mac(frame.data() + wire::kEthernetSourceOffset);
    if (!may_be_source(ip->source) || !from.is_station()) {
        return drop(stats_.rx_bad_source);
    }
    if (ip->is_fragment()) {
        return drop(stats_.rx_fragments);
    }
    const auto segment = packet.subspan(ip->header_length, ip->payload_length());
    if (ip->protocol == wire::kProtocolUdp) [[likely]] {
        const auto verdict = on_udp(segment, *ip, hints, out);
        if (verdict == Verdict::kDatagram) {
            hear(now, ip->source, from);
        }
        return verdict;
    }
    if (ip->protocol == wire::kProtocolIcmp) {
        return on_icmp(segment, *ip, from);
    }
    return drop(stats_.rx_other_protocol);
}

Verdict IpStack::on_udp(
    std::span<const std::byte> segment, const wire::Ipv4Header& ip, RxHints hints, Datagram& out) {
    const auto udp = wire::parse_udp(segment);
    if (!udp) {
        return drop(stats_.rx_truncated);
    }
    const auto binding = bindings_[udp->destination_port];
    if (binding == 0) {
        return drop(stats_.rx_no_binding);
    }
    if (!udp_checksum_accepted(segment.first(udp->length), ip, *udp, hints)) {
        return drop(stats_.rx_udp_checksum_bad);
    }
    out.offset =
        static_cast<std::uint32_t>(wire::kEthernetHeaderLength + ip.header_length + wire::kUdpHeaderLength);
    out.length = static_cast<std::uint32_t>(udp->payload_length());
    out.binding = static_cast<std::uint16_t>(binding - 1);
    // Field by field: building the address elsewhere and copying it stalls on the store just made.
    out.source.ip.bytes = {};
    const auto source = __builtin_bswap32(ip.source);
    std::memcpy(out.source.ip.bytes.data(), &source, sizeof source);
    out.source.ip.family = port::IpAddress::Family::kV4;
    out.source.port = udp->source_port;
    base::count(stats_.rx_udp);
    return Verdict::kDatagram;
}

bool IpStack::udp_checksum_accepted(std::span<const std::byte> segment, const wire::Ipv4Header& ip,
    const wire::UdpHeader& udp, RxHints hints) {
    if (!options_.rx_verify || hints.udp == RxHints::Check::kGood) {
        return true;
    }
    if (udp.checksum == 0) {
        base::count(stats_.rx_checksum_absent);
        return true;
    }
    // Before the device's opinion: a device calls a sum that was left for it to complete a bad one.
    if (options_.rx_accept_partial && udp.checksum == wire::fold(wire::pseudo_header_sum(ip.source,
                                                          ip.destination, wire::kProtocolUdp, udp.length))) {
        base::count(stats_.rx_checksum_partial);
        return true;
    }
    return hints.udp != RxHints::Check::kBad && wire::udp_checksum_ok(ip.source, ip.destination, segment);
}

Verdict IpStack::on_icmp(
    std::span<const std::byte> message, const wire::Ipv4Header& ip, const wire::MacAddress& from) {
    const auto icmp = wire::parse_icmp(message);
    if (!icmp || !wire::icmp_checksum_ok(message)) {
        return drop(stats_.rx_icmp_malformed);
    }
    if (icmp->type != wire::kIcmpEchoRequest || icmp->code != 0) {
        return drop(stats_.rx_icmp_other);
    }
    base::count(stats_.rx_icmp);
    constexpr auto kMessageOffset = wire::kEthernetHeaderLength + wire::kIpv4HeaderLength;
    auto* reply = output_.push(kMessageOffset + message.size());
    if (reply == nullptr) {
        base::count(stats_.tx_output_full);
        return Verdict::kConsumed;
    }
    wire::write_ethernet({from, options_.mac, wire::kEtherTypeIpv4}, reply);
    wire::Ipv4Header header;
    header.total_length = static_cast<std::uint16_t>(wire::kIpv4HeaderLength + message.size());
    header.type_of_service = ip.type_of_service;
    header.ttl = options_.ttl;
    header.protocol = wire::kProtocolIcmp;
    header.source = options_.ip;
    header.destination = ip.source;
    wire::write_ipv4(header, reply + wire::kEthernetHeaderLength);
    wire::write_echo_reply(message, reply + kMessageOffset);
    base::count(stats_.tx_echo_replies);
    return Verdict::kConsumed;
}

Verdict IpStack::on_arp(Instant now, std::span<const std::byte> frame) {
    const auto to = wire::load_mac(frame.data());
    if (to != options_.mac && !to.is_group()) {
        return drop(stats_.rx_not_ours);
    }
    const auto arp = wire::parse_arp(frame.subspan(wire::kEthernetHeaderLength));
    if (!arp) {
        return drop(stats_.rx_arp_malformed);
    }
    if (arp->sender_ip == options_.ip) {
        base::count(stats_.rx_arp);
        base::count(stats_.address_conflicts, arp->sender_mac == options_.mac ? 0 : 1);
        return Verdict::kConsumed;
    }
    const bool asks_us = arp->operation == wire::ArpOperation::kRequest && arp->target_ip == options_.ip;
    // A sender of 0 probes whether the address is taken (RFC 5227) and has none of its own yet.
    if (may_be_source(arp->sender_ip) && is_on_link(arp->sender_ip)) {
        neighbours_.on_arp(now, arp->sender_ip, arp->sender_mac, asks_us);
    } else if (arp->sender_ip != 0) {
        return drop(stats_.rx_bad_source);
    }
    base::count(stats_.rx_arp);
    if (asks_us) {
        const wire::ArpPacket reply{
            wire::ArpOperation::kReply, options_.mac, options_.ip, arp->sender_mac, arp->sender_ip};
        send_arp(reply, arp->sender_mac, stats_.tx_arp_replies);
    }
    return Verdict::kConsumed;
}

/// Confirms a neighbour, but does not look it up for every packet of a stream.
void IpStack::hear(Instant now, std::uint32_t ip, const wire::MacAddress& mac) {
    constexpr Duration kConfirmInterval = milliseconds(100);
    if (ip == heard_ip_ && mac == heard_mac_ && now < heard_at_ + kConfirmInterval) {
        return;
    }
    if (!is_on_link(ip)) {
        return;  // came through a router, whose MAC says nothing about the sender
    }
    heard_ip_ = ip;
    heard_mac_ = mac;
    heard_at_ = now;
    neighbours_.on_heard(now, ip, mac);
}

void IpStack::send_arp(
    const wire::ArpPacket& packet, const wire::MacAddress& destination, std::uint64_t& counter) {
    auto* bytes = output_.push(wire::kEthernetHeaderLength + wire::kArpLength);
    if (bytes == nullptr) {
        base::count(stats_.tx_output_full);
        return;
    }
    wire::write_ethernet({destination, options_.mac, wire::kEtherTypeArp}, bytes);
    wire::write_arp(packet, bytes + wire::kEthernetHeaderLength);
    base::count(counter);
}

}  // namespace fulmar::net
