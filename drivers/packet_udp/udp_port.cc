#include "drivers/packet_udp/udp_port.h"

#include <utility>

#include "base/assert.h"
#include "base/statistic.h"
#include "layout/port_counters.h"

namespace fulmar::drivers {

UdpPort::UdpPort() : UdpPort(Options{}) {}

UdpPort::UdpPort(const Options& options)
    : options_(options), sender_(options.payload_max), receiver_(options.payload_max) {
    FULMAR_ASSERT(options.payload_max > 0, "a port without payload");
    FULMAR_ASSERT(options.payload_max <= kPayloadMax, "more than a UDP datagram holds");
}

port::PacketQueue& UdpPort::queue(Role role) {
    return role == Role::kSender ? sender_ : receiver_;
}

void UdpPort::statistics(port::StatisticsList& out) const {
    namespace types = layout::counter_type;
    const auto total = [this](std::uint64_t port::QueueStats::*field) {
        return base::read_count(sender_.stats().*field) + base::read_count(receiver_.stats().*field);
    };
    out.add(types::kPortRxPackets, "rx-packets", total(&port::QueueStats::rx_packets));
    out.add(types::kPortTxPackets, "tx-packets", total(&port::QueueStats::tx_packets));
    out.add(types::kPortTxRejected, "tx-rejected", total(&port::QueueStats::tx_rejected));
}

Result<std::unique_ptr<port::Binding>> UdpPort::open(const port::BindRequest& request) {
    auto adjusted = request;
    const bool wildcard = !adjusted.local.valid() || adjusted.local.ip.is_any();
    const bool same_family = !adjusted.local.valid() || adjusted.local.ip.family == options_.address.family;
    if (wildcard && same_family && !options_.address.is_any()) {
        adjusted.local.ip = options_.address;
    }
    if (adjusted.interface.is_any()) {
        adjusted.interface = options_.address;
    }
    FULMAR_TRY(binding, UdpBinding::create(adjusted));
    return std::unique_ptr<port::Binding>(std::move(binding));
}

}  // namespace fulmar::drivers
