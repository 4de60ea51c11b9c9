#include "drivers/packet_udp/udp_binding.h"

#include <cerrno>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "drivers/packet_udp/group_membership.h"
#include "drivers/packet_udp/socket_address.h"

namespace fulmar::drivers {

namespace {

using Family = port::IpAddress::Family;

Unexpected<Error> fail_errno(const char* what, const port::Endpoint& endpoint, int error) {
    const auto text = std::string("cannot ") + what + " UDP " + port::to_string(endpoint) + ": ";
    switch (error) {
        case EADDRINUSE:
            return fail(ErrorCode::kGeneric,
                text + "address in use; stop its owner (see ss -lunp) or choose another port");
        case EADDRNOTAVAIL:
            return fail(ErrorCode::kInvalidChannel,
                text + "address not available; it belongs to no interface of this machine (see ip addr)");
        case EACCES:
        case EPERM:
            return fail(
                ErrorCode::kGeneric, text + "permission denied; ports below 1024 need CAP_NET_BIND_SERVICE");
        case ENETUNREACH:
        case EHOSTUNREACH: return fail(ErrorCode::kInvalidChannel, text + "no route (see ip route)");
        default: return fail(ErrorCode::kGeneric, text + std::generic_category().message(error));
    }
}

Unexpected<Error> fail_join(const port::BindRequest& request, int error) {
    const auto by = request.interface.is_any() ? std::string() : " by " + port::to_string(request.interface);
    const auto text = "cannot join the group " + port::to_string(request.local.ip) + by + ": ";
    if (error == ENODEV || error == EADDRNOTAVAIL) {
        return fail(ErrorCode::kInvalidChannel,
            text + "no such interface; name one that is up by interface= (see ip addr)");
    }
    if (error == ENOBUFS) {
        return fail(ErrorCode::kGeneric, text + "too many groups (see net.ipv4.igmp_max_memberships)");
    }
    return fail(ErrorCode::kGeneric, text + std::generic_category().message(error));
}

bool set_option(int fd, int level, int name, int value) {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

std::int32_t get_option(int fd, int name) {
    int value = 0;
    socklen_t length = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : 0;
}

/// A request without a local address follows its remote, else IPv4.
port::Endpoint local_of(const port::BindRequest& request) {
    auto local = request.local;
    if (!local.valid()) {
        local.ip.family = request.remote.valid() ? request.remote.ip.family : Family::kV4;
    }
    return local;
}

}  // namespace

Result<std::unique_ptr<UdpBinding>> UdpBinding::create(const port::BindRequest& request) {
    const auto local = local_of(request);
    if (request.remote.valid() && request.remote.ip.family != local.ip.family) {
        return fail(ErrorCode::kInvalidChannel,
            "local and remote addresses are of different families: " + port::to_string(local) + " and " +
                port::to_string(request.remote));
    }
    const int family = local.ip.family == Family::kV6 ? AF_INET6 : AF_INET;
    const int fd = ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail_errno("open", local, errno);
    }
    auto binding = std::unique_ptr<UdpBinding>(new UdpBinding(fd));
    FULMAR_TRY_VOID(binding->configure(request, local));
    return binding;
}

Status UdpBinding::configure(const port::BindRequest& request, const port::Endpoint& local) {
    const bool is_v6 = local.ip.family == Family::kV6;
    bool set = !is_v6 || set_option(fd_, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    rcvbuf_length_default_ = get_option(fd_, SO_RCVBUF);
    sndbuf_length_default_ = get_option(fd_, SO_SNDBUF);
    // The kernel clamps buffer lengths to net.core.[rw]mem_max without an error; who cares reads them back.
    set =
        set && (request.rcvbuf_length <= 0 || set_option(fd_, SOL_SOCKET, SO_RCVBUF, request.rcvbuf_length));
    set =
        set && (request.sndbuf_length <= 0 || set_option(fd_, SOL_SOCKET, SO_SNDBUF, request.sndbuf_length));
    if (local.ip.is_multicast()) {
        set = set && share_group(fd_, local.ip);
    } else {
        set =
            set && (request.ttl <= 0 || (is_v6 ? set_option(fd_, IPPROTO_IPV6, IPV6_UNICAST_HOPS, request.ttl)
                                               : set_option(fd_, IPPROTO_IP, IP_TTL, request.ttl)));
    }
    if (!set) {
        return fail_errno("set options of", local, errno);
    }
    SocketAddress address;
    auto length = to_socket_address(local, address);
    if (local.ip.is_multicast() && !set_scope(request, address)) {
        return fail_join(request, errno);
    }
    if (::bind(fd_, &address.any, length) != 0) {
        return fail_errno("bind", local, errno);
    }
    if (local.ip.is_multicast() && !join_group(fd_, request)) {
        return fail_join(request, errno);
    }
    if (request.remote.valid()) {
        length = to_socket_address(request.remote, address);
        if (::connect(fd_, &address.any, length) != 0) {
            return fail_errno("connect", request.remote, errno);
        }
        remote_ = request.remote;
    }
    length = sizeof address;
    if (::getsockname(fd_, &address.any, &length) != 0) {
        return fail_errno("examine", local, errno);
    }
    local_ = from_socket_address(address);
    rcvbuf_length_ = get_option(fd_, SO_RCVBUF);
    sndbuf_length_ = get_option(fd_, SO_SNDBUF);
    return Done{};
}

UdpBinding::~UdpBinding() {
    (void)::close(fd_);
}

}  // namespace fulmar::drivers
