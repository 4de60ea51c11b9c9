#include "drivers/packet_dpdk/dpdk_port.h"

#include <fmt/core.h>
#include <utility>

#include "base/statistic.h"
#include "layout/port_counters.h"

namespace fulmar::drivers {
namespace {

using Kind = pmd_glue::DeviceSpec::Kind;

Result<port::IpAddress> choose_address(const DpdkPortOptions& options) {
    const auto name = pmd_glue::to_string(options.device);
    if (options.ip.family == port::IpAddress::Family::kNone) {
        switch (options.device.kind) {
            case Kind::kMemifClient: return port::IpAddress::v4(10, 77, 0, 1);
            case Kind::kMemifServer: return port::IpAddress::v4(10, 77, 0, 2);
            default: break;
        }
        return fail(ErrorCode::kInvalidChannel,
            fmt::format("{0}: needs an address of its own: --port {0},ip=10.77.0.1/24", name));
    }
    if (!options.ip.is_v4() || options.ip.is_any() || options.ip.is_multicast()) {
        return fail(ErrorCode::kInvalidChannel,
            fmt::format("{}: ip={} must be an IPv4 host address", name, port::to_string(options.ip)));
    }
    if (options.prefix_length < 1 || options.prefix_length > 32) {
        return fail(ErrorCode::kInvalidChannel,
            fmt::format("{}: prefix length {} must be 1 to 32", name, options.prefix_length));
    }
    return options.ip;
}

net::IpStackOptions stack_options(
    const DpdkPortOptions& options, const port::IpAddress& ip, const pmd_glue::DeviceInfo& device) {
    net::IpStackOptions stack;
    stack.mac.bytes = device.mac;
    stack.ip = ip.to_v4();
    stack.prefix_length = options.prefix_length;
    stack.gateway = options.gateway.is_v4() ? options.gateway.to_v4() : 0;
    stack.mtu = static_cast<std::uint32_t>(device.mtu);
    stack.rx_accept_partial = device.kernel_senders;
    using Checksums = DpdkPortOptions::Checksums;
    const bool none = options.checksums == Checksums::kNone ||
                      (options.checksums == Checksums::kAuto && !device.carries_checksums);
    stack.rx_verify = !none;
    stack.tx_checksum = none                         ? net::TxChecksum::kNone
                        : device.tx_checksum_offload ? net::TxChecksum::kPartial
                                                     : net::TxChecksum::kFull;
    return stack;
}

}  // namespace

Result<std::unique_ptr<DpdkPort>> DpdkPort::open(const DpdkPortOptions& options) {
    FULMAR_TRY(ip, choose_address(options));
    auto device_options = options.device_options;
    device_options.queue_pairs = 1;
    device_options.checksum_offload = options.checksums == DpdkPortOptions::Checksums::kAuto;
    FULMAR_TRY(device, pmd_glue::Device::open(options.device, device_options));
    return std::unique_ptr<DpdkPort>(new DpdkPort(options, ip, std::move(device)));
}

DpdkPort::DpdkPort(
    const DpdkPortOptions& options, port::IpAddress ip, std::unique_ptr<pmd_glue::Device> device)
    : ip_(ip), prefix_length_(options.prefix_length), device_(std::move(device)) {
    queue_ =
        std::make_unique<DpdkQueue>(*device_, std::uint16_t{0}, stack_options(options, ip, device_->info()));
}

std::int32_t DpdkPort::payload_max() const {
    constexpr auto kIpAndUdp = static_cast<std::int32_t>(wire::kIpv4HeaderLength + wire::kUdpHeaderLength);
    return device_->info().mtu - kIpAndUdp;
}

Result<std::unique_ptr<port::Binding>> DpdkPort::open(const port::BindRequest& request) {
    auto local = request.local;
    if (local.ip.is_multicast() || request.remote.ip.is_multicast()) {
        return fail(ErrorCode::kNotSupported,
            fmt::format("{}: multicast is not supported on this port; --port udp has it", name()));
    }
    const bool any = local.ip.family == port::IpAddress::Family::kNone || local.ip.is_any();
    if (!any && local.ip != ip_) {
        return fail(
            ErrorCode::kInvalidChannel, fmt::format("{}: {} is not an address of this port, which has {}",
                                            name(), port::to_string(local.ip), port::to_string(ip_)));
    }
    local.ip = ip_;
    const auto taken = udp_ports_->take(local.port);
    if (taken == 0) {
        return fail(ErrorCode::kGeneric, local.port != 0
                                             ? fmt::format("{}: UDP port {} is in use", name(), local.port)
                                             : fmt::format("{}: no ephemeral UDP port is free", name()));
    }
    local.port = taken;
    return std::unique_ptr<port::Binding>(std::make_unique<DpdkBinding>(local, udp_ports_));
}

std::string DpdkPort::describe() const {
    const auto& info = device_->info();
    return fmt::format("{} driver={} ip={}/{} mtu={} queues={} hugepages={} zero-copy={} checksum-offload={}",
        info.name, info.driver, port::to_string(ip_), prefix_length_, info.mtu, info.queue_pairs,
        info.hugepages ? "yes" : "no", info.zero_copy ? "yes" : "no",
        info.rx_checksum_offload || info.tx_checksum_offload ? "yes" : "no");
}

void DpdkPort::statistics(port::StatisticsList& out) const {
    namespace types = layout::counter_type;
    const pmd_glue::DeviceStats device = device_->stats();
    const port::QueueStats& queue = queue_->stats();
    out.add(types::kPortDeviceRxPackets, "device-rx-packets", device.rx_packets);
    out.add(types::kPortDeviceTxPackets, "device-tx-packets", device.tx_packets);
    out.add(types::kPortRxPackets, "rx-packets", base::read_count(queue.rx_packets));
    out.add(types::kPortTxPackets, "tx-packets", base::read_count(queue.tx_packets));
    out.add(types::kPortRxDropped, "rx-dropped",
        base::read_count(queue.rx_malformed) + base::read_count(queue.rx_checksum_bad) +
            base::read_count(queue.rx_no_binding));
    out.add(types::kPortTxRejected, "tx-rejected", base::read_count(queue.tx_rejected));
    out.add(types::kPortRxMissed, "rx-missed", device.rx_missed + device.rx_no_buffer);
    out.add(types::kPortNeighbourMisses, "neighbour-misses", base::read_count(queue.neighbour_misses));
}

}  // namespace fulmar::drivers
