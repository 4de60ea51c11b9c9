/// The destinations of one publication or subscription, through the client library: adds those that are to be
/// there, takes some away for a while, and asks again where the driver refuses.
/// threads: one.
#pragma once

#include <cstdint>
#include <vector>

#include "fulmar/client.h"
#include "tests/sim/workload.h"

namespace fulmar::sim {

class Destinations {
  public:
    Destinations(WorkloadContext& context, const std::vector<DestinationPlan>& plans, double move)
        : context_(context), move_(move) {
        for (const DestinationPlan& plan : plans) {
            all_.push_back({plan, State::kAbsent, 0, {}});
        }
    }

    /// One turn. `handle` is the publication or subscription.
    template <class Handle>
    void poll(Client& client, Handle& handle) {
        for (One& one : all_) {
            advance(client, handle, one);
        }
    }
    /// The handle is gone, and all that belonged to it.
    void reset() {
        for (One& one : all_) {
            one.state = State::kAbsent;
            one.next_try = {};
        }
    }
    /// Calls on_absent(plan, is_gone) for each that is not known to be there, and on_present(plan) for the
    /// others.
    template <class OnAbsent, class OnPresent>
    void for_each(OnAbsent&& on_absent, OnPresent&& on_present) const {
        for (const One& one : all_) {
            if (one.state == State::kPresent) {
                on_present(one.plan);
            } else {
                on_absent(one.plan, one.state == State::kAbsent);
            }
        }
    }

  private:
    enum class State : std::uint8_t { kAbsent, kAdding, kPresent, kRemoving };
    struct One {
        DestinationPlan plan;
        State state = State::kAbsent;
        std::int64_t operation = 0;
        Instant next_try;
    };
    static constexpr Duration kRetry = milliseconds(2);
    static constexpr Duration kAbsenceMax = milliseconds(30);

    [[nodiscard]] int present() const {
        int count = 0;
        for (const One& one : all_) {
            count += one.state == State::kPresent ? 1 : 0;
        }
        return count;
    }

    template <class Handle>
    void advance(Client& client, Handle& handle, One& one) {
        const bool faults = context_.phase == Phase::kFaults;
        const Instant now = context_.time.now;
        switch (one.state) {
            case State::kAbsent:
                if (now >= one.next_try || !faults) {
                    begin(handle.async_add_destination(one.plan.channel), one, State::kAdding);
                }
                break;
            case State::kAdding: finish(client, one, State::kPresent, Count::destination_added); break;
            case State::kPresent:
                // One stays, so that the stream goes on.
                if (faults && present() > 1 && context_.prng.chance(move_)) {
                    begin(handle.async_remove_destination(one.plan.channel), one, State::kRemoving);
                }
                break;
            case State::kRemoving:
                if (finish(client, one, State::kAbsent, Count::destination_removed)) {
                    one.next_try = now + context_.up_to(kAbsenceMax);
                }
                break;
        }
    }

    void begin(const Result<std::int64_t>& asked, One& one, State state) {
        if (asked) {
            one.operation = *asked;
            one.state = state;
        }
    }

    bool finish(Client& client, One& one, State state, Count count) {
        const auto found = client.find_operation(one.operation);
        if (!found) {
            ++context_.counts[Count::add_refused];
            one.state = State::kAbsent;
            one.next_try = context_.time.now + kRetry;
            return false;
        }
        if (*found) {
            ++context_.counts[count];
            one.state = state;
        }
        return *found;
    }

    WorkloadContext& context_;
    double move_;
    std::vector<One> all_;
};

}  // namespace fulmar::sim
