/// Round trips and one-way rate over aeron:ipc between two processes, through any driver that owns the
/// directory, a stock one included.
#pragma once

#include "perf/e2e/options.h"

namespace fulmar::perf {

/// with_role: run that one role against --dir; otherwise start the other end as a child, and a driver too
/// when there is no --dir.
int run_ipc(const Options& options, bool with_role);

}  // namespace fulmar::perf
