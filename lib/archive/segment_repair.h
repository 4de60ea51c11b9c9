/// Mends a segment from good bytes of the same stream: each block whose checksum does not match is replaced
/// by one whose checksum does, and lost checksums are made again where the other copy has the same bytes.
///
/// A copy that was made by replication has frames with a session id, and maybe a stream id, of its own; both
/// are put back to what the checksum says they were. What is not certain is not changed.
/// threads: as StorageTask. errors: the segment or its sidecar is not there; the storage's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "archive/damage.h"
#include "archive/segment.h"
#include "archive/sidecar.h"
#include "archive/storage_task.h"

namespace fulmar::archive {

/// Where good bytes come from: a replica's directory, a replay.
class GoodBytes {
  public:
    GoodBytes() = default;
    GoodBytes(const GoodBytes&) = delete;
    GoodBytes& operator=(const GoodBytes&) = delete;

    /// Asks for the stream from `position` on, into memory that stays until has_answer.
    virtual void ask(std::int64_t position, std::span<std::byte> into) = 0;
    /// Works; true when the bytes, or the reason why there are none, are there.
    [[nodiscard]] virtual bool has_answer() = 0;
    /// Why there are none; empty where there are.
    [[nodiscard]] virtual const std::string& why_not() const = 0;

  protected:
    ~GoodBytes() = default;
};

class SegmentRepair final : public StorageTask {
  public:
    struct Subject {
        std::int64_t recording_id = 0;
        SegmentShape shape{};
        std::int32_t session_id = 0;  ///< of the recording, where the block itself does not tell
        std::int64_t base = 0;
        std::int64_t from = 0;   ///< the begin of a frame in this segment
        std::int64_t until = 0;  ///< where its frames end
        bool checksum_frames = false;
    };

    SegmentRepair(StorageHub& hub, const Subject& subject, GoodBytes& good);

    // When done:
    [[nodiscard]] std::uint64_t repaired_bytes() const { return repaired_bytes_; }
    [[nodiscard]] std::uint64_t repaired_checksums() const { return repaired_checksums_; }
    /// What remains damaged, and why it could not be mended.
    [[nodiscard]] const std::vector<Damage>& remaining() const { return remaining_; }

  private:
    enum class State : std::uint8_t {
        kOpenData,
        kOpenSidecar,
        kReadSlots,
        kReadBlock,
        kAskGood,
        kAwaitGood,
        kWriteBlock,
        kWriteSlots,
        kSyncData,
        kSyncSidecar,
        kCloseSidecar,
        kCloseData,
    };
    /// Bytes to look at: those of an entry or, where `lost`, those between entries.
    struct Piece {
        SidecarEntry entry{};
        bool lost = false;
        std::uint64_t slot = 0;   // of the entry, or the first that may hold one for it
        std::uint64_t slots = 1;  // free from there on, where it is lost
    };

    void step() override;
    void on_answer(port::StorageCompletion& completion) override;
    void on_slots(std::size_t bytes);
    void make_pieces();
    void begin_piece();
    void on_block(std::size_t bytes);
    void on_good();
    [[nodiscard]] bool accept(std::int32_t session_id, bool change_ids);
    void remains(std::string why);
    void prepare_slots();
    [[nodiscard]] const Piece& piece() const { return pieces_[piece_]; }

    const Subject subject_;
    GoodBytes& good_;
    State state_ = State::kOpenData;
    port::FileHandle data_ = port::FileHandle::kNone;
    port::FileHandle sidecar_ = port::FileHandle::kNone;
    std::vector<std::byte> slots_;
    std::vector<Piece> pieces_;
    std::size_t piece_ = 0;
    int attempts_ = 0;
    std::vector<std::byte> ours_;
    std::vector<std::byte> theirs_;
    std::uint64_t repaired_bytes_ = 0;
    std::uint64_t repaired_checksums_ = 0;
    std::vector<Damage> remaining_;
};

}  // namespace fulmar::archive
