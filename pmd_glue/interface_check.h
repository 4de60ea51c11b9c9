/// What the kernel says about a network interface that a packet-tap device wants to use.
/// threads: any; opens a socket for each question, so never on a data path.
#pragma once

#include <cstdint>
#include <string>

#include "fulmar/result.h"

namespace fulmar::pmd_glue {

struct InterfaceInfo {
    std::int32_t mtu = 0;   ///< units: bytes of IP packet
    bool up = false;        ///< administratively up and with carrier
    std::string addresses;  ///< IPv4 and routable IPv6 addresses, comma separated; empty is what a port needs
};

/// errors: kGeneric when there is no such interface in this network namespace.
[[nodiscard]] Result<InterfaceInfo> inspect_interface(const std::string& name);

/// Refuses an interface that has an address (the kernel would answer for us) or is out of our
/// reach; each with the command that mends it.
[[nodiscard]] Result<InterfaceInfo> check_tap_interface(const std::string& name);

/// Carrier state alone, by one ioctl on an own socket.
class CarrierProbe {
  public:
    CarrierProbe() = default;
    ~CarrierProbe();
    CarrierProbe(const CarrierProbe&) = delete;
    CarrierProbe& operator=(const CarrierProbe&) = delete;

    void open(const std::string& interface_name);
    [[nodiscard]] bool active() const { return fd_ >= 0; }
    [[nodiscard]] bool up() const;

  private:
    int fd_ = -1;
    std::string name_;
};

}  // namespace fulmar::pmd_glue
