/// Runs a call on the device library's interrupt thread.
///
/// Some drivers (memif) handle their peer's messages on that thread and take themselves apart on whichever
/// thread stops or closes them, without a lock between the two: a peer that hangs up while we close frees
/// everything twice. Callbacks of that thread run one at a time, so what must not meet them becomes one.
#pragma once

#include <functional>

namespace fulmar::pmd_glue {

/// Returns when `call` has run.  threads: any but the interrupt thread itself, after start_eal().
void run_on_interrupt_thread(std::function<void()> call);

}  // namespace fulmar::pmd_glue
