/// What loads may see. Each aligned word of eight bytes that is accessed atomically keeps the history of its
/// stores; each thread has a vector clock. A load may see any store that is not older than the newest one
/// that happened before it and than the last it saw itself. An acquire load joins the clock that the store
/// released. Read-modify-writes see the newest store and carry on its release.
///
/// So stale relaxed loads, store buffering and missing release or acquire are found; reordering of a load
/// with a later store of the same thread is not modelled, nor are fences, spurious failures of a weak
/// exchange, and stores that enter the modification order late. seq_cst counts as acquire and release.
/// Plain accesses are checked against the same clocks: two without order, one of them a write, are a race.
/// threads: one real thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "scheduler.h"

namespace fulmar::model {

struct Clock {
    std::array<std::uint32_t, kThreadsMax> at{};

    void join(const Clock& other) {
        for (std::size_t i = 0; i < at.size(); ++i) {
            at[i] = at[i] > other.at[i] ? at[i] : other.at[i];
        }
    }
};

/// One part of a word: what an access of one to eight bytes touches.
struct Lane {
    std::uintptr_t word = 0;
    unsigned shift = 0;
    std::uint64_t mask = 0;  ///< at bit 0
    unsigned halves = 0;     ///< bit 0: the low four bytes, bit 1: the high ones
};
[[nodiscard]] Lane lane_of(const void* at, std::size_t size);

class MemoryModel {
  public:
    /// Asks which of the newest `count` stores a load sees, 0 being the newest.
    using ChooseStore = std::size_t (*)(std::size_t count);

    void reset(bool detect_races);

    std::uint64_t load(int thread, const Lane& lane, std::memory_order order, ChooseStore choose);
    void store(int thread, const Lane& lane, std::uint64_t value, std::memory_order order);
    /// The newest value, for a read-modify-write.
    std::uint64_t newest(int thread, const Lane& lane, std::memory_order order);
    void replace(int thread, const Lane& lane, std::uint64_t value, std::memory_order order);

    void plain_read(int thread, const void* at, std::size_t size);
    void plain_write(int thread, const void* at, std::size_t size);

    void fork(int parent, int child);
    void join(int parent, int child);

    /// Empty, or the first race seen.
    [[nodiscard]] const std::string& race() const { return race_; }

  private:
    struct Store {
        std::uint64_t value = 0;
        int thread = 0;
        std::uint32_t epoch = 0;
        std::array<Clock, 2> released;  ///< per half of the word
    };
    struct Location {
        std::uint64_t execution = 0;  ///< of another one: as if absent
        std::vector<Store> history;
        std::array<std::size_t, kThreadsMax> seen{};
    };
    struct Shadow {
        std::uint64_t execution = 0;  ///< of another one: as if absent
        int writer = 0;
        std::uint32_t written = 0;
        std::array<std::uint32_t, kThreadsMax> read{};
    };

    Location& location(const Lane& lane);
    [[nodiscard]] const Store* last_store(std::uintptr_t word) const;
    Shadow& shadow(std::uintptr_t unit);
    [[nodiscard]] bool happened_before(int thread, int other, std::uint32_t epoch) const {
        return epoch <= clocks_[static_cast<std::size_t>(thread)].at[static_cast<std::size_t>(other)];
    }
    [[nodiscard]] std::size_t oldest_visible(int thread, const Location& location) const;
    void acquire(int thread, const Store& store, const Lane& lane, std::memory_order order);
    void append(int thread, const Lane& lane, std::uint64_t value, std::memory_order order, bool carry_on);
    void check_atomic(int thread, const Lane& lane, bool writes);
    void report(const char* what, int thread, int other, std::uintptr_t at);
    Clock& clock(int thread) { return clocks_[static_cast<std::size_t>(thread)]; }

    bool detect_races_ = true;
    std::uint64_t execution_ = 0;
    std::array<Clock, kThreadsMax> clocks_;
    // Kept from execution to execution, whose state mostly lies at the same addresses.
    std::unordered_map<std::uintptr_t, Location> locations_;
    std::unordered_map<std::uintptr_t, Shadow> shadows_;  // by four bytes
    std::string race_;
};

}  // namespace fulmar::model
