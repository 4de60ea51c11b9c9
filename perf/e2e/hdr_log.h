/// Writes a histogram as an interval log (format 1.3, V2 compressed) that the standard HdrHistogram tools
/// read and plot.
#pragma once

#include <cstdint>
#include <string>

#include "base/histogram.h"
#include "fulmar/result.h"

namespace fulmar::perf {

/// One interval spanning the whole run.  errors: kGeneric, the file and why.
[[nodiscard]] Status write_hdr_log(
    const std::string& path, const base::Histogram& histogram, double start_epoch_s, double length_s);

/// The V2 compressed, base64 encoded form of one histogram.
[[nodiscard]] std::string encode_hdr(const base::Histogram& histogram);

}  // namespace fulmar::perf
