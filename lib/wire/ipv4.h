/// IPv4 headers.
/// units: addresses in host byte order, lengths in bytes.  source: RFC 791, RFC 6864 (identification).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "wire/checksum.h"
#include "wire/network_order.h"

namespace fulmar::wire {

inline constexpr std::size_t kIpv4HeaderLength = 20;  ///< without options, as we write it
inline constexpr std::size_t kIpv4HeaderLengthMax = 60;
inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kIpv4TtlDefault = 64;

inline constexpr std::size_t kIpv4TotalLengthOffset = 2;
inline constexpr std::size_t kIpv4ChecksumOffset = 10;

struct Ipv4Header {
    static constexpr std::uint16_t kDontFragment = 0x4000;
    static constexpr std::uint16_t kMoreFragments = 0x2000;
    static constexpr std::uint16_t kOffsetMask = 0x1FFF;

    std::uint8_t header_length = kIpv4HeaderLength;
    std::uint8_t type_of_service = 0;
    std::uint16_t total_length = 0;
    std::uint16_t identification = 0;
    std::uint16_t fragment = kDontFragment;  ///< flags and offset
    std::uint8_t ttl = kIpv4TtlDefault;
    std::uint8_t protocol = kProtocolUdp;
    std::uint16_t checksum = 0;
    std::uint32_t source = 0;
    std::uint32_t destination = 0;

    [[nodiscard]] bool is_fragment() const { return (fragment & (kMoreFragments | kOffsetMask)) != 0; }
    [[nodiscard]] std::size_t payload_length() const {
        return static_cast<std::size_t>(total_length) - header_length;
    }
};

/// `packet` starts at the IP header and may have padding behind it. Nothing if the version is not 4 or the
/// lengths contradict each other. The checksum is not looked at.
[[nodiscard]] inline std::optional<Ipv4Header> parse_ipv4(std::span<const std::byte> packet) {
    if (packet.size() < kIpv4HeaderLength) {
        return std::nullopt;
    }
    const auto* bytes = packet.data();
    const auto first = std::to_integer<std::uint8_t>(bytes[0]);
    Ipv4Header header;
    header.header_length = static_cast<std::uint8_t>((first & 0xF) * 4);
    header.total_length = load_be16(bytes + kIpv4TotalLengthOffset);
    if ((first >> 4) != 4 || header.header_length < kIpv4HeaderLength ||
        header.total_length < header.header_length || header.total_length > packet.size()) {
        return std::nullopt;
    }
    header.type_of_service = std::to_integer<std::uint8_t>(bytes[1]);
    header.identification = load_be16(bytes + 4);
    header.fragment = load_be16(bytes + 6);
    header.ttl = std::to_integer<std::uint8_t>(bytes[8]);
    header.protocol = std::to_integer<std::uint8_t>(bytes[9]);
    header.checksum = load_be16(bytes + kIpv4ChecksumOffset);
    header.source = load_be32(bytes + 12);
    header.destination = load_be32(bytes + 16);
    return header;
}

/// Over header_length bytes, options included.
[[nodiscard]] inline bool ipv4_checksum_ok(std::span<const std::byte> header) {
    return finish_checksum(sum_of(header)) == 0;
}

/// Writes kIpv4HeaderLength bytes with a right checksum; header_length and checksum of `header` are not used.
void write_ipv4(const Ipv4Header& header, std::byte* out);

/// The sum UDP adds to its own (RFC 768).
[[nodiscard]] inline ChecksumSum pseudo_header_sum(
    std::uint32_t source, std::uint32_t destination, std::uint8_t protocol, std::uint16_t length) {
    return sum_of_be32(source) + sum_of_be32(destination) + sum_of_be16(protocol) + sum_of_be16(length);
}

}  // namespace fulmar::wire
