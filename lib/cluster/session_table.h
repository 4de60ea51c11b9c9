/// Which clients there are, and what became of the commands of those that count them: a part of the
/// replicated state, equal on every member that has applied the log to the same position.
///
/// A session of our own client numbers its commands 1, 2, 3 ... and repeats what it has no reply to, after a
/// leader change on another connection. Here each is applied once: one that was applied before is answered
/// with the reply it got then, kept until the client says that it has it. A session of an Aeron client has no
/// numbers; its messages are applied as often as they are in the log.
///
/// What a session costs is bounded: replies of at most kWindow commands, of at most `reply_bytes_max`
/// together. threads: one owner.  errors: verdicts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace fulmar::cluster {

using SessionId = std::int64_t;

class SessionTable {
  public:
    static constexpr std::uint64_t kWindow = 1024;

    struct Limits {
        std::size_t sessions_max = 4096;
        std::size_t reply_bytes_max = std::size_t{1} << 20;  ///< of one session
    };
    /// As the log says when it is opened.
    struct Opening {
        SessionId id = 0;
        std::int64_t position = 0;  ///< of the log, behind the event
        std::int32_t response_stream_id = 0;
        std::string response_channel;
        std::vector<std::byte> principal;
        bool is_counting = false;  ///< its commands have numbers
    };
    struct Reply {
        std::uint64_t sequence = 0;
        std::vector<std::byte> bytes;
    };
    struct Session {
        Opening opening;
        std::int64_t active_ns = 0;      ///< log time of the last message
        std::uint64_t applied = 0;       ///< the last command
        std::uint64_t acknowledged = 0;  ///< replies up to here have arrived
        std::deque<Reply> replies;       ///< of those behind, one each, in order
        std::size_t reply_bytes = 0;
    };

    enum class Verdict : std::uint8_t {
        kApply,      ///< it is the next: apply it, then reply
        kRepeated,   ///< it was applied: `reply` is what it got
        kForgotten,  ///< it was applied, and the client said that it knows
        kAhead,      ///< one before it is missing: the client will repeat it, and this one
        kFull,       ///< the client takes no replies: it is not applied
        kUnknown,    ///< no such session, or no more: nobody can say what became of it
    };
    struct Judged {
        Verdict verdict = Verdict::kUnknown;
        const Reply* reply = nullptr;
    };

    explicit SessionTable(const Limits& limits) : limits_(limits) {}

    /// False: the table is full, or has the session.
    [[nodiscard]] bool open(Opening opening, std::int64_t now_ns);
    /// False: there is none.
    [[nodiscard]] bool close(SessionId id) { return sessions_.erase(id) > 0; }
    /// A keep-alive, or a message without number, of log time `now_ns`. False: no such session.
    [[nodiscard]] bool touch(SessionId id, std::int64_t now_ns);
    /// A command of a counting session, when the log has come to it. `acknowledged`: the client has all
    /// replies up to that command.
    [[nodiscard]] Judged judge(
        SessionId id, std::uint64_t sequence, std::uint64_t acknowledged, std::int64_t now_ns);
    /// To the command just judged kApply, once for each; it may be empty.
    void reply(SessionId id, std::uint64_t sequence, std::span<const std::byte> bytes);

    /// Those that were silent for longer, by log time, oldest id first.
    [[nodiscard]] std::vector<SessionId> silent_since(std::int64_t before_ns) const;

    [[nodiscard]] const Session* find(SessionId id) const;
    [[nodiscard]] std::size_t size() const { return sessions_.size(); }
    /// In the order of ids: a snapshot.
    template <class Visitor>
    void for_each(Visitor&& visit) const {
        for (const auto& [id, session] : sessions_) {
            visit(session);
        }
    }
    /// From a snapshot. False: it cannot be one of this table's: it is there already, or its replies are not
    /// those of the commands behind what was acknowledged.
    [[nodiscard]] bool restore(Session session);

  private:
    static void acknowledge(Session& session, std::uint64_t sequence);

    Limits limits_;
    std::map<SessionId, Session> sessions_;
};

}  // namespace fulmar::cluster
