/// Cuts a recording: what lies behind a position is zeroed in its segment and in the segment's sidecar,
/// segments behind it are removed, and all of that is synced. Done twice it changes nothing, so whoever was
/// interrupted does it again.
///
/// It leaves a mark that all up to the cut is durable, in the sidecar of the segment that ends there or holds
/// it: whoever goes on from there need not be believed again.
///
/// Who truncates makes the catalog's stop position durable first: from then on nobody asks for what goes. Who
/// recovers does it last: until then the next recovery cuts again.
/// threads: as StorageTask. errors: a segment that has to be there and is not, or is too short; the
/// storage's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "archive/segment.h"
#include "archive/sidecar.h"
#include "archive/storage_task.h"

namespace fulmar::archive {

class Truncation final : public StorageTask {
  public:
    struct Cut {
        std::int64_t recording_id = 0;
        SegmentShape shape{};
        std::int64_t start_position = 0;
        /// A multiple of 32, not before `start_position`.
        std::int64_t position = 0;
        /// What is kept is as it was recorded: its writer says so, and failed behind it. Otherwise an entry
        /// across the cut has to vouch for it, as a whole.
        bool is_kept_sound = false;
        /// Segments to remove, with their sidecars; those that are not there do not matter.
        std::vector<std::int64_t> bases{};
    };

    Truncation(StorageHub& hub, Cut cut);

    /// Whether a segment remains that `position` lies in; else it is at the begin of one that is not there,
    /// or nothing was recorded at all.
    [[nodiscard]] static bool lies_in_segment(const Cut& cut);
    [[nodiscard]] bool is_segment_kept() const { return lies_in_segment(cut_); }
    /// When done: whether that segment has a sidecar, and which of its slots is the next.
    [[nodiscard]] bool has_sidecar() const {
        return is_segment_kept() && sidecar_ != port::FileHandle::kNone;
    }
    [[nodiscard]] std::uint64_t next_slot() const { return next_slot_; }

  private:
    enum class State : std::uint8_t {
        kOpenData,
        kLengthen,
        kOpenSidecar,
        kReadSlots,
        kReadBlock,
        kWriteSlots,
        kZeroSlots,
        kSyncSidecar,
        kZeroData,
        kSyncData,
        kCloseSidecar,
        kCloseData,
        kRemoveSegment,
        kSyncDirectory,
        kRemoveSidecar,  // when its segment is gone for good: one without would be somebody else's
    };

    void step() override;
    void on_answer(port::StorageCompletion& completion) override;
    void on_opened(const port::StorageCompletion& completion);
    void on_slots(std::size_t bytes);
    void on_block(std::size_t bytes);
    void prepare_slots();
    [[nodiscard]] bool is_slot_kept(const SidecarSlot& slot);
    void ask_for_slots();
    void remove_next(std::string (*name)(std::int64_t, std::int64_t));
    void fail_with(const port::StorageCompletion& completion);

    Cut cut_;
    const std::int64_t base_;  // of the segment that holds the byte before the cut
    State state_;
    port::FileHandle data_ = port::FileHandle::kNone;
    port::FileHandle sidecar_ = port::FileHandle::kNone;
    std::uint64_t sidecar_length_ = 0;
    std::uint64_t next_slot_ = 1;
    std::uint64_t read_slot_ = 0;
    bool spans_ = false;  // an entry covers bytes on both sides of the cut
    SidecarEntry spanning_{};
    std::int64_t block_read_ = 0;
    int block_attempts_ = 0;
    int read_errors_ = 0;
    std::uint32_t kept_checksum_ = 0;
    std::uint32_t whole_checksum_ = 0;
    std::vector<std::byte> buffer_;
    std::size_t slots_length_ = 0;
    std::size_t removed_ = 0;
};

}  // namespace fulmar::archive
