/// Carries observed losses from the receiver, where images live, to the conductor, which owns the loss
/// report.
/// threads: on_loss on the receiver, drain on the conductor.
/// Bound: kCapacity observations on the way; when it is full, bytes of the newest image are carried over to
/// its next observation and those of others are not reported (the NAK counters still tell).
#pragma once

#include <cstddef>
#include <cstdint>

#include "ring/spsc_pointer_ring.h"
#include "transport/image.h"

namespace fulmar::agent {

class LossBridge final : public transport::LossObserver {
  public:
    static constexpr std::size_t kCapacity = 1024;

    struct Loss {
        std::int64_t correlation_id = 0;
        std::int64_t bytes = 0;
    };

    void on_loss(std::int64_t correlation_id, std::int64_t bytes) override {
        if (carried_.correlation_id == correlation_id) {
            bytes += carried_.bytes;
        }
        carried_ = {};
        if (!queue_.try_push({correlation_id, bytes})) {
            carried_ = {correlation_id, bytes};
        }
    }

    template <class Visit>
    int drain(Visit&& visit) {
        int count = 0;
        Loss loss;
        while (queue_.try_pop(loss)) {
            visit(loss);
            ++count;
        }
        return count;
    }

  private:
    ring::SpscPointerRing<Loss> queue_{kCapacity};
    Loss carried_;  // the receiver's own
};

}  // namespace fulmar::agent
