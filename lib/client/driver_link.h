/// The driver's CnC file as a client uses it: command ring, event broadcast, counters, signs of life.
/// threads: commands may be sent by any thread; events are received by one.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "fulmar/counters_reader.h"
#include "fulmar/result.h"
#include "fulmar/time.h"
#include "layout/cnc.h"
#include "layout/commands.h"
#include "port/memory_map.h"
#include "ring/shm_broadcast.h"
#include "ring/shm_mpsc_ring.h"

namespace fulmar::client {

/// When `epoch_ms` was read and how old a heartbeat may be.
struct LivenessCheck {
    std::int64_t epoch_ms = 0;
    Duration driver_timeout;
};

class DriverLink {
  public:
    DriverLink() = default;

    /// One attempt. errors: kResourceTemporarilyUnavailable while there may yet be a live driver there,
    /// else kGeneric; one line with the directory.
    static Result<DriverLink> open(const std::string& dir, port::MemoryMap& memory_map, LivenessCheck check);

    /// errors: kResourceTemporarilyUnavailable when the ring is full, kMalformedCommand when the command is
    /// longer than a record may be, kGeneric when the ring is damaged.
    template <class Command>
    [[nodiscard]] Status send(layout::CommandType type, const Command& command) {
        const auto claim = ring_.try_claim(static_cast<std::int32_t>(type), command.encoded_length());
        if (!claim.valid()) {
            return refused(claim.result, command.encoded_length());
        }
        const bool encoded = command.encode(claim.body()) != 0;
        if (!encoded) {
            ring::ShmMpscRing::abort(claim);
            return refused(ring::ShmWriteResult::kInvalid, command.encoded_length());
        }
        ring::ShmMpscRing::commit(claim);
        return Done{};
    }

    [[nodiscard]] std::int64_t next_correlation_id() { return ring_.next_correlation_id(); }
    [[nodiscard]] ring::BroadcastMessage receive_next() { return events_.receive_next(); }

    [[nodiscard]] const CountersReader& counters() const { return counters_; }
    /// A counter as its owner writes it; with id kNullCounterId when the id is out of range.
    [[nodiscard]] observe::Counter counter(std::int32_t id) const;
    [[nodiscard]] std::span<std::byte> counter_metadata() const { return cnc_.counter_metadata(); }
    [[nodiscard]] Duration client_liveness_timeout() const { return {cnc_.client_liveness_timeout_ns()}; }

    /// errors: kGeneric, why the driver counts as gone.
    [[nodiscard]] Status check_driver(LivenessCheck check) const;

  private:
    [[nodiscard]] static Status refused(ring::ShmWriteResult result, std::size_t length);

    std::unique_ptr<port::Mapping> mapping_;
    layout::CncFile cnc_;
    ring::ShmMpscRing ring_;
    ring::BroadcastReceiver events_;
    CountersReader counters_;
};

}  // namespace fulmar::client
