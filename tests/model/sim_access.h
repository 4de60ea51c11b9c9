/// The door between atomics under test and the scheduler: each access is a point where fibres may switch.
/// Sites are the source lines of the code under test, so that one of them can be weakened.
/// threads: one real thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace fulmar::model {

struct Site {
    const char* file;
    int line;
};

/// Outside an execution (set up, finally) accesses are immediate.
std::uint64_t sim_load(const void* at, std::size_t size, std::memory_order order, Site site);
void sim_store(void* at, std::size_t size, std::uint64_t value, std::memory_order order, Site site);

/// Read-modify-write as begin, which is the switch point and yields the newest value, then end.
std::uint64_t sim_modify_begin(void* at, std::size_t size, std::memory_order order, Site site);
void sim_modify_end(void* at, std::size_t size, std::uint64_t value, std::memory_order order, Site site);

void sim_plain_read(const void* at, std::size_t size);
void sim_plain_write(const void* at, std::size_t size);

}  // namespace fulmar::model
