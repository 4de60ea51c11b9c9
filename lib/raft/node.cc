#include "raft/node.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace fulmar::raft {

Node::Node(const Options& options, const State& state, LogFacts log, std::uint64_t seed, Instant now)
    : options_(options),
      prng_(seed),
      now_(now),
      state_(state),
      terms_(std::move(log.terms)),
      memberships_(std::move(log.memberships)),
      log_end_(log.end),
      durable_(log.end),
      commit_(log.commit) {
    FULMAR_ASSERT(!memberships_.empty(), "a log has a membership to begin with");
    FULMAR_ASSERT(commit_ <= log_end_, "what is committed is there");
    // A leader that crashed leaves a term in the log that its State may not have.
    state_.term = std::max(state_.term, terms_.last_term());
    if (state_ != state) {
        state_.voted_for = kNobody;
        ++state_number_;
    }
    role_ = resting_role();
    restart_election_timer(now);
}

void Node::tick(Instant now) {
    // A process that was stopped has heard nobody, and that is nobody's fault.
    const Duration gap = now - now_;
    if (gap > options_.election_timeout / 2) {
        election_due_ = election_due_ + gap;
        for (auto& [id, progress] : progress_) {
            progress.heard = progress.heard + gap;
        }
    }
    now_ = now;
    if (role_ == Role::kLeader) {
        check_quorum(now);
        if (role_ == Role::kLeader && now >= heartbeat_due_) {
            send_heartbeats();
        }
    } else if (now >= election_due_) {
        if (may_campaign()) {
            ask_for_votes(true, false, now);
        } else {
            restart_election_timer(now);
        }
    }
}

void Node::step(const Message& message, Instant now) {
    now_ = std::max(now_, now);
    if (message.to != options_.id || message.from == options_.id || message.term < 0) {
        return;
    }
    std::visit([&](const auto& body) { on(body, message, now_); }, message.body);
}

void Node::on_state_durable(std::uint64_t number) {
    FULMAR_ASSERT(number <= state_given_, "a state that was never given");
    state_durable_ = std::max(state_durable_, number);
    if (role_ == Role::kCandidate && state_durable_ >= own_vote_number_) {
        count_vote(options_.id, now_);
    }
}

void Node::on_log(const LogUpdate& update) {
    FULMAR_ASSERT(log_ == Log::kAppending || log_ == Log::kStopping, "nothing was to be appended");
    FULMAR_ASSERT(update.end >= log_end_ && update.durable >= durable_ && update.durable <= update.end,
        "a log only grows");
    for (const TermEntry& entry : update.terms) {
        terms_.add(entry);
    }
    memberships_.insert(memberships_.end(), update.memberships.begin(), update.memberships.end());
    log_end_ = update.end;
    durable_ = update.durable;
    if (!update.memberships.empty()) {
        take_role();
    }
}

void Node::on_stopped(std::int64_t end) {
    FULMAR_ASSERT(log_ == Log::kStopping, "it was not to stop");
    FULMAR_ASSERT(end >= commit_, "what is committed is there");
    log_ = Log::kStill;
    if (end < log_end_) {
        cut_tables(end);
    }
    log_end_ = end;
    durable_ = end;
}

void Node::on_truncated() {
    FULMAR_ASSERT(log_ == Log::kTruncating, "nothing was to be cut");
    log_ = Log::kStill;
    cut_tables(match_end_);
    log_end_ = match_end_;
    durable_ = match_end_;
}

void Node::cut_tables(std::int64_t end) {
    terms_.truncate(end);
    while (memberships_.size() > 1 && memberships_.back().position > end) {
        memberships_.pop_back();
    }
    take_role();
}

bool Node::ready(Ready& out) {
    if (role_ == Role::kLeader) {
        drive_leader();
    } else {
        drive_follower();
    }
    // What the owner is done with comes back as room: a turn takes no memory.
    out.state.reset();
    out.messages.clear();
    out.reads.clear();
    if (state_given_ < state_number_) {
        state_given_ = state_number_;
        out.state = Ready::Keep{state_number_, state_};
    }
    out.order = std::exchange(order_, std::nullopt);
    out.messages.swap(messages_);
    out.reads.swap(read_answers_);
    return out.state || out.order || !out.messages.empty() || !out.reads.empty();
}

void Node::change_state(Term term, MemberId voted_for) {
    const State next{term, voted_for};
    FULMAR_ASSERT(term > state_.term || state_.voted_for == kNobody || next == state_, "a vote is cast once");
    if (next != state_) {
        state_ = next;
        ++state_number_;
    }
}

void Node::become_follower(Term term, MemberId leader, Instant now) {
    const bool is_other = term != state_.term || leader != leader_ || role_ == Role::kLeader;
    if (role_ == Role::kLeader) {
        resign();
    }
    if (term > state_.term) {
        change_state(term, kNobody);
    }
    role_ = resting_role();
    leader_ = leader;
    if (is_other) {
        stop_log();
        match_ = Match::kAsking;
        asked_ = {};
        told_position_ = -1;
        heartbeat_round_ = 0;
        leader_commit_ = 0;
        restart_election_timer(now);
    }
}

bool Node::may_campaign() const {
    for (auto it = memberships_.rbegin(); it != memberships_.rend(); ++it) {
        if (it->membership.is_voter(options_.id, options_.disk)) {
            return true;
        }
        if (it->position <= commit_) {
            return false;
        }
    }
    return false;
}

void Node::take_role() {
    if (role_ == Role::kFollower || role_ == Role::kLearner) {
        role_ = resting_role();
    } else if (role_ != Role::kLeader && !may_campaign()) {
        role_ = Role::kLearner;
    }
}

void Node::stop_log() {
    leads_ = false;
    if (order_ && order_->kind != Order::Kind::kStop) {
        order_.reset();  // not given yet
        log_ = Log::kStill;
    } else if (log_ == Log::kAppending) {
        log_ = Log::kStopping;
        give({.kind = Order::Kind::kStop, .term = state_.term});
    }
}

void Node::give(Order order) {
    FULMAR_ASSERT(!order_, "one order at a time");
    order_ = order;
}

void Node::restart_election_timer(Instant now) {
    const auto jitter = prng_.below(static_cast<std::uint64_t>(options_.election_timeout.ns));
    election_due_ = now + options_.election_timeout + Duration{static_cast<std::int64_t>(jitter)};
}

}  // namespace fulmar::raft
