/// One active recording on its way to disk: whole blocks out of the term buffer into segment files, a
/// checksum of each into the sidecar beside them (sidecar.h), and syncs by policy.
///
/// The life of one: poll until is_ready, then write and poll; finish and poll until is_finished; destroy. It
/// may be destroyed earlier only together with the Storage below, as when a process dies.
///
/// Segments are made ahead under another name (kPreparedSuffix) and renamed when the stream reaches them, so
/// that a directory never shows a segment that the stream has not come to. What an earlier end of the process
/// left of prepared files is removed by Recovery.
///
/// Positions, each at most the one before:
///   submitted   the end of the last block that write() took;
///   written     every byte before it, and the checksums over them, are in the files for every reader, and
///   the
///               memory that blocks lie in is free to change;
///   durable     every byte before it survives a power cut: its data, its checksums and its files' names are
///               synced.
/// threads: one owner, which polls the hub too. Steady state takes no memory, but when a segment is prepared.
/// errors: error(), which stays. From then on nothing is taken nor synced, and end_position() is where the
/// recording has to be cut (Truncation, with is_kept_sound): what lies behind is neither known to be there
/// nor not to be. A sync that failed is never tried again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "archive/open_segment.h"
#include "archive/segment.h"
#include "archive/segment_sync.h"
#include "archive/storage_hub.h"
#include "archive/truncation.h"
#include "fulmar/error.h"
#include "fulmar/time.h"

namespace fulmar::archive {

/// A segment's or sidecar's name is this longer until the stream reaches it.
inline constexpr std::string_view kPreparedSuffix = ".new";

/// When what was written is synced.
enum class SyncPolicy : std::uint8_t {
    kBatch,     ///< whenever something is not, one sync after the other: what gathers meanwhile goes into the
                ///< next
    kInterval,  ///< as kBatch, but not before WriterOptions::sync_interval after the one before
    kNone,      ///< by finish() alone; what a power cut leaves of a recording that was not finished is chance
};

struct WriterOptions {
    /// An existing recording goes on: what its files hold behind `position` is removed first. Otherwise it is
    /// new, and a file that is there already is an error.
    bool extends = false;
    SyncPolicy sync = SyncPolicy::kBatch;
    Duration sync_interval = milliseconds(100);
    /// Aeron's own checksum: of each data frame CRC-32C over the payload in place of its session id. Costs a
    /// copy of each block.
    bool checksum_frames = false;
    /// After this long without a block the last sync's completion is made durable as well.
    Duration idle_mark = milliseconds(10);
    std::size_t writes_max = 64;  ///< blocks under way; a power of two
};

/// threads: written by the owner, read by any with base::read_count.
struct WriterCounts {
    std::uint64_t bytes = 0;   ///< written into segments
    std::uint64_t writes = 0;  ///< blocks
    std::uint64_t syncs = 0;   ///< of data, sidecar and directory together, as one
    std::uint64_t write_ns_max = 0;
    std::uint64_t write_ns_total = 0;
    std::uint64_t sync_ns_max = 0;
};

class RecordingWriter final : public StorageUser {
  public:
    /// `position` is `start_position` for a new recording; one that is extended goes on at its stop position,
    /// which is taken for durable. Both are multiples of 32.
    RecordingWriter(StorageHub& hub, std::int64_t recording_id, const SegmentShape& shape,
        std::int64_t start_position, std::int64_t position, const WriterOptions& options);

    /// Submits what is due: segments to prepare, roll-over, checksums, syncs, closes. Returns how much.
    int poll(Instant now);

    /// The first segment is there; before that there is no room.
    [[nodiscard]] bool is_ready() const { return ready_; }
    /// Bytes that write() takes now, at least of one block; 0: poll first.
    [[nodiscard]] std::size_t room() const;
    /// Takes whole frames that lie in one term and follow what was taken before. `block` is unchanged until
    /// written_position() has passed it. Padding comes alone, as one frame with its whole length, of which
    /// the header is written. False: not now; nothing was taken.
    [[nodiscard]] bool write(std::span<const std::byte> block, std::int64_t position);

