/// The two scopes inside the conductor: holding its lock, and being in an application's handler.
#pragma once

#include <mutex>

#include "client/conductor.h"

namespace fulmar::client {

/// Takes the lock, unless the client is polled and nobody else is there.
class Conductor::Guard {
  public:
    explicit Guard(Conductor& conductor)
        : mutex_(conductor.options_.own_thread ? &conductor.mutex_ : nullptr) {
        if (mutex_ != nullptr) {
            mutex_->lock();
        }
    }
    ~Guard() {
        if (mutex_ != nullptr) {
            mutex_->unlock();
        }
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

  private:
    std::recursive_mutex* mutex_;
};

class Conductor::HandlerScope {
  public:
    explicit HandlerScope(Conductor& conductor) : depth_(conductor.handler_depth_) { ++depth_; }
    ~HandlerScope() { --depth_; }
    HandlerScope(const HandlerScope&) = delete;
    HandlerScope& operator=(const HandlerScope&) = delete;

  private:
    int& depth_;
};

}  // namespace fulmar::client
