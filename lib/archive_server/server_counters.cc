#include "archive_server/server_counters.h"

#include <algorithm>

#include "config/duration.h"

namespace fulmar::archive {
namespace {

CycleCounters cycle_counters(
    Client& client, const ServerOptions& options, std::int64_t archive_id, const std::string& role) {
    CycleCounters made;
    made.max = archive_counter(client, counter_type::kMaxCycleTime,
        "archive-" + role + " max cycle time in ns: " + options.threading_mode, archive_id);
    made.exceeded = archive_counter(client, counter_type::kCycleTimeExceeded,
        "archive-" + role + " work cycle time exceeded count: threshold=" +
            config::format_duration(options.cycle_threshold) + " " + options.threading_mode,
        archive_id);
    return made;
}

}  // namespace

void CycleCounters::on_cycle(Instant now, Duration threshold) {
    if (max.get() == nullptr || exceeded.get() == nullptr) {
        return;
    }
    const std::int64_t took = last_ == Instant{} ? 0 : (now - last_).ns;
    last_ = now;
    if (took > max_ns_) {
        max_ns_ = took;
        max.set(max_ns_);
    }
    if (took > threshold.ns) {
        exceeded.set(++exceeded_count_);
    }
}

void IoTotals::add(const IoTotals& other) {
    bytes += other.bytes;
    ns_total += other.ns_total;
    ns_max = std::max(ns_max, other.ns_max);
}

void IoCounters::set(const IoTotals& totals) const {
    total_bytes.set(static_cast<std::int64_t>(totals.bytes));
    total_time.set(static_cast<std::int64_t>(totals.ns_total));
    max_time.set(static_cast<std::int64_t>(totals.ns_max));
}

ServerCounters::ServerCounters(Client& client, const ServerOptions& options, std::int64_t archive_id) {
    const auto counter = [&](std::int32_t type_id, const char* label) {
        return archive_counter(client, type_id, label, archive_id);
    };
    errors = archive_errors_counter(client, archive_id);
    control_sessions = counter(counter_type::kControlSessions, "Archive Control Sessions");
    recording_sessions = counter(counter_type::kRecordingSessions, "Archive Recording Sessions");
    replay_sessions = counter(counter_type::kReplaySessions, "Archive Replay Sessions");
    conductor = cycle_counters(client, options, archive_id, "conductor");
    if (options.is_dedicated()) {
        recorder = cycle_counters(client, options, archive_id, "recorder");
        replayer = cycle_counters(client, options, archive_id, "replayer");
    }
    writes.max_time = counter(counter_type::kMaxWriteTime, "archive-recorder max write time in ns");
    writes.total_bytes = counter(counter_type::kTotalWriteBytes, "archive-recorder total write bytes");
    writes.total_time = counter(counter_type::kTotalWriteTime, "archive-recorder total write time in ns");
    reads.max_time = counter(counter_type::kMaxReadTime, "archive-replayer max read time in ns");
    reads.total_bytes = counter(counter_type::kTotalReadBytes, "archive-replayer total read bytes");
    reads.total_time = counter(counter_type::kTotalReadTime, "archive-replayer total read time in ns");
}

bool ServerCounters::poll() {
    bool all_there = true;
    for (PendingCounter* counter : {&errors, &control_sessions, &recording_sessions, &replay_sessions,
             &conductor.max, &conductor.exceeded, &recorder.max, &recorder.exceeded, &replayer.max,
             &replayer.exceeded, &writes.max_time, &writes.total_bytes, &writes.total_time, &reads.max_time,
             &reads.total_bytes, &reads.total_time}) {
        all_there = (!counter->is_asked() || counter->poll()) && all_there;
    }
    return all_there;
}

}  // namespace fulmar::archive