    [[nodiscard]] std::int64_t submitted_position() const { return submitted_; }
    [[nodiscard]] std::int64_t written_position() const { return written_; }
    [[nodiscard]] std::int64_t durable_position() const { return durable_; }
    /// What may be told to others as recorded: durable under kBatch, written otherwise.
    [[nodiscard]] std::int64_t recorded_position() const {
        return options_.sync == SyncPolicy::kBatch ? durable_ : written_;
    }

    /// Where the recording ends if nothing more is written: behind all that was taken or, after an error,
    /// behind what is known to be there. Final once it is finished.
    [[nodiscard]] std::int64_t end_position() const;

    /// No more blocks: what was taken is written and synced whatever the policy, then files are closed and
    /// prepared ones removed. May be called again, and after an error, when nothing more is synced.
    void finish();
    /// Nothing is under way and no file is open.
    [[nodiscard]] bool is_finished() const { return finish_ == Finish::kDone; }

    /// One line naming the recording, the file, and what the system said. kStorageSpace: the disk is full.
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }
    [[nodiscard]] const WriterCounts& counts() const { return counts_; }

    void on_storage(port::StorageCompletion& completion) override;

  private:
    struct Block {
        std::int64_t end = 0;
        std::uint64_t bytes = 0;
        Instant submitted{};
        bool done = false;
        std::vector<std::byte> copy{};  // of a block whose frames get checksums
    };
    /// A sync of everything up to `position`; or a mark, which says durably that an earlier one completed.
    struct Round {
        std::int64_t position = 0;
        Instant began{};
        bool mark = false;
        bool directory_wanted = false;
        bool directory_under_way = false;
    };
    enum class Finish : std::uint8_t { kNot, kDrain, kClose, kSyncClosed, kDone };
    static constexpr std::size_t kSegmentsMax = 4;
    static constexpr std::uint64_t kDirectoryToken = ~std::uint64_t{0};

    // Blocks and segments, in recording_writer.cc.
    [[nodiscard]] Block& block_at(std::uint64_t number) { return blocks_[number & (blocks_.size() - 1)]; }
    [[nodiscard]] OpenSegment* segment_for_next() const;
    void open_first();
    void prepare_next();
    void retry_blocked();
    void name_segments();
    void retire_segments();
    void note_unsynced(const OpenSegment& segment);
    void advance_written();
    void fail_with(const Error& error);
    void break_with(const Error& error);

    // Syncs and the end, in recording_writer_sync.cc.
    [[nodiscard]] int drive_round();
    [[nodiscard]] bool is_round_due() const;
    [[nodiscard]] bool is_mark_due() const;
    [[nodiscard]] bool is_round_over() const;
    [[nodiscard]] bool begin_round();
    [[nodiscard]] bool begin_mark();
    void end_round();
    void submit_directory_sync();
    [[nodiscard]] int flush_checksums();
    [[nodiscard]] bool write_checksums(OpenSegment& segment);
    [[nodiscard]] std::int64_t named_end() const;
    void drive_finish();
    [[nodiscard]] bool is_drained() const;
    void close_segments();

    StorageHub& hub_;
    const std::int64_t recording_id_;
    const SegmentShape shape_;
    const std::int64_t start_position_;
    const WriterOptions options_;

    std::int64_t submitted_;
    std::int64_t data_written_;
    std::int64_t written_;
    std::int64_t durable_;
    std::int64_t durable_in_sidecar_;  // the last that was written there
    std::int64_t marked_;              // durable, and something durable says so
    std::uint32_t epoch_ = 0;
    Instant now_{};
    Instant last_block_{};
    Instant last_round_{};

    std::unique_ptr<Truncation> extension_;               // until what is extended is ready for it
    std::vector<std::unique_ptr<OpenSegment>> segments_;  // by base
    std::size_t current_ = 0;                             // the one that is being filled
    bool ready_ = false;
    bool blocked_retried_ = false;
    std::vector<std::int64_t> unsynced_bases_;  // of segments that were closed without a sync
    std::unique_ptr<SegmentSync> sync_closed_;

    std::vector<Block> blocks_;  // a ring of those under way
    std::uint64_t blocks_begin_ = 0;
    std::uint64_t blocks_end_ = 0;
    std::uint64_t writes_under_way_ = 0;

    std::optional<Round> round_;
    Finish finish_ = Finish::kNot;
    std::optional<Error> error_;
    bool broken_ = false;  // by more than a lack of room
    WriterCounts counts_;
};

}  // namespace fulmar::archive
