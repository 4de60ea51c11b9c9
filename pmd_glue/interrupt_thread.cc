#include "pmd_glue/interrupt_thread.h"

#include <future>
#include <rte_alarm.h>
#include <utility>

#include "base/assert.h"

namespace fulmar::pmd_glue {
namespace {

struct Errand {
    std::function<void()> call;
    std::promise<void> done;
};

void run_errand(void* argument) {
    auto& errand = *static_cast<Errand*>(argument);
    errand.call();
    errand.done.set_value();
}

}  // namespace

void run_on_interrupt_thread(std::function<void()> call) {
    constexpr std::uint64_t kAtOnce_us = 1;
    Errand errand{std::move(call), {}};
    auto done = errand.done.get_future();
    const int set = ::rte_eal_alarm_set(kAtOnce_us, run_errand, &errand);
    FULMAR_ASSERT(set == 0, "alarms work once the device library is started");
    done.wait();
}

}  // namespace fulmar::pmd_glue
