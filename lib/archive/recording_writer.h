/// One active recording on its way to disk: whole blocks out of the term buffer into segment files, a checksum
/// of each into the sidecar beside them (sidecar.h), and syncs by policy.
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
///   written     every byte before it, and the checksums over them, are in the files for every reader, and the
///               memory that blocks lie in is free to change;
///   durable     every byte before it survives a power cut: its data, its checksums and its files' names are
///               synced.
/// threads: one owner, which polls the hub too. Steady state takes no memory, but when a segment is prepared.
/// errors: error(), which stays. From then on nothing is taken, and durable_position() is where the
/// recording has to be cut (Truncation): what lies behind is neither known to be there nor not to be. A sync that
/// failed is never tried again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "archive/segment.h"
#include "archive/storage_hub.h"
#include "fulmar/error.h"
#include "fulmar/time.h"

namespace fulmar::archive {

/// A segment's or sidecar's name is this longer until the stream reaches it.
inline constexpr std::string_view kPreparedSuffix = ".new";

/// When what was written is synced.
enum class SyncPolicy : std::uint8_t {
    kBatch,     ///< whenever something is not, one sync after the other: what gathers meanwhile goes into the next
    kInterval,  ///< as kBatch, but not before WriterOptions::sync_interval after the one before
    kNone,      ///< by finish() alone
};

struct WriterOptions {
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
    /// which is taken for durable. Neither splits a frame; both are multiples of 32.
    RecordingWriter(StorageHub& hub, std::int64_t recording_id, const SegmentShape& shape,
        std::int64_t start_position, std::int64_t position, const WriterOptions& options);
    ~RecordingWriter();

    /// Submits what is due: segments to prepare, roll-over, checksums, syncs, closes. Returns how much.
    int poll(Instant now);

    /// The first segment is there; before that there is no room.
    [[nodiscard]] bool is_ready() const;
    /// Bytes that write() takes now, at least of one block; 0: poll first.
    [[nodiscard]] std::size_t room() const;
    /// Takes whole frames that lie in one term and follow what was taken before. `block` is unchanged until
    /// written_position() has passed it. Padding comes alone, as one frame with its whole length, of which the
    /// header is written. False: not now; nothing was taken.
    [[nodiscard]] bool write(std::span<const std::byte> block, std::int64_t position);

    [[nodiscard]] std::int64_t submitted_position() const { return submitted_; }
    [[nodiscard]] std::int64_t written_position() const { return written_; }
    [[nodiscard]] std::int64_t durable_position() const { return durable_; }
    /// What may be told to others as recorded: durable under kBatch, written otherwise.
    [[nodiscard]] std::int64_t recorded_position() const {
        return options_.sync == SyncPolicy::kBatch ? durable_ : written_;
    }

    /// No more blocks: what was taken is written and synced whatever the policy, then files are closed and
    /// prepared ones removed. May be called again, and after an error, when nothing more is synced.
    void finish();
    /// Nothing is under way and no file is open. durable_position() is final.
    [[nodiscard]] bool is_finished() const;

    /// One line naming the recording, the file, and what the system said. kStorageSpace: the disk is full.
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }
    [[nodiscard]] const WriterCounts& counts() const { return counts_; }

    void on_storage(port::StorageCompletion& completion) override;

  private:
    const WriterOptions options_;
    std::int64_t submitted_;
    std::int64_t written_;
    std::int64_t durable_;
    std::optional<Error> error_;
    WriterCounts counts_;
};

}  // namespace fulmar::archive
