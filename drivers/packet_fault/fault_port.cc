#include "drivers/packet_fault/fault_port.h"

#include <utility>

#include "layout/port_counters.h"

namespace fulmar::drivers {

FaultPort::FaultPort(
    std::unique_ptr<port::PacketPort> inner, const net::FaultSpec& spec, std::size_t held_max)
    : inner_(std::move(inner)), shared_(spec) {
    const auto payload_max = static_cast<std::size_t>(inner_->payload_max());
    auto& sender = inner_->queue(Role::kSender);
    auto& receiver = inner_->queue(Role::kReceiver);
    sender_ = std::make_unique<FaultQueue>(sender, shared_, held_max, payload_max);
    if (&sender != &receiver) {
        receiver_ = std::make_unique<FaultQueue>(receiver, shared_, held_max, payload_max);
    }
}

port::PacketQueue& FaultPort::queue(Role role) {
    return role == Role::kReceiver && receiver_ ? *receiver_ : *sender_;
}

FaultQueueCounts FaultPort::counts(net::FaultDirection direction) const {
    FaultQueueCounts total;
    for (const auto* queue : {sender_.get(), receiver_.get()}) {
        if (queue == nullptr) {
            continue;
        }
        if (direction != net::FaultDirection::kTx) {
            total += queue->rx_counts();
        }
        if (direction != net::FaultDirection::kRx) {
            total += queue->tx_counts();
        }
    }
    return total;
}

Status FaultPort::set_fault(std::string_view spec) {
    FULMAR_TRY(parsed, net::parse_fault_spec(spec));
    set_spec(parsed);
    return Done{};
}

void FaultPort::statistics(port::StatisticsList& out) const {
    inner_->statistics(out);
    const auto drawn = [this](net::FaultDirection direction) {
        const net::FaultCounts counts = this->counts(direction).drawn;
        return counts.lost + counts.duplicated + counts.reordered + counts.delayed + counts.corrupted;
    };
    out.add(layout::counter_type::kPortFaultsRx, "faults-rx", drawn(net::FaultDirection::kRx));
    out.add(layout::counter_type::kPortFaultsTx, "faults-tx", drawn(net::FaultDirection::kTx));
}

}  // namespace fulmar::drivers
