/// Records each distinct error once, with a count and its first and last time, where tools read it.
///
/// threads: any number of writers of this process, wait-free but for the search of a slot; readers anywhere
/// use layout::ErrorLogCursor. What decides (which errors are known, where their records are) is private
/// memory; the shared log is only written. The first writer of an error claims a slot of the private table
/// by a compare-and-set, then room in the log by another, writes the record and publishes it. Writers that
/// meet the same error meanwhile leave their count in the slot, where the first one collects it.
/// bounds: errors_max distinct errors and the length of the log; what does not fit is counted as dropped.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace fulmar::observe {

inline constexpr std::size_t kErrorTextRecordedMax = 2048;

class DistinctErrorLog {
  public:
    enum class Outcome : std::uint8_t {
        kNew,       ///< recorded for the first time: worth a line on stderr
        kRepeated,  ///< counted on its record
        kDropped,   ///< no room; see dropped()
    };

    /// `log` is zeroed, 8-aligned and outlives this. errors_max is rounded up to a power of two.
    explicit DistinctErrorLog(std::span<std::byte> log, std::size_t errors_max = 1024);

    /// Two errors are the same if code and text are; keep what varies (ports, positions) out of the text.
    Outcome record(std::int32_t code, std::string_view text, std::int64_t now_ms);

    [[nodiscard]] std::int64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  private:
    struct Slot {
        std::atomic<std::uint64_t> hash{0};      // 0: free
        std::atomic<std::int64_t> offset{-1};    // of the record; see kUnpublished, kNoRoom
        std::atomic<std::int32_t> uncounted{0};  // observations made before the record was published
    };
    static constexpr std::int64_t kUnpublished = -1;
    static constexpr std::int64_t kNoRoom = -2;

    [[nodiscard]] Slot* find_or_claim(std::uint64_t hash, bool& is_claimed);
    [[nodiscard]] Outcome publish(Slot& slot, std::string_view text, std::int64_t now_ms);
    [[nodiscard]] Outcome observe(Slot& slot, std::int64_t now_ms);
    [[nodiscard]] std::int64_t claim_room(std::size_t length);
    Outcome drop();

    std::span<std::byte> log_;
    std::size_t slot_count_;
    std::unique_ptr<Slot[]> slots_;
    std::atomic<std::int64_t> next_offset_{0};
    std::atomic<std::int64_t> dropped_{0};
};

}  // namespace fulmar::observe
