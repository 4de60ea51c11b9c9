// What a follower does: it finds out what its log has in common with its leader's, cuts the rest, follows,
// and acknowledges what it has.
#include <algorithm>

#include "base/assert.h"
#include "base/plant.h"
#include "raft/node.h"

namespace fulmar::raft {

void Node::drive_follower() {
    if (log_ == Log::kAppending) {
        const std::int64_t limit =
            FULMAR_PLANTED(kApplyBeyondLog) ? leader_commit_ : std::min(leader_commit_, log_end_);
        commit_ = std::max(commit_, limit);
        if (leader_ != kNobody && own_position() > told_position_) {
            acknowledge();
        }
        return;
    }
    if (log_ != Log::kStill || order_ || leader_ == kNobody || match_ == Match::kAsking ||
        match_ == Match::kInstalling) {
        return;
    }
    if (match_ == Match::kForeign) {
        give({.kind = Order::Kind::kInstall, .term = state_.term, .leader = leader_, .position = match_end_});
        match_ = Match::kInstalling;
    } else if (log_end_ > match_end_ && !FULMAR_PLANTED(kLostTruncation)) {
        FULMAR_ASSERT(match_end_ >= commit_, "what is committed is never cut");
        log_ = Log::kTruncating;
        give(
            {.kind = Order::Kind::kTruncate, .term = state_.term, .leader = leader_, .position = match_end_});
    } else {
        log_ = Log::kAppending;
        give({.kind = Order::Kind::kFollow, .term = state_.term, .leader = leader_, .position = log_end_});
    }
}

void Node::on(const Heartbeat& heartbeat, const Message& message, Instant now) {
    if (message.term < state_.term) {
        if (FULMAR_PLANTED(kStaleLeaderTrusted)) {
            return send(message.from, Ack{own_position(), heartbeat.round}, message.term);
        }
        return send(message.from, Ack{});  // our term tells it
    }
    const bool is_new_term = message.term > state_.term;
    if (!is_new_term && leader_ != kNobody && leader_ != message.from) {
        return;  // a term has one leader: this is none, whatever it is
    }
    if (is_new_term || role_ != resting_role() || leader_ == kNobody) {
        become_follower(message.term, message.from, now);
    }
    leader_heard_ = now;
    restart_election_timer(now);
    heartbeat_round_ = std::max(heartbeat_round_, heartbeat.round);
    leader_commit_ = std::max(leader_commit_, heartbeat.commit);
    if (log_ == Log::kStill && match_ == Match::kAsking) {
        if (asked_.question == 0) {
            draw_question(terms_.last_term());
        }
        send(leader_, asked_);
    }
    acknowledge();
}

void Node::draw_question(Term log_term) {
    asked_ = {.question = prng_.next() | 1, .log_term = log_term};
}

void Node::on(const MatchReply& reply, const Message& message, Instant /*now*/) {
    if (message.term != state_.term || message.from != leader_ || role_ == Role::kLeader ||
        log_ != Log::kStill || match_ != Match::kAsking || order_ || reply.question != asked_.question) {
        return;
    }
    const TermTable::Reach own = terms_.reach(reply.log_term, log_end_);
    if (reply.log_term > asked_.log_term ||
        (own.term == reply.log_term && std::min(own.end, reply.end) < reply.begin)) {
        match_ = Match::kForeign;  // what we have in common lies before its log
        match_end_ = reply.begin;
    } else if (own.term == reply.log_term) {
        match_ = Match::kFound;
        match_end_ = std::min(own.end, reply.end);
    } else if (own.term < reply.log_term) {
        draw_question(own.term);
        send(leader_, asked_);
    }
}

std::int64_t Node::own_position() const {
    return options_.durability == Durability::kMemory ? log_end_ : durable_;
}

void Node::acknowledge() {
    told_position_ = log_ == Log::kAppending ? own_position() : -1;
    send(leader_, Ack{.position = told_position_, .round = heartbeat_round_});
}

}  // namespace fulmar::raft
