#include "agent/port_table.h"

namespace fulmar::agent {

bool prefix_matches(const port::IpAddress& a, const port::IpAddress& b, int length) {
    if (a.family != b.family) {
        return false;
    }
    const int bits_max = a.is_v4() ? 32 : 128;
    const int bits = length < bits_max ? length : bits_max;
    for (int bit = 0; bit < bits; ++bit) {
        const auto index = static_cast<std::size_t>(bit / 8);
        const int mask = 0x80 >> (bit % 8);
        if (((a.bytes[index] ^ b.bytes[index]) & mask) != 0) {
            return false;
        }
    }
    return true;
}

Result<port::PacketPort*> PortTable::route(const port::IpAddress& address) const {
    port::PacketPort* best = nullptr;
    int best_length = -1;
    for (port::PacketPort* candidate : ports_) {
        const int length = candidate->prefix_length();
        if (address.is_any() ? best != nullptr && length > 0 : length <= best_length) {
            continue;
        }
        // The any-address names no network: a port that takes everything is best, else the first one.
        if (length == 0 || address.is_any() || prefix_matches(candidate->address().ip, address, length)) {
            best = candidate;
            best_length = length;
        }
    }
    if (best != nullptr) {
        return best;
    }
    if (ports_.empty()) {
        return fail(
            ErrorCode::kInvalidChannel, "no network port is configured: start the driver with --port");
    }
    std::string message = "no port reaches " + port::to_string(address) + ", ports are:";
    for (const port::PacketPort* candidate : ports_) {
        message += ' ';
        message += candidate->name();
        message += '(';
        message += port::to_string(candidate->address().ip);
        message += '/';
        message += std::to_string(candidate->prefix_length());
        message += ')';
    }
    return fail(ErrorCode::kInvalidChannel, std::move(message));
}

bool PortTable::needs_one_network_thread() const {
    for (const port::PacketPort* candidate : ports_) {
        if (!candidate->has_separate_queues()) {
            return true;
        }
    }
    return false;
}

}  // namespace fulmar::agent
