/// An IPv4 or IPv6 address with a UDP port, as a small comparable value.
/// threads: values, no sharing.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fulmar::port {

/// Addresses are in network byte order inside `bytes`; IPv4 uses the first four.
struct IpAddress {
    enum class Family : std::uint8_t { kNone = 0, kV4 = 4, kV6 = 6 };

    std::array<std::uint8_t, 16> bytes{};
    Family family = Family::kNone;

    auto operator<=>(const IpAddress&) const = default;

    static constexpr IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
        IpAddress address;
        address.bytes[0] = a;
        address.bytes[1] = b;
        address.bytes[2] = c;
        address.bytes[3] = d;
        address.family = Family::kV4;
        return address;
    }
    /// From a host-order 32-bit value, 10.0.0.1 = 0x0A000001.
    static constexpr IpAddress from_v4(std::uint32_t host_order) {
        return v4(static_cast<std::uint8_t>(host_order >> 24), static_cast<std::uint8_t>(host_order >> 16),
            static_cast<std::uint8_t>(host_order >> 8), static_cast<std::uint8_t>(host_order));
    }
    [[nodiscard]] constexpr std::uint32_t to_v4() const {
        return (std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) |
               (std::uint32_t{bytes[2]} << 8) | bytes[3];
    }
    [[nodiscard]] constexpr bool is_v4() const { return family == Family::kV4; }
    [[nodiscard]] constexpr bool is_any() const {
        for (const auto b : bytes) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }
    [[nodiscard]] constexpr bool is_multicast() const {
        return is_v4() ? (bytes[0] & 0xF0) == 0xE0 : (family == Family::kV6 && bytes[0] == 0xFF);
    }
};

/// Aeron's groups are pairs: data goes to an odd address, what receivers say to the one above it.
[[nodiscard]] constexpr bool is_data_group(const IpAddress& ip) {
    return ip.is_multicast() && (ip.bytes[ip.is_v4() ? 3 : 15] & 1) != 0;
}
[[nodiscard]] constexpr IpAddress control_group_of(IpAddress data_group) {
    ++data_group.bytes[data_group.is_v4() ? 3 : 15];
    return data_group;
}

struct Endpoint {
    IpAddress ip;
    std::uint16_t port = 0;  ///< host byte order

    auto operator<=>(const Endpoint&) const = default;
    [[nodiscard]] constexpr bool valid() const { return ip.family != IpAddress::Family::kNone; }
};

/// True when the first `length` bits are equal; addresses of different families never match.
[[nodiscard]] bool prefix_matches(const IpAddress& a, const IpAddress& b, int length);

/// Dotted quad or RFC 4291 text; no names, no brackets.
[[nodiscard]] std::optional<IpAddress> parse_ip(std::string_view text);
/// `10.0.0.1:40123` or `[::1]:40123`; numeric only.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);
[[nodiscard]] std::string to_string(const IpAddress& ip);
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

}  // namespace fulmar::port
