/// A bounded line of frames the stack made itself, waiting for the port to take them.
/// threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace fulmar::net {

struct OutputFrame {
    const std::byte* bytes = nullptr;
    std::uint32_t length = 0;
};

class OutputList {
  public:
    OutputList(std::size_t capacity, std::size_t frame_max)
        : frame_max_(frame_max),
          memory_(std::make_unique<std::byte[]>(capacity * frame_max)),
          frames_(capacity) {}

    [[nodiscard]] std::size_t room() const { return frames_.size() - count_; }

    /// The place for a frame of `length` bytes at the end of the line; null if it is full or the frame is
    /// too long.
    [[nodiscard]] std::byte* push(std::size_t length) {
        if (count_ == frames_.size() || length > frame_max_) {
            return nullptr;
        }
        const auto index = (head_ + count_) % frames_.size();
        ++count_;
        auto* bytes = memory_.get() + index * frame_max_;
        frames_[index] = {bytes, static_cast<std::uint32_t>(length)};
        return bytes;
    }

    /// From the front; not all of them where the line wraps around its memory.
    [[nodiscard]] std::span<const OutputFrame> front() const {
        const auto until_wrap = frames_.size() - head_;
        return {frames_.data() + head_, count_ < until_wrap ? count_ : until_wrap};
    }
    void consume(std::size_t count) {
        head_ = (head_ + count) % frames_.size();
        count_ -= count;
    }

  private:
    std::size_t frame_max_;
    std::unique_ptr<std::byte[]> memory_;
    std::vector<OutputFrame> frames_;
    std::size_t head_ = 0;
    std::size_t count_ = 0;
};

}  // namespace fulmar::net
