/// raft::Message into bytes and back. Bytes that are taken are the only ones that say what they say: encoding
/// the message again gives them. What a message waits for (`after`) is not in them; it is sent when that is
/// met.
/// threads: functions of their arguments.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "cluster/consensus_schema.h"
#include "fulmar/result.h"
#include "fulmar/sbe/encoder.h"
#include "raft/message.h"

namespace fulmar::cluster {

/// The longest one, bytes.
inline constexpr std::size_t kConsensusMessageMax = []<class... Ms>(sbe::Messages<Ms...>) {
    return std::max({sbe::encoded_length<Ms>...});
}(ConsensusMessages{});

/// Terms beyond are refused: no cluster lives to see them, and adding to one below does not overflow.
inline constexpr raft::Term kTermMax = raft::Term{1} << 62;
/// Behind the last term of the longest log: 2^31 of 2^30 bytes each.
inline constexpr std::int64_t kPositionMax = std::int64_t{1} << 61;

/// Why bytes are no message for us.
enum class ConsensusFault : std::uint8_t {
    kBytes,      ///< schema, version, template or length
    kDirection,  ///< other members, or another cluster, than those that the bytes came by
    kDisk,       ///< names none
    kTerm,       ///< cannot be, or not in this message
    kPosition,   ///< cannot be the end of a message, or contradicts another one
    kValue,      ///< one that no enumeration has, or a question without number
};
[[nodiscard]] std::string_view to_string(ConsensusFault fault);

/// Returns how many bytes it took of `buffer`, which has room for kConsensusMessageMax.
std::size_t encode(std::int32_t cluster_id, const raft::Message& message, std::span<std::byte> buffer);

/// `way`: whose words these are, by who has authenticated them.
[[nodiscard]] Result<raft::Message, ConsensusFault> decode(
    const Direction& way, std::span<const std::byte> bytes);

}  // namespace fulmar::cluster
