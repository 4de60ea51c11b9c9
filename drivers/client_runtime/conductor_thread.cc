#include "drivers/client_runtime/conductor_thread.h"

#include <pthread.h>

#include "client/conductor.h"
#include "fulmar/idle.h"

namespace fulmar::drivers {

ConductorThread::ConductorThread(std::shared_ptr<client::Conductor> conductor, Duration idle_max)
    : conductor_(std::move(conductor)), idle_max_(idle_max), thread_([this] { run(); }) {}

ConductorThread::~ConductorThread() {
    stop_.store(true, std::memory_order_relaxed);
    thread_.join();
}

void ConductorThread::run() {
    (void)::pthread_setname_np(::pthread_self(), "fulmar-client");
    BackoffIdle idle(microseconds(1), idle_max_);
    while (!stop_.load(std::memory_order_relaxed) && !conductor_->is_closed()) {
        idle.idle(conductor_->poll());
    }
}

}  // namespace fulmar::drivers
