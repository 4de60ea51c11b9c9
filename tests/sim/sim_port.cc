#include "tests/sim/sim_port.h"

#include <algorithm>

#include "base/assert.h"

namespace fulmar::sim {

SimBinding::~SimBinding() {
    port_.close(*this);
}

SimQueue::~SimQueue() {
    for (const Waiting& packet : waiting_) {
        port_.net().give_back(packet.buffer);
    }
    for (const std::uint32_t buffer : lent_) {
        port_.net().give_back(buffer);
    }
}

void SimQueue::add(port::Binding& binding) {
    static_cast<SimBinding&>(binding).queue = this;
}

void SimQueue::remove(port::Binding& binding) {
    forget(static_cast<SimBinding&>(binding));
    static_cast<SimBinding&>(binding).queue = nullptr;
}

void SimQueue::forget(const SimBinding& binding) {
    std::erase_if(waiting_, [&](const Waiting& packet) {
        if (packet.binding != &binding) {
            return false;
        }
        port_.net().give_back(packet.buffer);
        return true;
    });
}

std::size_t SimQueue::receive(Instant /*now*/, std::span<port::RxPacket> out) {
    FULMAR_ASSERT(lent_.empty(), "packets are handed back before more are asked for");
    std::size_t filled = 0;
    while (filled < out.size() && !waiting_.empty()) {
        const Waiting& packet = waiting_.front();
        out[filled++] = {
            port_.net().bytes_of(packet.buffer), packet.length, packet.source, packet.binding, nullptr};
        lent_.push_back(packet.buffer);
        stats_.rx_bytes += packet.length;
        waiting_.pop_front();
    }
    stats_.rx_packets += filled;
    return filled;
}

void SimQueue::release(std::span<const port::RxPacket> packets) {
    FULMAR_ASSERT(packets.size() == lent_.size(), "what was received is released as a whole");
    for (const std::uint32_t buffer : lent_) {
        port_.net().give_back(buffer);
    }
    lent_.clear();
}

bool SimQueue::deliver(
    SimBinding& binding, const port::Endpoint& source, std::uint32_t buffer, std::uint32_t length) {
    if (waiting_.size() + lent_.size() >= port_.net().options().queue_capacity) {
        return false;
    }
    waiting_.push_back({&binding, source, buffer, length});
    return true;
}

std::size_t SimQueue::send(Instant /*now*/, std::span<const port::TxPacket> packets) {
    SimNet& net = port_.net();
    std::size_t taken = packets.size();
    if (!port_.is_connected()) {
        return taken;
    }
    if (net.options().short_send > 0 && net.prng_.chance(net.options().short_send)) {
        taken = static_cast<std::size_t>(net.prng_.below(packets.size()));
        ++net.counts_[Count::short_send];
        stats_.tx_rejected += packets.size() - taken;
    }
    for (std::size_t i = 0; i < taken; ++i) {
        FULMAR_ASSERT(packets[i].length <= static_cast<std::uint32_t>(net.options().payload_max),
            "datagram longer than payload_max");
        net.transmit(port_.host(), packets[i], packets[i].binding->local());
        stats_.tx_bytes += packets[i].length;
    }
    stats_.tx_packets += taken;
    return taken;
}

SimPort::SimPort(SimNet& net, int host)
    : net_(net), host_(host), name_("sim:" + std::to_string(host)), queues_{} {
    for (auto& queue : queues_) {
        queue = std::make_unique<SimQueue>(*this);
    }
}

port::PacketQueue& SimPort::queue(Role role) {
    return *queues_[has_separate_queues() && role == Role::kReceiver ? 1 : 0];
}

Result<std::unique_ptr<port::Binding>> SimPort::open(const port::BindRequest& request) {
    const auto& wanted = request.local;
    const port::IpAddress own = SimNet::address_of(host_);
    if (wanted.ip.is_multicast()) {
        return fail(ErrorCode::kNotSupported, "multicast is not supported on port " + name_);
    }
    if (wanted.valid() && !wanted.ip.is_any() && wanted.ip != own) {
        return fail(ErrorCode::kInvalidChannel, "address is not one of port " + name_);
    }
    std::uint16_t udp_port = wanted.port;
    while (udp_port == 0 || (wanted.port == 0 && bindings_.count(udp_port) != 0)) {
        udp_port = next_ephemeral_++;
        next_ephemeral_ = std::max<std::uint16_t>(next_ephemeral_, 49152);
    }
    if (bindings_.count(udp_port) != 0) {
        return fail(ErrorCode::kGeneric, "address in use: UDP port " + std::to_string(udp_port));
    }
    auto binding = std::make_unique<SimBinding>(*this, request, port::Endpoint{own, udp_port});
    bindings_[udp_port] = binding.get();
    return std::unique_ptr<port::Binding>(std::move(binding));
}

SimBinding* SimPort::find(std::uint16_t udp_port) const {
    const auto found = bindings_.find(udp_port);
    return found != bindings_.end() && found->second->queue != nullptr ? found->second : nullptr;
}

void SimPort::close(SimBinding& binding) {
    if (binding.queue != nullptr) {
        binding.queue->forget(binding);
    }
    bindings_.erase(binding.local().port);
}

}  // namespace fulmar::sim
