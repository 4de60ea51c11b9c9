/// UDP headers over IPv4.
/// units: ports in host byte order, lengths in bytes.  source: RFC 768.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "wire/ipv4.h"

namespace fulmar::wire {

inline constexpr std::size_t kUdpHeaderLength = 8;
inline constexpr std::size_t kUdpLengthOffset = 4;
inline constexpr std::size_t kUdpChecksumOffset = 6;

struct UdpHeader {
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint16_t length = 0;    ///< header and payload
    std::uint16_t checksum = 0;  ///< 0: the sender computed none

    [[nodiscard]] std::size_t payload_length() const { return length - kUdpHeaderLength; }
};

/// `segment` is the IP payload. Nothing if the lengths contradict each other.
[[nodiscard]] inline std::optional<UdpHeader> parse_udp(std::span<const std::byte> segment) {
    if (segment.size() < kUdpHeaderLength) {
        return std::nullopt;
    }
    const UdpHeader header{load_be16(segment.data()), load_be16(segment.data() + 2),
        load_be16(segment.data() + kUdpLengthOffset), load_be16(segment.data() + kUdpChecksumOffset)};
    if (header.length < kUdpHeaderLength || header.length > segment.size()) {
        return std::nullopt;
    }
    return header;
}

/// Writes kUdpHeaderLength bytes.
inline void write_udp(const UdpHeader& header, std::byte* out) {
    store_be16(out, header.source_port);
    store_be16(out + 2, header.destination_port);
    store_be16(out + kUdpLengthOffset, header.length);
    store_be16(out + kUdpChecksumOffset, header.checksum);
}

/// The checksum field for a whole sum, where 0 would mean "none".
[[nodiscard]] inline std::uint16_t finish_udp_checksum(ChecksumSum sum) {
    const auto checksum = finish_checksum(sum);
    return checksum == 0 ? std::uint16_t{0xFFFF} : checksum;
}

/// `segment` is header.length bytes with the checksum field as received, which is not 0.
[[nodiscard]] inline bool udp_checksum_ok(
    std::uint32_t source, std::uint32_t destination, std::span<const std::byte> segment) {
    const auto pseudo =
        pseudo_header_sum(source, destination, kProtocolUdp, static_cast<std::uint16_t>(segment.size()));
    return finish_checksum(pseudo + sum_of(segment)) == 0;
}

}  // namespace fulmar::wire
