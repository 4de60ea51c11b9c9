/// The inside of raft_world.h. threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "tests/sim/raft_host.h"
#include "tests/sim/raft_oracle.h"
#include "tests/sim/raft_world.h"
#include "tests/sim/verdict.h"

namespace fulmar::sim {

/// Faults until the first, none until the second is over.
inline constexpr Duration kRaftTroubled = seconds(12);
inline constexpr Duration kRaftQuiet = seconds(4);

class RaftWorld {
  public:
    RaftWorld(std::uint64_t seed, bool verbose);

    RaftWorldResult run();

  private:
    struct Flying {
        Instant due{};
        raft::Message message;
    };
    struct Asked {
        raft::MemberId by = 0;
        std::int64_t floor = 0;
    };

    [[nodiscard]] raft::Durability draw_durability();
    [[nodiscard]] raft::DiskId new_disk() { return {prng_.next() | 1, prng_.next()}; }
    [[nodiscard]] bool is_quiet() const { return time_.now >= Instant{} + kRaftTroubled; }
    void count(RaftCount what, std::uint64_t by = 1) { result_.counts[static_cast<std::size_t>(what)] += by; }
    [[nodiscard]] Instant in(std::int64_t low_us, std::int64_t high_us) {
        return time_.now + microseconds(prng_.between(low_us, high_us));
    }

    void step();

    // One process.

    void start(RaftHost& host);

    void turn(RaftHost& host);

    void take(RaftHost& host, raft::Ready& ready);

    void obey(RaftHost& host, const raft::Order& order);

    void finish_orders(RaftHost& host);

    void cut(RaftHost& host, std::int64_t position);

    /// What is there from `first` on is told to the node.
    void tell(RaftHost& host, std::size_t first);

    void append(RaftHost& host);

    void pull(RaftHost& host);

    /// What clients and operators ask of a leader.
    void ask(RaftHost& host);

    void change_membership(RaftHost& host);

    // The network.

    void send_waiting(RaftHost& host);

    void launch(const raft::Message& message);

    void deliver();

    // Trouble.

    /// At most a minority of any membership may have lost its disk.
    [[nodiscard]] bool may_lose_voter() const;

    void disturb();

    void part();

    void stop(RaftHost& host);

    [[nodiscard]] bool names_all_disks() const;

    void kill(RaftHost& host, bool power_cut);

    void forget(RaftHost& host);

    void mend();

    void check_end();
    void describe() const;
    [[nodiscard]] bool is_whole(const raft::Membership& membership) const {
        return std::all_of(membership.members.begin(), membership.members.end(),
            [this](const raft::Member& member) { return membership_disk_ok(member); });
    }
    [[nodiscard]] bool membership_disk_ok(const raft::Member& member) const {
        return !member.is_voter || !member.disk.is_set() ||
               hosts_[static_cast<std::size_t>(member.id)].disk == member.disk;
    }

    void mix(std::uint64_t value) { result_.hash = (result_.hash ^ value) * 0x9e3779b97f4a7c15ULL; }

    base::Prng prng_;
    WorldTime time_;
    Verdict verdict_;
    raft::Durability durability_;
    std::vector<RaftHost> hosts_;
    RaftOracle oracle_;
    raft::Membership first_;
    double loss_ = 0;
    double repeat_ = 0;
    double slow_ = 0;
    bool heartbeats_only_ = false;
    double slow_state_ = 0;
    double kills_ = 0;
    std::int64_t down_us_ = 0;
    std::set<std::pair<raft::MemberId, raft::MemberId>> cut_links_;
    std::vector<Flying> flying_;
    std::map<std::uint64_t, Asked> reads_;
    std::uint64_t last_id_ = 0;
    std::uint64_t last_read_ = 0;
    RaftWorldResult result_;
};

}  // namespace fulmar::sim
