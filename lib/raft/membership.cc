#include "raft/membership.h"

#include <algorithm>
#include <string>

namespace fulmar::raft {

const Member* Membership::find(MemberId id) const {
    const auto found =
        std::find_if(members.begin(), members.end(), [id](const Member& m) { return m.id == id; });
    return found == members.end() ? nullptr : &*found;
}

bool Membership::admits(MemberId id, const DiskId& disk) const {
    const Member* member = find(id);
    return member != nullptr && (!member->disk.is_set() || member->disk == disk);
}

bool Membership::is_voter(MemberId id, const DiskId& disk) const {
    return admits(id, disk) && find(id)->is_voter;
}

std::size_t Membership::voters() const {
    return static_cast<std::size_t>(
        std::count_if(members.begin(), members.end(), [](const Member& m) { return m.is_voter; }));
}

Status Membership::may_become(const Membership& next) const {
    for (auto it = next.members.begin(); it != next.members.end(); ++it) {
        const std::string name = "member " + std::to_string(it->id);
        if (it->id < 0) {
            return fail(ErrorCode::kGeneric, "a member's id is negative");
        }
        if (std::any_of(next.members.begin(), it, [it](const Member& m) { return m.id == it->id; })) {
            return fail(ErrorCode::kGeneric, name + " is listed twice");
        }
        const Member* before = find(it->id);
        if (!it->disk.is_set() && (before == nullptr || before->disk.is_set())) {
            return fail(ErrorCode::kGeneric, name + " has no disk id");
        }
    }
    if (next.voters() == 0) {
        return fail(ErrorCode::kGeneric, "no voter would be left");
    }
    // By id and disk: a voter whose disk is named at last is the same one.
    const auto missing_in = [](const Membership& a, const Membership& b) {
        return std::count_if(a.members.begin(), a.members.end(), [&b](const Member& member) {
            const Member* other = b.find(member.id);
            const bool same = other != nullptr && other->is_voter &&
                              (other->disk == member.disk || !other->disk.is_set() || !member.disk.is_set());
            return member.is_voter && !same;
        });
    };
    if (missing_in(*this, next) + missing_in(next, *this) > 1) {
        return fail(ErrorCode::kGeneric,
            "voters change one at a time: remove, add, promote or demote one; another disk is two changes");
    }
    return Done{};
}

}  // namespace fulmar::raft
