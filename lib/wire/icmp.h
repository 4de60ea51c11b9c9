/// ICMP echo, all of ICMP that we answer.
/// source: RFC 792.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace fulmar::wire {

inline constexpr std::size_t kIcmpHeaderLength = 8;
inline constexpr std::uint8_t kIcmpEchoReply = 0;
inline constexpr std::uint8_t kIcmpDestinationUnreachable = 3;
inline constexpr std::uint8_t kIcmpEchoRequest = 8;

struct IcmpHeader {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint16_t checksum = 0;
    std::uint32_t rest = 0;  ///< of an echo: identifier and sequence
};

/// `message` is the whole IP payload. Nothing if it is short; the checksum is not looked at.
[[nodiscard]] std::optional<IcmpHeader> parse_icmp(std::span<const std::byte> message);
[[nodiscard]] bool icmp_checksum_ok(std::span<const std::byte> message);
/// Writes the reply to an echo request, as long as it. The ranges must not overlap.
void write_echo_reply(std::span<const std::byte> request, std::byte* out);

}  // namespace fulmar::wire
