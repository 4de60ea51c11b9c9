/// Who takes part, and who is counted.
///
/// Voters change one at a time, so that any quorum before a change and any after it have a member in common
/// (Ongaro, "Consensus: Bridging Theory and Practice", 4.1). A member is its id and its disk: the same id on
/// another disk is another member, and takes the place of the old one in two changes.
/// threads: values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fulmar/result.h"
#include "raft/types.h"

namespace fulmar::raft {

struct Member {
    MemberId id = kNobody;
    /// Not set: whichever disk comes first, until a membership names it. Only the first membership of a log
    /// may have such.
    DiskId disk;
    bool is_voter = true;

    auto operator<=>(const Member&) const = default;
};

struct Membership {
    std::vector<Member> members;  ///< each id once

    bool operator==(const Membership&) const = default;

    [[nodiscard]] const Member* find(MemberId id) const;
    /// A member by this disk, or by any as long as none is named.
    [[nodiscard]] bool admits(MemberId id, const DiskId& disk) const;
    [[nodiscard]] bool is_voter(MemberId id, const DiskId& disk) const;
    [[nodiscard]] std::size_t voters() const;
    [[nodiscard]] std::size_t quorum() const { return voters() / 2 + 1; }

    /// Whether `next` may follow this one.  errors: one line saying why not.
    [[nodiscard]] Status may_become(const Membership& next) const;
};

/// A membership holds from where the log says so, committed or not.
struct MembershipEntry {
    std::int64_t position = 0;  ///< behind its message
    Membership membership;
};

}  // namespace fulmar::raft
