/// Looks for segments that lie before a recording's start and go with it: walks backwards while there are
/// whole files, and finds the first frame of the oldest.
/// threads: as StorageTask. errors: a file of the wrong length; a frame of another stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "archive/segment.h"
#include "archive/storage_task.h"

namespace fulmar::archive {

class SegmentAttach final : public StorageTask {
  public:
    SegmentAttach(
        StorageHub& hub, std::int64_t recording_id, const SegmentShape& shape, std::int64_t start_position);

    /// Where the recording begins with them.
    [[nodiscard]] std::int64_t start_position() const { return start_position_; }
    [[nodiscard]] std::int64_t count() const { return count_; }

  private:
    enum class State : std::uint8_t { kOpening, kReading, kClosing };

    void step() override;
    void on_answer(port::StorageCompletion& completion) override;
    void look(std::size_t length);

    static constexpr std::size_t kReadLength = 64 * 1024;

    const std::int64_t recording_id_;
    const SegmentShape shape_;
    std::int64_t start_position_;
    std::int64_t base_;  ///< of the file that is looked at
    std::int64_t count_ = 0;
    State state_ = State::kOpening;
    port::FileHandle file_ = port::FileHandle::kNone;
    std::int64_t offset_ = 0;
    bool is_last_ = false;
    std::vector<std::byte> buffer_;
};

}  // namespace fulmar::archive
