#include "drivers/packet_udp/group_membership.h"

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

#include "drivers/packet_udp/interfaces.h"

namespace fulmar::drivers {
namespace {

template <class Value>
bool set_option(int fd, int level, int name, const Value& value) {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

bool join_v4(int fd, const port::BindRequest& request) {
    ip_mreqn membership{};
    std::memcpy(&membership.imr_multiaddr, request.local.ip.bytes.data(), sizeof membership.imr_multiaddr);
    if (request.interface.is_v4()) {
        std::memcpy(&membership.imr_address, request.interface.bytes.data(), sizeof membership.imr_address);
    }
    return set_option(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, membership) &&
           set_option(fd, IPPROTO_IP, IP_MULTICAST_IF, membership) &&
           set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1) &&
           (request.ttl <= 0 || set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, request.ttl));
}

bool join_v6(int fd, const port::BindRequest& request) {
    ipv6_mreq membership{};
    std::memcpy(
        &membership.ipv6mr_multiaddr, request.local.ip.bytes.data(), sizeof membership.ipv6mr_multiaddr);
    if (!request.interface.is_any()) {
        membership.ipv6mr_interface = interface_index(request.interface);
    }
    const auto index = static_cast<int>(membership.ipv6mr_interface);
    return set_option(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, membership) &&
           set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, index) &&
           set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1) &&
           (request.ttl <= 0 || set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, request.ttl));
}

}  // namespace

bool set_scope(const port::BindRequest& request, SocketAddress& group) {
    if (group.any.sa_family != AF_INET6 || request.interface.is_any()) {
        return true;
    }
    group.v6.sin6_scope_id = interface_index(request.interface);
    errno = EADDRNOTAVAIL;
    return group.v6.sin6_scope_id != 0;
}

bool share_group(int fd, const port::IpAddress& group) {
    // Bound to the group's address, the socket would still hear it by interfaces where only others joined.
    return set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
           (group.is_v4() ? set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0)
                          : set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0));
}

bool join_group(int fd, const port::BindRequest& request) {
    return request.local.ip.is_v4() ? join_v4(fd, request) : join_v6(fd, request);
}

}  // namespace fulmar::drivers
