#include "agent/port_table.h"

#include <algorithm>

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
    const auto takes_everything = [](const port::PacketPort* each) { return each->prefix_length() == 0; };
    const bool is_anywhere = query.prefix_length == 0;
    if (!query.name.empty() || (is_anywhere && std::any_of(ports_.begin(), ports_.end(), takes_everything))) {
        return {};
    }
    for (const port::PacketPort* candidate : ports_) {
        const port::IpAddress own = candidate->address().ip;
        if (!takes_everything(candidate) && port::prefix_matches(own, query.network, query.prefix_length)) {
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
