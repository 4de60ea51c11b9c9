// The network between members, and what becomes of them; and whether they have come through.
#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "cluster/consensus_messages.h"
#include "tests/sim/raft_world_inside.h"

namespace fulmar::sim {
namespace {

constexpr std::int32_t kRaftCluster = 1;

}  // namespace

using raft::MemberId;
using raft::Membership;

void RaftWorld::send_waiting(RaftHost& host) {
    std::erase_if(host.waiting, [&](raft::Message& message) {
        if (message.after.state > host.state_durable) {
            return false;
        }
        if (const auto* vote = std::get_if<raft::VoteReply>(&message.body);
            vote != nullptr && vote->is_granted && !vote->is_pre) {
            oracle_.on_vote(host.id, host.disk, message.term, message.to);
        }
        launch(message);
        return true;
    });
}

void RaftWorld::launch(const raft::Message& said) {
    // What arrives is what its bytes say.
    std::array<std::byte, cluster::kConsensusMessageMax> buffer{};
    const auto bytes = std::span(buffer).first(cluster::encode(kRaftCluster, said, buffer));
    const auto heard = cluster::decode({kRaftCluster, said.from, said.to}, bytes);
    if (!heard) {
        return verdict_.fail("member " + std::to_string(said.from) +
                             " says what is refused: " + std::string(cluster::to_string(heard.error())));
    }
    const raft::Message& message = *heard;
    const bool parted = cut_links_.contains({message.from, message.to});
    if (parted || (!is_quiet() && prng_.chance(loss_))) {
        count(parted ? RaftCount::kParted : RaftCount::kLost);
        return;
    }
    const bool twice = !is_quiet() && prng_.chance(repeat_);
    count(RaftCount::kRepeated, twice ? 1 : 0);
    for (int i = 0; i < (twice ? 2 : 1); ++i) {
        flying_.push_back({in(100, !is_quiet() && prng_.chance(slow_) ? 300'000 : 3'000), message});
    }
}

void RaftWorld::deliver() {
    std::vector<Flying> due;
    std::erase_if(flying_, [&](Flying& flying) {
        const RaftHost& to = hosts_[static_cast<std::size_t>(flying.message.to)];
        const bool now = flying.due <= time_.now && (to.node == nullptr || to.stalled_until <= time_.now);
        if (now) {
            due.push_back(std::move(flying));
        }
        return now;
    });
    for (Flying& flying : due) {
        RaftHost& to = hosts_[static_cast<std::size_t>(flying.message.to)];
        if (to.node != nullptr) {
            to.node->step(flying.message, time_.now);
        }
    }
}

bool RaftWorld::may_lose_voter() const {
    for (const RaftHost& host : hosts_) {
        if (host.node == nullptr) {
            return false;
        }
        std::size_t lost = 0;
        const Membership& membership = host.node->membership();
        for (const raft::Member& member : membership.members) {
            lost +=
                member.is_voter && hosts_[static_cast<std::size_t>(member.id)].disk != member.disk ? 1 : 0;
        }
        if (lost + 1 > (membership.voters() - 1) / 2) {
            return false;
        }
    }
    return true;
}

void RaftWorld::disturb() {
    if (prng_.chance(kills_)) {
        stop(hosts_[prng_.below(hosts_.size())]);
    }
    if (prng_.chance(0.002)) {
        RaftHost& host = hosts_[prng_.below(hosts_.size())];
        count(RaftCount::kStall);
        host.stalled_until = in(1'000, 800'000);
    }
    if (prng_.chance(0.003)) {
        cut_links_.clear();
        if (prng_.chance(0.7)) {
            part();
        }
    }
    if (durability_ == raft::Durability::kQuorum && prng_.chance(0.0005)) {
        for (RaftHost& host : hosts_) {
            kill(host, true);  // the whole room
        }
    }
}

void RaftWorld::part() {
    const auto one = static_cast<MemberId>(prng_.below(hosts_.size()));
    const bool one_way = prng_.chance(0.5);
    const bool to_it = prng_.chance(0.5);
    for (const RaftHost& host : hosts_) {
        if (host.id == one || prng_.chance(0.2)) {
            continue;
        }
        if (!one_way || to_it) {
            cut_links_.insert({host.id, one});
        }
        if (!one_way || !to_it) {
            cut_links_.insert({one, host.id});
        }
    }
}

void RaftWorld::stop(RaftHost& host) {
    if (host.node == nullptr) {
        return;
    }
    if (durability_ != raft::Durability::kMemory) {
        const bool disk_lost = prng_.chance(0.05) && may_lose_voter() && names_all_disks();
        kill(host, prng_.chance(0.5));
        if (disk_lost) {
            forget(host);
        }
    } else if (may_lose_voter()) {
        kill(host, true);
        forget(host);
    }
}

bool RaftWorld::names_all_disks() const {
    return std::all_of(hosts_.begin(), hosts_.end(), [](const RaftHost& host) {
        const auto& members = host.node->membership().members;
        return std::all_of(
            members.begin(), members.end(), [](const raft::Member& member) { return member.disk.is_set(); });
    });
}

void RaftWorld::kill(RaftHost& host, bool power_cut) {
    if (host.node == nullptr) {
        return;
    }
    count(power_cut ? RaftCount::kPowerCut : RaftCount::kCrash);
    if (verdict_.verbose()) {
        verdict_.note("member " + std::to_string(host.id) + (power_cut ? ": power cut" : ": killed") +
                      ", its log " + std::to_string(host.log.end()) + ", durable " +
                      std::to_string(host.log.durable_end()));
    }
    host.node.reset();
    host.back_at = in(1'000, down_us_);
    if (host.cut_at && prng_.chance(0.5)) {
        cut(host, host.cut_to);
    }
    if (power_cut && host.log.durable() < host.log.size()) {
        const auto kept = host.log.durable() + prng_.below(host.log.size() - host.log.durable() + 1);
        count(RaftCount::kForgotten, host.log.size() - kept);
        host.log.cut(kept);
    }
    // A state on its way may have come there.
    if (!host.writing.empty()) {
        if (prng_.chance(0.5)) {
            host.state = host.writing.front().keep.state;
        } else {
            count(RaftCount::kStateForgotten);
        }
    }
    host.writing.clear();
    host.waiting.clear();
    host.state_durable = 0;
    host.leads = 0;
    host.follows = {};
    host.stops_at.reset();
    host.cut_at.reset();
}

void RaftWorld::forget(RaftHost& host) {
    host.disk = new_disk();
    if (verdict_.verbose()) {
        verdict_.note("member " + std::to_string(host.id) + " loses its disk, the new one is " +
                      std::to_string(host.disk.low % 1000));
    }
    host.state = {};
    host.log = {};
}

void RaftWorld::mend() {
    cut_links_.clear();
    for (RaftHost& host : hosts_) {
        host.stalled_until = earlier(host.stalled_until, time_.now);
        host.back_at = earlier(host.back_at, time_.now);
    }
}

void RaftWorld::check_end() {
    const auto leader = std::find_if(hosts_.begin(), hosts_.end(),
        [](const RaftHost& host) { return host.leads != 0 && host.node->role() == raft::Role::kLeader; });
    if (leader == hosts_.end()) {
        describe();
        return verdict_.fail("no leader, with nothing in its way");
    }
    if (durability_ == raft::Durability::kAll && !is_whole(leader->node->membership())) {
        return;  // commit waits for who lost its disk
    }
    const std::int64_t slack = 64 * 1024;
    for (const RaftHost& host : hosts_) {
        const bool is_member = leader->node->membership().admits(host.id, host.disk);
        if (is_member && host.node->commit() + slack < leader->log.end()) {
            return verdict_.fail("member " + std::to_string(host.id) + " is at " +
                                 std::to_string(host.node->commit()) + " of " +
                                 std::to_string(leader->log.end()) + " with nothing in its way");
        }
    }
}

void RaftWorld::describe() const {
    for (const RaftHost& host : hosts_) {
        if (host.node == nullptr) {
            continue;
        }
        const raft::Node& node = *host.node;
        std::string text =
            "member " + std::to_string(host.id) + " disk " + std::to_string(host.disk.low % 1000) +
            ": role " + std::to_string(static_cast<int>(node.role())) + " term " +
            std::to_string(node.term()) + " last " + std::to_string(node.terms().last_term()) + " end " +
            std::to_string(node.log_end()) + " commit " + std::to_string(node.commit()) + " members of " +
            std::to_string(node.membership_position()) + ":";
        for (const raft::Member& member : node.membership().members) {
            text += " " + std::to_string(member.id) + (member.is_voter ? "+" : "-") +
                    std::to_string(member.disk.low % 1000);
        }
        verdict_.note(text);
    }
}

}  // namespace fulmar::sim
