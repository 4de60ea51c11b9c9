// What members do when all is well, and what clients and operators ask of them.
#include "tests/sim/raft_world.h"

#include <algorithm>

#include "tests/sim/raft_world_inside.h"

namespace fulmar::sim {

using raft::MemberId;
using raft::Membership;
using raft::Order;

namespace {

constexpr Duration kStep = milliseconds(1);

}  // namespace

RaftWorld::RaftWorld(std::uint64_t seed, bool verbose)
    : prng_(seed),
      verdict_(time_, verbose),
      durability_(draw_durability()),
      oracle_(verdict_, hosts_, durability_) {
    const auto voters = static_cast<std::size_t>(prng_.chance(0.6) ? 3 : 5);
    const bool names_disks = durability_ == raft::Durability::kMemory || prng_.chance(0.7);
    hosts_.resize(voters + 1);
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        hosts_[i].id = static_cast<MemberId>(i);
        hosts_[i].disk = new_disk();
        if (i < voters) {
            first_.members.push_back({hosts_[i].id, names_disks ? hosts_[i].disk : raft::DiskId{}, true});
        }
    }
    loss_ = prng_.chance(0.5) ? prng_.unit() * 0.2 : 0;
    repeat_ = prng_.chance(0.5) ? prng_.unit() * 0.1 : 0;
    slow_ = prng_.chance(0.5) ? prng_.unit() * 0.05 : 0;
    heartbeats_only_ = prng_.chance(0.1);
    slow_state_ = prng_.chance(0.3) ? 0.5 : 0.05;
    kills_ = prng_.chance(0.3) ? 0.02 : 0.004;
    down_us_ = prng_.chance(0.5) ? 1'000'000 : 20'000;
}

RaftWorldResult RaftWorld::run() {
    for (RaftHost& host : hosts_) {
        start(host);
    }
    while (time_.now < Instant{} + kRaftTroubled + kRaftQuiet && !verdict_.failed()) {
        step();
    }
    if (!verdict_.failed()) {
        check_end();
    } else if (verdict_.verbose()) {
        describe();
    }
    count(RaftCount::kCommitted, oracle_.committed());
    result_.failure = verdict_.what();
    return result_;
}

raft::Durability RaftWorld::draw_durability() {
    const double draw = prng_.unit();
    return draw < 0.6   ? raft::Durability::kQuorum
           : draw < 0.7 ? raft::Durability::kAll
                        : raft::Durability::kMemory;
}

void RaftWorld::step() {
    time_.now = time_.now + kStep;
    ++result_.steps;
    if (is_quiet()) {
        mend();
    } else {
        disturb();
    }
    deliver();
    for (RaftHost& host : hosts_) {
        if (host.node == nullptr && time_.now >= host.back_at) {
            start(host);
        }
        if (host.node != nullptr && time_.now >= host.stalled_until && !verdict_.failed()) {
            turn(host);
        }
    }
}

void RaftWorld::start(RaftHost& host) {
    raft::Options options{.id = host.id, .disk = host.disk, .durability = durability_};
    host.log.sync();
    host.node =
        std::make_unique<raft::Node>(options, host.state, host.facts(first_), prng_.next(), time_.now);
    host.commit_seen = 0;
    host.commit_checked = 0;
}

void RaftWorld::turn(RaftHost& host) {
    while (!host.writing.empty() && time_.now >= host.writing.front().done) {
        host.state = host.writing.front().keep.state;
        host.state_durable = host.writing.front().keep.number;
        host.writing.pop_front();
        if (host.state.voted_for == host.id) {
            oracle_.on_vote(host.id, host.disk, host.state.term, host.id);
        }
        host.node->on_state_durable(host.state_durable);
    }
    append(host);
    finish_orders(host);
    host.node->tick(time_.now);
    ask(host);
    raft::Ready ready;
    for (int i = 0; i < 20 && host.node->ready(ready); ++i) {
        take(host, ready);
    }
    send_waiting(host);
    oracle_.check_commit(host);
    mix(static_cast<std::uint64_t>(host.node->commit()) * 31 + static_cast<std::uint64_t>(host.node->term()));
}

