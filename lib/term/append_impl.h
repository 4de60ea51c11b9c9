/// Definitions for append.h: the hot path of every message, kept inline.
///
/// A frame is written in one order everywhere: -length, header, payload, +length. A producer that dies on
/// the way leaves a claim that the driver can measure and turn into padding.
#pragma once

#include <atomic>

#include "base/bytes.h"
#include "base/position.h"
#include "term/append.h"
#include "term/copy.h"

namespace fulmar::term {

namespace detail {

struct FrameSpec {
    StreamIds ids;
    std::int32_t term_id = 0;
    std::int32_t term_offset = 0;
    std::int32_t frame_length = 0;
    std::uint8_t flags = wire::flag::kUnfragmented;
    wire::FrameType type = wire::FrameType::kData;
    std::int64_t reserved_value = 0;
};

/// Space a concurrent producer owns after its fetch-add.
struct Claim {
    std::byte* term = nullptr;
    std::int32_t term_offset = 0;
    std::int32_t term_id = 0;
};

[[nodiscard]] inline std::uint64_t two_words(std::int32_t low, std::int32_t high) {
    return static_cast<std::uint32_t>(low) |
           (static_cast<std::uint64_t>(static_cast<std::uint32_t>(high)) << 32);
}

/// Index of the partition that holds the term of a count; any 32 bits give a valid index.
[[nodiscard]] inline int partition_of_count(std::int32_t term_count) {
    return static_cast<int>(static_cast<std::uint32_t>(term_count) % layout::kPartitionCount);
}

/// First 8 bytes of a frame: -length, version 0, flags, type.
inline void store_negative_length(std::byte* frame, const FrameSpec& spec) {
    const auto type_and_flags = static_cast<std::int32_t>(
        (static_cast<std::uint32_t>(spec.type) << 16) | (static_cast<std::uint32_t>(spec.flags) << 8));
    base::store_relaxed<std::uint64_t>(frame, 0, two_words(-spec.frame_length, type_and_flags));
    // SYNC(term.claim): release; the unblocker, which looks for non-zero words behind a zero length, must not
    // see payload before the negative length. Store-store order with what follows: a release operation orders
    // only what precedes it, so this is the one place for a fence. TSan does not model fences and no data
    // race depends on this one.
#if !defined(__SANITIZE_THREAD__)
    std::atomic_thread_fence(std::memory_order_release);
#endif
}

inline void store_header_rest(std::byte* frame, const FrameSpec& spec) {
    base::store_le(frame, wire::field::kTermOffset, two_words(spec.term_offset, spec.ids.session_id));
    base::store_le(frame, wire::field::kStreamId, two_words(spec.ids.stream_id, spec.term_id));
    base::store_le(frame, wire::field::kReservedValue, spec.reserved_value);
}

/// Walks the pieces of a message; never reads beyond the last one.
class Gather {
  public:
    explicit Gather(Buffers buffers) : buffers_(buffers) {}

    void copy_next(std::byte* to, std::size_t length) {
        while (length > 0 && index_ < buffers_.size()) {
            const auto piece = buffers_[index_].subspan(offset_);
            const std::size_t step = piece.size() < length ? piece.size() : length;
            copy_payload(to, piece.data(), step);
            to += step;
            length -= step;
            offset_ += step;
            if (step == piece.size()) {
                ++index_;
                offset_ = 0;
            }
        }
    }

