#include "term/clean.h"

#include <algorithm>

#include "base/position.h"
#include "wire/frame.h"

namespace fulmar::term {

std::int64_t clean(const layout::LogBuffer& log, std::int64_t dirty_position, std::int64_t limit_position,
    std::int32_t bytes_max) {
    if (dirty_position < 0 || limit_position <= dirty_position) {
        return dirty_position;
    }
    const std::int32_t offset = base::compute_term_offset(dirty_position, log.term_length());
    const std::int64_t wanted = std::min({limit_position - dirty_position,
        static_cast<std::int64_t>(log.term_length() - offset), static_cast<std::int64_t>(bytes_max)});
    const std::int64_t length = wanted & ~static_cast<std::int64_t>(wire::kFrameAlignment - 1);
    if (length <= 0) {
        return dirty_position;
    }
    std::byte* start = log.at(dirty_position);
    constexpr std::size_t kFirst = sizeof(std::uint64_t);
    base::zero_bytes(start + kFirst, static_cast<std::size_t>(length) - kFirst);
    // SYNC(term.clean): release; whoever finds this length zero finds zeros behind it. Pairs with
    // wire::frame_length_acquire.
    base::store_release<std::uint64_t>(start, 0, 0);
    return dirty_position + length;
}

}  // namespace fulmar::term
