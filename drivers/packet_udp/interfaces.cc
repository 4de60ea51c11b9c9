#include "drivers/packet_udp/interfaces.h"

#include <bit>
#include <cerrno>
#include <ifaddrs.h>
#include <memory>
#include <net/if.h>
#include <string>
#include <system_error>

#include "drivers/packet_udp/socket_address.h"

namespace fulmar::drivers {
namespace {

struct FreeInterfaces {
    void operator()(ifaddrs* list) const { ::freeifaddrs(list); }
};
using Interfaces = std::unique_ptr<ifaddrs, FreeInterfaces>;

Interfaces list_interfaces() {
    ifaddrs* list = nullptr;
    return Interfaces(::getifaddrs(&list) == 0 ? list : nullptr);
}

/// Invalid for what is no IP address.
port::IpAddress ip_of(const sockaddr* from) {
    SocketAddress address{};
    if (from == nullptr || (from->sa_family != AF_INET && from->sa_family != AF_INET6)) {
        return {};
    }
    std::memcpy(&address, from, from->sa_family == AF_INET ? sizeof address.v4 : sizeof address.v6);
    return from_socket_address(address).ip;
}

int prefix_length_of(const sockaddr* netmask) {
    int length = 0;
    for (const auto byte : ip_of(netmask).bytes) {
        length += std::popcount(byte);
    }
    return length;
}

std::string text_of(const port::InterfaceQuery& query) {
    const bool v6 = query.network.family == port::IpAddress::Family::kV6;
    if (!query.name.empty()) {
        return "no interface {" + query.name + "} that is up has an IPv" + (v6 ? "6" : "4") + " address";
    }
    return "no interface that is up has an address of " + port::to_string(query.network) + "/" +
           std::to_string(query.prefix_length);
}

}  // namespace

Result<port::IpAddress> find_interface(const port::InterfaceQuery& query) {
    const auto interfaces = list_interfaces();
    port::IpAddress best;
    int best_rank = -1;
    for (const ifaddrs* each = interfaces.get(); each != nullptr; each = each->ifa_next) {
        const auto ip = ip_of(each->ifa_addr);
        const bool is_meant = query.name.empty()
                                  ? port::prefix_matches(ip, query.network, query.prefix_length)
                                  : query.name == each->ifa_name;
        const bool is_loopback = (each->ifa_flags & IFF_LOOPBACK) != 0;
        const bool is_able = !query.for_multicast || is_loopback || (each->ifa_flags & IFF_MULTICAST) != 0;
        if (!is_meant || !is_able || (each->ifa_flags & IFF_UP) == 0 || ip.family != query.network.family) {
            continue;
        }
        const int rank = is_loopback ? 0 : 1 + prefix_length_of(each->ifa_netmask);
        if (rank > best_rank) {
            best = ip;
            best_rank = rank;
        }
    }
    if (best_rank < 0) {
        return fail(ErrorCode::kInvalidChannel, text_of(query) + " (see ip addr)");
    }
    return best;
}

unsigned interface_index(const port::IpAddress& address) {
    const auto interfaces = list_interfaces();
    for (const ifaddrs* each = interfaces.get(); each != nullptr; each = each->ifa_next) {
        if (ip_of(each->ifa_addr) == address) {
            return ::if_nametoindex(each->ifa_name);
        }
    }
    return 0;
}

}  // namespace fulmar::drivers
