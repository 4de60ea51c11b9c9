#include "drivers/driver_runtime/port_factory.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "drivers/packet_dpdk/dpdk_port.h"
#include "drivers/packet_fault/fault_port.h"
#include "drivers/packet_udp/udp_port.h"
#include "net/fault_spec.h"
#include "pmd_glue/eal.h"

namespace fulmar::drivers {
namespace {

using config::DeviceKind;
using pmd_glue::DeviceSpec;

/// IPv4 and UDP headers, which an MTU counts and a payload does not.
constexpr std::int32_t kIpUdpHeaderLength = 28;

DeviceSpec::Kind device_kind(DeviceKind kind) {
    switch (kind) {
        case DeviceKind::kPci: return DeviceSpec::Kind::kPci;
        case DeviceKind::kAfPacket: return DeviceSpec::Kind::kAfPacket;
        case DeviceKind::kAfXdp: return DeviceSpec::Kind::kAfXdp;
        case DeviceKind::kMemifServer: return DeviceSpec::Kind::kMemifServer;
        case DeviceKind::kMemifClient: return DeviceSpec::Kind::kMemifClient;
        case DeviceKind::kTap: return DeviceSpec::Kind::kTap;
        case DeviceKind::kRing: return DeviceSpec::Kind::kRing;
        case DeviceKind::kVdev: return DeviceSpec::Kind::kVdev;
        case DeviceKind::kNull:
        case DeviceKind::kUdp: break;
    }
    return DeviceSpec::Kind::kNull;
}

DpdkPortOptions::Checksums checksums(config::ChecksumMode mode) {
    switch (mode) {
        case config::ChecksumMode::kAuto: return DpdkPortOptions::Checksums::kAuto;
        case config::ChecksumMode::kOn: return DpdkPortOptions::Checksums::kSoftware;
        case config::ChecksumMode::kOff: return DpdkPortOptions::Checksums::kNone;
    }
    return DpdkPortOptions::Checksums::kAuto;
}

Status start_devices(const std::vector<config::PortSpec>& specs, const std::string& eal, OpenPorts& out) {
    pmd_glue::EalOptions options;
    for (const config::PortSpec& spec : specs) {
        if (spec.kind == DeviceKind::kPci) {
            options.pci_devices.push_back(spec.device);
        }
    }
    std::istringstream words(eal);
    for (std::string word; words >> word;) {
        options.extra_args.push_back(word);
    }
    FULMAR_TRY(mode, pmd_glue::start_eal(options));
    out.description.push_back(mode.description);
    out.has_devices = true;
    return Done{};
}

Result<std::unique_ptr<port::PacketPort>> open_udp(const config::PortSpec& spec, OpenPorts& out) {
    UdpPort::Options options;
    if (spec.ip.family != port::IpAddress::Family::kNone) {
        options.address = spec.ip;
        options.prefix_length = spec.prefix_length;
    }
    if (spec.mtu > 0) {
        options.payload_max = std::min(spec.mtu - kIpUdpHeaderLength, UdpPort::kPayloadMax);
    }
    out.description.push_back("port udp: kernel sockets, address " + port::to_string(options.address) +
                              ", payload at most " + std::to_string(options.payload_max) + " bytes");
    return std::unique_ptr<port::PacketPort>(std::make_unique<UdpPort>(options));
}

Result<std::unique_ptr<port::PacketPort>> open_device(const config::PortSpec& spec, OpenPorts& out) {
    DpdkPortOptions options;
    options.device = device_spec_of(spec);
    options.device_options.mtu = spec.mtu;
    if (spec.queues > 0) {
        options.device_options.queue_pairs = static_cast<std::uint16_t>(spec.queues);
    }
    options.ip = spec.ip;
    if (spec.ip.family != port::IpAddress::Family::kNone) {
        options.prefix_length = spec.prefix_length;
    }
    options.gateway = spec.gateway;
    options.checksums = checksums(spec.checksum);
    FULMAR_TRY(port, DpdkPort::open(options));
    out.description.push_back(port->describe());
    if (out.numa_node < 0) {
        out.numa_node = port->device().info().numa_node;
    }
    return std::unique_ptr<port::PacketPort>(std::move(port));
}

}  // namespace

pmd_glue::DeviceSpec device_spec_of(const config::PortSpec& spec) {
    pmd_glue::DeviceSpec device;
    device.kind = device_kind(spec.kind);
    device.target = spec.device;
    return device;
}

void OpenPorts::close() {
    ports.clear();
    while (!owned.empty()) {
        owned.pop_back();
    }
}

Result<OpenPorts> open_ports(const std::vector<std::string>& specs, const std::string& eal) {
    std::vector<config::PortSpec> parsed;
    for (const std::string& text : specs) {
        FULMAR_TRY(spec, config::parse_port_spec(text));
        parsed.push_back(std::move(spec));
    }
    OpenPorts out;
    const bool devices = std::any_of(
        parsed.begin(), parsed.end(), [](const config::PortSpec& spec) { return !spec.has_kernel_stack(); });
    if (devices) {
        FULMAR_TRY_VOID(start_devices(parsed, eal, out));
    }
    for (const config::PortSpec& spec : parsed) {
        FULMAR_TRY(port, spec.has_kernel_stack() ? open_udp(spec, out) : open_device(spec, out));
        if (!spec.fault.empty()) {
            FULMAR_TRY(fault, net::parse_fault_spec(spec.fault));
            port = std::make_unique<FaultPort>(std::move(port), fault);
            out.description.push_back(
                "port " + std::string(port->name()) + " injects faults: " + port->fault());
        }
        out.ports.push_back(port.get());
        out.owned.push_back(std::move(port));
    }
    return out;
}

}  // namespace fulmar::drivers
