/// A bounded queue of small values between exactly one producer and one consumer thread of a process.
///
/// Progress: wait-free on both sides.
/// Capacity: a power of two, all of it usable; a full ring refuses, it never overwrites.
/// Dead producer: what it pushed stays readable, nothing else is affected; a push is one release, so a value
/// is there whole or not at all.
/// threads: one producer calls push, one consumer calls pop; size_approx from anywhere.
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
class SpscPointerRing {
    static_assert(std::is_trivially_copyable_v<T>, "slots are copied as bytes");

  public:
    explicit SpscPointerRing(std::size_t capacity)
        : capacity_(checked_capacity(capacity, 1)), slots_(std::make_unique<T[]>(capacity)) {}

    SpscPointerRing(const SpscPointerRing&) = delete;
    SpscPointerRing& operator=(const SpscPointerRing&) = delete;

    /// False: full.  threads: producer.
    [[nodiscard]] bool try_push(const T& value) { return push_burst({&value, 1}) == 1; }

    /// Pushes a prefix and returns its length; all of it becomes visible at once.  threads: producer.
    std::size_t push_burst(std::span<const T> values) {
        const std::size_t count = std::min(values.size(), room_for(values.size()));
        if (count == 0) {
            return 0;
        }
        for (std::size_t i = 0; i < count; ++i) {
            T& slot = slots_[(next_tail_ + i) & (capacity_ - 1)];
            // NOLINTNEXTLINE(bugprone-sizeof-expression): the slot holds the pointer
            Access::on_write(&slot, sizeof(T));
            slot = values[i];
        }
        next_tail_ += count;
        // SYNC(spsc_pointer.tail): release; publishes the slots to pop_burst.
        tail_.store(next_tail_, std::memory_order_release);
        return count;
    }

    /// False: empty.  threads: consumer.
    [[nodiscard]] bool try_pop(T& out) { return pop_burst({&out, 1}) == 1; }

    /// Pops up to out.size() values, oldest first; returns how many.  threads: consumer.
    std::size_t pop_burst(std::span<T> out) {
        const std::size_t count = std::min(out.size(), available_for(out.size()));
        if (count == 0) {
            return 0;
        }
        for (std::size_t i = 0; i < count; ++i) {
            const T& slot = slots_[(next_head_ + i) & (capacity_ - 1)];
            // NOLINTNEXTLINE(bugprone-sizeof-expression): the slot holds the pointer
            Access::on_read(&slot, sizeof(T));
            out[i] = slot;
        }
        next_head_ += count;
        // SYNC(spsc_pointer.head): release; our reads are over before push_burst reuses the slots.
        head_.store(next_head_, std::memory_order_release);
        return count;
    }

    [[nodiscard]] std::size_t capacity() const { return capacity_; }

    /// A snapshot that may be stale by the time it is read; exact when both sides rest.
    [[nodiscard]] std::size_t size_approx() const {
        // relaxed: a statistic. Head first, so that a concurrent pop cannot make the difference negative.
        const std::uint64_t head = head_.load(std::memory_order_relaxed);
        const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
        return tail > head ? std::min<std::size_t>(tail - head, capacity_) : 0;
    }

  private:
    using Access = Memory<Atom>;

    std::size_t room_for(std::size_t wanted) {
        std::size_t room = capacity_ - (next_tail_ - head_cache_);
        if (room < wanted) {
            // SYNC(spsc_pointer.head): acquire; pairs with pop_burst.
            head_cache_ = head_.load(std::memory_order_acquire);
            room = capacity_ - (next_tail_ - head_cache_);
        }
        return room;
    }

    std::size_t available_for(std::size_t wanted) {
        std::size_t available = tail_cache_ - next_head_;
        if (available < wanted) {
            // SYNC(spsc_pointer.tail): acquire; pairs with push_burst.
            tail_cache_ = tail_.load(std::memory_order_acquire);
            available = tail_cache_ - next_head_;
        }
        return available;
    }

    const std::size_t capacity_;
    const std::unique_ptr<T[]> slots_;

    // The producer's own: its tail and the last head it saw.
    alignas(kWriterSpacingBytes) std::uint64_t next_tail_ = 0;
    std::uint64_t head_cache_ = 0;
    // Producer writes, consumer reads.
    alignas(kWriterSpacingBytes) Atom<std::uint64_t> tail_{0};
    // The consumer's own.
    alignas(kWriterSpacingBytes) std::uint64_t next_head_ = 0;
    std::uint64_t tail_cache_ = 0;
    // Consumer writes, producer reads.
    alignas(kWriterSpacingBytes) Atom<std::uint64_t> head_{0};
};

}  // namespace fulmar::ring
