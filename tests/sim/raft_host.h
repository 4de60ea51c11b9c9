/// One member's process and disk. threads: one.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "raft/node.h"
#include "tests/sim/raft_log.h"

namespace fulmar::sim {

struct RaftHost {
    struct Writing {
        raft::Ready::Keep keep;
        Instant done{};
    };

    raft::MemberId id = 0;
    raft::DiskId disk;
    // What the disk keeps.
    raft::State state;
    RaftLog log;
    // What a process has.
    std::unique_ptr<raft::Node> node;  ///< null: it is down
    std::deque<Writing> writing;
    std::uint64_t state_durable = 0;
    std::vector<raft::Message> waiting;  ///< for the state to be durable
    raft::Term leads = 0;                ///< appends in this term
    raft::Order follows;                 ///< kStop: nobody
    std::optional<Instant> stops_at;
    std::optional<Instant> cut_at;
    std::int64_t cut_to = 0;
    Instant back_at{};
    Instant stalled_until{};
    // The oracle's.
    std::int64_t commit_seen = 0;
    std::size_t commit_checked = 0;

    [[nodiscard]] raft::LogFacts facts(const raft::Membership& first) const {
        raft::LogFacts facts;
        facts.memberships.push_back({0, first});
        std::int64_t begin = 0;
        for (const RaftEntry& entry : log.entries()) {
            if (entry.begins != 0) {
                facts.terms.add({entry.begins, begin});
            }
            if (entry.membership) {
                facts.memberships.push_back({entry.end, *entry.membership});
            }
            begin = entry.end;
        }
        facts.end = log.end();
        return facts;
    }
};

}  // namespace fulmar::sim
