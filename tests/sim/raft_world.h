/// Members of a cluster by their consensus alone: nodes over logs of made-up messages, a network that loses,
/// repeats, delays and parts, disks that forget what was not synced, processes that die and stand still,
/// members that come and go.
///
/// What must hold at each step: a term has one leader; a vote is cast once; logs are equal up to what is
/// committed, which nobody ever cuts and each later leader has; commit is behind what a quorum holds at the
/// durability that was asked for; a read sees all that was committed when it was asked. When the faults end,
/// there is a leader, and everything that it appends is committed and comes to all members. threads: one.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace fulmar::sim {

enum class RaftCount : std::uint8_t {
    kTerm,
    kCommitted,
    kTruncation,
    kLateStart,  ///< followed from behind the leader's base
    kLost,
    kRepeated,
    kParted,
    kCrash,
    kPowerCut,
    kStall,
    kForgotten,  ///< bytes that were appended and not durable when the process died
    kStateForgotten,
    kLearnerAdded,
    kPromoted,
    kRemoved,
    kTransfer,
    kRead,
    kReadRefused,
    kStepDown,
    kCount,
};
inline constexpr std::size_t kRaftCounts = static_cast<std::size_t>(RaftCount::kCount);
inline constexpr std::array<std::string_view, kRaftCounts> kRaftCountNames{"term", "committed", "truncation",
    "late_start", "lost", "repeated", "parted", "crash", "power_cut", "stall", "forgotten", "state_forgotten",
    "learner_added", "promoted", "removed", "transfer", "read", "read_refused", "step_down"};

struct RaftWorldResult {
    std::uint64_t hash = 0;
    std::uint64_t steps = 0;
    std::array<std::uint64_t, kRaftCounts> counts{};
    std::string failure;  ///< empty: passed
};

[[nodiscard]] RaftWorldResult run_raft_world(std::uint64_t seed, bool verbose = false);

}  // namespace fulmar::sim
