#include "drivers/packet_loop/loop_queue.h"

#include <cstring>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/statistic.h"
#include "drivers/packet_loop/loop_port.h"

namespace fulmar::drivers {

LoopBinding::~LoopBinding() {
    port_.close(*this);
}

port::Endpoint LoopBinding::source() const {
    return {local_.ip.is_multicast() ? port_.address().ip : local_.ip, local_.port};
}

LoopQueue::LoopQueue(LoopPort& port)
    : port_(port),
      stride_(base::align_up(static_cast<std::size_t>(port.options().payload_max), base::kCacheLineBytes)),
      memory_(std::make_unique_for_overwrite<std::byte[]>(stride_ * port.options().queue_capacity)),
      slots_(port.options().queue_capacity),
      waiting_(port.options().queue_capacity) {
    free_.reserve(slots_.size());
    for (auto index = slots_.size(); index > 0; --index) {
        free_.push_back(static_cast<std::uint32_t>(index - 1));
    }
}

void LoopQueue::add(port::Binding& binding) {
    const std::lock_guard guard(port_.lock());
    static_cast<LoopBinding&>(binding).queue = this;
}

void LoopQueue::remove(port::Binding& binding) {
    const std::lock_guard guard(port_.lock());
    forget(static_cast<LoopBinding&>(binding));
    static_cast<LoopBinding&>(binding).queue = nullptr;
}

/// Takes a binding's packets out of the line, keeping the order of the others.
void LoopQueue::forget(const LoopBinding& binding) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < waiting_count_; ++i) {
        const auto index = waiting_[(waiting_head_ + i) % waiting_.size()];
        if (slots_[index].binding == &binding) {
            free_.push_back(index);
        } else {
            waiting_[(waiting_head_ + kept) % waiting_.size()] = index;
            ++kept;
        }
    }
    waiting_count_ = kept;
}

std::size_t LoopQueue::receive(Instant /*now*/, std::span<port::RxPacket> out) {
    const std::lock_guard guard(port_.lock());
    std::size_t filled = 0;
    std::uint64_t total_bytes = 0;
    while (filled < out.size() && waiting_count_ > 0) {
        const auto index = waiting_[waiting_head_];
        waiting_head_ = (waiting_head_ + 1) % waiting_.size();
        --waiting_count_;
        auto& slot = slots_[index];
        out[filled++] = {bytes_of(index), slot.length, slot.source, slot.binding, &slot};
        total_bytes += slot.length;
    }
    base::count(stats_.rx_packets, filled);
    base::count(stats_.rx_bytes, total_bytes);
    return filled;
}

void LoopQueue::release(std::span<const port::RxPacket> packets) {
    const std::lock_guard guard(port_.lock());
    for (const auto& packet : packets) {
        const auto index = static_cast<Slot*>(packet.handle) - slots_.data();
        FULMAR_ASSERT(free_.size() < slots_.size(), "packet released twice");
        free_.push_back(static_cast<std::uint32_t>(index));
    }
}

std::size_t LoopQueue::send(Instant /*now*/, std::span<const port::TxPacket> packets) {
    std::size_t taken = 0;
    std::uint64_t total_bytes = 0;
    for (const auto& packet : packets) {
        FULMAR_ASSERT(packet.length <= stride_, "datagram longer than payload_max");
        if (packet.destination.ip.is_multicast()) {
            route_to_group(packet);
        } else if (route(packet, port_.network().find(packet.destination.ip)) == Outcome::kFull) {
            base::count(stats_.tx_rejected, packets.size() - taken);
            break;
        }
        ++taken;
        total_bytes += packet.length;
    }
    base::count(stats_.tx_packets, taken);
    base::count(stats_.tx_bytes, total_bytes);
    return taken;
}

void LoopQueue::route_to_group(const port::TxPacket& packet) {
    const auto source = static_cast<const LoopBinding*>(packet.binding)->source();
    port_.network().for_each_port([&](LoopPort& target) {
        const std::lock_guard guard(target.lock());
        target.deliver_to_group(source, packet);
    });
}

LoopQueue::Outcome LoopQueue::route(const port::TxPacket& packet, LoopPort* target) {
    if (target == nullptr) {
        return Outcome::kTaken;  // nobody has that address: lost, as on any wire
    }
    const std::lock_guard guard(target->lock());
    const auto source = static_cast<const LoopBinding*>(packet.binding)->source();
    auto* binding = target->find(packet.destination.port);
    if (binding == nullptr || !binding->accepts(source)) {
        target->receiver_queue().count_no_binding();
        return Outcome::kTaken;
    }
    if (binding->queue->deliver(*binding, source, packet)) {
        return Outcome::kTaken;
    }
    if (port_.options().drop_when_full) {
        target->count_drop();
        return Outcome::kTaken;
    }
    return Outcome::kFull;
}

bool LoopQueue::deliver(LoopBinding& binding, const port::Endpoint& source, const port::TxPacket& packet) {
    if (free_.empty()) {
        return false;
    }
    const auto index = free_.back();
    free_.pop_back();
    slots_[index] = {source, &binding, packet.length};
    if (packet.length > 0) {
        std::memcpy(bytes_of(index), packet.bytes, packet.length);
    }
    waiting_[(waiting_head_ + waiting_count_) % waiting_.size()] = index;
    ++waiting_count_;
    return true;
}

// By senders' threads, but always under the lock, so there is one writer at a time.
void LoopQueue::count_no_binding() {
    base::count(stats_.rx_no_binding);
}

}  // namespace fulmar::drivers
