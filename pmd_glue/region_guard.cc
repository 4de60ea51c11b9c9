#include "pmd_glue/region_guard.h"

#include <array>
#include <linux/membarrier.h>
#include <mutex>
#include <rte_interrupts.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"

namespace fulmar::pmd_glue {
namespace {

constexpr std::size_t kGuardsMax = 256;
/// A burst lasts microseconds; a thread stopped by a debugger must not stop the interrupt thread for ever.
constexpr std::int64_t kWaitMax_ns = 2'000'000'000;

std::array<std::atomic<RegionGuard*>, kGuardsMax> g_guards{};
std::atomic<std::uint32_t> g_guard_count{0};
std::atomic<std::uint64_t> g_waits{0};

std::mutex& guards_mutex() {
    static auto* const mutex = new std::mutex;
    return *mutex;
}

std::int64_t monotonic_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

bool any_inside() {
    for (auto& slot : g_guards) {
        const auto* guard = slot.load(std::memory_order_acquire);
        if (guard != nullptr && guard->inside()) {
            return true;
        }
    }
    return false;
}

void wait_for_bursts() {
    const std::lock_guard lock(guards_mutex());
    // Makes every thread's enter() visible to us and the driver's cleared flag visible to every thread.
    ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    if (!any_inside()) {
        return;
    }
    g_waits.fetch_add(1, std::memory_order_relaxed);
    const auto deadline = monotonic_ns() + kWaitMax_ns;
    while (any_inside() && monotonic_ns() < deadline) {
        ::sched_yield();
    }
}

}  // namespace

RegionGuard::RegionGuard() {
    const std::lock_guard lock(guards_mutex());
    if (g_guard_count.load(std::memory_order_relaxed) == 0) {
        ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    }
    for (auto& slot : g_guards) {
        if (slot.load(std::memory_order_relaxed) == nullptr) {
            slot.store(this, std::memory_order_release);
            g_guard_count.fetch_add(1, std::memory_order_release);
            return;
        }
    }
    FULMAR_ASSERT(false, "more guarded queues than kGuardsMax");
}

RegionGuard::~RegionGuard() {
    const std::lock_guard lock(guards_mutex());
    for (auto& slot : g_guards) {
        if (slot.load(std::memory_order_relaxed) == this) {
            slot.store(nullptr, std::memory_order_release);
            g_guard_count.fetch_sub(1, std::memory_order_release);
        }
    }
}

std::uint64_t unmap_wait_count() {
    return g_waits.load(std::memory_order_relaxed);
}

/// True where the unmap below must wait.
static bool unmap_needs_care() {
    return g_guard_count.load(std::memory_order_acquire) != 0 && ::rte_thread_is_intr() != 0;
}

void wait_before_unmap() {
    if (unmap_needs_care()) {
        wait_for_bursts();
    }
}

}  // namespace fulmar::pmd_glue

namespace fulmar::pmd_glue {
void wait_before_unmap();
}

/// The library's own calls resolve to this definition, since the program's symbols come first. Everything
/// but an unmap on the library's interrupt thread goes straight to the kernel.
extern "C" __attribute__((visibility("default"))) int munmap(void* address, size_t length) noexcept {
    fulmar::pmd_glue::wait_before_unmap();
    return static_cast<int>(::syscall(SYS_munmap, address, length));
}
