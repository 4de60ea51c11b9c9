/// What publishers were told was accepted, and so what subscribers must get. The world runs one duty cycle at
/// a time, so the order of offers is the order of positions: an exact oracle.
/// threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fulmar/header.h"
#include "tests/sim/verdict.h"

namespace fulmar::sim {

/// Whether subscribers have to see a message.
enum class Fate : std::uint8_t {
    kOpen,   ///< claimed and not committed: nobody may get past it
    kMust,   ///< accepted
    kMaybe,  ///< accepted by a log whose end was already decided
    kVoid,   ///< aborted or abandoned: nobody may see it
};

struct Entry {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::uint64_t seed = 0;  ///< decides the content, and is the reserved value
    std::int32_t length = 0;
    Fate fate = Fate::kMust;
    Instant claimed_at;  ///< while it is open
};

/// One session: everything written into one publication's log.
struct Stream {
    std::size_t id = 0;
    int node = 0;
    int incarnation = 0;  ///< of the node's driver
    int topic = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int32_t initial_term_id = 0;
    std::int32_t term_length = 0;
    std::int32_t mtu = 0;
    std::int64_t registration_id = 0;
    bool is_ipc = false;
    bool is_exclusive = false;
    bool is_reliable = true;
    bool is_of_group = false;  ///< what is unsent when it closes is dropped while the group lacks receivers
    int handles = 0;           ///< of living clients
    bool is_over = false;      ///< its driver or all its handles are gone; nothing more is promised
    bool is_revoked = false;
    /// Since when its publisher has known a destination to be removed, by node and UDP port.
    std::map<std::pair<int, std::uint16_t>, Instant> removed;
    /// When a node was last without one of its destinations.
    std::map<int, Instant> detached;
    std::vector<Entry> entries;

    [[nodiscard]] bool was_detached(int from, Instant now, Duration window) const {
        const auto found = detached.find(from);
        return found != detached.end() && found->second + window >= now;
    }
    [[nodiscard]] std::int64_t end() const { return entries.empty() ? 0 : entries.back().end; }
    [[nodiscard]] std::string name() const;
};

class Ledger {
  public:
    Ledger(const WorldTime& time, Duration unblock_timeout)
        : time_(time), unblock_timeout_(unblock_timeout) {}

    /// A claim held for so long may become padding, although its owner lives.
    [[nodiscard]] bool may_be_unblocked(const Entry& entry) const {
        return entry.fate == Fate::kOpen &&
               time_.now - entry.claimed_at >= unblock_timeout_ - unblock_timeout_ / 100;
    }
    /// The stream of a publication; its second handle finds the first one's.
    Stream& stream_for(const Stream& description, Verdict& verdict);
    /// Null: nobody of ours publishes that (an invented session).
    [[nodiscard]] Stream* find(std::int32_t session_id, std::int32_t stream_id);
    [[nodiscard]] const std::vector<std::unique_ptr<Stream>>& streams() const { return streams_; }

    /// A message that was accepted and now ends at `end`.
    static Entry& record(Stream& stream, std::int64_t end, std::int32_t length, std::uint64_t seed, Fate fate,
        Verdict& verdict);

  private:
    [[nodiscard]] static std::uint64_t key(std::int32_t session_id, std::int32_t stream_id) {
        return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(session_id)) << 32) |
               static_cast<std::uint32_t>(stream_id);
    }

    const WorldTime& time_;
    Duration unblock_timeout_;
    std::vector<std::unique_ptr<Stream>> streams_;
    std::map<std::uint64_t, Stream*> by_session_;
};

/// Fills a message's content, and says whether bytes are it.
void write_content(std::span<std::byte> bytes, std::uint64_t seed);
[[nodiscard]] bool is_content(std::span<const std::byte> bytes, std::uint64_t seed);

/// One subscription's way through one session.
class Reader {
  public:
    Reader(std::int32_t session_id, std::int32_t stream_id, std::int64_t join_position)
        : session_id_(session_id),
          stream_id_(stream_id),
          join_position_(join_position),
          position_(join_position) {}

    /// A whole message; checks that it is the next one.
    void on_message(
        Ledger& ledger, std::span<const std::byte> message, const Header& header, Verdict& verdict);

    [[nodiscard]] Stream* stream(Ledger& ledger) {
        if (stream_ == nullptr) {
            stream_ = ledger.find(session_id_, stream_id_);
        }
        return stream_;
    }
    [[nodiscard]] std::int64_t join_position() const { return join_position_; }
    /// End of the last message delivered.
    [[nodiscard]] std::int64_t position() const { return position_; }
    [[nodiscard]] std::uint64_t delivered() const { return delivered_; }
    /// The first message that must come and has not; null when there is none.
    [[nodiscard]] const Entry* missing(Ledger& ledger);

  private:
    void find_start(const Stream& stream);

    std::int32_t session_id_;
    std::int32_t stream_id_;
    std::int64_t join_position_;
    std::int64_t position_;
    std::uint64_t delivered_ = 0;
    Stream* stream_ = nullptr;
    std::size_t next_ = 0;
    bool started_ = false;
};

}  // namespace fulmar::sim
