/// The floor under recording: pwrite and fdatasync in a loop, into files of one length that were allocated
/// before.
/// threads: one.
#pragma once

#include <cstdint>
#include <string>

#include "fulmar/result.h"

namespace fulmar::perf {

struct WritePattern {
    std::uint64_t bytes = 0;       ///< in all
    std::uint64_t block = 0;       ///< of one write
    std::uint64_t sync_every = 0;  ///< bytes; and at the end; 0: never
    std::uint64_t file_length = 0;
};

/// Seconds that it took. The files are removed again.  errors: what the system said.
[[nodiscard]] Result<double> write_plainly(const std::string& directory, const WritePattern& pattern);

}  // namespace fulmar::perf
