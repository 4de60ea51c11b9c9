/// Turning what a dead producer left behind into padding, so that the stream goes on.
/// threads: the conductor, once the consumer position has not moved for the unblock timeout.
#pragma once

#include <cstdint>
#include <limits>

#include "layout/log_buffer.h"

namespace fulmar::term {

enum class UnblockResult : std::uint8_t {
    kNoAction,
    kUnblocked,       ///< a claim became padding
    kUnblockedToEnd,  ///< padding up to the end of the term; the log was rotated if it had to be
};

/// No claim is too young: all producers have closed or died.
inline constexpr std::int64_t kAllOverdue = std::numeric_limits<std::int64_t>::max();

/// Unblocks the log at `blocked_position` if a claim there was never committed. What was claimed at
/// `overdue_until` or behind it is left alone: its owner may just have claimed it.
/// source: Aeron log buffer unblocker; negative length: that claim becomes PAD. Zero: the hole up to
/// the next non-zero length, verified again backwards, becomes PAD. A term that was filled but not rotated
/// is rotated. Lengths that cannot be are taken as reaching to the end of what was claimed.
UnblockResult unblock(
    const layout::LogBuffer& log, std::int64_t blocked_position, std::int64_t overdue_until = kAllOverdue);

}  // namespace fulmar::term
