#include "wire/icmp.h"

#include <cstring>

#include "wire/checksum.h"
#include "wire/network_order.h"

namespace fulmar::wire {

namespace {
constexpr std::size_t kChecksumOffset = 2;
}  // namespace

std::optional<IcmpHeader> parse_icmp(std::span<const std::byte> message) {
    if (message.size() < kIcmpHeaderLength) {
        return std::nullopt;
    }
    const auto* bytes = message.data();
    return IcmpHeader{std::to_integer<std::uint8_t>(bytes[0]), std::to_integer<std::uint8_t>(bytes[1]),
        load_be16(bytes + kChecksumOffset), load_be32(bytes + 4)};
}

bool icmp_checksum_ok(std::span<const std::byte> message) {
    return finish_checksum(sum_of(message)) == 0;
}

void write_echo_reply(std::span<const std::byte> request, std::byte* out) {
    std::memcpy(out, request.data(), request.size());
    out[0] = std::byte{kIcmpEchoReply};
    out[1] = std::byte{0};
    store_be16(out + kChecksumOffset, 0);
    store_be16(out + kChecksumOffset, finish_checksum(sum_of({out, request.size()})));
}

}  // namespace fulmar::wire
