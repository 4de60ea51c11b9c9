#include "drivers/packet_fault/fault_queue.h"

#include <algorithm>

#include "base/assert.h"
#include "base/statistic.h"

namespace fulmar::drivers {

FaultQueueCounts& FaultQueueCounts::operator+=(const FaultQueueCounts& other) {
    drawn.packets += other.drawn.packets;
    drawn.lost += other.drawn.lost;
    drawn.duplicated += other.drawn.duplicated;
    drawn.reordered += other.drawn.reordered;
    drawn.delayed += other.drawn.delayed;
    drawn.corrupted += other.drawn.corrupted;
    overflowed += other.overflowed;
    return *this;
}

FaultQueueCounts FaultQueue::counts_of(const Direction& direction) {
    const auto& drawn = direction.model.counts();
    FaultQueueCounts counts;
    counts.drawn.packets = base::read_count(drawn.packets);
    counts.drawn.lost = base::read_count(drawn.lost);
    counts.drawn.duplicated = base::read_count(drawn.duplicated);
    counts.drawn.reordered = base::read_count(drawn.reordered);
    counts.drawn.delayed = base::read_count(drawn.delayed);
    counts.drawn.corrupted = base::read_count(drawn.corrupted);
    counts.overflowed = base::read_count(direction.overflowed);
    return counts;
}

FaultQueue::FaultQueue(
    port::PacketQueue& inner, const SharedFaultSpec& shared, std::size_t held_max, std::size_t payload_max)
    : inner_(inner),
      shared_(shared),
      rx_{net::FaultModel({}, net::FaultDirection::kRx), HeldPackets(held_max, payload_max)},
      tx_{net::FaultModel({}, net::FaultDirection::kTx), HeldPackets(held_max, payload_max)} {}

void FaultQueue::refresh_spec() {
    net::FaultSpec spec;
    if (shared_.changed(spec_version_, spec)) [[unlikely]] {
        rx_.model.set_spec(spec);
        tx_.model.set_spec(spec);
        decided_count_ = 0;
    }
}

void FaultQueue::remove(port::Binding& binding) {
    rx_.held.forget(binding);
    tx_.held.forget(binding);
    inner_.remove(binding);
}

void FaultQueue::hold(Direction& direction, Instant now, const net::FaultDecision& decision,
    const HeldPacket& packet, std::span<const std::byte> bytes) {
    auto held = packet;
    held.due = now + decision.delay;
    held.overtaken_by = decision.overtaken_by;
    if (!direction.held.hold(now, held, bytes)) {
        base::count(direction.overflowed);
    }
}

std::size_t FaultQueue::receive(Instant now, std::span<port::RxPacket> out) {
    FULMAR_ASSERT(lent_ == 0, "receive before the last burst was released");
    refresh_spec();
    send_due(now);  // an idle sender may only poll
    passing_ = !rx_.model.active() && rx_.held.empty();
    if (passing_) [[likely]] {
        lent_ = inner_.receive(now, out);
        return lent_;
    }
    lent_ = deliver_due(now, out);
    lent_ += deliver_new(now, out.subspan(lent_));
    // Doubles and overtaken packets that became due just now follow at once if there is room.
    lent_ += deliver_due(now, out.subspan(lent_));
    if (lent_ == 0 && batch_size_ > 0) {
        inner_.release({batch_.data(), batch_size_});
        batch_size_ = 0;
    }
    return lent_;
}

std::size_t FaultQueue::deliver_due(Instant now, std::span<port::RxPacket> out) {
    std::size_t filled = 0;
    while (filled < out.size()) {
        auto* packet = rx_.held.front(now);
        if (packet == nullptr) {
            break;
        }
        rx_.held.pop();
        out[filled++] = {packet->bytes, packet->length, packet->endpoint, packet->binding, packet};
        rx_.held.on_passed(now);
    }
    return filled;
}

std::size_t FaultQueue::deliver_new(Instant now, std::span<port::RxPacket> out) {
    const auto room = std::min(out.size(), batch_.size());
    batch_size_ = room == 0 ? 0 : inner_.receive(now, {batch_.data(), room});
    std::size_t filled = 0;
    for (std::size_t i = 0; i < batch_size_; ++i) {
        const auto& packet = batch_[i];
        const auto decision = rx_.model.decide();
        if (decision.drop) {
            continue;
        }
        const HeldPacket copy{.binding = packet.binding, .endpoint = packet.source};
        const std::span<const std::byte> bytes(packet.bytes, packet.length);
        const bool waits = decision.overtaken_by > 0 || decision.delay.ns > 0;
        if (waits) {
            hold(rx_, now, decision, copy, bytes);
        } else {
            out[filled] = packet;
            out[filled].handle = nullptr;  // ours now: it goes back with its batch
            ++filled;
            rx_.held.on_passed(now);
        }
        if (decision.duplicate) {
            hold(rx_, now, decision, copy, bytes);
        }
    }
    return filled;
}

void FaultQueue::release(std::span<const port::RxPacket> packets) {
    FULMAR_ASSERT(packets.size() <= lent_, "packets released twice");
    lent_ -= packets.size();
    if (passing_) [[likely]] {
        inner_.release(packets);
        return;
    }
    for (const auto& packet : packets) {
        if (packet.handle != nullptr) {
            rx_.held.free(*static_cast<HeldPacket*>(packet.handle));
        }
    }
    if (lent_ == 0 && batch_size_ > 0) {
        inner_.release({batch_.data(), batch_size_});
        batch_size_ = 0;
    }
}

std::size_t FaultQueue::send(Instant now, std::span<const port::TxPacket> packets) {
    refresh_spec();
    send_due(now);
    if (!tx_.model.active() && tx_.held.empty()) [[likely]] {
        return inner_.send(now, packets);
    }
    std::size_t taken = 0;
    while (taken < packets.size()) {
        const auto burst = packets.subspan(taken, std::min(packets.size() - taken, port::kBurstMax));
        const auto sent = send_burst(now, burst);
        taken += sent;
        if (sent < burst.size()) {
            break;
        }
    }
    send_due(now);
    return taken;
}

void FaultQueue::send_due(Instant now) {
    if (tx_.held.empty()) [[likely]] {
        return;
    }
    while (auto* held = tx_.held.front(now)) {
        const port::TxPacket packet{held->bytes, held->length, held->binding, held->endpoint};
        if (inner_.send(now, {&packet, 1}) == 0) {
            return;  // stays the first in line
        }
        tx_.held.pop();
        tx_.held.free(*held);
        tx_.held.on_passed(now);
    }
}

/// Draws once for each packet, also when the port below has no room and it is offered again: a full queue
/// must not change which packets are hit.
std::size_t FaultQueue::send_burst(Instant now, std::span<const port::TxPacket> packets) {
    for (; decided_count_ < packets.size(); ++decided_count_) {
        decided_[decided_count_] = tx_.model.decide();
    }
    const auto waits = [this](std::size_t i) {
        return decided_[i].overtaken_by > 0 || decided_[i].delay.ns > 0;
    };
    std::size_t taken = 0;
    while (taken < packets.size()) {
        const auto start = taken;
        auto end = start;
        while (end < packets.size() && !decided_[end].drop && !waits(end)) {
            ++end;
        }
        const auto sent = send_run(now, packets.subspan(start, end - start));
        taken += sent;
        for (auto i = start; i < taken; ++i) {
            if (decided_[i].duplicate) {
                const HeldPacket copy{.binding = packets[i].binding, .endpoint = packets[i].destination};
                hold(tx_, now, decided_[i], copy, {packets[i].bytes, packets[i].length});
            }
        }
        if (taken < end) {
            break;  // no room below
        }
        for (; taken < packets.size() && (decided_[taken].drop || waits(taken)); ++taken) {
            if (decided_[taken].drop) {
                continue;
            }
            const HeldPacket copy{.binding = packets[taken].binding, .endpoint = packets[taken].destination};
            for (int copies = decided_[taken].duplicate ? 2 : 1; copies > 0; --copies) {
                hold(tx_, now, decided_[taken], copy, {packets[taken].bytes, packets[taken].length});
            }
        }
    }
    std::copy(decided_.begin() + static_cast<std::ptrdiff_t>(taken),
        decided_.begin() + static_cast<std::ptrdiff_t>(decided_count_), decided_.begin());
    decided_count_ -= taken;
    return taken;
}

std::size_t FaultQueue::send_run(Instant now, std::span<const port::TxPacket> run) {
    const auto sent = run.empty() ? 0 : inner_.send(now, run);
    for (std::size_t i = 0; i < sent; ++i) {
        tx_.held.on_passed(now);
    }
    return sent;
}

}  // namespace fulmar::drivers
