#include "wire/arp.h"

#include <cstring>

namespace fulmar::wire {

namespace {

constexpr std::uint16_t kHardwareEthernet = 1;

constexpr std::size_t kHardware = 0;
constexpr std::size_t kProtocol = 2;
constexpr std::size_t kHardwareLength = 4;
constexpr std::size_t kProtocolLength = 5;
constexpr std::size_t kOperation = 6;
constexpr std::size_t kSenderMac = 8;
constexpr std::size_t kSenderIp = 14;
constexpr std::size_t kTargetMac = 18;
constexpr std::size_t kTargetIp = 24;

}  // namespace

std::optional<ArpPacket> parse_arp(std::span<const std::byte> payload) {
    if (payload.size() < kArpLength) {
        return std::nullopt;
    }
    const auto* bytes = payload.data();
    if (load_be16(bytes + kHardware) != kHardwareEthernet || load_be16(bytes + kProtocol) != kEtherTypeIpv4 ||
        bytes[kHardwareLength] != std::byte{6} || bytes[kProtocolLength] != std::byte{4}) {
        return std::nullopt;
    }
    const auto operation = load_be16(bytes + kOperation);
    if (operation != static_cast<std::uint16_t>(ArpOperation::kRequest) &&
        operation != static_cast<std::uint16_t>(ArpOperation::kReply)) {
        return std::nullopt;
    }
    ArpPacket packet;
    packet.operation = static_cast<ArpOperation>(operation);
    std::memcpy(packet.sender_mac.bytes.data(), bytes + kSenderMac, 6);
    packet.sender_ip = load_be32(bytes + kSenderIp);
    std::memcpy(packet.target_mac.bytes.data(), bytes + kTargetMac, 6);
    packet.target_ip = load_be32(bytes + kTargetIp);
    if (!packet.sender_mac.is_station()) {
        return std::nullopt;
    }
    return packet;
}

void write_arp(const ArpPacket& packet, std::byte* out) {
    store_be16(out + kHardware, kHardwareEthernet);
    store_be16(out + kProtocol, kEtherTypeIpv4);
    out[kHardwareLength] = std::byte{6};
    out[kProtocolLength] = std::byte{4};
    store_be16(out + kOperation, static_cast<std::uint16_t>(packet.operation));
    std::memcpy(out + kSenderMac, packet.sender_mac.bytes.data(), 6);
    store_be32(out + kSenderIp, packet.sender_ip);
    std::memcpy(out + kTargetMac, packet.target_mac.bytes.data(), 6);
    store_be32(out + kTargetIp, packet.target_ip);
}

}  // namespace fulmar::wire
