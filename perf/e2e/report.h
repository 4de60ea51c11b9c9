/// Figures as people read them and as programs do.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/histogram.h"
#include "perf/e2e/body.h"
#include "perf/e2e/options.h"

namespace fulmar::perf {

struct Figures {
    std::string test;
    std::string device;
    double elapsed_s = 0;
    double start_epoch_s = 0;
    BodyCounts counts;
    bool pass = true;
    const base::Histogram* rtt = nullptr;  ///< null when nothing was timed
    const char* latency = "rtt_ns";        ///< JSON key of the histogram
};

/// The keys every result has; callers add their own.
[[nodiscard]] nlohmann::ordered_json to_json(const Figures& figures, const Options& options);
[[nodiscard]] nlohmann::ordered_json environment();
/// "min", "p50" ... "p9999", "max".
[[nodiscard]] nlohmann::ordered_json percentiles(const base::Histogram& histogram);
/// Prints the JSON line, or the human lines with a percentile plot; writes the .hdr file when asked.
/// Returns the exit status: 0 pass, 1 not.
int report(const Figures& figures, const Options& options, const nlohmann::ordered_json& extra);

}  // namespace fulmar::perf
