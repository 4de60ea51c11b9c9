#include "drivers/driver_runtime/system_resolver.h"

#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "drivers/packet_udp/interfaces.h"

namespace fulmar::drivers {
namespace {

struct FreeAddressInfo {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

port::IpAddress address_of(const addrinfo& info) {
    port::IpAddress address;
    if (info.ai_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, info.ai_addr, sizeof in);
        std::memcpy(address.bytes.data(), &in.sin_addr, 4);
        address.family = port::IpAddress::Family::kV4;
    } else {
        sockaddr_in6 in{};
        std::memcpy(&in, info.ai_addr, sizeof in);
        std::memcpy(address.bytes.data(), &in.sin6_addr, 16);
        address.family = port::IpAddress::Family::kV6;
    }
    return address;
}

}  // namespace

Result<port::IpAddress> SystemResolver::resolve(const std::string& host) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* list = nullptr;
    const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
    const std::unique_ptr<addrinfo, FreeAddressInfo> owned(code == 0 ? list : nullptr);
    if (code != 0) {
        return fail(ErrorCode::kUnknownHost, "cannot resolve '" + host + "': " + ::gai_strerror(code));
    }
    const addrinfo* found = nullptr;
    for (const addrinfo* info = list; info != nullptr; info = info->ai_next) {
        if (info->ai_family == AF_INET) {
            return address_of(*info);
        }
        if (info->ai_family == AF_INET6 && found == nullptr) {
            found = info;
        }
    }
    if (found == nullptr) {
        return fail(ErrorCode::kUnknownHost, "'" + host + "' has neither an IPv4 nor an IPv6 address");
    }
    return address_of(*found);
}

Result<port::IpAddress> SystemResolver::find_interface(const port::InterfaceQuery& query) {
    return drivers::find_interface(query);
}

}  // namespace fulmar::drivers
