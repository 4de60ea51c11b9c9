/// Reads a recording ahead for its replay, in two pieces, and checks what it read before it is sent.
///
/// Where a sidecar covers the stream, a piece is whole blocks as they were recorded, and each must have its
/// CRC-32C; a block of which only a part is wanted is read and checked as a whole. What looks bad is read
/// again before it is believed to be. Of a recording that goes on, a block is read when all of it is
/// recorded, so that a live replay is checked like any other.
/// Not checked: what no entry covers, as segments that a stock archive wrote, or entries that were lost.
/// There the frames' own checksums are looked at, if the archive is told that they have some.
///
/// Memory: two pieces of `read_length`, or of the longest block if that is longer, whatever the recording's
/// length; nothing is allocated per block. threads: the replayer's. errors: failure(), which stays.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/segment.h"
#include "archive/sidecar_reader.h"
#include "archive/storage_hub.h"
#include "archive_server/server_counters.h"
#include "fulmar/time.h"

namespace fulmar::archive {

class ReplayReader final : public StorageUser {
  public:
    struct Subject {
        std::int64_t recording_id = 0;
        SegmentShape shape;
        std::int64_t start_position = 0;  ///< of the recording
        std::int64_t position = 0;        ///< where reading begins
        std::int32_t read_length = 0;     ///< of a piece
    };
    /// What may be read now.
    struct Range {
        std::int64_t until = 0;     ///< wanted up to here
        std::int64_t recorded = 0;  ///< the files have it up to here
        bool may_grow = false;      ///< more may be recorded
    };
    /// In front of each piece, for the beginning of a frame that the piece before it held.
    static constexpr std::size_t kHeadroom = 64 * 1024;

    /// Bytes of the stream in memory: [begin, end) of `memory`, the first of them at `position`.
    class Piece {
      public:
        std::vector<std::byte> memory;
        std::int64_t position = 0;
        std::size_t begin = 0;
        std::size_t end = 0;
        std::size_t stamped = 0;  ///< frames that begin before have the ids of their replay

        [[nodiscard]] bool is_ready() const { return state_ == State::kReady; }
        /// A sidecar vouched for it.
        [[nodiscard]] bool is_covered() const { return !blocks_.empty(); }

      private:
        friend class ReplayReader;
        enum class State : std::uint8_t { kFree, kPlanned, kReading, kReady };
        /// A block that has to have this checksum; they follow one another from kHeadroom on.
        struct Block {
            std::int64_t length = 0;   ///< of the stream
            std::int64_t covered = 0;  ///< bytes in the file
            std::uint32_t checksum = 0;
        };
        State state_ = State::kFree;
        std::int64_t from_ = 0;  ///< of what is read
        std::vector<Block> blocks_;
        int attempts_ = 0;
        Instant asked_;
        bool is_counted_ = true;
    };
    struct Failure {
        std::string why;
        bool is_damage = false;  ///< the disk gave other bytes than were recorded
    };

    ReplayReader(const Subject& subject, StorageHub& storage);

    /// Submits what is due. Returns how much.
    int poll(Instant now, const Range& range);
    /// Closes what is open, once nothing is under way. True: all is closed.
    [[nodiscard]] bool close();

    /// The piece to send from, and the one behind it; either may not be there yet.
    [[nodiscard]] Piece& front() { return pieces_[front_]; }
    [[nodiscard]] Piece& back() { return pieces_[1 - front_]; }
    /// The front one was sent.
    void pop();
    /// What is left of the front one goes in front of the other, which is ready. False: it is the beginning
    /// of no frame, since it is longer than one may be, or does not end where the other begins.
    [[nodiscard]] bool carry_over();

    [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }
    [[nodiscard]] const IoTotals& reads() const { return reads_; }

    void on_storage(port::StorageCompletion& completion) override;

  private:
    static constexpr std::size_t kBlocksMax = 512;  ///< of a piece

    [[nodiscard]] bool is_busy() const;
    [[nodiscard]] bool open_segment();
    [[nodiscard]] bool plan(Piece& piece, const Range& range);
    [[nodiscard]] bool plan_uncovered(Piece& piece, std::int64_t until);
    void plan_blocks(Piece& piece, const Range& range);
    void begin(Piece& piece, std::int64_t from, std::int64_t length);
    [[nodiscard]] bool submit(Piece& piece, Instant now);
    void check(Piece& piece, std::size_t bytes);
    void count_reads(Instant now);
    void fail(std::string why);
    void fail_damaged(std::int64_t begin, std::int64_t end, const std::string& why);

    const Subject subject_;
    StorageHub& storage_;
    SidecarReader sidecar_;
    std::array<Piece, 2> pieces_;
    std::size_t front_ = 0;
    std::int64_t read_position_;  // up to here reads are under way or done

    port::FileHandle file_ = port::FileHandle::kNone;
    std::int64_t segment_base_ = -1;  // of file_
    bool is_opening_ = false;
    bool is_closing_ = false;
    std::optional<Failure> failure_;
    IoTotals reads_;
};

}  // namespace fulmar::archive
