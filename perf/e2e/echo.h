/// Round trips through two publications: ping sends and times, pong sends back what it gets.
#pragma once

#include "perf/e2e/options.h"

namespace fulmar::perf {

/// Exit status: 0 pass, 1 a check failed, 2 it could not run.
int run_echo(const Options& options);

}  // namespace fulmar::perf
