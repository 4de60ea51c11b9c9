/// What a fragment handler learns about a fragment besides its bytes.
/// threads: a view, valid during the handler call.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "wire/frame.h"

namespace fulmar {

/// Session, stream and position come from the image; the rest is read from the frame in the log, which a
/// publisher wrote.
class Header {
  public:
    /// What is equal for all frames of one image.
    struct Stream {
        std::int32_t session_id = 0;
        std::int32_t stream_id = 0;
        std::int32_t initial_term_id = 0;
        int position_bits_to_shift = 0;
    };

    /// frame: at least a data header. end_position: stream position after the frame, aligned.
    Header(const std::byte* frame, std::int32_t frame_length, std::int64_t end_position, const Stream& stream)
        : frame_(frame), end_position_(end_position), stream_(&stream), frame_length_(frame_length) {}

    /// Stream position after this fragment (after the whole message, when assembled).
    [[nodiscard]] std::int64_t position() const { return end_position_; }
    [[nodiscard]] std::int32_t session_id() const { return stream_->session_id; }
    [[nodiscard]] std::int32_t stream_id() const { return stream_->stream_id; }
    [[nodiscard]] std::int32_t initial_term_id() const { return stream_->initial_term_id; }
    [[nodiscard]] int position_bits_to_shift() const { return stream_->position_bits_to_shift; }

    [[nodiscard]] std::int32_t term_id() const { return load<std::int32_t>(wire::field::kTermId); }
    [[nodiscard]] std::int32_t term_offset() const { return load<std::int32_t>(wire::field::kTermOffset); }
    [[nodiscard]] std::uint8_t flags() const { return load<std::uint8_t>(wire::field::kFlags); }
    [[nodiscard]] std::int64_t reserved_value() const {
        return load<std::int64_t>(wire::field::kReservedValue);
    }
    /// Header and payload without alignment; of the whole message, when assembled.
    [[nodiscard]] std::int32_t frame_length() const { return frame_length_; }

    [[nodiscard]] bool is_begin() const { return (flags() & wire::flag::kBegin) != 0; }
    [[nodiscard]] bool is_end() const { return (flags() & wire::flag::kEnd) != 0; }
    [[nodiscard]] bool is_unfragmented() const {
        return (flags() & wire::flag::kUnfragmented) == wire::flag::kUnfragmented;
    }

    /// The 32 header bytes, for who keeps frames as they are.
    [[nodiscard]] const std::byte* frame() const { return frame_; }
    [[nodiscard]] const Stream& stream() const { return *stream_; }

  private:
    template <class T>
    [[nodiscard]] T load(std::size_t offset) const {
        return base::load_le<T>(frame_, offset);
    }

    const std::byte* frame_;
    std::int64_t end_position_;
    const Stream* stream_;
    std::int32_t frame_length_;
};

}  // namespace fulmar
