#include "term/gap.h"

#include <cstring>

#include "wire/frame.h"

namespace fulmar::term {

void write_padding_over(const std::byte* default_header, std::byte* term, std::int32_t term_id,
    std::int32_t offset, std::int32_t length) {
    std::byte* frame = term + offset;
    std::byte header[wire::kDataHeaderLength];
    std::memcpy(header, default_header, sizeof header);
    base::store_le(header, wire::field::kFrameLength, length);
    base::store_le(header, wire::field::kType, static_cast<std::uint16_t>(wire::FrameType::kPad));
    base::store_le(header, wire::field::kTermOffset, offset);
    base::store_le(header, wire::field::kTermId, term_id);
    std::memcpy(
        frame + sizeof(std::uint64_t), header + sizeof(std::uint64_t), sizeof header - sizeof(std::uint64_t));
    // SYNC(term.frame): release; pairs with wire::frame_length_acquire in read and scan.
    base::store_release(frame, 0, base::load_le<std::uint64_t>(header, 0));
}

bool fill_gap(const std::byte* default_header, std::byte* term, std::int32_t term_id, std::int32_t offset,
    std::int32_t length) {
    if (length < wire::kDataHeaderLength) {
        return false;
    }
    // SYNC(term.claim): acquire; who met a producer's payload behind a zero length now meets its length.
    for (std::int32_t at = offset + length - wire::kFrameAlignment; at >= offset;
         at -= wire::kFrameAlignment) {
        if (wire::frame_length_acquire(term + at) != 0) {
            return false;
        }
    }
    write_padding_over(default_header, term, term_id, offset, length);
    return true;
}

}  // namespace fulmar::term
