/// Adding to a statistic that one thread writes and others read.
#pragma once

#include <atomic>
#include <cstdint>

namespace fulmar::base {

/// threads: only the owner of `counter` may call; readers use read_count.
inline void count(std::uint64_t& counter, std::uint64_t amount = 1) {
    // relaxed: a statistic orders nothing; a plain add would be a race with its readers.
    std::atomic_ref<std::uint64_t>(counter).store(counter + amount, std::memory_order_relaxed);
}

/// threads: any.
[[nodiscard]] inline std::uint64_t read_count(const std::uint64_t& counter) {
    return std::atomic_ref<std::uint64_t>(const_cast<std::uint64_t&>(counter))
        .load(std::memory_order_relaxed);
}

}  // namespace fulmar::base
