// How a member becomes leader, and whom it lets become one.
#include <algorithm>

#include "base/plant.h"
#include "raft/node.h"

namespace fulmar::raft {

void Node::ask_for_votes(bool pre, bool transfer, Instant now) {
    votes_.clear();
    restart_election_timer(now);
    if (pre) {
        // The leader may be well yet: it is followed until somebody else is.
        role_ = Role::kPreCandidate;
    } else {
        stop_log();
        change_state(state_.term + 1, options_.id);
        own_vote_number_ = state_number_;
        role_ = Role::kCandidate;
        leader_ = kNobody;
    }
    const Term term = pre ? state_.term + 1 : state_.term;
    for (const Member& member : membership().members) {
        if (member.is_voter && member.id != options_.id) {
            send(member.id,
                VoteRequest{.is_pre = pre,
                    .is_transfer = transfer,
                    .log_term = terms_.last_term(),
                    .log_end = log_end_},
                term);
        }
    }
    if (pre) {
        count_vote(options_.id, now);
    }
}

void Node::count_vote(MemberId id, Instant now) {
    const bool is_own = id == options_.id;
    if (std::find(votes_.begin(), votes_.end(), id) != votes_.end() || (is_own && !counts())) {
        return;
    }
    votes_.push_back(id);
    if (votes_.size() < membership().quorum()) {
        return;
    }
    if (role_ == Role::kPreCandidate) {
        ask_for_votes(false, false, now);
    } else {
        become_leader(now);
    }
}

void Node::on(const VoteRequest& request, const Message& message, Instant now) {
    // Whoever asks, and whether or not our own log says that we count: it may not have come to the membership
    // that the candidate counts by. What a vote is worth is for the candidate to say, by the voter's disk.
    if (request.is_pre) {
        const bool granted = message.term > state_.term && is_log_enough(request) && !hears_a_leader(now);
        return send(message.from, VoteReply{.is_pre = true, .is_granted = granted},
            granted ? message.term : state_.term);
    }
    if (message.term < state_.term) {
        return send(message.from, VoteReply{});
    }
    if (!request.is_transfer && hears_a_leader(now) && message.term > state_.term) {
        return;
    }
    if (message.term > state_.term) {
        become_follower(message.term, kNobody, now);
    }
    const bool free = state_.voted_for == kNobody || state_.voted_for == message.from;
    const bool granted = free && leader_ == kNobody && is_log_enough(request);
    if (granted) {
        change_state(state_.term, message.from);
        restart_election_timer(now);
    }
    send(message.from, VoteReply{.is_granted = granted});
    if (FULMAR_PLANTED(kVoteNotPersisted)) {
        messages_.back().after = {};
    }
}

void Node::on(const VoteReply& reply, const Message& message, Instant now) {
    if (message.term > state_.term && !(reply.is_pre && reply.is_granted)) {
        return become_follower(message.term, kNobody, now);
    }
    const Role asking = reply.is_pre ? Role::kPreCandidate : Role::kCandidate;
    const Term asked = reply.is_pre ? state_.term + 1 : state_.term;
    if (reply.is_granted && role_ == asking && message.term == asked && is_voter(message)) {
        count_vote(message.from, now);
    }
}

void Node::on(const TimeoutNow& /*request*/, const Message& message, Instant now) {
    if (message.term == state_.term && message.from == leader_ && may_campaign()) {
        ask_for_votes(false, true, now);
    }
}

bool Node::is_log_enough(const VoteRequest& request) const {
    return request.log_term > terms_.last_term() ||
           (request.log_term == terms_.last_term() && request.log_end >= log_end_);
}

bool Node::hears_a_leader(Instant now) const {
    return role_ == Role::kLeader || (leader_ != kNobody && now < leader_heard_ + options_.election_timeout);
}

}  // namespace fulmar::raft
