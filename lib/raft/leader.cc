// What a leader does.
#include <algorithm>
#include <functional>
#include <string>

#include "base/assert.h"
#include "base/plant.h"
#include "raft/node.h"

namespace fulmar::raft {

void Node::become_leader(Instant now) {
    role_ = Role::kLeader;
    leader_ = options_.id;
    leads_ = false;
    commit_told_ = commit_;
    progress_.clear();
    for (const Member& member : membership().members) {
        progress_[member.id].heard = now;
    }
    send_heartbeats();
}

void Node::resign() {
    for (const Read& read : reads_) {
        read_answers_.push_back({read.id, -1});
    }
    reads_.clear();
    transfer_to_ = kNobody;
    progress_.clear();
}

void Node::drive_leader() {
    if (!leads_ && log_ == Log::kStill && !order_) {
        leads_ = true;
        base_ = log_end_;
        log_ = Log::kAppending;
        give({.kind = Order::Kind::kLead, .term = state_.term, .leader = options_.id, .position = base_});
    }
    advance_commit();
    advance_transfer();
    const bool read_waits =
        std::any_of(reads_.begin(), reads_.end(), [this](const Read& read) { return read.round > round_; });
    if (commit_ > commit_told_ || read_waits) {
        send_heartbeats();
    }
    answer_reads();
    // Removed, and everybody can know: it led until here, by the others' acknowledgements.
    if (!counts() && membership_position() <= commit_) {
        become_follower(state_.term, kNobody, now_);
    }
}

void Node::send_heartbeats() {
    ++round_;
    heartbeat_due_ = now_ + options_.heartbeat_interval;
    commit_told_ = commit_;
    for (const Member& member : membership().members) {
        if (member.id != options_.id) {
            send(member.id, Heartbeat{.log_end = log_end_, .commit = commit_, .round = round_});
        }
    }
}

void Node::check_quorum(Instant now) {
    std::size_t heard = 0;
    for (const Member& member : membership().members) {
        const auto found = progress_.find(member.id);
        const bool is_self = member.id == options_.id;
        heard += member.is_voter && (is_self || (found != progress_.end() &&
                                                    now < found->second.heard + options_.election_timeout))
                     ? 1
                     : 0;
    }
    if (heard < membership().quorum()) {
        become_follower(state_.term, kNobody, now);
    }
}

std::int64_t Node::acknowledged() {
    positions_.clear();
    for (const Member& member : membership().members) {
        if (!member.is_voter) {
            continue;
        }
        const auto found = progress_.find(member.id);
        if (member.id == options_.id) {
            positions_.push_back(counts() ? own_position() : -1);
        } else {
            const bool known =
                found != progress_.end() && membership().is_voter(member.id, found->second.disk);
            positions_.push_back(known ? found->second.position : -1);
        }
    }
    std::sort(positions_.begin(), positions_.end(), std::greater<>());
    return options_.durability == Durability::kAll ? positions_.back()
                                                   : positions_[membership().quorum() - 1];
}

void Node::advance_commit() {
    if (!leads_) {
        return;
    }
    const std::int64_t position = std::min(acknowledged(), log_end_);
    // Beyond the base: what a quorum has of earlier terms alone may yet be cut (Raft, figure 8).
    const bool covers_own_term = position > base_ || FULMAR_PLANTED(kCommitOfEarlierTerm);
    if (covers_own_term && position > commit_) {
        commit_ = position;
    }
}

void Node::advance_transfer() {
    if (transfer_to_ == kNobody) {
        return;
    }
    if (now_ >= transfer_until_ || !membership().find(transfer_to_)) {
        transfer_to_ = kNobody;
    } else if (acknowledged_by(transfer_to_) >= log_end_) {
        send(transfer_to_, TimeoutNow{});
        transfer_to_ = kNobody;
    }
}

Status Node::may_propose(const Membership& next) const {
    if (role_ != Role::kLeader || !leads_) {
        return fail(ErrorCode::kGeneric,
            "not the leader: the leader is " +
                (leader_ == kNobody ? std::string("not known") : "member " + std::to_string(leader_)));
    }
    if (commit_ <= base_ || membership_position() > commit_) {
        return fail(
            ErrorCode::kGeneric, "the last change of membership is not committed yet: try again when it is");
    }
    return membership().may_become(next);
}

Status Node::transfer(MemberId to) {
    const Member* member = membership().find(to);
    if (role_ != Role::kLeader) {
        return fail(ErrorCode::kGeneric, "not the leader");
    }
    if (member == nullptr || !member->is_voter || to == options_.id) {
        return fail(ErrorCode::kGeneric, "member " + std::to_string(to) + " is not another voter");
    }
    transfer_to_ = to;
    transfer_until_ = now_ + options_.election_timeout;
    return Done{};
}

void Node::read(std::uint64_t id) {
    if (role_ != Role::kLeader) {
        read_answers_.push_back({id, -1});
        return;
    }
    // Confirmed by a round that begins after this.
    reads_.push_back({id, round_ + 1, commit_ > base_ && leads_ ? commit_ : -1});
}

bool Node::is_round_confirmed(std::uint64_t round) const {
    std::size_t confirmed = 0;
    for (const Member& member : membership().members) {
        const auto found = progress_.find(member.id);
        const bool by_other = found != progress_.end() && found->second.round >= round &&
                              membership().is_voter(member.id, found->second.disk);
        confirmed += member.is_voter && (member.id == options_.id || by_other) ? 1 : 0;
    }
    return confirmed >= membership().quorum() || FULMAR_PLANTED(kStaleRead);
}

void Node::answer_reads() {
    auto next = reads_.begin();
    for (; next != reads_.end() && leads_ && commit_ > base_ && is_round_confirmed(next->round); ++next) {
        read_answers_.push_back({next->id, next->position >= 0 ? next->position : commit_});
    }
    reads_.erase(reads_.begin(), next);
}

std::int64_t Node::acknowledged_by(MemberId id) const {
    const auto found = progress_.find(id);
    return found == progress_.end() ? -1 : found->second.position;
}

void Node::on(const Ack& ack, const Message& message, Instant now) {
    if (message.term > state_.term) {
        return become_follower(message.term, kNobody, now);
    }
    if (role_ != Role::kLeader || message.term < state_.term || ack.position > log_end_ ||
        ack.round > round_ || !membership().admits(message.from, message.disk)) {
        return;
    }
    Progress& progress = progress_[message.from];
    if (progress.disk != message.disk) {
        progress = {.disk = message.disk};
    }
    progress.position = std::max(progress.position, ack.position);
    progress.round = std::max(progress.round, ack.round);
    progress.heard = now;
}

void Node::on(const MatchRequest& request, const Message& message, Instant /*now*/) {
    // While it may grow by what an earlier leader sent, its end is not known.
    if (role_ != Role::kLeader || !leads_ || message.term != state_.term) {
        return;
    }
    const TermTable::Reach reach = terms_.reach(request.log_term, log_end_);
    send(message.from, MatchReply{.question = request.question,
                           .log_term = reach.term,
                           .end = reach.end,
                           .begin = terms_.first().base});
}

}  // namespace fulmar::raft
