/// The counters of an archive as a whole: how many sessions there are, how long its cycles, writes and reads
/// take. Types, keys and labels are Aeron's, so that its tools show them.
/// threads: made and polled by the conductor until is_ready; then each agent sets its own.
/// source: Aeron 1.53, archive counters.
#pragma once

#include <cstdint>

#include "archive_server/counters.h"
#include "archive_server/options.h"
#include "fulmar/time.h"

namespace fulmar::archive {

/// How long an agent needs from one round to the next.
struct CycleCounters {
    PendingCounter max;
    PendingCounter exceeded;  ///< rounds that took longer than the threshold

    void on_cycle(Instant now, Duration threshold);

  private:
    Instant last_;
    std::int64_t max_ns_ = 0;
    std::int64_t exceeded_count_ = 0;
};

/// Bytes moved from or to the disk, and the time from asking to completion.
struct IoTotals {
    std::uint64_t bytes = 0;
    std::uint64_t ns_total = 0;
    std::uint64_t ns_max = 0;

    void add(const IoTotals& other);
};

struct IoCounters {
    PendingCounter max_time;
    PendingCounter total_bytes;
    PendingCounter total_time;

    void set(const IoTotals& totals) const;
};

struct ServerCounters {
    ServerCounters(Client& client, const ServerOptions& options, std::int64_t archive_id);

    /// Whether all are there, or never will be: an archive works without them.
    [[nodiscard]] bool poll();

    PendingCounter errors;
    PendingCounter control_sessions;
    PendingCounter recording_sessions;
    PendingCounter replay_sessions;
    CycleCounters conductor;
    CycleCounters recorder;  ///< there where it has a thread of its own
    CycleCounters replayer;  ///< the same
    IoCounters writes;
    IoCounters reads;
};

}  // namespace fulmar::archive
