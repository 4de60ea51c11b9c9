#include "agent/port_table.h"

namespace fulmar::agent {

Result<port::PacketPort*> PortTable::route(const port::IpAddress& address) const {
    port::PacketPort* best = nullptr;
    int best_length = -1;
    for (port::PacketPort* candidate : ports_) {
        const int length = candidate->prefix_length();
        if (address.is_any() ? best != nullptr && length > 0 : length <= best_length) {
            continue;
        }
        // The any-address names no network: a port that takes everything is best, else the first one.
        if (length == 0 || address.is_any() ||
            port::prefix_matches(candidate->address().ip, address, length)) {
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

port::IpAddress PortTable::own_address(const port::InterfaceQuery& query) const {
    if (!query.name.empty()) {
        return {};
    }
    for (const port::PacketPort* candidate : ports_) {
        const port::IpAddress own = candidate->address().ip;
        if (candidate->prefix_length() == 0 && query.prefix_length == 0) {
            return {};  // a port that takes everything: which interface is the system's choice
        }
        if (candidate->prefix_length() > 0 && port::prefix_matches(own, query.network, query.prefix_length)) {
            return own;
        }
    }
    return {};
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
