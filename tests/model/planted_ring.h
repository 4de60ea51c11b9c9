/// A minimal ring with bugs to be planted one at a time, to prove that the checker finds them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "scheduler.h"
#include "sim_atomic.h"

namespace fulmar::model {

enum class Plant {
    kNone,
    kNoFullCheck,
    kFullCheckOffByOne,
    kNoEmptyCheck,
    kPublishBeforeData,
    kRelaxedPublish,
    kRelaxedSee,
    kRelaxedHandBack,
    kRelaxedSeeHead,
    kHandBackBeforeRead,
};

class PlantedRing {
  public:
    explicit PlantedRing(Plant plant) : plant_(plant) {}

    bool push(int value) {
        const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
        const std::uint64_t used =
            tail - head_.load(order(Plant::kRelaxedSeeHead, std::memory_order_acquire));
        const std::uint64_t room = kCapacity + (plant_ == Plant::kFullCheckOffByOne ? 1 : 0);
        if (used >= room && plant_ != Plant::kNoFullCheck) {
            return false;
        }
        if (plant_ == Plant::kPublishBeforeData) {
            tail_.store(tail + 1, std::memory_order_release);
        }
        slots_[tail % kCapacity].set(value);
        tail_.store(tail + 1, order(Plant::kRelaxedPublish, std::memory_order_release));
        return true;
    }

    bool pop(int& out) {
        const std::uint64_t head = head_.load(std::memory_order_relaxed);
        const std::uint64_t tail = tail_.load(order(Plant::kRelaxedSee, std::memory_order_acquire));
        if (tail == head && plant_ != Plant::kNoEmptyCheck) {
            return false;
        }
        if (plant_ == Plant::kHandBackBeforeRead) {
            head_.store(head + 1, std::memory_order_release);
        }
        out = slots_[head % kCapacity].get();
        head_.store(head + 1, order(Plant::kRelaxedHandBack, std::memory_order_release));
        return true;
    }

  private:
    static constexpr std::size_t kCapacity = 2;

    [[nodiscard]] std::memory_order order(Plant plant, std::memory_order right) const {
        return plant_ == plant ? std::memory_order_relaxed : right;
    }

    Plant plant_;
    SimAtomic<std::uint64_t> head_{0};
    SimAtomic<std::uint64_t> tail_{0};
    std::array<SimVar<int>, kCapacity> slots_;
};

inline Outcome explore_planted(Plant plant) {
    return explore({}, [plant](Program& program) {
        struct State {
            explicit State(Plant p) : ring(p) {}
            PlantedRing ring;
            int pushed = 0;
            int popped = 0;
        };
        auto s = std::make_shared<State>(plant);
        program.thread([s] {
            for (int i = 0; i < 4; ++i) {
                s->pushed += s->ring.push(s->pushed + 1) ? 1 : 0;
            }
        });
        program.thread([s] {
            for (int i = 0; i < 4; ++i) {
                int value = 0;
                if (s->ring.pop(value)) {
                    check(value == ++s->popped, "values come out once and in order");
                }
            }
        });
        program.finally([s] {
            int value = 0;
            for (int i = 0; i < 4 && s->ring.pop(value); ++i) {
                check(value == ++s->popped, "values come out once and in order");
            }
            check(s->popped == s->pushed, "nothing is lost");
        });
    });
}

}  // namespace fulmar::model
