/// An archive in the virtual world, with a client that records, kills and asks: what was acknowledged is
/// there afterwards, and what is replayed is what was published, whatever the disk, the network and death
/// did.
///
/// The client is a sequence of waiting calls; while one waits, everything else goes on.
/// threads: one.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fulmar/archive_client.h"
#include "tests/lab/numbered_stream.h"
#include "tests/sim/archive_host.h"
#include "tests/sim/world.h"

namespace fulmar::sim {

enum class ArchiveCount : std::uint8_t {
    kRound,
    kKilled,
    kKilledByPowerCut,
    kKilledByTornPowerCut,
    kKilledStarting,
    kEndedByItself,
    kRecovered,
    kSessionLost,
    kRequestFailed,
    kStarted,
    kExtended,
    kStoppedByRequest,
    kStoppedByDisk,
    kTruncatedMessage,
    kPurged,
    kReplayed,
    kReplayFailed,
    kVerified,
    kAcknowledged,
    kNetworkLost,
    kNotRecovered,
    kSpoilt,
    kSpoiltEnded,
    kCount,
};
inline constexpr std::size_t kArchiveCounts = static_cast<std::size_t>(ArchiveCount::kCount);
inline constexpr std::array<std::string_view, kArchiveCounts> kArchiveCountNames{"round", "killed",
    "killed_by_power_cut", "killed_by_torn_power_cut", "killed_starting", "ended_by_itself",
    "server_recovered", "session_lost", "request_failed", "recording_started", "recording_extended",
    "stopped_by_request", "stopped_by_disk", "message_cut_back", "purged", "replayed", "replay_failed",
    "verified_messages", "acknowledged_bytes", "packets_lost", "not_recovered", "spoilt_on_disk",
    "spoilt_replay_ended"};

class ArchiveWorld {
  public:
    struct Result {
        std::uint64_t hash = 0;
        std::uint64_t steps = 0;
        std::array<std::uint64_t, kArchiveCounts> counts{};
        std::string failure;  ///< empty: passed
    };

    ArchiveWorld(std::uint64_t seed, bool verbose);
    ~ArchiveWorld();
    [[nodiscard]] Result run();

  private:
    /// A stream and its recording, through all deaths.
    struct Stream {
        std::int32_t stream_id = 0;
        lab::NumberedMessages messages{0};
        std::int64_t recording_id = kNullRecordingId;
        std::int32_t initial_term_id = 0;
        std::unique_ptr<ExclusivePublication> publication;
        std::uint64_t next_message = 0;
        std::int64_t acknowledged = 0;
        std::int64_t verified = 0;
        std::uint64_t verified_messages = 0;
        bool is_stopped = false;  ///< by request, and answered
    };
    /// Whether the client goes on with what it was doing; false: the archive is gone, or refuses.
    using Going = bool;

    void count(ArchiveCount what, std::uint64_t by = 1) {
        result_.counts[static_cast<std::size_t>(what)] += by;
    }
    void advance();
    void run_for(Duration length);
    void die_if_due();
    void note(const ArchiveError& error);

    [[nodiscard]] Going connect();
    void round(bool is_last);
    [[nodiscard]] Going verify_all(bool from_start, bool must_work);
    [[nodiscard]] Going check_entries();
    [[nodiscard]] Going verify(Stream& stream, bool must_work);
    [[nodiscard]] Going compare(Stream& stream, std::int64_t stop, bool must_work);
    /// A byte of a recorded message that the disk gives wrong.
    struct Spoilt {
        std::string segment;
        std::uint64_t offset = 0;
        std::byte before{};
    };
    [[nodiscard]] std::optional<Spoilt> spoil(const Stream& stream, std::int64_t stop);
    void put(const Spoilt& spoilt, std::byte value);
    /// It is as it was recorded again, or the run has failed.
    void mend(const Spoilt& spoilt, bool was_served);
    [[nodiscard]] Going begin(Stream& stream);
    void publish(Duration length);
    void acknowledge(Stream& stream);
    void stop_some();
    void purge_one();
    void leave();
    /// What ends the channel of its recording.
    [[nodiscard]] static std::string name_of(const Stream& stream);
    [[nodiscard]] std::string channel_of(const Stream& stream, const std::string& more) const;

    const std::uint64_t seed_;
    base::Prng draws_;
    WorldTime time_;
    Trace trace_;
    Counts transport_counts_;
    Verdict verdict_;
    WorldPlan plan_;
    SimNet net_;
    Scheduler scheduler_;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::unique_ptr<ArchiveHost> host_;
    Scheduler::Id host_id_ = 0;
    int client_node_ = 0;
    std::string control_channel_;
    std::string response_channel_;
    std::unique_ptr<Client> client_;
    std::unique_ptr<ArchiveClient> archive_;
    std::vector<Stream> streams_;
    Instant kill_at_ = Instant::never();
    bool kills_before_sync_ = false;  ///< as soon as a power cut would take something
    bool has_no_faults_ = false;
    int deletions_ = 0;
    Result result_;
};

}  // namespace fulmar::sim
