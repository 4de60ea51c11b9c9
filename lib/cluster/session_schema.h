/// What surrounds a member's message, and what agrees on the session that it belongs to. Each is followed by
/// the code that vouches for it, kMacBytes at the very end.
#pragma once

#include "cluster/member_schema.h"

namespace fulmar::cluster {

/// A receiver's word that it is alive. No two are the same: `life` is drawn at its start, `number` counts
/// within.
struct ChallengeType
    : sbe::Composite<"Challenge", sbe::Member<"life", std::uint64_t>, sbe::Member<"number", std::uint64_t>> {
};

using SessionField = sbe::Field<"session", 4, std::uint64_t>;

/// I want to send in a new session. life: my own, as my challenges have it.
struct SessionRequest : sbe::Message<MemberSchema, "SessionRequest", 20, ClusterIdField, FromField, ToField,
                            SessionField, sbe::Field<"life", 5, std::uint64_t>> {};

/// Whose messages are of a session that I do not know, or are to be, may send with this.
struct SessionChallenge : sbe::Message<MemberSchema, "SessionChallenge", 21, ClusterIdField, FromField,
                              ToField, SessionField, sbe::Field<"challenge", 5, ChallengeType>> {};

/// Before what a member says; that and the code follow.
struct SealedHeader : sbe::Message<MemberSchema, "SealedHeader", 22, ClusterIdField, FromField, ToField,
                          SessionField, sbe::Field<"sequence", 5, std::uint64_t>> {};

/// In the order of their template ids.
using SessionMessages = sbe::Messages<SessionRequest, SessionChallenge, SealedHeader>;

}  // namespace fulmar::cluster
