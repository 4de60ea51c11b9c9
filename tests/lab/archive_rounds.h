/// Rounds of recording, kill -9, start and comparison, with four streams: archive_rounds.cc plays them,
/// archive_rounds_publish.cc records, archive_rounds_verify.cc compares.
/// threads: one, beside those of the driver inside.
#pragma once

#include <cstdint>
#include <fmt/core.h>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/prng.h"
#include "fulmar/archive_client.h"
#include "fulmar/driver.h"
#include "fulmar/idle.h"
#include "tests/lab/child.h"
#include "tests/lab/numbered_stream.h"

namespace fulmar::lab {

inline constexpr std::int32_t kTermLength = 256 * 1024;
inline constexpr Duration kPatience = seconds(30);
/// How far a recording is written, a counter of ours (lib/archive_server/counters.h).
inline constexpr std::int32_t kWrittenTypeId = 7200;

struct Options {
    std::string archive_program;
    int rounds = 100;
    std::uint64_t seed = 1;
    bool power_cut = false;
    bool json = false;
    std::string sync = "batch";
    std::string out;
};

/// One stream and its recording, through all rounds.
struct Stream {
    std::string channel;
    std::int32_t stream_id = 0;
    SourceLocation source = SourceLocation::kLocal;
    NumberedMessages messages{0};
    std::int64_t recording_id = kNullRecordingId;
    std::int32_t initial_term_id = 0;
    std::unique_ptr<ExclusivePublication> publication;
    std::uint64_t next_message = 0;  ///< to publish
    std::int64_t acknowledged = 0;   ///< greatest position that the archive said is recorded
    std::int64_t written = 0;        ///< greatest that it said is written
    std::int64_t verified = 0;       ///< up to here bytes were compared
    std::uint64_t verified_messages = 0;
};

struct Tally {
    int rounds = 0;
    std::uint64_t lost = 0;  ///< acknowledged bytes that were not there or differed
    std::uint64_t recorded = 0;
    std::uint64_t dropped = 0;  ///< written, not durable, gone
    int rounds_with_drops = 0;
    std::string failure;
};

class Rounds {
  public:
    explicit Rounds(const Options& options);
    ~Rounds();

    Tally run();

  private:
    bool check(const Status& status);
    Status open();
    Status start_archive();
    Status play(int round);

    static std::string with(const std::string& channel, const std::string& more) {
        return channel + (channel.find('?') == std::string::npos ? "?" : "|") + more;
    }
    /// Not the session of the round before, which may linger.
    static std::string session_of(const Stream& stream) {
        return with(stream.channel, fmt::format("session-id={}", stream.publication->session_id()));
    }
    template <class Condition>
    Status wait(const char* what, Condition&& condition) {
        const Instant deadline = client_->now() + kPatience;
        BackoffIdle idle;
        while (!condition()) {
            if (client_->now() > deadline) {
                return fail(ErrorCode::kGeneric,
                    std::string("waited in vain for ") + what + "; the session said: " + said_ +
                        "; the archive said: " + (process_ ? process_->output() : ""));
            }
            idle.idle(archive_->poll());
        }
        return Done{};
    }

    /// Records on, from where the recording ended.
    Status begin(Stream& stream);
    Status publish(Duration length);
    /// Up to a moment when something is written that no sync has covered.
    Status publish_until_unsynced();
    static int offer(Stream& stream);
    /// Keys: recording i64, session i32, length of the source i32, source, archive i64.
    static bool is_of_archive(std::span<const std::byte> key, std::int64_t archive_id);
    void note_positions(Stream& stream);

    /// All that was acknowledged is there and equal; from the start, or from what was compared before.
    Status verify_all(bool from_start);
    Status verify(Stream& stream);
    Status cut_back(const Stream& stream, std::int64_t position);

    const Options& options_;
    base::Prng draws_;
    std::string directory_;
    Tally tally_;
    std::unique_ptr<MediaDriver> driver_;
    std::unique_ptr<Client> client_;
    std::optional<Child> process_;
    std::unique_ptr<ArchiveClient> archive_;
    std::vector<Stream> streams_;
    int deletions_ = 0;
    std::string said_;
};

}  // namespace fulmar::lab
