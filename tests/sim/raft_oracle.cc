#include "tests/sim/raft_oracle.h"

#include <algorithm>

namespace fulmar::sim {

void RaftOracle::on_leads(const RaftHost& host, raft::Term term) {
    const auto [it, is_new] = leaders_.emplace(term, host.id);
    if (!is_new && it->second != host.id) {
        verdict_.fail("term " + std::to_string(term) + " has two leaders: " + std::to_string(it->second) +
                      " and " + std::to_string(host.id));
    }
    const auto& entries = host.log.entries();
    // A leader that is elected late, below a later one, has nothing to say.
    const auto later = std::find_if(
        committed_.begin(), committed_.end(), [term](const Committed& entry) { return entry.term >= term; });
    const auto count = static_cast<std::size_t>(later - committed_.begin());
    for (std::size_t i = count; i-- > 0;) {
        if (i >= entries.size() || entries[i].id != committed_[i].id) {
            return verdict_.fail(name(host) + " leads term " + std::to_string(term) +
                                 " without what was committed up to " + std::to_string(committed_[i].end));
        }
        if (i + 100 < count) {
            break;  // equal so far back that they are equal
        }
    }
}

void RaftOracle::on_vote(
    raft::MemberId voter, const raft::DiskId& disk, raft::Term term, raft::MemberId candidate) {
    const auto [it, is_new] = votes_.emplace(std::tuple(voter, disk, term), candidate);
    if (!is_new && it->second != candidate) {
        verdict_.fail("member " + std::to_string(voter) + " voted twice in term " + std::to_string(term));
    }
}

void RaftOracle::on_cut(const RaftHost& host, std::size_t count) {
    const auto& entries = host.log.entries();
    if (count < committed_.size() && count < entries.size() && entries[count].id == committed_[count].id) {
        verdict_.fail(name(host) + " cuts off what is committed at " + std::to_string(committed_[count].end));
    }
}

bool RaftOracle::is_held(const RaftHost& by, std::size_t index) const {
    const std::size_t held = durability_ == raft::Durability::kMemory ? by.log.size() : by.log.durable();
    return index < held && by.log.entries()[index].id == committed_[index].id;
}

void RaftOracle::check_commit(RaftHost& host) {
    const raft::Node& node = *host.node;
    if (node.commit() < host.commit_seen) {
        return verdict_.fail(name(host) + "'s commit falls");
    }
    if (node.commit() == host.commit_seen) {
        return;
    }
    host.commit_seen = node.commit();
    const auto& entries = host.log.entries();
    const std::size_t count = host.log.index_behind(node.commit());
    if (host.log.end_of(count) != node.commit()) {
        return verdict_.fail(name(host) + "'s commit is beyond its log or within a message");
    }
    const std::size_t known = committed_.size();
    for (std::size_t i = host.commit_checked; i < count; ++i) {
        if (i >= committed_.size()) {
            committed_.push_back({entries[i].id, entries[i].end, node.term()});
        } else if (committed_[i].id != entries[i].id) {
            return verdict_.fail(
                name(host) + " commits another message at " + std::to_string(entries[i].end));
        }
    }
    host.commit_checked = count;
    if (host.leads == node.term() && host.leads != 0 && node.terms().last().base >= node.commit()) {
        return verdict_.fail(name(host) + " commits what earlier terms left before anything of its own");
    }
    if (committed_.size() == known) {
        return;
    }
    std::size_t holders = 0;
    const raft::Membership& membership = node.membership();
    for (const RaftHost& other : hosts_) {
        const raft::Member* member = membership.find(other.id);
        // A disk that was lost may have been among those that held it.
        holders += member != nullptr && member->is_voter &&
                           (is_held(other, committed_.size() - 1) || other.disk != member->disk)
                       ? 1
                       : 0;
    }
    const std::size_t wanted =
        durability_ == raft::Durability::kAll ? membership.voters() : membership.quorum();
    if (holders < wanted) {
        verdict_.fail(name(host) + " commits up to " + std::to_string(node.commit()) + ", which " +
                      std::to_string(holders) + " of " + std::to_string(membership.voters()) + " hold");
    }
}

}  // namespace fulmar::sim
