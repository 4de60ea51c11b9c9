/// Finding what can be sent: whole committed frames from an offset, bounded by a length.
/// threads: sender; reads frames that producers release.  source: Aeron term scanner.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fulmar::term {

/// bytes: length of the datagram, from the scanned offset.
/// padding: further bytes of the stream that the last frame (a PAD, of which only the header travels)
/// covers; the position advances by bytes + padding.
/// blocked: a committed frame stands at the offset but does not fit in the limit.
struct Scan {
    std::int32_t bytes = 0;
    std::int32_t padding = 0;
    bool blocked = false;
};

/// Scans `term` from `offset`, at most `limit` bytes of datagram and never past term_length.
/// A frame that would exceed the limit is left out; a length word <= 0 ends the scan. Frame lengths come
/// from shared memory: each is loaded once; one shorter than a header or beyond the term ends the scan as if
/// uncommitted, so a position derived from the result never leaves the term.
[[nodiscard]] Scan scan_for_availability(
    const std::byte* term, std::int32_t offset, std::int32_t limit, std::int32_t term_length);

}  // namespace fulmar::term
