/// Keeps memory that a device library thread is about to unmap alive until no poll is inside it.
///
/// The memif driver notices a dead peer on the library's interrupt thread and unmaps the shared rings there,
/// while our thread may be in the middle of a burst over them. A poll that was preempted between the driver's
/// "connected" check and its next ring access would then take the process down with the peer. So bursts on
/// such devices are bracketed, and unmapping on the interrupt thread waits for the brackets to close: once
/// it runs, the driver has already cleared its flag, and every later burst turns back at the check.
///
/// threads: enter/leave on the polling thread; the wait runs on the interrupt thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace fulmar::pmd_glue {

class RegionGuard {
  public:
    RegionGuard();
    ~RegionGuard();
    RegionGuard(const RegionGuard&) = delete;
    RegionGuard& operator=(const RegionGuard&) = delete;

    void enter() {
        // relaxed plus a compiler barrier: the waiting side issues a process-wide memory barrier, so the fast
        // path pays no fence.
        inside_.store(1, std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    void leave() {
        // SYNC(region_guard.inside): release; pairs with wait_for_bursts. Ring accesses end before it.
        inside_.store(0, std::memory_order_release);
    }
    [[nodiscard]] bool inside() const {
        // SYNC(region_guard.inside): acquire; pairs with leave().
        return inside_.load(std::memory_order_acquire) != 0;
    }

  private:
    alignas(64) std::atomic<std::uint32_t> inside_{0};
};

/// Brackets one burst; does nothing without a guard.
class BurstScope {
  public:
    explicit BurstScope(RegionGuard* guard) : guard_(guard) {
        if (guard_ != nullptr) {
            guard_->enter();
        }
    }
    ~BurstScope() {
        if (guard_ != nullptr) {
            guard_->leave();
        }
    }
    BurstScope(const BurstScope&) = delete;
    BurstScope& operator=(const BurstScope&) = delete;

  private:
    RegionGuard* guard_;
};

/// How many unmaps had to wait for a burst; for tests and the event log.
[[nodiscard]] std::uint64_t unmap_wait_count();

}  // namespace fulmar::pmd_glue
