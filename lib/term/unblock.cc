#include "term/unblock.h"

#include <algorithm>
#include <cstring>

#include "base/plant.h"
#include "base/position.h"
#include "term/append.h"
#include "term/gap.h"
#include "wire/frame.h"

namespace fulmar::term {
namespace {

/// The blocked term and how much of it was claimed long enough ago; made of private copies.
struct Blocked {
    std::byte* term = nullptr;
    std::int32_t term_length = 0;
    std::int32_t term_id = 0;
    std::int32_t term_count = 0;
    std::int32_t offset = 0;
    std::int32_t claimed_end = 0;
};

/// Overwrites a dead claim's header. Its owner is gone, so the order is only for readers.
void pad_claim(const layout::LogBuffer& log, const Blocked& blocked, std::int32_t length) {
    std::byte* frame = blocked.term + blocked.offset;
    std::byte header[wire::kDataHeaderLength];
    std::memcpy(header, log.default_header(), sizeof header);
    base::store_le(header, wire::field::kFrameLength, length);
    base::store_le(header, wire::field::kType, static_cast<std::uint16_t>(wire::FrameType::kPad));
    base::store_le(header, wire::field::kTermOffset, blocked.offset);
    base::store_le(header, wire::field::kTermId, blocked.term_id);
    std::memcpy(
        frame + sizeof(std::uint64_t), header + sizeof(std::uint64_t), sizeof header - sizeof(std::uint64_t));
    // SYNC(term.frame): release; pairs with wire::frame_length_acquire in read and scan.
    base::store_release(frame, 0, base::load_le<std::uint64_t>(header, 0));
}

/// Length of the claim that shows -length, bounded by what was claimed at all.
std::int32_t dead_claim_length(const Blocked& blocked, std::int32_t negative_length) {
    const std::int32_t claimed = blocked.claimed_end - blocked.offset;
    const std::int64_t length = -static_cast<std::int64_t>(negative_length);
    if (length < wire::kDataHeaderLength || length > claimed || FULMAR_PLANTED(kUnblockPadsCommitted)) {
        return claimed;
    }
    return static_cast<std::int32_t>(length);
}

/// End of the hole: the next non-zero length word or the end of what was claimed.
std::int32_t hole_end(const Blocked& blocked) {
    std::int32_t end = blocked.offset + wire::kFrameAlignment;
    // SYNC(term.clean): acquire; words that nobody claimed since are zeros.
    while (end < blocked.claimed_end && wire::frame_length_acquire(blocked.term + end) == 0) {
        end += wire::kFrameAlignment;
    }
    return end;
}

UnblockResult finish(const layout::LogBuffer& log, const Blocked& blocked, std::int32_t padded_to) {
    if (wire::align_frame(padded_to) < blocked.term_length) {
        return UnblockResult::kUnblocked;
    }
    rotate(log, blocked.term_count, blocked.term_id);
    return UnblockResult::kUnblockedToEnd;
}

UnblockResult unblock_term(const layout::LogBuffer& log, const Blocked& blocked) {
    const std::int32_t length = wire::frame_length_acquire(blocked.term + blocked.offset);
    if (length > 0) {
        return UnblockResult::kNoAction;  // committed after all
    }
    if (length < 0) {
        const std::int32_t claim = dead_claim_length(blocked, length);
        pad_claim(log, blocked, claim);
        return finish(log, blocked, blocked.offset + claim);
    }
    const std::int32_t end = hole_end(blocked);
    if (!fill_gap(
            log.default_header(), blocked.term, blocked.term_id, blocked.offset, end - blocked.offset)) {
        return UnblockResult::kNoAction;  // somebody wrote into it meanwhile
    }
    return finish(log, blocked, end);
}

/// The term before is filled to its end, but whoever tripped died before rotating: rotates for it.
bool rotate_for_dead(const layout::LogBuffer& log, const Blocked& blocked) {
    const std::int32_t active_count = log.active_term_count_acquire();
    if (blocked.term_count == 0 || active_count != blocked.term_count - 1) {
        return false;
    }
    const std::int32_t active_id = base::wrapping_subtract(blocked.term_id, 1);
    const layout::RawTail tail = log.tail_acquire(detail::partition_of_count(active_count));
    if (tail.term_id() != active_id || tail.offset(blocked.term_length) < blocked.term_length) {
        return false;
    }
    return rotate(log, active_count, active_id);
}

}  // namespace

UnblockResult unblock(
    const layout::LogBuffer& log, std::int64_t blocked_position, std::int64_t overdue_until) {
    if (blocked_position < 0 || blocked_position >= position_max(log.term_length())) {
        return UnblockResult::kNoAction;
    }
    Blocked blocked;
    blocked.term_length = log.term_length();
    blocked.term_count = static_cast<std::int32_t>(blocked_position >> log.shift());
    // The term id follows from the position; the tail may hold anything.
    blocked.term_id = base::compute_term_id(blocked_position, log.shift(), log.initial_term_id());
    blocked.offset = base::compute_term_offset(blocked_position, blocked.term_length);
    const int partition = base::partition_of_position(blocked_position, log.shift());
    blocked.term = log.term(partition);

    if (blocked.offset == 0 && rotate_for_dead(log, blocked)) {
        return UnblockResult::kUnblockedToEnd;
    }
    const layout::RawTail tail = log.tail_acquire(partition);
    const std::int64_t overdue = std::clamp<std::int64_t>(
        overdue_until - (blocked_position - blocked.offset), 0, tail.offset(blocked.term_length));
    blocked.claimed_end = static_cast<std::int32_t>(overdue) & ~(wire::kFrameAlignment - 1);
    if (tail.term_id() != blocked.term_id || blocked.offset >= blocked.claimed_end ||
        !base::is_aligned(blocked.offset, wire::kFrameAlignment)) {
        return UnblockResult::kNoAction;
    }
    return unblock_term(log, blocked);
}

}  // namespace fulmar::term
