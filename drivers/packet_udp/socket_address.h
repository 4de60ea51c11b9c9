/// Endpoints as the kernel wants them, and back.
/// threads: values, no sharing.
#pragma once

#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

#include "port/endpoint.h"

namespace fulmar::drivers {

/// Room for either family; smaller than sockaddr_storage, so that a burst of them stays in cache.
union SocketAddress {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
};

/// Returns the length in use; 0 for an endpoint without a family.
inline socklen_t to_socket_address(const port::Endpoint& endpoint, SocketAddress& out) {
    std::memset(&out, 0, sizeof out);
    if (endpoint.ip.family == port::IpAddress::Family::kV4) {
        out.v4.sin_family = AF_INET;
        out.v4.sin_port = htons(endpoint.port);
        std::memcpy(&out.v4.sin_addr, endpoint.ip.bytes.data(), 4);
        return sizeof out.v4;
    }
    if (endpoint.ip.family == port::IpAddress::Family::kV6) {
        out.v6.sin6_family = AF_INET6;
        out.v6.sin6_port = htons(endpoint.port);
        std::memcpy(&out.v6.sin6_addr, endpoint.ip.bytes.data(), 16);
        return sizeof out.v6;
    }
    return 0;
}

/// Invalid for a family that is not IP.
inline port::Endpoint from_socket_address(const SocketAddress& address) {
    port::Endpoint endpoint;
    if (address.any.sa_family == AF_INET) {
        endpoint.ip.family = port::IpAddress::Family::kV4;
        std::memcpy(endpoint.ip.bytes.data(), &address.v4.sin_addr, 4);
        endpoint.port = ntohs(address.v4.sin_port);
    } else if (address.any.sa_family == AF_INET6) {
        endpoint.ip.family = port::IpAddress::Family::kV6;
        std::memcpy(endpoint.ip.bytes.data(), &address.v6.sin6_addr, 16);
        endpoint.port = ntohs(address.v6.sin6_port);
    }
    return endpoint;
}

}  // namespace fulmar::drivers
