/// A counter this client allocated in the driver's counters file, for tools and other processes to read.
/// threads: any may update; close from one.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "fulmar/result.h"
#include "observe/counters.h"

namespace fulmar {

namespace client {
class Conductor;
}

/// Freed by the driver when this handle goes away (a static counter never is). Updating after that, or after
/// the client was closed, goes nowhere.
class Counter {
  public:
    struct Init {
        std::shared_ptr<client::Conductor> conductor;
        std::int64_t registration_id = 0;
        observe::Counter value;
        bool is_static = false;
    };

    explicit Counter(Init init) : init_(std::move(init)) {}
    ~Counter() { close(); }
    Counter(const Counter&) = delete;
    Counter& operator=(const Counter&) = delete;

    [[nodiscard]] std::int32_t id() const { return init_.value.id(); }
    [[nodiscard]] std::int64_t registration_id() const { return init_.registration_id; }
    [[nodiscard]] bool is_static() const { return init_.is_static; }

    [[nodiscard]] std::int64_t get() const { return init_.value.get_acquire(); }
    void set(std::int64_t value) const {
        if (!is_closed()) {
            init_.value.set_release(value);
        }
    }
    void add(std::int64_t by) const {
        if (!is_closed()) {
            init_.value.increment_shared(by);
        }
    }

    [[nodiscard]] bool is_closed() const { return closed_.load(std::memory_order_acquire); }
    void close();
    /// Called by the client when the driver's memory is no longer ours to write.
    void mark_closed() { closed_.store(true, std::memory_order_release); }

  private:
    Init init_;
    // SYNC(counter.closed): release in mark_closed, acquire in is_closed.
    std::atomic<bool> closed_{false};
};

}  // namespace fulmar
