/// Zeroing consumed parts of a log before their reuse.
/// threads: one cleaner. The first 8 bytes are zeroed last, as one release, so that a reader never sees
/// a length before its neighbours are clean.
#pragma once

#include <cstdint>

#include "layout/log_buffer.h"

namespace fulmar::term {

/// Cleans from `dirty_position` towards `limit_position`, at most to the end of the dirty term and at most
/// `bytes_max` (bounded work per duty cycle); returns the new dirty position.
std::int64_t clean(const layout::LogBuffer& log, std::int64_t dirty_position, std::int64_t limit_position,
    std::int32_t bytes_max);

}  // namespace fulmar::term
