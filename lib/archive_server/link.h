/// One direction between two agents of the archive. What the ring cannot take waits with the sender, in
/// order, so that neither side ever has to.
/// threads: one sends and flushes, one receives.
#pragma once

#include <cstddef>
#include <deque>

#include "ring/spsc_pointer_ring.h"

namespace fulmar::archive {

template <class T>
class Link {
  public:
    static constexpr std::size_t kCapacity = 256;

    void send(const T& value) {
        if (!waiting_.empty() || !ring_.try_push(value)) {
            waiting_.push_back(value);
        }
    }
    /// On each round of the sender.
    int flush() {
        int work = 0;
        while (!waiting_.empty() && ring_.try_push(waiting_.front())) {
            waiting_.pop_front();
            ++work;
        }
        return work;
    }
    [[nodiscard]] bool receive(T& value) { return ring_.try_pop(value); }

  private:
    ring::SpscPointerRing<T> ring_{kCapacity};
    std::deque<T> waiting_;
};

}  // namespace fulmar::archive
