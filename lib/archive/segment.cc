#include "archive/segment.h"

#include <charconv>

#include "wire/frame.h"

namespace fulmar::archive {

namespace {

/// A number that is written as segment_name writes it: no sign, no zero in front.
std::optional<std::int64_t> parse_number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0 ||
        std::to_string(value) != text) {
        return std::nullopt;
    }
    return value;
}

/// `expected_offset`, `expected_term_id`: of the frame by its position.
FrameFault fault_of(const SegmentShape& shape, const wire::DataHeader& header, std::int32_t expected_term_id,
    std::int32_t expected_offset) {
    const bool padding = header.type == wire::FrameType::kPad;
    if (!padding && header.type != wire::FrameType::kData) {
        return FrameFault::kType;
    }
    if (header.frame_length < wire::kDataHeaderLength || (!padding && header.frame_length > shape.mtu)) {
        return FrameFault::kLength;
    }
    if (header.term_id != expected_term_id) {
        return FrameFault::kTermId;
    }
    if (header.term_offset != expected_offset) {
        return FrameFault::kTermOffset;
    }
    if (header.stream_id != shape.stream_id) {
        return FrameFault::kStreamId;
    }
    if (header.frame_length > shape.term_length - expected_offset) {
        return FrameFault::kPastTerm;
    }
    return FrameFault::kNone;
}

}  // namespace

std::string segment_name(std::int64_t recording_id, std::int64_t base) {
    return std::to_string(recording_id) + "-" + std::to_string(base) + std::string(kSegmentSuffix);
}

std::optional<SegmentName> parse_segment_name(std::string_view name) {
    if (!name.ends_with(kSegmentSuffix)) {
        return std::nullopt;
    }
    name.remove_suffix(kSegmentSuffix.size());
    const std::size_t dash = name.find('-');
    if (dash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto id = parse_number(name.substr(0, dash));
    const auto base = parse_number(name.substr(dash + 1));
    if (!id || !base) {
        return std::nullopt;
    }
    return SegmentName{*id, *base};
}

Result<SegmentShape> SegmentShape::of(const Recording& recording) {
    const auto bad = [&](const char* what, std::int64_t value) {
        return fail(ErrorCode::kGeneric, "recording " + std::to_string(recording.id) + ": " + what + " of " +
                                             std::to_string(value) + " cannot be");
    };
    if (recording.term_buffer_length < wire::kTermLengthMin ||
        recording.term_buffer_length > wire::kTermLengthMax ||
        !base::is_power_of_two(recording.term_buffer_length)) {
        return bad("a term length", recording.term_buffer_length);
    }
    if (recording.segment_file_length < recording.term_buffer_length ||
        !base::is_power_of_two(recording.segment_file_length)) {
        return bad("a segment length", recording.segment_file_length);
    }
    if (recording.mtu_length < wire::kMtuMin || recording.mtu_length > wire::kMtuMax) {
        return bad("an MTU", recording.mtu_length);
    }
    if (recording.start_position < 0 || recording.start_position % wire::kFrameAlignment != 0) {
        return bad("a start position", recording.start_position);
    }
    if (recording.stop_position != kNullValue && recording.stop_position < recording.start_position) {
        return bad("a stop position", recording.stop_position);
    }
    return SegmentShape{recording.initial_term_id, recording.term_buffer_length,
        recording.segment_file_length, recording.mtu_length, recording.stream_id};
}

std::string_view to_string(FrameFault fault) {
    switch (fault) {
        case FrameFault::kNone: return "none";
        case FrameFault::kType: return "a frame of a type that is not recorded";
        case FrameFault::kLength: return "a frame of a length that cannot be";
        case FrameFault::kTermId: return "a frame of another term";
        case FrameFault::kTermOffset: return "a frame of another place in its term";
        case FrameFault::kStreamId: return "a frame of another stream";
        case FrameFault::kPastTerm: return "a frame that reaches past its term";
    }
    return "?";
}

SegmentWalk walk_segment(
    const SegmentShape& shape, std::int64_t base, std::int64_t position, std::span<const std::byte> bytes) {
    SegmentWalk walk{.position = position, .last_frame = position};
    for (;;) {
        const auto offset = static_cast<std::size_t>(walk.position - base);
        if (offset + wire::kDataHeaderLength > bytes.size()) {
            return walk;
        }
        const wire::DataHeader header = wire::read_data_header(bytes.data() + offset);
        if (header.frame_length <= 0) {
            return walk;
        }
        const std::int64_t term_count = walk.position / shape.term_length;
        const auto term_id = static_cast<std::int32_t>(
            static_cast<std::uint32_t>(shape.initial_term_id) + static_cast<std::uint32_t>(term_count));
        walk.fault =
            fault_of(shape, header, term_id, static_cast<std::int32_t>(walk.position % shape.term_length));
        if (walk.fault != FrameFault::kNone) {
            return walk;
        }
        const std::int64_t length = base::align_up(header.frame_length, wire::kFrameAlignment);
        const bool padding = header.type == wire::FrameType::kPad;
        // Padding's bytes need not be there; a data frame cut off by the end of the bytes is no whole frame.
        if (!padding && offset + static_cast<std::size_t>(header.frame_length) > bytes.size()) {
            return walk;
        }
        ++walk.frames;
        (padding ? walk.padding_bytes : walk.data_bytes) += static_cast<std::uint64_t>(length);
        walk.last_frame = walk.position;
        walk.position += length;
    }
}

}  // namespace fulmar::archive
