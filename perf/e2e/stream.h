/// One way at full or given rate: pub sends numbered, checksummed bodies; sub checks each.
#pragma once

#include "perf/e2e/options.h"

namespace fulmar::perf {

int run_stream(const Options& options);

}  // namespace fulmar::perf
