/// Reads one segment and says what in it is as it was recorded: by its sidecar where it has one, by its
/// frames where no entry covers them. Changes nothing. Works in a buffer of one MiB, whatever the segment's
/// length. threads: as StorageTask. errors: none but a directory that cannot be searched; what cannot be read
/// is a fault.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/catalog.h"
#include "archive/segment.h"
#include "archive/sidecar.h"
#include "archive/storage_task.h"

namespace fulmar::archive {

class SegmentCheck final : public StorageTask {
  public:
    struct Subject {
        std::int64_t recording_id = 0;
        SegmentShape shape{};
        std::int64_t base = 0;
        std::int64_t from = 0;            ///< the begin of a frame in this segment
        std::int64_t until = kNullValue;  ///< where its frames must end; kNullValue: wherever they do
        bool checksum_frames = false;     ///< frames carry Aeron's checksum
        /// Of the recording: its frames are what they were also where Aeron's archive tool has put checksums
        /// in its place since, but for those of an earlier session that was extended. Nothing: they must be
        /// as they are.
        std::optional<std::int32_t> session_id{};
        /// A sidecar must cover all up to `until`; otherwise frames that follow its last entry may be those
        /// of an archive that keeps none.
        bool covered = false;
    };
    struct Fault {
        std::int64_t begin = 0;
        std::int64_t end = 0;
        std::string why;
        /// The disk did not give the bytes: nothing is known about them, not even that they are wrong.
        bool unreadable = false;
    };

    SegmentCheck(StorageHub& hub, const Subject& subject);

    // When done:
    [[nodiscard]] bool is_there() const { return data_ != port::FileHandle::kNone; }
    [[nodiscard]] bool has_sidecar() const { return sidecar_ != port::FileHandle::kNone; }
    /// Up to where the recording is known to have been durable; kNullValue where nothing says so.
    [[nodiscard]] std::int64_t durable() const { return durable_; }
    /// Where what is covered by entries ends or, without a sidecar, the last whole frame.
    [[nodiscard]] std::int64_t end() const { return position_; }
    /// By position.
    [[nodiscard]] const std::vector<Fault>& faults() const { return faults_; }

  private:
    enum class State : std::uint8_t {
        kOpenData,
        kOpenSidecar,
        kReadSlots,
        kReadBlock,
        kWalk,
        kLastFrame,
        kCloseSidecar,
        kCloseData,
    };

    void step() override;
    void on_answer(port::StorageCompletion& completion) override;
    void on_opened(const port::StorageCompletion& completion);
    void on_read(const port::StorageCompletion& completion);
    void on_unreadable(const std::string& detail);
    void ask_to_read(port::FileHandle file, std::int64_t offset, std::int64_t length);

    // Slots and the blocks that they cover.
    void on_slots(std::size_t bytes);
    [[nodiscard]] bool take_slot(const SidecarSlot& slot);
    void begin_block();
    void on_block(std::size_t bytes);
    [[nodiscard]] bool block_matches(std::size_t bytes) const;
    void end_slots();

    // Frames, where nothing else is known.
    void begin_walk(std::int64_t end);
    void on_window(std::size_t bytes);
    [[nodiscard]] bool check_frames(std::span<const std::byte> bytes, std::int64_t end);
    void end_walk(std::string why);
    void begin_last_frame();
    void on_last_frame(std::size_t bytes);

    [[nodiscard]] std::int64_t segment_end() const { return subject_.base + subject_.shape.segment_length; }
    [[nodiscard]] bool may_read_again() { return ++attempts_ < kReadAttempts; }
    void fault(std::int64_t begin, std::int64_t end, std::string why, bool unreadable = false);
    void close() { state_ = has_sidecar() ? State::kCloseSidecar : State::kCloseData; }

    const Subject subject_;
    State state_ = State::kOpenData;
    port::FileHandle data_ = port::FileHandle::kNone;
    port::FileHandle sidecar_ = port::FileHandle::kNone;
    std::int64_t length_ = 0;
    std::int64_t position_;  // judged up to here
    std::int64_t durable_ = kNullValue;
    std::vector<Fault> faults_;
    int attempts_ = 0;  // to read what looks bad
    int read_errors_ = 0;

    std::vector<std::byte> slots_;
    std::uint64_t slot_ = 0;  // the next one
    bool slots_bad_ = false;  // since the last entry that is whole
    int slots_read_again_ = 0;
    SidecarEntry entry_{};
    bool entry_waits_ = false;  // for what lies before it to be judged
    std::int64_t block_read_ = 0;
    std::uint32_t checksum_ = 0;

    std::vector<std::byte> buffer_;
    std::int64_t walk_position_ = 0;
    std::int64_t walk_end_ = 0;
    std::int64_t last_frame_ = kNullValue;
};

}  // namespace fulmar::archive
