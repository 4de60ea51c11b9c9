/// The agent that moves what is recorded: polls each recording, and the storage that they write through.
/// threads: its own; the conductor talks to it through two links.
#pragma once

#include <vector>

#include "archive/storage_hub.h"
#include "archive_server/link.h"
#include "archive_server/recording_session.h"
#include "archive_server/server_counters.h"
#include "fulmar/time.h"

namespace fulmar::archive {

struct RecorderCommand {
    enum class Kind : std::uint8_t { kAdd, kStop };
    Kind kind = Kind::kAdd;
    RecordingSession* session = nullptr;
};

class Recorder {
  public:
    explicit Recorder(StorageHub& storage) : storage_(storage) {}

    int poll(Instant now);
    /// Before it is polled by a thread of its own. What it counts, from then on.
    void set_counters(ServerCounters& counters, Duration cycle_threshold) {
        counters_ = &counters;
        cycle_threshold_ = cycle_threshold;
    }

    [[nodiscard]] StorageHub& storage() { return storage_; }
    /// To it.
    Link<RecorderCommand> commands;
    /// From it: sessions that ended and are the conductor's again.
    Link<RecordingSession*> ended;

  private:
    static constexpr int kCompletionsMax = 256;
    static constexpr Duration kCountInterval = milliseconds(10);

    void count(Instant now);

    StorageHub& storage_;
    std::vector<RecordingSession*> sessions_;
    ServerCounters* counters_ = nullptr;
    Duration cycle_threshold_{};
    IoTotals of_ended_;
    Instant next_count_;
};

}  // namespace fulmar::archive
