/// The entries of one sidecar on their way to disk: blocks are added, and what has gathered is taken as one
/// write.
///
/// Two writes may be under way; their memory is in here. threads: one owner. Takes no memory once it exists.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "archive/sidecar.h"

namespace fulmar::archive {

class SidecarBuffer {
  public:
    static constexpr std::size_t kEntriesMax = 128;  ///< that gather; more have to wait

    /// Of the sidecar of the segment at `base`, covered up to `position`; `next_slot` 0: it is new, the
    /// header goes with the first entries.
    SidecarBuffer(
        std::int64_t base, std::int32_t segment_length, std::int64_t position, std::uint64_t next_slot);

    [[nodiscard]] bool has_room() const { return count_ < kEntriesMax; }
    /// A block that follows the one before. `bytes`: what the checksum covers. There is room.
    void add(SidecarKind kind, std::int64_t length, std::span<const std::byte> bytes);
    [[nodiscard]] bool has_entries() const { return count_ > 0; }

    struct Write {
        std::uint64_t offset = 0;
        std::span<const std::byte> bytes{};
        unsigned buffer = 0;
    };
    /// All that has gathered, or a mark where nothing has. Nothing while two writes are under way, or a mark
    /// is: whatever comes next takes its slot, and the two writes might change places.
    [[nodiscard]] std::optional<Write> take(std::int64_t durable, std::uint32_t epoch);
    void on_written(unsigned buffer);

    /// Up to here all entries are written, and `end` is where the last block that was added ends.
    [[nodiscard]] std::int64_t covered() const { return covered_; }
    [[nodiscard]] std::int64_t end() const { return end_; }
    [[nodiscard]] bool is_under_way() const { return writes_[0].busy || writes_[1].busy; }

  private:
    struct UnderWay {
        bool busy = false;
        bool done = false;
        bool mark = false;
        std::int64_t end = 0;
        std::vector<std::byte> bytes;
    };

    const std::int64_t base_;
    const std::int32_t segment_length_;
    std::int64_t end_;
    std::int64_t covered_;
    std::uint64_t next_slot_;
    std::array<SidecarEntry, kEntriesMax> entries_{};
    std::size_t count_ = 0;
    std::array<UnderWay, 2> writes_;
    unsigned oldest_ = 0;
};

}  // namespace fulmar::archive
