/// One member's part in the consensus, without I/O: it is told what arrived, what became durable and what
/// time it is, and says what to send, to keep and to do.
///
/// The log is a stream of bytes that the leader publishes and everybody records; bytes never pass through
/// here. Positions do, and each is the end of a whole message. What the log itself says about the consensus,
/// where terms begin and who the members are, is read out of it by who records it and told with LogUpdate, so
/// that a log can be judged by its own bytes after any crash.
///
/// Beside the log a member keeps State, which is small and changes with elections alone.
///
/// One turn of the owner:
///   step(message), on_log(...), on_state_durable(...), tick(now) ... as it comes;
///   then ready(), and
///     keep `state` (if there is one), in the background;
///     do `order` (if there is one);
///     send each message once the state it waits for is durable.
/// Orders come one at a time: the next is not given before the answer to the one before.
///   kStop      append nothing more, of the leader that was followed or of one's own; answer on_stopped with
///   the end
///              of what was appended, durable.
///   kTruncate  cut the log to `position`, durably; answer on_truncated.
///   kLead      append the new-leadership-term event of `term` at `position`, then what clients say.  No
///   answer: its
///              bytes come with on_log.
///   kFollow    append what the leader of `term` has behind `position`: from its archive what is past, then
///   live. kInstall   the leader's log begins at `position`, behind the end of ours: install a snapshot of
///   it, then start
///              again with the log that belongs to it.
///
/// threads: one owner.  errors: a message that cannot be is ignored; what the owner must not do is asserted.
/// source: Ongaro, "Consensus: Bridging Theory and Practice": 3 (Raft), 4 (membership), 6.4 (reads), 9.6
/// (pre-vote), 3.10 (transfer); over bytes as in Aeron Cluster.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/prng.h"
#include "fulmar/result.h"
#include "fulmar/time.h"
#include "raft/membership.h"
#include "raft/message.h"
#include "raft/term_table.h"
#include "raft/types.h"

namespace fulmar::raft {

/// What a member has promised. It is durable before anybody hears of it.
struct State {
    Term term = 0;
    MemberId voted_for = kNobody;

    bool operator==(const State&) const = default;
};

/// What was found on disk when the member started.
struct LogFacts {
    TermTable terms;
    /// By position, the first at or before the beginning of the log; at least one.
    std::vector<MembershipEntry> memberships;
    std::int64_t end = 0;     ///< of what is durable
    std::int64_t commit = 0;  ///< known to be, from a snapshot
};

struct Options {
    MemberId id = 0;
    DiskId disk;
    Durability durability = Durability::kQuorum;
    /// A follower that hears nothing for this long, and a bit more drawn anew each time, asks for an
    /// election. A leader that hears of no quorum for this long is none.
    Duration election_timeout = milliseconds(100);
    Duration heartbeat_interval = milliseconds(20);
};

/// What was appended since the last one.
struct LogUpdate {
    std::int64_t end = 0;      ///< of a leader: of what it published; of a follower: of what it received
    std::int64_t durable = 0;  ///< survives a power cut; at most `end`
    std::span<const TermEntry> terms{};
    std::span<const MembershipEntry> memberships{};
};

struct Order {
    enum class Kind : std::uint8_t { kStop, kTruncate, kLead, kFollow, kInstall };
    Kind kind = Kind::kStop;
    Term term = 0;
    MemberId leader = kNobody;
    std::int64_t position = 0;
};

/// A read may be answered by a service that has applied the log up to `position`; −1: this member cannot say.
struct ReadAnswer {
    std::uint64_t id = 0;
    std::int64_t position = -1;
};

struct Ready {
    struct Keep {
        std::uint64_t number = 0;
        State state;
    };
    std::optional<Keep> state;
    std::optional<Order> order;
    std::vector<Message> messages;
    std::vector<ReadAnswer> reads;
};

class Node {
  public:
    Node(const Options& options, const State& state, LogFacts log, std::uint64_t seed, Instant now);

    void tick(Instant now);
    void step(const Message& message, Instant now);
    void on_state_durable(std::uint64_t number);
    void on_log(const LogUpdate& update);
    void on_stopped(std::int64_t end);
    void on_truncated();

    /// Moves into `out` what is to be done; true if there is something.
    bool ready(Ready& out);

    /// Whether a leader may append this membership now. It holds once on_log tells of it.
    /// errors: one line saying why not.
    [[nodiscard]] Status may_propose(const Membership& next) const;
    /// Hands over to `to`: no command should be appended until role() or transfer_target() changes.
    /// errors: one line saying why not.
    [[nodiscard]] Status transfer(MemberId to);
    [[nodiscard]] MemberId transfer_target() const { return transfer_to_; }
    /// Asks up to where a service must have applied the log to answer a read that came before this call.
    void read(std::uint64_t id);

    [[nodiscard]] Role role() const { return role_; }
    [[nodiscard]] Term term() const { return state_.term; }
    [[nodiscard]] MemberId leader() const { return leader_; }
    /// Applying is allowed up to here. Never falls.
    [[nodiscard]] std::int64_t commit() const { return commit_; }
    [[nodiscard]] std::int64_t log_end() const { return log_end_; }
    [[nodiscard]] std::int64_t durable() const { return durable_; }
    [[nodiscard]] const State& state() const { return state_; }
    [[nodiscard]] const TermTable& terms() const { return terms_; }
    /// The last of the log.
    [[nodiscard]] const Membership& membership() const { return memberships_.back().membership; }
    [[nodiscard]] std::int64_t membership_position() const { return memberships_.back().position; }
    /// What a leader has from a member; −1: nothing yet.
    [[nodiscard]] std::int64_t acknowledged_by(MemberId id) const;

