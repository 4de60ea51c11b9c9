/// A bounded queue of small values from any number of producer threads to one consumer thread of a process.
/// Each slot carries the position it is good for, so producers meet only at the tail.
///
/// Progress: push is lock-free (a failed exchange means that another producer got in), pop is wait-free.
/// Capacity: a power of two, at least two, all of it usable; a full ring refuses, it never overwrites.
/// Dead producer: one that stops between winning its slot and publishing it (a killed thread) blocks the
/// consumer at that slot for good: values behind it stay unread and the ring fills. That is accepted within
/// one process, where a thread does not die alone; use ShmMpscRing across processes.
/// threads: any number push, one pops.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

#include "base/bytes.h"
#include "ring/memory.h"

namespace fulmar::ring {

template <class T, template <class> class Atom = std::atomic>
class MpscPointerRing {
    static_assert(std::is_trivially_copyable_v<T>, "slots are copied as bytes");

  public:
    explicit MpscPointerRing(std::size_t capacity)
        : capacity_(checked_capacity(capacity, 2)), slots_(std::make_unique<Slot[]>(capacity)) {
        for (std::size_t i = 0; i < capacity; ++i) {
            // relaxed: construction; the ring is handed to its threads by something stronger.
            slots_[i].turn.store(i, std::memory_order_relaxed);
        }
    }

    MpscPointerRing(const MpscPointerRing&) = delete;
    MpscPointerRing& operator=(const MpscPointerRing&) = delete;

    /// False: full.  threads: any producer.
    [[nodiscard]] bool try_push(const T& value) {
        // relaxed: a stale tail is noticed at the slot's turn or by the exchange.
        std::uint64_t tail = tail_.load(std::memory_order_relaxed);
        for (;;) {
            Slot& slot = slots_[tail & (capacity_ - 1)];
            // SYNC(mpsc_pointer.free): acquire; pairs with try_pop, whose read of the slot is over.
            const std::uint64_t turn = slot.turn.load(std::memory_order_acquire);
            if (turn == tail) {
                // relaxed: the tail only hands out positions; the slot's turn orders the data.
                if (tail_.compare_exchange_weak(
                        tail, tail + 1, std::memory_order_relaxed, std::memory_order_relaxed)) {
                    Access::on_write(&slot.value, sizeof slot.value);
                    slot.value = value;
                    // SYNC(mpsc_pointer.full): release; publishes the value to try_pop.
                    slot.turn.store(tail + 1, std::memory_order_release);
                    return true;
                }
            } else if (static_cast<std::int64_t>(turn - tail) < 0) {
                return false;  // The slot still holds the value of one lap ago.
            } else {
                tail = tail_.load(std::memory_order_relaxed);  // relaxed: as above
            }
        }
    }

    /// Pushes a prefix and returns its length; other producers' values may come between.
    std::size_t push_burst(std::span<const T> values) {
        std::size_t count = 0;
        while (count < values.size() && try_push(values[count])) {
            ++count;
        }
        return count;
    }

    /// False: empty, or the oldest value is still being written.  threads: consumer.
    [[nodiscard]] bool try_pop(T& out) {
        Slot& slot = slots_[head_ & (capacity_ - 1)];
        // SYNC(mpsc_pointer.full): acquire; pairs with try_push.
        if (slot.turn.load(std::memory_order_acquire) != head_ + 1) {
            return false;
        }
        Access::on_read(&slot.value, sizeof slot.value);
        out = slot.value;
        // SYNC(mpsc_pointer.free): release; the slot is good for the next lap.
        slot.turn.store(head_ + capacity_, std::memory_order_release);
        ++head_;
        return true;
    }

    /// Pops up to out.size() values, in the order of their slots.  threads: consumer.
    std::size_t pop_burst(std::span<T> out) {
        std::size_t count = 0;
        while (count < out.size() && try_pop(out[count])) {
            ++count;
        }
        return count;
    }

    [[nodiscard]] std::size_t capacity() const { return capacity_; }

  private:
    using Access = Memory<Atom>;

    struct Slot {
        Atom<std::uint64_t> turn{0};  ///< position: free for it; position + 1: holds its value
        T value{};
    };

    const std::size_t capacity_;
    const std::unique_ptr<Slot[]> slots_;
    alignas(kWriterSpacingBytes) Atom<std::uint64_t> tail_{0};  // producers write
    alignas(kWriterSpacingBytes) std::uint64_t head_ = 0;       // the consumer's own
};

}  // namespace fulmar::ring
