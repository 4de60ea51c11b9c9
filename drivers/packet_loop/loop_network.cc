#include "drivers/packet_loop/loop_network.h"

#include <utility>

#include "base/assert.h"
#include "drivers/packet_loop/loop_port.h"

namespace fulmar::drivers {

namespace {
constexpr std::uint16_t kEphemeralFirst = 49152;  // IANA's dynamic range
}  // namespace

LoopNetwork::LoopNetwork() : LoopNetwork(Options{}) {}

LoopNetwork::LoopNetwork(const Options& options) : options_(options) {
    FULMAR_ASSERT(options.port_count > 0, "a network without ports");
    FULMAR_ASSERT(options.queue_capacity > 0, "a queue without room");
    for (int i = 0; i < options.port_count; ++i) {
        ports_.push_back(std::make_unique<LoopPort>(*this, i));
    }
}

LoopNetwork::~LoopNetwork() = default;

port::PacketPort& LoopNetwork::port(int index) {
    return *ports_.at(static_cast<std::size_t>(index));
}

std::uint64_t LoopNetwork::dropped() const {
    std::uint64_t total = 0;
    for (const auto& port : ports_) {
        total += port->dropped();
    }
    return total;
}

LoopPort* LoopNetwork::find(const port::IpAddress& ip) {
    if (!ip.is_v4()) {
        return nullptr;
    }
    const auto index = ip.to_v4() - options_.first_address;
    return index < ports_.size() ? ports_[index].get() : nullptr;
}

LoopPort::LoopPort(LoopNetwork& network, int index)
    : network_(network),
      options_(network.options()),
      ip_(port::IpAddress::from_v4(options_.first_address + static_cast<std::uint32_t>(index))),
      name_("loop:" + std::to_string(index)),
      next_ephemeral_(kEphemeralFirst) {
    queues_[0] = std::make_unique<LoopQueue>(*this);
    if (options_.separate_queues) {
        queues_[1] = std::make_unique<LoopQueue>(*this);
    }
}

port::PacketQueue& LoopPort::queue(Role role) {
    return *queues_[options_.separate_queues && role == Role::kReceiver ? 1 : 0];
}

Result<std::unique_ptr<port::Binding>> LoopPort::open(const port::BindRequest& request) {
    const auto& wanted = request.local;
    if (wanted.ip.is_multicast()) {
        const std::lock_guard guard(lock_);
        auto member = std::make_unique<LoopBinding>(*this, request, wanted);
        members_.push_back(member.get());
        return std::unique_ptr<port::Binding>(std::move(member));
    }
    if (wanted.valid() && !wanted.ip.is_any() && wanted.ip != ip_) {
        return fail(ErrorCode::kInvalidChannel, "address is not one of port " + name_);
    }
    const std::lock_guard guard(lock_);
    if (bindings_.size() >= LoopNetwork::kBindingsMax) {
        return fail(ErrorCode::kGeneric, "too many bindings on port " + name_);
    }
    const auto udp_port = wanted.port != 0 ? wanted.port : pick_ephemeral();
    if (bindings_.count(udp_port) != 0) {
        return fail(
            ErrorCode::kGeneric, "address in use: UDP port " + std::to_string(udp_port) + " on " + name_);
    }
    auto binding = std::make_unique<LoopBinding>(*this, request, port::Endpoint{ip_, udp_port});
    bindings_[udp_port] = binding.get();
    return std::unique_ptr<port::Binding>(std::move(binding));
}

// Terminates: kBindingsMax is smaller than the range.
std::uint16_t LoopPort::pick_ephemeral() {
    for (;;) {
        const auto candidate = next_ephemeral_;
        next_ephemeral_ = candidate == 0xFFFF ? kEphemeralFirst : static_cast<std::uint16_t>(candidate + 1);
        if (bindings_.count(candidate) == 0) {
            return candidate;
        }
    }
}

LoopBinding* LoopPort::find(std::uint16_t udp_port) {
    const auto found = bindings_.find(udp_port);
    return found != bindings_.end() && found->second->queue != nullptr ? found->second : nullptr;
}

void LoopPort::deliver_to_group(const port::Endpoint& source, const port::TxPacket& packet) {
    for (LoopBinding* member : members_) {
        if (member->queue != nullptr && member->local() == packet.destination &&
            !member->queue->deliver(*member, source, packet)) {
            count_drop();
        }
    }
}

void LoopPort::close(LoopBinding& binding) {
    const std::lock_guard guard(lock_);
    if (binding.queue != nullptr) {
        binding.queue->forget(binding);
    }
    if (binding.local().ip.is_multicast()) {
        std::erase(members_, &binding);
    } else {
        bindings_.erase(binding.local().port);
    }
}

}  // namespace fulmar::drivers