  private:
    Buffers buffers_;
    std::size_t index_ = 0;
    std::size_t offset_ = 0;
};

/// Writes one whole frame; false when the hook died in it.
template <class Hook>
bool write_frame(std::byte* frame, const FrameSpec& spec, Gather& payload, Hook& hook) {
    store_negative_length(frame, spec);
    if (hook.dies(KillPoint::kAfterNegativeLength)) {
        return false;
    }
    store_header_rest(frame, spec);
    payload.copy_next(frame + wire::kDataHeaderLength,
        static_cast<std::size_t>(spec.frame_length - wire::kDataHeaderLength));
    if (hook.dies(KillPoint::kBeforeCommit)) {
        return false;
    }
    // SYNC(term.frame): release; pairs with wire::frame_length_acquire in read and scan.
    wire::frame_length_release(frame, spec.frame_length);
    return true;
}

/// Writes a PAD frame; only its header is touched.
template <class Hook>
bool write_padding(std::byte* frame, FrameSpec spec, Hook& hook) {
    spec.type = wire::FrameType::kPad;
    Gather nothing{{}};
    return write_frame(frame, spec, nothing, hook);
}

/// Splits a message that exceeds one frame into the space at spec.term_offset.
template <class Hook>
bool write_fragments(std::byte* term, FrameSpec spec, Gather& payload, std::int32_t message_length,
    std::int32_t payload_max, Hook& hook) {
    std::uint8_t flags = wire::flag::kBegin;
    std::int32_t remaining = message_length;
    while (remaining > 0) {
        const std::int32_t piece = remaining < payload_max ? remaining : payload_max;
        spec.flags = piece == remaining ? static_cast<std::uint8_t>(flags | wire::flag::kEnd) : flags;
        spec.frame_length = piece + wire::kDataHeaderLength;
        if (!write_frame(term + spec.term_offset, spec, payload, hook)) {
            return false;
        }
        flags = 0;
        spec.term_offset += wire::align_frame(spec.frame_length);
        remaining -= piece;
    }
    return true;
}

/// Why an append at `position` was refused although nothing is wrong with it.
[[nodiscard, gnu::cold]] std::int64_t refusal(
    const layout::LogBuffer& log, std::int64_t position, std::int32_t required);

/// A claim ran over the end of its term: whoever owns bytes in front of the end pads them, everybody
/// helps to rotate.
template <class Hook>
[[gnu::cold]] std::int64_t trip_concurrent(
    const layout::LogBuffer& log, StreamIds ids, const Claim& claim, Hook& hook) {
    const std::int32_t term_length = log.term_length();
    if (claim.term_offset < term_length) {
        const FrameSpec spec{.ids = ids,
            .term_id = claim.term_id,
            .term_offset = claim.term_offset,
            .frame_length = term_length - claim.term_offset};
        if (!write_padding(claim.term + claim.term_offset, spec, hook)) {
            return kClosed;
        }
    }
    const std::int64_t end =
        base::compute_position(claim.term_id, term_length, log.shift(), log.initial_term_id());
    if (end >= position_max(term_length)) {
        return kMaxPositionExceeded;
    }
    if (hook.dies(KillPoint::kBeforeRotate)) {
        return kClosed;
    }
    rotate(log, base::wrapping_subtract(claim.term_id, log.initial_term_id()), claim.term_id);
    return kAdminAction;
}

/// Checks the limit and claims `required` aligned bytes in one fetch-add. Returns the position after the
/// claim, or a negative result.
template <class Hook>
std::int64_t claim_space(const layout::LogBuffer& log, StreamIds ids, std::int64_t limit,
    std::int32_t required, Claim& claim, Hook& hook) {
    // SYNC(term.active): acquire; pairs with the compare-and-set in rotate().
    const std::int32_t term_count = log.active_term_count_acquire();
    const int partition = partition_of_count(term_count);
    const layout::RawTail seen = log.tail_acquire(partition);
    if (term_count != base::wrapping_subtract(seen.term_id(), log.initial_term_id())) {
        return kAdminAction;  // a rotation is under way
    }
    const std::int32_t term_length = log.term_length();
    claim.term = log.term(partition);
    claim.term_id = seen.term_id();
    claim.term_offset = seen.offset(term_length);
    const std::int64_t position =
        base::compute_position(claim.term_id, claim.term_offset, log.shift(), log.initial_term_id());
    if (position >= limit) {
        return refusal(log, position, required);
    }
    if (claim.term_offset >= term_length) {
        // Full already. Adding once more would only push the tail further, and a stream that stands at its
        // last position for long would carry into the term id.
        return trip_concurrent(log, ids, claim, hook);
    }
    const layout::RawTail before = log.tail_get_and_add(partition, required);
    if (hook.dies(KillPoint::kAfterTail)) {
        return kClosed;
    }
    claim.term_id = before.term_id();
    claim.term_offset = before.offset(term_length);
    const std::int32_t resulting_offset = claim.term_offset + required;
    if (resulting_offset > term_length) {
        return trip_concurrent(log, ids, claim, hook);
    }
    return base::compute_position(claim.term_id, resulting_offset, log.shift(), log.initial_term_id());
}

}  // namespace detail

template <class Hook>
std::int64_t append_concurrent(const layout::LogBuffer& log, StreamIds ids, std::int64_t limit,
    Buffers message, std::int32_t message_length, std::int64_t reserved_value, Hook hook) {
    if (message_length < 0 || message_length > message_length_max(log.term_length())) {
        return kAppendError;
    }
    const std::int32_t payload_max = log.mtu() - wire::kDataHeaderLength;
    const bool fits_one = message_length <= payload_max;
    const std::int32_t frame_length = message_length + wire::kDataHeaderLength;
    const std::int32_t required =
        fits_one ? wire::align_frame(frame_length) : framed_length(message_length, payload_max);
    detail::Claim claim;
    const std::int64_t position = detail::claim_space(log, ids, limit, required, claim, hook);
    if (position < 0) {
        return position;
    }
    const detail::FrameSpec spec{.ids = ids,
        .term_id = claim.term_id,
        .term_offset = claim.term_offset,
        .frame_length = frame_length,
        .reserved_value = reserved_value};
    detail::Gather payload(message);
    const bool written =
        fits_one ? detail::write_frame(claim.term + claim.term_offset, spec, payload, hook)
                 : detail::write_fragments(claim.term, spec, payload, message_length, payload_max, hook);
    return written ? position : kClosed;
}

template <class Hook>
std::int64_t claim_concurrent(const layout::LogBuffer& log, StreamIds ids, std::int64_t limit,
    std::int32_t payload_length, ClaimedFrame& out, Hook hook) {
    if (payload_length < 0 || payload_length > log.mtu() - wire::kDataHeaderLength) {
        return kAppendError;
    }
    const std::int32_t frame_length = payload_length + wire::kDataHeaderLength;
    detail::Claim claim;
    const std::int64_t position =
        detail::claim_space(log, ids, limit, wire::align_frame(frame_length), claim, hook);
    if (position < 0) {
        return position;
    }
    const detail::FrameSpec spec{
        .ids = ids, .term_id = claim.term_id, .term_offset = claim.term_offset, .frame_length = frame_length};
    std::byte* frame = claim.term + claim.term_offset;
    detail::store_negative_length(frame, spec);
    if (hook.dies(KillPoint::kAfterNegativeLength)) {
        return kClosed;
    }
    detail::store_header_rest(frame, spec);
    out = {frame, frame_length};
    return position;
}

inline std::int64_t ExclusiveAppender::take(
    std::int64_t limit, std::int32_t required, std::int32_t& frame_offset) {
    const auto offset = static_cast<std::int32_t>(term_offset_);
    const std::int64_t position = term_begin_position_ + offset;
    if (position >= limit) {
        return detail::refusal(log_, position, required);
    }
    const std::int32_t resulting_offset = offset + required;
    if (resulting_offset > log_.term_length()) {
        return trip(required);
    }
    // SYNC(term.tail): release; pairs with tail_acquire in LogBuffer::producer_position. Before the frame,
    // so that the driver never takes bytes for free which are being written.
    log_.tail_release(partition_, layout::RawTail::pack(term_id_, resulting_offset));
    frame_offset = offset;
    term_offset_ = resulting_offset;
    return position + required;
}

inline std::int64_t ExclusiveAppender::append(
    std::int64_t limit, std::span<const std::byte> message, std::int64_t reserved_value) {
    const auto length = static_cast<std::int64_t>(message.size());
    if (length > payload_max_) {
        if (length > message_length_max(log_.term_length())) {
            return kAppendError;
        }
        return append(limit, Buffers(&message, 1), static_cast<std::int32_t>(length), reserved_value);
    }
    const auto frame_length = static_cast<std::int32_t>(length) + wire::kDataHeaderLength;
    std::int32_t frame_offset = 0;
    const std::int64_t position = take(limit, wire::align_frame(frame_length), frame_offset);
    if (position < 0) {
        return position;
    }
    std::byte* frame = term_ + frame_offset;
    const detail::FrameSpec spec{.ids = ids_,
        .term_id = term_id_,
        .term_offset = frame_offset,
        .frame_length = frame_length,
        .reserved_value = reserved_value};
    detail::store_negative_length(frame, spec);
    detail::store_header_rest(frame, spec);
    detail::copy_payload(frame + wire::kDataHeaderLength, message.data(), message.size());
    // SYNC(term.frame): release; pairs with wire::frame_length_acquire in read and scan.
    wire::frame_length_release(frame, frame_length);
    return position;
}

inline void commit(const ClaimedFrame& claim) {
    // SYNC(term.frame): release; pairs with wire::frame_length_acquire in read and scan.
    wire::frame_length_release(claim.frame, claim.frame_length);
}

inline void abort(const ClaimedFrame& claim) {
    base::store_le(claim.frame, wire::field::kType, static_cast<std::uint16_t>(wire::FrameType::kPad));
    // SYNC(term.frame): release; pairs with wire::frame_length_acquire in read and scan.
    wire::frame_length_release(claim.frame, claim.frame_length);
}

}  // namespace fulmar::term
