/// Allocating counters in the shared counters buffers, and the handle that updates one.
/// threads: the manager belongs to the conductor; a Counter is written by its owner and read by anyone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "layout/counters.h"

namespace fulmar::observe {

/// A 64-bit value in shared memory. Copyable; the buffer must outlive it. A default Counter counts into a
/// private sink, so cores can be built without a driver.
class Counter {
  public:
    Counter() : value_(&sink()) {}
    Counter(std::int32_t id, std::byte* record) : id_(id), value_(reinterpret_cast<std::int64_t*>(record)) {}

    [[nodiscard]] std::int32_t id() const { return id_; }

    /// SYNC(counter.value): acquire; pairs with set_release.
    [[nodiscard]] std::int64_t get_acquire() const {
        return std::atomic_ref<std::int64_t>(*value_).load(std::memory_order_acquire);
    }
    [[nodiscard]] std::int64_t get_relaxed() const {
        return std::atomic_ref<std::int64_t>(*value_).load(std::memory_order_relaxed);
    }
    /// SYNC(counter.value): release; publishes what was written before, pairs with get_acquire.
    void set_release(std::int64_t value) const {
        std::atomic_ref<std::int64_t>(*value_).store(value, std::memory_order_release);
    }
    void set_relaxed(std::int64_t value) const {
        std::atomic_ref<std::int64_t>(*value_).store(value, std::memory_order_relaxed);
    }
    /// For one writing thread: no locked instruction.
    void increment_relaxed(std::int64_t by = 1) const { set_relaxed(get_relaxed() + by); }
    /// For several writing threads.
    void increment_shared(std::int64_t by = 1) const {
        std::atomic_ref<std::int64_t>(*value_).fetch_add(by, std::memory_order_relaxed);
    }
    /// Raises to `value` if larger; one writer.
    bool propose_max_release(std::int64_t value) const {
        if (get_relaxed() < value) {
            set_release(value);
            return true;
        }
        return false;
    }

  private:
    static std::int64_t& sink() {
        static std::int64_t value = 0;  // every store is atomic; nobody reads it
        return value;
    }

    std::int32_t id_ = layout::kNullCounterId;
    std::int64_t* value_;
};

/// Allocates, labels, frees and reuses counters; readers scan the same buffers.
class CountersManager {
  public:
    /// Buffers are zeroed. reuse_timeout_ms: how long a freed id rests, so that nobody mistakes its
    /// successor.
    CountersManager(
        std::span<std::byte> metadata, std::span<std::byte> values, std::int64_t reuse_timeout_ms);

    struct Spec {
        std::int32_t type_id = 0;
        std::span<const std::byte> key;  ///< cut at kCounterKeyMax
        std::string_view label;          ///< cut at kCounterLabelMax
        std::int64_t registration_id = 0;
        std::int64_t owner_id = 0;
        std::int64_t reference_id = 0;
        std::int64_t initial_value = 0;
    };
    /// errors: a Counter with id kNullCounterId when the file is full.
    [[nodiscard]] Counter allocate(const Spec& spec, std::int64_t now_ms);
    /// Nothing happens for an id that is not allocated.
    void free(std::int32_t id, std::int64_t now_ms);
    /// The label as it now stands is in shared memory, where clients append too: cut, never overrun.
    void append_to_label(std::int32_t id, std::string_view suffix);
    void set_label(std::int32_t id, std::string_view label);

    /// A private sink for an id outside the file.
    [[nodiscard]] Counter counter(std::int32_t id) const;
    [[nodiscard]] bool is_allocated(std::int32_t id) const;
    [[nodiscard]] std::int32_t capacity() const { return capacity_; }

  private:
    struct Freed {
        std::int32_t id = 0;
        std::int64_t reusable_at_ms = 0;
    };

    [[nodiscard]] std::int32_t next_id(std::int64_t now_ms);
    [[nodiscard]] std::byte* metadata_at(std::int32_t id) const;
    [[nodiscard]] std::byte* value_at(std::int32_t id) const;

    std::span<std::byte> metadata_;
    std::span<std::byte> values_;
    std::int64_t reuse_timeout_ms_;
    std::int32_t capacity_;
    std::int32_t high_water_ = 0;
    // What decides is private: the shared state word is an output.
    std::vector<bool> allocated_;
    // Ids rest equally long, so they come back in the order they were freed: a ring of `capacity_`.
    std::vector<Freed> freed_;
    std::size_t freed_head_ = 0;
    std::size_t freed_count_ = 0;
};

/// A counter as a reader of the shared buffers sees it.
struct CounterView {
    std::int32_t id = 0;
    std::int32_t type_id = 0;
    std::int64_t value = 0;
    std::int64_t registration_id = 0;
    std::int64_t owner_id = 0;
    std::int64_t reference_id = 0;
    std::span<const std::byte> key;
    std::string_view label;
};

/// Visits allocated counters; lengths found in shared memory are clamped, never trusted.
void for_each_counter(std::span<const std::byte> metadata, std::span<const std::byte> values,
    const std::function<void(const CounterView&)>& visit);

}  // namespace fulmar::observe
