#include "term/append.h"

#include "base/plant.h"

namespace fulmar::term {

std::int32_t framed_length(std::int32_t message_length, std::int32_t payload_max) {
    if (message_length <= payload_max) {
        return wire::align_frame(message_length + wire::kDataHeaderLength);
    }
    const std::int32_t full = message_length / payload_max;
    const std::int32_t rest = message_length % payload_max;
    const std::int32_t last = rest > 0 ? wire::align_frame(rest + wire::kDataHeaderLength) : 0;
    return full * (payload_max + wire::kDataHeaderLength) + last;
}

bool rotate(const layout::LogBuffer& log, std::int32_t term_count, std::int32_t term_id) {
    // Compare-and-set fails only while others add to the same stale tail; each of them does so once and then
    // sees the term full. The bound stands against a process that writes at random.
    constexpr int kAttemptsMax = 1024;
    const std::int32_t next_id = base::wrapping_add(term_id, 1);
    const std::int32_t next_count = base::wrapping_add(term_count, FULMAR_PLANTED(kRotateSkipsTerm) ? 2 : 1);
    const std::int32_t stale_id = base::wrapping_subtract(next_id, layout::kPartitionCount);
    const int next = detail::partition_of_count(next_count);
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
        const layout::RawTail tail = log.tail_acquire(next);
        if (tail.term_id() != stale_id ||
            log.tail_compare_and_set(next, tail, layout::RawTail::pack(next_id, 0))) {
            // Prepared, by us or by somebody else.
            // SYNC(term.active): release; pairs with active_term_count_acquire in claim_space.
            return log.active_term_count_compare_and_set(term_count, next_count);
        }
    }
    return false;
}

namespace detail {

std::int64_t refusal(const layout::LogBuffer& log, std::int64_t position, std::int32_t required) {
    if (position + required >= position_max(log.term_length())) {
        return kMaxPositionExceeded;
    }
    return log.is_connected() ? kBackPressured : kNotConnected;
}

}  // namespace detail

ExclusiveAppender::ExclusiveAppender(const layout::LogBuffer& log, StreamIds ids)
    : log_(log), ids_(ids), payload_max_(log.mtu() - wire::kDataHeaderLength) {
    partition_ = detail::partition_of_count(log.active_term_count_acquire());
    const layout::RawTail tail = log.tail_acquire(partition_);
    term_ = log.term(partition_);
    term_id_ = tail.term_id();
    term_offset_ = tail.offset(log.term_length());
    term_begin_position_ = base::compute_position(term_id_, 0, log.shift(), log.initial_term_id());
}

std::int64_t ExclusiveAppender::append(
    std::int64_t limit, Buffers message, std::int32_t message_length, std::int64_t reserved_value) {
    if (message_length < 0 || message_length > message_length_max(log_.term_length())) {
        return kAppendError;
    }
    const bool fits_one = message_length <= payload_max_;
    std::int32_t frame_offset = 0;
    const std::int64_t position = take(limit, framed_length(message_length, payload_max_), frame_offset);
    if (position < 0) {
        return position;
    }
    const detail::FrameSpec spec{.ids = ids_,
        .term_id = term_id_,
        .term_offset = frame_offset,
        .frame_length = message_length + wire::kDataHeaderLength,
        .reserved_value = reserved_value};
    detail::Gather payload(message);
    NoKillPoint nobody;
    if (fits_one) {
        detail::write_frame(term_ + frame_offset, spec, payload, nobody);
    } else {
        detail::write_fragments(term_, spec, payload, message_length, payload_max_, nobody);
    }
    return position;
}

std::int64_t ExclusiveAppender::claim(std::int64_t limit, std::int32_t payload_length, ClaimedFrame& out) {
    if (payload_length < 0 || payload_length > payload_max_) {
        return kAppendError;
    }
    const std::int32_t frame_length = payload_length + wire::kDataHeaderLength;
    std::int32_t frame_offset = 0;
    const std::int64_t position = take(limit, wire::align_frame(frame_length), frame_offset);
    if (position < 0) {
        return position;
    }
    const detail::FrameSpec spec{
        .ids = ids_, .term_id = term_id_, .term_offset = frame_offset, .frame_length = frame_length};
    detail::store_negative_length(term_ + frame_offset, spec);
    detail::store_header_rest(term_ + frame_offset, spec);
    out = {term_ + frame_offset, frame_length};
    return position;
}

