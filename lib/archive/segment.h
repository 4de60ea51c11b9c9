/// Segment files: the frames of a recording as they were in the term buffers, cut into files of one length.
///
/// Shapes: `<recording id>-<base position>.rec`; a byte at position p of the stream lies at p minus the base.
/// The first file of a recording that starts inside a term has a hole in front. Frames are 32-byte headers
/// and payload, aligned to 32; of padding only the header is written. threads: pure functions over bytes.
/// units: bytes, stream positions.  source: Aeron Archive's segments, format 3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "archive/catalog.h"

namespace fulmar::archive {

inline constexpr std::string_view kSegmentSuffix = ".rec";

/// The base of the segment that holds `position` of a stream recorded from `start_position` on.
[[nodiscard]] constexpr std::int64_t segment_base(std::int64_t start_position, std::int64_t position,
    std::int32_t term_length, std::int32_t segment_length) {
    const std::int64_t start_term_base = start_position - start_position % term_length;
    const std::int64_t into = position - start_term_base;
    return start_term_base + into - into % segment_length;
}

[[nodiscard]] std::string segment_name(std::int64_t recording_id, std::int64_t base);

struct SegmentName {
    std::int64_t recording_id = 0;
    std::int64_t base = 0;
    bool operator==(const SegmentName&) const = default;
};
/// What a file's name says; nothing where it is no segment's.
[[nodiscard]] std::optional<SegmentName> parse_segment_name(std::string_view name);

/// What the frames of one recording must be like.
struct SegmentShape {
    std::int32_t initial_term_id = 0;
    std::int32_t term_length = 0;
    std::int32_t segment_length = 0;
    std::int32_t mtu = 0;
    std::int32_t stream_id = 0;

    /// errors: kGeneric where a descriptor's numbers cannot be: what follows would divide by them.
    [[nodiscard]] static Result<SegmentShape> of(const Recording& recording);
};

/// Why bytes of a segment are no frame of its recording.
enum class FrameFault : std::uint8_t {
    kNone,
    kType,
    kLength,
    kTermId,
    kTermOffset,
    kStreamId,
    kPastTerm,
};
[[nodiscard]] std::string_view to_string(FrameFault fault);

/// Where a walk over frames ended.
struct SegmentWalk {
    /// Behind the last whole frame.
    std::int64_t position = 0;
    std::uint64_t frames = 0;
    std::uint64_t data_bytes = 0;
    std::uint64_t padding_bytes = 0;
    /// Of the frame at `position`; kNone where a frame of length 0 or the end of the bytes stands there.
    FrameFault fault = FrameFault::kNone;
    /// Where the last frame begins; a write that was cut short is in it.
    std::int64_t last_frame = 0;
};

/// Walks the frames of one segment from `position` on. `bytes` is the segment from its base, which may end
/// early. `position` is a frame's begin inside the segment.
[[nodiscard]] SegmentWalk walk_segment(
    const SegmentShape& shape, std::int64_t base, std::int64_t position, std::span<const std::byte> bytes);

}  // namespace fulmar::archive
