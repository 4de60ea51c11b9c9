/// The consensus's messages as bytes: one for each body of raft::Message. What the members mean by them is
/// told there.
#pragma once

#include "cluster/member_schema.h"

namespace fulmar::cluster {

/// What a vote is asked for.
enum class VoteKind : std::uint8_t {
    kElection = 0,
    kPre = 1,       ///< only whether it would be given
    kTransfer = 2,  ///< the leader of the last term wants it
};
struct VoteKindType : sbe::Enum<"VoteKind", VoteKind, sbe::Value<"ELECTION", VoteKind::kElection>,
                          sbe::Value<"PRE", VoteKind::kPre>, sbe::Value<"TRANSFER", VoteKind::kTransfer>> {};

enum class YesNo : std::uint8_t { kNo = 0, kYes = 1 };
struct YesNoType : sbe::Enum<"YesNo", YesNo, sbe::Value<"NO", YesNo::kNo>, sbe::Value<"YES", YesNo::kYes>> {};

template <sbe::Name kMessageName, std::uint16_t kTemplateId, class... Own>
struct ConsensusMessage
    : sbe::Message<MemberSchema, kMessageName, kTemplateId, ClusterIdField, FromField, ToField,
          sbe::Field<"diskHigh", 4, std::uint64_t>, sbe::Field<"diskLow", 5, std::uint64_t>,
          sbe::Field<"term", 6, std::int64_t>, Own...> {};

struct VoteRequestMessage : ConsensusMessage<"VoteRequest", 1, sbe::Field<"logTerm", 7, std::int64_t>,
                                sbe::Field<"logEnd", 8, std::int64_t>, sbe::Field<"kind", 9, VoteKindType>> {
};
struct VoteReplyMessage : ConsensusMessage<"VoteReply", 2, sbe::Field<"isPre", 7, YesNoType>,
                              sbe::Field<"isGranted", 8, YesNoType>> {};
struct HeartbeatMessage : ConsensusMessage<"Heartbeat", 3, sbe::Field<"logEnd", 7, std::int64_t>,
                              sbe::Field<"commit", 8, std::int64_t>, sbe::Field<"round", 9, std::uint64_t>> {
};
struct AckMessage : ConsensusMessage<"Ack", 4, sbe::Field<"position", 7, std::int64_t>,
                        sbe::Field<"round", 8, std::uint64_t>> {};
struct MatchRequestMessage : ConsensusMessage<"MatchRequest", 5, sbe::Field<"question", 7, std::uint64_t>,
                                 sbe::Field<"logTerm", 8, std::int64_t>> {};
struct MatchReplyMessage : ConsensusMessage<"MatchReply", 6, sbe::Field<"question", 7, std::uint64_t>,
                               sbe::Field<"logTerm", 8, std::int64_t>, sbe::Field<"end", 9, std::int64_t>,
                               sbe::Field<"begin", 10, std::int64_t>> {};
struct TimeoutNowMessage : ConsensusMessage<"TimeoutNow", 7> {};

/// In the order of their template ids.
using ConsensusMessages = sbe::Messages<VoteRequestMessage, VoteReplyMessage, HeartbeatMessage, AckMessage,
    MatchRequestMessage, MatchReplyMessage, TimeoutNowMessage>;

}  // namespace fulmar::cluster