std::int64_t ExclusiveAppender::append_padding(std::int64_t limit, std::int32_t length) {
    if (length < 0 || length > message_length_max(log_.term_length())) {
        return kAppendError;
    }
    const std::int32_t frame_length = length + wire::kDataHeaderLength;
    std::int32_t frame_offset = 0;
    const std::int64_t position = take(limit, wire::align_frame(frame_length), frame_offset);
    if (position < 0) {
        return position;
    }
    NoKillPoint nobody;
    const detail::FrameSpec spec{
        .ids = ids_, .term_id = term_id_, .term_offset = frame_offset, .frame_length = frame_length};
    detail::write_padding(term_ + frame_offset, spec, nobody);
    return position;
}

bool ExclusiveAppender::continues(std::span<const std::byte> block) const {
    const std::int64_t room = log_.term_length() - term_offset_;
    if (block.empty() || static_cast<std::int64_t>(block.size()) > room) {
        return false;
    }
    std::size_t at = 0;
    while (at < block.size()) {
        if (block.size() - at < wire::kDataHeaderLength) {
            return false;
        }
        const wire::DataHeader header = wire::read_data_header(block.data() + at);
        const bool padding = header.type == wire::FrameType::kPad;
        if (header.frame_length < wire::kDataHeaderLength ||
            (!padding && header.type != wire::FrameType::kData) ||
            (!padding && header.frame_length - wire::kDataHeaderLength > payload_max_) ||
            header.term_id != term_id_ ||
            header.term_offset != term_offset_ + static_cast<std::int64_t>(at) ||
            header.session_id != ids_.session_id || header.stream_id != ids_.stream_id) {
            return false;
        }
        const auto length = static_cast<std::size_t>(wire::align_frame(header.frame_length));
        if (length > block.size() - at) {
            return false;
        }
        at += length;
    }
    return true;
}

std::int64_t ExclusiveAppender::append_block(std::int64_t limit, std::span<const std::byte> block) {
    if (term_offset_ >= log_.term_length()) {
        return limit <= position() ? detail::refusal(log_, position(), wire::kDataHeaderLength)
                                   : trip(wire::kDataHeaderLength);
    }
    if (!continues(block)) {
        return kAppendError;
    }
    const auto length = static_cast<std::int32_t>(block.size());
    if (position() + length > limit) {
        return detail::refusal(log_, position(), length);
    }
    std::int32_t offset = 0;
    const std::int64_t end = take(limit, length, offset);
    if (end < 0) {
        return end;
    }
    std::byte* const first = term_ + offset;
    const wire::DataHeader header = wire::read_data_header(block.data());
    // The first frame as any other: readers and the unblocker stop there until its length is positive.
    const detail::FrameSpec spec{.ids = ids_,
        .term_id = term_id_,
        .term_offset = offset,
        .frame_length = header.frame_length,
        .flags = header.flags,
        .type = header.type};
    detail::store_negative_length(first, spec);
    constexpr std::size_t kRest = wire::field::kTermOffset;
    base::store_bytes(first + kRest, block.data() + kRest, block.size() - kRest);
    // SYNC(term.frame): release; pairs with wire::frame_length_acquire in read and scan.
    wire::frame_length_release(first, header.frame_length);
    return end;
}

std::int64_t ExclusiveAppender::trip(std::int32_t required) {
    const std::int32_t term_length = log_.term_length();
    const auto offset = static_cast<std::int32_t>(term_offset_);
    log_.tail_release(partition_, layout::RawTail::pack(term_id_, offset + required));
    if (offset < term_length && !FULMAR_PLANTED(kTripWithoutPadding)) {
        NoKillPoint nobody;
        const detail::FrameSpec spec{
            .ids = ids_, .term_id = term_id_, .term_offset = offset, .frame_length = term_length - offset};
        detail::write_padding(term_ + offset, spec, nobody);
    }
    const std::int64_t end = term_begin_position_ + term_length;
    term_offset_ = term_length;
    if (end >= position_max(term_length)) {
        return kMaxPositionExceeded;
    }
    term_id_ = base::wrapping_add(term_id_, 1);
    term_begin_position_ = end;
    term_offset_ = 0;
    const std::int32_t term_count = base::wrapping_subtract(term_id_, log_.initial_term_id());
    partition_ = detail::partition_of_count(term_count);
    term_ = log_.term(partition_);
    log_.tail_release(partition_, layout::RawTail::pack(term_id_, 0));
    log_.active_term_count_release(term_count);
    return kAdminAction;
}

}  // namespace fulmar::term
