/// Makes a segment that is gone again, from another copy of the stream: its frames with our ids, and, where
/// its sidecar is gone as well, checksums of what was copied.
///
/// Where the sidecar is still there it is left as it is, and judges what was copied: see SegmentRepair. Where
/// it is not, the caller has made sure that the copy is sound. The segment has its name when all of it is on
/// disk, not before.
/// threads: as StorageTask. errors: the storage's; a copy that does not have the bytes, or whose bytes are no
/// frames of this stream. Nothing has a segment's name then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "archive/segment.h"
#include "archive/segment_repair.h"
#include "archive/sidecar.h"
#include "archive/storage_task.h"

namespace fulmar::archive {

class SegmentRebuild final : public StorageTask {
  public:
    /// SegmentRepair's, of a segment that is not there.
    using Subject = SegmentRepair::Subject;

    SegmentRebuild(StorageHub& hub, const Subject& subject, GoodBytes& good);

    // When done:
    [[nodiscard]] std::uint64_t bytes() const {
        return static_cast<std::uint64_t>(position_ - subject_.from);
    }
    /// Entries of the sidecar that was made; 0: it was there.
    [[nodiscard]] std::uint64_t checksums() const { return slots_.size() / kSidecarSlotLength; }

  private:
    enum class State : std::uint8_t {
        kRemoveOlder,
        kCreate,
        kAskGood,
        kAwaitGood,
        kWrite,
        kSync,
        kCreateSidecar,
        kWriteSidecar,
        kSyncSidecar,
        kCloseSidecar,
        kSyncSidecarName,
        kRename,
        kSyncName,
        kClose,
    };
    static constexpr std::int64_t kWindow = std::int64_t{1} << 20;

    void step() override;
    void on_answer(port::StorageCompletion& completion) override;
    void on_good();
    void change_ids();
    void add_entries(std::span<const std::byte> frames);
    void write_sidecar();
    [[nodiscard]] std::string unfinished_name() const;

    const Subject subject_;
    GoodBytes& good_;
    State state_ = State::kRemoveOlder;
    port::FileHandle data_ = port::FileHandle::kNone;
    port::FileHandle sidecar_ = port::FileHandle::kNone;
    std::int64_t position_;  // copied up to here
    std::vector<std::byte> window_;
    std::vector<std::byte> frames_;   // whole ones, that are written
    std::int64_t frames_length_ = 0;  // of the stream: padding may reach past what is read of it
    std::vector<SidecarEntry> entries_;
    std::vector<std::byte> slots_;
};

}  // namespace fulmar::archive
