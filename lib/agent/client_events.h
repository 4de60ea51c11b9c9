/// What the conductor tells the clients: encodes events into the broadcast, never faster than clients that
/// poll now and then can read, since a lapped client ends itself.
/// threads: the conductor.
/// Bound: a burst of half the broadcast, refilled over kRefill; what exceeds it waits here, and while
/// anything waits the conductor takes no new work that would cause more.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "fulmar/time.h"
#include "layout/events.h"
#include "ring/shm_broadcast.h"

namespace fulmar::agent {

class ClientEvents {
  public:
    /// A client that polls at least this often is never lapped.
    static constexpr Duration kRefill = milliseconds(100);

    explicit ClientEvents(ring::BroadcastTransmitter transmitter);

    template <class Event>
    void send(layout::EventType type, const Event& event) {
        const std::size_t length = event.encode(buffer_);
        transmit(type, length);
    }

    void error(std::int64_t correlation_id, ErrorCode code, std::string_view message);
    void operation_success(std::int64_t correlation_id);
    void unavailable_counter(std::int64_t correlation_id, std::int32_t counter_id);

    /// Refills the allowance and sends what waits. Returns work done.
    int flush(Instant now);
    [[nodiscard]] bool backlogged() const { return !waiting_.empty(); }

  private:
    struct Waiting {
        layout::EventType type;
        std::vector<std::byte> body;
    };

    void transmit(layout::EventType type, std::size_t length);
    [[nodiscard]] bool spend(std::size_t length);

    ring::BroadcastTransmitter transmitter_;
    std::int64_t burst_bytes_;
    std::int64_t allowance_bytes_;
    Instant last_refill_;
    std::deque<Waiting> waiting_;
    std::vector<std::byte> buffer_;
};

}  // namespace fulmar::agent
