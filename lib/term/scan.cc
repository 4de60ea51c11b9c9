#include "term/scan.h"

#include "base/plant.h"
#include "wire/frame.h"

namespace fulmar::term {

Scan scan_for_availability(
    const std::byte* term, std::int32_t offset, std::int32_t limit, std::int32_t term_length) {
    Scan result;
    if (offset < 0 || offset >= term_length) {
        return result;
    }
    const std::byte* start = term + offset;
    const std::int32_t left = term_length - offset;
    while (result.bytes < left) {
        const std::byte* frame = start + result.bytes;
        const std::int32_t length = wire::frame_length_acquire(frame);
        if (length < wire::kDataHeaderLength || length > left - result.bytes) {
            break;  // nothing committed, or nothing that can be true
        }
        const std::int32_t aligned = wire::align_frame(length);
        const bool padding = wire::is_padding(frame);
        const std::int32_t wire_length = padding ? wire::kDataHeaderLength : aligned;
        if (wire_length > limit - result.bytes && !(FULMAR_PLANTED(kScanIgnoresLimit) && result.bytes > 0)) {
            result.blocked = result.bytes == 0;
            break;
        }
        result.bytes += wire_length;
        if (padding) {
            result.padding = aligned - wire_length;
            break;
        }
    }
    return result;
}

}  // namespace fulmar::term
