/// Good bytes out of another archive's directory that has the same stream, under whatever recording id and in
/// segments of whatever length. threads: one owner, which polls the hub of that directory too.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "archive/catalog.h"
#include "archive/segment.h"
#include "archive/segment_repair.h"
#include "archive/storage_task.h"

namespace fulmar::archive {

class ReplicaBytes final : public GoodBytes {
  public:
    /// `end`: where that recording's frames end.
    ReplicaBytes(StorageHub& hub, std::int64_t recording_id, const SegmentShape& shape,
        std::int64_t start_position, std::int64_t end);

    void ask(std::int64_t position, std::span<std::byte> into) override;
    [[nodiscard]] bool has_answer() override;
    [[nodiscard]] const std::string& why_not() const override { return why_not_; }

  private:
    /// What one segment has of it.
    class Read final : public StorageTask {
      public:
        Read(StorageHub& hub, std::string name, std::uint64_t offset, std::span<std::byte> into);

      private:
        enum class State : std::uint8_t { kOpen, kRead, kClose };
        void step() override;
        void on_answer(port::StorageCompletion& completion) override;

        const std::string name_;
        const std::uint64_t offset_;
        const std::span<std::byte> into_;
        port::FileHandle file_ = port::FileHandle::kNone;
        State state_ = State::kOpen;
    };
    void read_next();

    StorageHub& hub_;
    const std::int64_t recording_id_;
    const SegmentShape shape_;
    const std::int64_t start_position_;
    const std::int64_t end_;
    std::int64_t position_ = 0;
    std::span<std::byte> into_;
    std::unique_ptr<Read> read_;
    std::string why_not_;
};

}  // namespace fulmar::archive
