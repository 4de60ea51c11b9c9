/// Finding and filling holes in a term that a receiver rebuilds.
/// threads: the agent that rebuilds; the filler must be the only writer of the hole.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fulmar::term {

/// Result of walking complete frames: `offset` is where contiguity ends. If a later frame shows that
/// something is missing there, gap_length > 0.
struct GapScan {
    std::int32_t offset = 0;
    std::int32_t gap_length = 0;
};

/// Walks from `offset` towards `limit` (the highest offset known to exist in this term); both 32-aligned.
/// Stops at the first length word <= 0; the hole reaches to the next non-zero length word or `limit`.
/// A padding frame may carry `offset` beyond `limit`, as only its header travels; never beyond the term. A
/// length that would leave the term ends the walk without a gap: asking again cannot mend it.
[[nodiscard]] GapScan scan_for_gap(
    const std::byte* term, std::int32_t offset, std::int32_t limit, std::int32_t term_length);

/// Fills [offset, offset + length) with one PAD frame made from `default_header`, if every 32-byte slot of
/// it is still zero; false when a frame arrived meanwhile.
bool fill_gap(const std::byte* default_header, std::byte* term, std::int32_t term_id, std::int32_t offset,
    std::int32_t length);

}  // namespace fulmar::term