void RaftWorld::take(RaftHost& host, raft::Ready& ready) {
    if (ready.state) {
        const Instant done = in(200, !is_quiet() && prng_.chance(slow_state_) ? 400'000 : 3'000);
        const Instant after = host.writing.empty() ? done : std::max(done, host.writing.back().done);
        host.writing.push_back({*ready.state, after});
    }
    for (raft::Message& message : ready.messages) {
        host.waiting.push_back(std::move(message));
    }
    for (const raft::ReadAnswer& answer : ready.reads) {
        const auto asked = reads_.extract(answer.id);
        count(answer.position < 0 ? RaftCount::kReadRefused : RaftCount::kRead);
        if (answer.position >= 0 && !asked.empty() && answer.position < asked.mapped().floor) {
            verdict_.fail("member " + std::to_string(host.id) + " answers a read at " +
                          std::to_string(answer.position) + ", and " + std::to_string(asked.mapped().floor) +
                          " was committed when it was asked");
        }
    }
    if (ready.order) {
        obey(host, *ready.order);
    }
}

void RaftWorld::obey(RaftHost& host, const Order& order) {
    if (verdict_.verbose()) {
        verdict_.note("member " + std::to_string(host.id) + ": order " +
                      std::to_string(static_cast<int>(order.kind)) + " term " + std::to_string(order.term) +
                      " leader " + std::to_string(order.leader) + " at " + std::to_string(order.position));
    }
    switch (order.kind) {
        case Order::Kind::kStop:
            count(RaftCount::kStepDown, host.leads != 0 ? 1 : 0);
            host.stops_at = in(0, 5'000);
            break;
        case Order::Kind::kTruncate:
            count(RaftCount::kTruncation);
            host.cut_at = in(200, 10'000);
            host.cut_to = order.position;
            break;
        case Order::Kind::kLead:
            count(RaftCount::kTerm);
            oracle_.on_leads(host, order.term);
            host.leads = order.term;
            if (order.position != host.log.end()) {
                verdict_.fail("leads from elsewhere than its log's end");
            }
            host.log.append({++last_id_, host.log.end() + 64, order.term, {}});
            tell(host, host.log.size() - 1);
            break;
        case Order::Kind::kFollow:
            host.follows = order;
            if (order.position != host.log.end()) {
                verdict_.fail("follows from elsewhere than its log's end");
            }
            count(RaftCount::kLateStart,
                hosts_[static_cast<std::size_t>(order.leader)].log.end() > order.position ? 1 : 0);
            break;
        case Order::Kind::kInstall: verdict_.fail("a snapshot is asked for, and no log was ever shortened");
    }
}

void RaftWorld::finish_orders(RaftHost& host) {
    if (host.stops_at && time_.now >= *host.stops_at) {
        host.stops_at.reset();
        host.leads = 0;
        host.follows = {};
        host.log.sync();
        host.node->on_stopped(host.log.end());
    }
    if (host.cut_at && time_.now >= *host.cut_at) {
        host.cut_at.reset();
        cut(host, host.cut_to);
        host.node->on_truncated();
    }
}

void RaftWorld::cut(RaftHost& host, std::int64_t position) {
    const std::size_t count = host.log.index_behind(position);
    if (host.log.end_of(count) != position) {
        return verdict_.fail("cut within a message");
    }
    oracle_.on_cut(host, count);
    host.log.cut(count);
}

void RaftWorld::tell(RaftHost& host, std::size_t first) {
    std::vector<raft::TermEntry> terms;
    std::vector<raft::MembershipEntry> memberships;
    for (std::size_t i = first; i < host.log.size(); ++i) {
        const RaftEntry& entry = host.log.entries()[i];
        if (entry.begins != 0) {
            terms.push_back({entry.begins, host.log.end_of(i)});
        }
        if (entry.membership) {
            memberships.push_back({entry.end, *entry.membership});
        }
    }
    host.node->on_log({host.log.end(), host.log.durable_end(), terms, memberships});
}

void RaftWorld::append(RaftHost& host) {
    const std::size_t before = host.log.size();
    if (host.leads != 0 && !host.stops_at) {
        const bool holds_back = host.node->transfer_target() != raft::kNobody;
        const auto commands = holds_back || heartbeats_only_ || prng_.chance(0.5) ? 0 : prng_.below(4);
        for (std::uint64_t i = 0; i < commands; ++i) {
            host.log.append({++last_id_, host.log.end() + 32 * prng_.between(2, 20), 0, {}});
        }
    } else if (host.follows.kind == Order::Kind::kFollow) {
        pull(host);
    }
    const bool syncs = host.log.durable() < host.log.size() && prng_.chance(0.4);
    if (syncs) {
        host.log.sync();
    }
    if (host.log.size() > before || syncs) {
        tell(host, before);
    }
}

void RaftWorld::pull(RaftHost& host) {
    const RaftHost& leader = hosts_[static_cast<std::size_t>(host.follows.leader)];
    if (leader.leads != host.follows.term || cut_links_.contains({leader.id, host.id}) || prng_.chance(0.3)) {
        return;
    }
    std::size_t next = host.log.size();
    if (next > leader.log.size() || leader.log.end_of(next) != host.log.end()) {
        return verdict_.fail(
            "member " + std::to_string(host.id) + " follows with a log that is not its leader's");
    }
    for (auto count = prng_.below(20); count > 0 && next < leader.log.size(); --count) {
        host.log.append(leader.log.entries()[next++]);
    }
}

void RaftWorld::ask(RaftHost& host) {
    raft::Node& node = *host.node;
    if (node.role() != raft::Role::kLeader) {
        return;
    }
    if (prng_.chance(0.3)) {
        reads_[++last_read_] = {host.id, oracle_.committed_end()};
        node.read(last_read_);
    }
    if (host.leads == 0 || host.stops_at || is_quiet()) {
        return;
    }
    if (prng_.chance(0.002)) {
        const auto to = static_cast<MemberId>(prng_.below(hosts_.size()));
        count(RaftCount::kTransfer, node.transfer(to) ? 1 : 0);
    }
    if (prng_.chance(0.02)) {
        change_membership(host);
    }
}

void RaftWorld::change_membership(RaftHost& host) {
    raft::Node& node = *host.node;
    Membership next = node.membership();
    const auto pick = prng_.below(hosts_.size());
    RaftHost& other = hosts_[pick];
    const auto found = std::find_if(next.members.begin(), next.members.end(),
        [&](const raft::Member& member) { return member.id == other.id; });
    RaftCount what = RaftCount::kLearnerAdded;
    if (std::any_of(next.members.begin(), next.members.end(),
            [](const raft::Member& m) { return !m.disk.is_set(); })) {
        for (raft::Member& member : next.members) {
            member.disk = hosts_[static_cast<std::size_t>(member.id)].disk;
        }
    } else if (found == next.members.end()) {
        next.members.push_back({other.id, other.disk, false});
    } else if (found->disk != other.disk) {
        // By its new disk it begins anew.
        *found = {other.id, other.disk, false};
        what = RaftCount::kRemoved;
    } else if (!found->is_voter) {
        if (node.acknowledged_by(other.id) < node.log_end() - 4'096) {
            return;
        }
        found->is_voter = true;
        what = RaftCount::kPromoted;
    } else if (prng_.chance(0.2) && may_lose_voter() && next.voters() > 3) {
        next.members.erase(found);
        what = RaftCount::kRemoved;
    } else {
        return;
    }
    if (node.may_propose(next)) {
        count(what);
        host.log.append({++last_id_, host.log.end() + 96, 0, next});
        tell(host, host.log.size() - 1);
    }
}

RaftWorldResult run_raft_world(std::uint64_t seed, bool verbose) {
    return RaftWorld(seed, verbose).run();
}

}  // namespace fulmar::sim
