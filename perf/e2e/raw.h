/// `fulmar-perf raw`: the floor, in the same words as the tests above it.
#pragma once

#include "perf/e2e/options.h"

namespace fulmar::perf {

int run_raw_test(const Options& options);

}  // namespace fulmar::perf
