#include "drivers/driver_runtime/agent_runner.h"

#include <future>
#include <pthread.h>
#include <utility>

#include "drivers/driver_runtime/idle.h"
#include "pmd_glue/eal.h"
#include "pmd_glue/placement.h"

namespace fulmar::drivers {

AgentRunner::AgentRunner(Options options, port::Clock& clock, Poll poll)
    : options_(std::move(options)), clock_(clock), poll_(std::move(poll)) {}

AgentRunner::~AgentRunner() {
    stop();
}

Status AgentRunner::start() {
    std::promise<Status> prepared;
    auto outcome = prepared.get_future();
    thread_ = std::thread([this, &prepared] {
        Status status = prepare();
        const bool runs = status.has_value();
        prepared.set_value(std::move(status));
        if (runs) {
            run();
        }
    });
    return outcome.get();
}

Status AgentRunner::prepare() const {
    (void)::pthread_setname_np(::pthread_self(), options_.name.substr(0, 15).c_str());
    if (options_.cpu >= 0) {
        FULMAR_TRY_VOID(pmd_glue::pin_this_thread(options_.cpu));
    }
    if (options_.polls_devices && !pmd_glue::adopt_data_thread()) {
        return fail(ErrorCode::kGeneric, "too many threads poll devices in this process");
    }
    return Done{};
}

void AgentRunner::run() {
    Idle idle(options_.idle);
    // relaxed: only asks the loop to end, publishes nothing.
    while (!stop_.load(std::memory_order_relaxed)) {
        idle.idle(poll_(clock_.now()));
    }
}

void AgentRunner::stop() {
    stop_.store(true, std::memory_order_relaxed);  // relaxed: see run()
    if (thread_.joinable()) {
        thread_.join();
    }
}

}  // namespace fulmar::drivers
