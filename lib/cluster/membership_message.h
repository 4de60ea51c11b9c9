/// The membership as it stands in the log: from there on it holds, committed or not.
#pragma once

#include <optional>
#include <span>

#include "cluster/consensus_schema.h"
#include "fulmar/sbe/decoder.h"
#include "fulmar/sbe/encoder.h"
#include "raft/membership.h"

namespace fulmar::cluster {

struct MembershipMessage
    : sbe::Message<MemberSchema, "Membership", 20, sbe::Field<"term", 1, std::int64_t>,
          sbe::Group<"members", 2, sbe::Field<"id", 3, std::int32_t>,
              sbe::Field<"diskHigh", 4, std::uint64_t>, sbe::Field<"diskLow", 5, std::uint64_t>,
              sbe::Field<"isVoter", 6, YesNoType>>> {};

/// Returns how many bytes it took; 0: the buffer is too short.
[[nodiscard]] std::size_t encode_membership(
    raft::Term term, const raft::Membership& membership, std::span<std::byte> buffer);
/// Nothing: the bytes are no such message, or none that a leader may have written.
[[nodiscard]] std::optional<raft::Membership> decode_membership(std::span<const std::byte> bytes);

}  // namespace fulmar::cluster
