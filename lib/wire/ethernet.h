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
#include <type_traits>

#include "wire/network_order.h"

namespace fulmar::wire {

inline constexpr std::size_t kEthernetHeaderLength = 14;
inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;

struct MacAddress {
    std::array<std::uint8_t, 6> bytes{};

    /// By halves: the compiler's own comparison of six bytes is a call, and once per packet that shows.
    constexpr bool operator==(const MacAddress& other) const {
        if (std::is_constant_evaluated()) {
            return bytes == other.bytes;
        }
        std::uint32_t a = 0;
        std::uint32_t b = 0;
        std::uint16_t c = 0;
        std::uint16_t d = 0;
        std::memcpy(&a, bytes.data(), 4);
        std::memcpy(&b, other.bytes.data(), 4);
        std::memcpy(&c, bytes.data() + 4, 2);
        std::memcpy(&d, other.bytes.data() + 4, 2);
        return a == b && c == d;
    }
    constexpr auto operator<=>(const MacAddress& other) const { return bytes <=> other.bytes; }

    static constexpr MacAddress broadcast() { return {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}}; }
    [[nodiscard]] constexpr bool is_zero() const { return *this == MacAddress{}; }
    /// Group addresses, broadcast included: legal as a destination, never as a source.
    [[nodiscard]] constexpr bool is_group() const { return (bytes[0] & 1) != 0; }
    [[nodiscard]] constexpr bool is_station() const { return !is_group() && !is_zero(); }
};

/// Reads six bytes.
[[nodiscard]] inline MacAddress load_mac(const std::byte* bytes) {
    MacAddress mac;
    std::memcpy(mac.bytes.data(), bytes, 4);
    std::memcpy(mac.bytes.data() + 4, bytes + 4, 2);
    return mac;
}

inline constexpr std::size_t kEthernetSourceOffset = 6;
inline constexpr std::size_t kEtherTypeOffset = 12;

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
    return EthernetHeader{load_mac(frame.data()), load_mac(frame.data() + kEthernetSourceOffset),
        load_be16(frame.data() + kEtherTypeOffset)};
}

/// Writes kEthernetHeaderLength bytes.
inline void write_ethernet(const EthernetHeader& header, std::byte* out) {
    std::memcpy(out, header.destination.bytes.data(), 6);
    std::memcpy(out + kEthernetSourceOffset, header.source.bytes.data(), 6);
    store_be16(out + kEtherTypeOffset, header.ether_type);
}

/// `02:00:00:00:00:01`
[[nodiscard]] std::optional<MacAddress> parse_mac(std::string_view text);
[[nodiscard]] std::string to_string(const MacAddress& mac);

}  // namespace fulmar::wire
