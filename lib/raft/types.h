/// What the consensus speaks of.
/// threads: values.
#pragma once

#include <compare>
#include <cstdint>

namespace fulmar::raft {

/// A leadership term; has at most one leader. 0: before the first.
using Term = std::int64_t;

using MemberId = std::int32_t;
inline constexpr MemberId kNobody = -1;

/// Names one life of one disk: drawn when the directory is made and, where nothing survives a restart, at
/// each start. A member that comes back with another one has forgotten what it promised.
struct DiskId {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    auto operator<=>(const DiskId&) const = default;
    [[nodiscard]] bool is_set() const { return high != 0 || low != 0; }
};

enum class Role : std::uint8_t {
    kLearner,  ///< follows, and neither votes nor is counted: not a voter of the membership, or not by this
               ///< disk
    kFollower,
    kPreCandidate,  ///< asks whether it would be elected, in no new term yet
    kCandidate,
    kLeader,
};

/// What an acknowledgement says of the bytes before it.
enum class Durability : std::uint8_t {
    kQuorum,  ///< they survive a power cut; a quorum of such is commit
    kAll,     ///< likewise; every voter is needed for commit
    kMemory,  ///< they were received
};

}  // namespace fulmar::raft