  private:
    /// What a leader knows of a member.
    struct Progress {
        std::int64_t position = -1;
        std::uint64_t round = 0;
        Instant heard{};
        DiskId disk;
    };
    struct Read {
        std::uint64_t id = 0;
        std::uint64_t round = 0;
        std::int64_t position = -1;  ///< until the term's first commit
    };
    enum class Log : std::uint8_t {
        kStill,       ///< nobody appends
        kAppending,   ///< ordered to lead or to follow
        kStopping,    ///< ordered to stop
        kTruncating,  ///< ordered to cut
    };
    /// How far a follower is in finding out what its log has in common with the leader's.
    enum class Match : std::uint8_t { kAsking, kFound, kForeign, kInstalling };

    // node.cc
    [[nodiscard]] bool counts() const { return membership().is_voter(options_.id, options_.disk); }
    [[nodiscard]] bool is_voter(const Message& message) const {
        return membership().is_voter(message.from, message.disk);
    }
    /// By the last membership or by one since the last that is committed: who is being removed may be the
    /// only one with a log long enough, and leads until it is.
    [[nodiscard]] bool may_campaign() const;
    [[nodiscard]] Role resting_role() const { return may_campaign() ? Role::kFollower : Role::kLearner; }
    void change_state(Term term, MemberId voted_for);
    void become_follower(Term term, MemberId leader, Instant now);
    /// After a change of membership.
    void take_role();
    void cut_tables(std::int64_t end);
    void stop_log();
    template <class Body>
    void send(MemberId to, Body body, Term term);
    template <class Body>
    void send(MemberId to, Body body) {
        send(to, std::move(body), state_.term);
    }
    void give(Order order);
    void restart_election_timer(Instant now);

    // election.cc
    void ask_for_votes(bool pre, bool transfer, Instant now);
    void count_vote(MemberId id, Instant now);
    void on(const VoteRequest& request, const Message& message, Instant now);
    void on(const VoteReply& reply, const Message& message, Instant now);
    void on(const TimeoutNow& request, const Message& message, Instant now);
    [[nodiscard]] bool is_log_enough(const VoteRequest& request) const;
    [[nodiscard]] bool hears_a_leader(Instant now) const;

    // leader.cc
    void become_leader(Instant now);
    void drive_leader();
    void send_heartbeats();
    void check_quorum(Instant now);
    void advance_commit();
    [[nodiscard]] std::int64_t acknowledged();
    [[nodiscard]] bool is_round_confirmed(std::uint64_t round) const;
    void advance_transfer();
    void answer_reads();
    void resign();
    void on(const Ack& ack, const Message& message, Instant now);
    void on(const MatchRequest& request, const Message& message, Instant now);

    // follower.cc
    void drive_follower();
    void draw_question(Term log_term);
    [[nodiscard]] std::int64_t own_position() const;
    void acknowledge();
    void on(const Heartbeat& heartbeat, const Message& message, Instant now);
    void on(const MatchReply& reply, const Message& message, Instant now);

    const Options options_;
    base::Prng prng_;
    Instant now_;

    State state_;
    std::uint64_t state_number_ = 0;  // of state_
    std::uint64_t state_given_ = 0;   // to the owner
    std::uint64_t state_durable_ = 0;

    TermTable terms_;
    std::vector<MembershipEntry> memberships_;
    std::int64_t log_end_;
    std::int64_t durable_;
    std::int64_t commit_;
    Log log_ = Log::kStill;

    Role role_ = Role::kFollower;
    MemberId leader_ = kNobody;
    Instant leader_heard_{};
    Instant election_due_{};

    // A candidate's.
    std::vector<MemberId> votes_;
    std::uint64_t own_vote_number_ = 0;  // the state that has it

    // A leader's.
    bool leads_ = false;     // the log is appended to
    std::int64_t base_ = 0;  // of its term, once it leads
    std::map<MemberId, Progress> progress_;
    std::vector<std::int64_t> positions_;  // room for acknowledged()
    std::uint64_t round_ = 0;
    Instant heartbeat_due_{};
    std::int64_t commit_told_ = 0;
    std::vector<Read> reads_;
    MemberId transfer_to_ = kNobody;
    Instant transfer_until_{};

    // A follower's.
    Match match_ = Match::kAsking;
    std::int64_t match_end_ = 0;
    MatchRequest asked_;
    std::int64_t told_position_ = -1;
    std::uint64_t heartbeat_round_ = 0;
    std::int64_t leader_commit_ = 0;

    std::optional<Order> order_;
    std::vector<Message> messages_;
    std::vector<ReadAnswer> read_answers_;
};

template <class Body>
void Node::send(MemberId to, Body body, Term term) {
    messages_.push_back({.from = options_.id,
        .to = to,
        .disk = options_.disk,
        .term = term,
        .after = {state_number_},
        .body = std::move(body)});
}

}  // namespace fulmar::raft
