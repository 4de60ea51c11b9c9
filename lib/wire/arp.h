/// ARP for IPv4 over Ethernet.
/// units: IPv4 addresses in host byte order.  source: RFC 826.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "wire/ethernet.h"

namespace fulmar::wire {

inline constexpr std::size_t kArpLength = 28;

enum class ArpOperation : std::uint16_t { kRequest = 1, kReply = 2 };

struct ArpPacket {
    ArpOperation operation = ArpOperation::kRequest;
    MacAddress sender_mac;
    std::uint32_t sender_ip = 0;
    MacAddress target_mac;
    std::uint32_t target_ip = 0;
};

/// Nothing if it is short, of another hardware or protocol, of an unknown operation, or sent by a MAC
/// address that no station can have.
[[nodiscard]] std::optional<ArpPacket> parse_arp(std::span<const std::byte> payload);
/// Writes kArpLength bytes.
void write_arp(const ArpPacket& packet, std::byte* out);

}  // namespace fulmar::wire
