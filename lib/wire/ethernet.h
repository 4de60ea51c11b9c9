/// Ethernet II headers and MAC addresses.
/// threads: values and pure functions.  source: IEEE 802.3, RFC 894.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "wire/network_order.h"

namespace fulmar::wire {

inline constexpr std::size_t kEthernetHeaderLength = 14;
inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;

struct MacAddress {
    std::array<std::uint8_t, 6> bytes{};

    auto operator<=>(const MacAddress&) const = default;

    static constexpr MacAddress broadcast() { return {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}}; }
    [[nodiscard]] constexpr bool is_zero() const { return *this == MacAddress{}; }
    /// Group addresses, broadcast included: legal as a destination, never as a source.
    [[nodiscard]] constexpr bool is_group() const { return (bytes[0] & 1) != 0; }
    [[nodiscard]] constexpr bool is_station() const { return !is_group() && !is_zero(); }
};

struct EthernetHeader {
    MacAddress destination;
    MacAddress source;
    std::uint16_t ether_type = 0;
};

/// Nothing if the frame is too short.
[[nodiscard]] inline std::optional<EthernetHeader> parse_ethernet(std::span<const std::byte> frame) {
    if (frame.size() < kEthernetHeaderLength) {
        return std::nullopt;
    }
    EthernetHeader header;
    std::memcpy(header.destination.bytes.data(), frame.data(), 6);
    std::memcpy(header.source.bytes.data(), frame.data() + 6, 6);
    header.ether_type = load_be16(frame.data() + 12);
    return header;
}

/// Writes kEthernetHeaderLength bytes.
inline void write_ethernet(const EthernetHeader& header, std::byte* out) {
    std::memcpy(out, header.destination.bytes.data(), 6);
    std::memcpy(out + 6, header.source.bytes.data(), 6);
    store_be16(out + 12, header.ether_type);
}

/// `02:00:00:00:00:01`
[[nodiscard]] std::optional<MacAddress> parse_mac(std::string_view text);
[[nodiscard]] std::string to_string(const MacAddress& mac);

}  // namespace fulmar::wire
