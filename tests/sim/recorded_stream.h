/// A stream of frames as it lies in term buffers, and what a recording of it has to hold.
/// threads: one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "archive/segment.h"
#include "base/assert.h"
#include "base/prng.h"
#include "wire/frame.h"

namespace fulmar::test {

class RecordedStream {
  public:
    /// Begins at `start`; `capacity` bytes at most, which stay where they are.
    RecordedStream(
        const archive::SegmentShape& shape, std::int64_t start, std::uint64_t seed, std::size_t capacity)
        : shape_(shape), start_(start), end_(start), draws_(seed) {
        // Behind a padding frame's header lies what an earlier lap left there.
        live_.resize(capacity, std::byte{0xa5});
        recorded_.resize(capacity, std::byte{0});
    }

    [[nodiscard]] std::int64_t start() const { return start_; }
    [[nodiscard]] std::int64_t end() const { return end_; }

    /// Appends frames until at least `bytes` more are there, or the capacity is reached. False: it is.
    bool grow(std::int64_t bytes) {
        const std::int64_t until = end_ + bytes;
        while (end_ < until) {
            if (end_ - start_ + shape_.term_length > static_cast<std::int64_t>(live_.size())) {
                return false;
            }
            append();
        }
        return true;
    }

    /// Forgets what lies behind `position`, which is a frame's begin: other frames will follow it.
    void cut(std::int64_t position) {
        std::fill(recorded_.begin() + at(position), recorded_.begin() + at(end_), std::byte{0});
        end_ = position;
        std::erase_if(frames_, [position](std::int64_t frame) { return frame >= position; });
    }

    /// Whole frames of one term from `position` on, at most `limit` bytes unless the first is longer; padding
    /// comes alone.
    [[nodiscard]] std::span<const std::byte> block(std::int64_t position, std::size_t limit) const {
        const std::byte* from = live_.data() + at(position);
        const std::int64_t term_end = position - position % shape_.term_length + shape_.term_length;
        std::int64_t length = 0;
        while (position + length < std::min(end_, term_end)) {
            const std::byte* frame = from + length;
            const std::int64_t next = wire::align_frame(wire::read_data_header(frame).frame_length);
            if (length > 0 && (wire::is_padding(frame) || length + next > static_cast<std::int64_t>(limit))) {
                break;
            }
            length += next;
            if (wire::is_padding(frame)) {
                break;
            }
        }
        return {from, static_cast<std::size_t>(length)};
    }

    /// What the files hold from `begin` to `end`.
    [[nodiscard]] std::span<const std::byte> recorded(std::int64_t begin, std::int64_t end) const {
        return std::span(recorded_).subspan(
            static_cast<std::size_t>(at(begin)), static_cast<std::size_t>(end - begin));
    }
    /// Whether a byte lies in padding behind the header: it is not written, and nobody reads it.
    [[nodiscard]] bool is_padding(std::int64_t position) const {
        const auto next = std::upper_bound(frames_.begin(), frames_.end(), position);
        if (next == frames_.begin()) {
            return false;
        }
        const std::int64_t frame = *std::prev(next);
        return wire::is_padding(live_.data() + at(frame)) && position >= frame + wire::kDataHeaderLength;
    }
    [[nodiscard]] const std::vector<std::int64_t>& frames() const { return frames_; }

  private:
    [[nodiscard]] std::ptrdiff_t at(std::int64_t position) const { return position - start_; }

    void append() {
        const std::int64_t left = shape_.term_length - end_ % shape_.term_length;
        const auto wanted = static_cast<std::int32_t>(
            draws_.chance(0.3) ? shape_.mtu : draws_.between(wire::kDataHeaderLength, shape_.mtu));
        const bool fits = wire::align_frame(wanted) <= left;
        const std::int32_t length = fits ? wanted : static_cast<std::int32_t>(left);
        std::byte* frame = live_.data() + at(end_);
        (void)wire::write_data_header(frame,
            {.frame_length = length,
                .flags = wire::flag::kUnfragmented,
                .type = fits ? wire::FrameType::kData : wire::FrameType::kPad,
                .term_offset = static_cast<std::int32_t>(end_ % shape_.term_length),
                .session_id = 77,
                .stream_id = shape_.stream_id,
                .term_id = shape_.initial_term_id + static_cast<std::int32_t>(end_ / shape_.term_length)});
        const std::int64_t aligned = wire::align_frame(length);
        const std::int64_t written = fits ? aligned : std::int64_t{wire::kDataHeaderLength};
        if (fits) {
            std::fill(frame + wire::kDataHeaderLength, frame + aligned, std::byte{0});
            for (std::int32_t i = wire::kDataHeaderLength; i < length; ++i) {
                frame[i] = static_cast<std::byte>(draws_.below(256));
            }
        }
        std::copy_n(frame, written, recorded_.begin() + at(end_));
        frames_.push_back(end_);
        end_ += aligned;
    }

    const archive::SegmentShape shape_;
    const std::int64_t start_;
    std::int64_t end_;
    base::Prng draws_;
    std::vector<std::byte> live_;
    std::vector<std::byte> recorded_;
    std::vector<std::int64_t> frames_;
};

}  // namespace fulmar::test
