#include "cluster/membership_message.h"

#include <algorithm>

namespace fulmar::cluster {

std::size_t encode_membership(
    raft::Term term, const raft::Membership& membership, std::span<std::byte> buffer) {
    sbe::Encoder<MembershipMessage> message(buffer);
    message.set<"term">(term);
    auto members = message.group<"members">();
    for (const raft::Member& member : membership.members) {
        members.add()
            .set<"id">(member.id)
            .set<"diskHigh">(member.disk.high)
            .set<"diskLow">(member.disk.low)
            .set<"isVoter">(member.is_voter ? YesNo::kYes : YesNo::kNo);
    }
    const auto encoded = message.finish();
    return encoded ? encoded->size() : 0;
}

std::optional<raft::Membership> decode_membership(std::span<const std::byte> bytes) {
    const auto message = sbe::Decoder<MembershipMessage>::decode(bytes);
    if (!message) {
        return std::nullopt;
    }
    raft::Membership membership;
    for (const auto& member : message->group<"members">()) {
        const YesNo is_voter = member.get<"isVoter">();
        membership.members.push_back({.id = member.get<"id">(),
            .disk = {member.get<"diskHigh">(), member.get<"diskLow">()},
            .is_voter = is_voter == YesNo::kYes});
        const auto& added = membership.members.back();
        const bool is_new = std::none_of(membership.members.begin(), membership.members.end() - 1,
            [&](const raft::Member& other) { return other.id == added.id; });
        if (added.id < 0 || !is_new || (is_voter != YesNo::kYes && is_voter != YesNo::kNo)) {
            return std::nullopt;
        }
    }
    return membership.voters() > 0 ? std::optional(std::move(membership)) : std::nullopt;
}

}  // namespace fulmar::cluster
