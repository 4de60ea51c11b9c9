#include "drivers/packet_fault/held_packets.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/bytes.h"
#include "net/fault_model.h"

namespace fulmar::drivers {

namespace {

/// Order of the heap, whose top is its largest: the earliest due, then the first held.
bool later(const HeldPacket* a, const HeldPacket* b) {
    return a->due != b->due ? a->due > b->due : a->order > b->order;
}

}  // namespace

HeldPackets::HeldPackets(std::size_t capacity, std::size_t payload_max)
    : stride_(base::align_up(payload_max, base::kCacheLineBytes)),
      // Not zeroed: pages that no held packet ever reaches cost nothing.
      memory_(std::make_unique_for_overwrite<std::byte[]>(capacity * stride_)),
      packets_(capacity) {
    free_.reserve(capacity);
    waiting_.reserve(capacity);
    reordered_.reserve(kReorderedMax);
    for (auto index = capacity; index > 0; --index) {
        packets_[index - 1].bytes = memory_.get() + (index - 1) * stride_;
        free_.push_back(&packets_[index - 1]);
    }
}

void HeldPackets::push(HeldPacket& packet) {
    waiting_.push_back(&packet);
    std::push_heap(waiting_.begin(), waiting_.end(), later);
}

bool HeldPackets::hold(Instant now, const HeldPacket& packet, std::span<const std::byte> bytes) {
    FULMAR_ASSERT(bytes.size() <= stride_, "a packet longer than the port's payload_max");
    if (free_.empty()) {
        return false;
    }
    auto& held = *free_.back();
    free_.pop_back();
    auto* memory = held.bytes;
    held = packet;
    held.bytes = memory;
    held.length = static_cast<std::uint32_t>(bytes.size());
    held.order = ++order_;
    if (!bytes.empty()) {
        std::memcpy(memory, bytes.data(), bytes.size());
    }
    if (held.overtaken_by > 0 && held.due <= now && reordered_.size() < kReorderedMax) {
        await_overtaking(held, now);  // from now on, so that the rest of its own burst counts
    } else {
        push(held);
    }
    return true;
}

void HeldPackets::await_overtaking(HeldPacket& packet, Instant now) {
    packet.due = now + net::kReorderHoldMax;
    reordered_.push_back(&packet);
}

HeldPacket* HeldPackets::front(Instant now) {
    for (std::size_t i = reordered_.size(); i > 0; --i) {
        if (reordered_[i - 1]->due <= now) {
            release_reordered(i - 1, now);
        }
    }
    while (!waiting_.empty() && waiting_.front()->due <= now) {
        auto* packet = waiting_.front();
        if (packet->overtaken_by == 0 || reordered_.size() == kReorderedMax) {
            return packet;
        }
        pop();
        await_overtaking(*packet, now);
    }
    return nullptr;
}

void HeldPackets::pop() {
    std::pop_heap(waiting_.begin(), waiting_.end(), later);
    waiting_.pop_back();
}

void HeldPackets::free(HeldPacket& packet) {
    FULMAR_ASSERT(free_.size() < packets_.size(), "a held packet freed twice");
    free_.push_back(&packet);
}

void HeldPackets::release_reordered(std::size_t index, Instant now) {
    auto* packet = reordered_[index];
    reordered_.erase(reordered_.begin() + static_cast<std::ptrdiff_t>(index));
    packet->overtaken_by = 0;
    packet->due = now;
    push(*packet);
}

void HeldPackets::on_passed(Instant now) {
    for (std::size_t i = reordered_.size(); i > 0; --i) {
        if (--reordered_[i - 1]->overtaken_by == 0) {
            release_reordered(i - 1, now);
        }
    }
}

void HeldPackets::forget(const port::Binding& binding) {
    const auto gone = [this, &binding](HeldPacket* packet) {
        if (packet->binding != &binding) {
            return false;
        }
        free(*packet);
        return true;
    };
    std::erase_if(waiting_, gone);
    std::make_heap(waiting_.begin(), waiting_.end(), later);
    std::erase_if(reordered_, gone);
}

}  // namespace fulmar::drivers
