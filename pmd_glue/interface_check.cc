#include "pmd_glue/interface_check.h"

#include <arpa/inet.h>
#include <cstring>
#include <fmt/core.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace fulmar::pmd_glue {
namespace {

ifreq request_for(const std::string& name) {
    ifreq request{};
    std::strncpy(request.ifr_name, name.c_str(), sizeof request.ifr_name - 1);
    return request;
}

bool carrier_from(short flags) {
    return (flags & IFF_UP) != 0 && (flags & IFF_RUNNING) != 0;
}

/// Link-local IPv6 addresses come by themselves with every interface and answer nothing we send.
std::string address_text(const sockaddr& address) {
    char text[INET6_ADDRSTRLEN] = {};
    if (address.sa_family == AF_INET) {
        sockaddr_in v4;
        std::memcpy(&v4, &address, sizeof v4);
        ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    } else if (address.sa_family == AF_INET6) {
        sockaddr_in6 v6;
        std::memcpy(&v6, &address, sizeof v6);
        const bool link_local = v6.sin6_addr.s6_addr[0] == 0xFE && (v6.sin6_addr.s6_addr[1] & 0xC0) == 0x80;
        if (!link_local) {
            ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
        }
    }
    return text;
}

std::string addresses_of(const std::string& name) {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) {
        return {};
    }
    std::string addresses;
    for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr || name != entry->ifa_name) {
            continue;
        }
        const auto text = address_text(*entry->ifa_addr);
        if (!text.empty()) {
            addresses += addresses.empty() ? "" : ", ";
            addresses += text;
        }
    }
    ::freeifaddrs(list);
    return addresses;
}

}  // namespace

Result<InterfaceInfo> inspect_interface(const std::string& name) {
    if (name.empty() || name.size() >= IFNAMSIZ) {
        return fail(ErrorCode::kGeneric,
            fmt::format("interface name '{}' is not 1 to {} characters long", name, IFNAMSIZ - 1));
    }
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail(ErrorCode::kGeneric,
            fmt::format("cannot open a socket: {}", std::generic_category().message(errno)));
    }
    auto request = request_for(name);
    const bool found = ::ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    InterfaceInfo info;
    if (found) {
        info.up = carrier_from(request.ifr_flags);
        request = request_for(name);
        info.mtu = ::ioctl(fd, SIOCGIFMTU, &request) == 0 ? request.ifr_mtu : 0;
    }
    ::close(fd);
    if (!found) {
        return fail(ErrorCode::kGeneric,
            fmt::format("there is no interface '{}' in this network namespace: see ip link", name));
    }
    info.addresses = addresses_of(name);
    return info;
}

Result<InterfaceInfo> check_tap_interface(const std::string& name) {
    FULMAR_TRY(info, inspect_interface(name));
    if (!info.addresses.empty()) {
        return fail(ErrorCode::kGeneric,
            fmt::format("interface {0} has the address {1}, the kernel would answer beside the port: "
                        "ip addr flush dev {0}",
                name, info.addresses));
    }
    const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail(ErrorCode::kGeneric,
            fmt::format("no permission for raw packets on {}: run as root or sudo setcap cap_net_raw+ep "
                        "on this program",
                name));
    }
    ::close(fd);
    return info;
}

CarrierProbe::~CarrierProbe() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

void CarrierProbe::open(const std::string& interface_name) {
    name_ = interface_name;
    fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

bool CarrierProbe::up() const {
    auto request = request_for(name_);
    return ::ioctl(fd_, SIOCGIFFLAGS, &request) == 0 && carrier_from(request.ifr_flags);
}

}  // namespace fulmar::pmd_glue
