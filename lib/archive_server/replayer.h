/// The agent that replays: polls each replay, and the storage that they read from.
/// threads: its own; the conductor talks to it through links.
#pragma once

#include <vector>

#include "archive/storage_hub.h"
#include "archive_server/link.h"
#include "archive_server/replay_session.h"
#include "fulmar/time.h"

namespace fulmar::archive {

struct ReplayerCommand {
    enum class Kind : std::uint8_t { kAdd, kStop };
    Kind kind = Kind::kAdd;
    ReplaySession* session = nullptr;
};

struct ReplayerEvent {
    enum class Kind : std::uint8_t {
        kReady,  ///< the recording is there at that position: a subscriber may come
        kEnded,  ///< the session is the conductor's again
    };
    Kind kind = Kind::kReady;
    ReplaySession* session = nullptr;
};

class Replayer {
  public:
    explicit Replayer(StorageHub& storage) : storage_(storage) {}

    int poll(Instant now);
    /// Before it is polled by a thread of its own. What it counts, from then on.
    void set_counters(ServerCounters& counters, Duration cycle_threshold) {
        counters_ = &counters;
        cycle_threshold_ = cycle_threshold;
    }

    [[nodiscard]] StorageHub& storage() { return storage_; }
    /// To it.
    Link<ReplayerCommand> commands;
    /// From it.
    Link<ReplayerEvent> events;

  private:
    static constexpr int kCompletionsMax = 256;
    static constexpr Duration kCountInterval = milliseconds(10);

    void count(Instant now);

    StorageHub& storage_;
    std::vector<ReplaySession*> sessions_;
    ServerCounters* counters_ = nullptr;
    Duration cycle_threshold_{};
    IoTotals of_ended_;
    Instant next_count_;
};

}  // namespace fulmar::archive
