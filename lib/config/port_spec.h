/// What a user types for a port:
/// `DEVICE[,ip=CIDR][,gw=IP][,mtu=N][,queues=N][,csum=auto|on|off][,fault=SPEC]` with DEVICE one of `udp`,
/// `pci:ADDR`, `af_packet:IF`, `af_xdp:IF`, `memif:server:/path`, `memif:client:/path`, `tap:NAME`,
/// `ring:NAME`, `null:`, `vdev:[raw,string]`. Only vdev takes commas, inside its brackets. threads: values,
/// no sharing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fulmar/result.h"
#include "port/endpoint.h"

namespace fulmar::config {

enum class DeviceKind : std::uint8_t {
    kUdp,
    kPci,
    kAfPacket,
    kAfXdp,
    kMemifServer,
    kMemifClient,
    kTap,
    kRing,
    kNull,
    kVdev,
};

enum class ChecksumMode : std::uint8_t { kAuto, kOn, kOff };

struct PortSpec {
    DeviceKind kind = DeviceKind::kUdp;
    std::string device;       ///< PCI address, interface, socket path, name or raw string
    port::IpAddress ip;       ///< family kNone: none given and none implied (udp only)
    int prefix_length = 0;    ///< of ip; 0 with no ip: the port takes every destination
    port::IpAddress gateway;  ///< family kNone: none
    std::int32_t mtu = 0;     ///< IP packet; 0: as the device has it
    std::int32_t queues = 0;  ///< 0: as many as the threading mode wants and the device has
    ChecksumMode checksum = ChecksumMode::kAuto;
    std::string fault;  ///< text for the fault model; empty: none
    std::string text;   ///< as typed

    [[nodiscard]] bool has_kernel_stack() const { return kind == DeviceKind::kUdp; }
    [[nodiscard]] bool is_memif() const {
        return kind == DeviceKind::kMemifServer || kind == DeviceKind::kMemifClient;
    }
};

/// errors: kGeneric, one line that quotes the spec, says what is wrong and what to write instead.
[[nodiscard]] Result<PortSpec> parse_port_spec(std::string_view text);

/// `pci`, `af_packet`, `memif:server` ...
[[nodiscard]] std::string_view to_string(DeviceKind kind);

}  // namespace fulmar::config
