/// Subscribers' side of a log: walking committed frames from a position.
/// threads: one reader per position.  source: Aeron term reader.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wire/frame.h"

namespace fulmar::term {

/// Calls handler(const std::byte* frame, std::int32_t frame_length) for up to `fragment_limit` data frames
/// from `offset`; skips PAD. Ends at a length <= 0, at `offset_limit`, or when handler returns false (that
/// frame counts as consumed). Returns the offset reached; fragments_read is set.
/// Lengths are loaded once and bounded by the term: a scribbled one ends the read.
template <class Handler>
std::int32_t read(const std::byte* term, std::int32_t offset, std::int32_t offset_limit, int fragment_limit,
    int& fragments_read, Handler&& handler) {
    int fragments = 0;
    while (fragments < fragment_limit && offset < offset_limit) {
        const std::byte* frame = term + offset;
        const std::int32_t length = wire::frame_length_acquire(frame);
        if (length <= 0 || length > offset_limit - offset) {
            break;
        }
        offset += wire::align_frame(length);
        if (!wire::is_padding(frame)) {
            ++fragments;
            if (!handler(frame, length)) {
                break;
            }
        }
    }
    fragments_read = fragments;
    return offset;
}

}  // namespace fulmar::term
