#include "ring/shm_mpsc_ring.h"

#include <atomic>

namespace fulmar::ring {

namespace {

using Field = std::int64_t;

/// Wraps, since scribbled positions may lie any distance apart.
Field distance(Field from, Field to) {
    return static_cast<Field>(static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from));
}

bool is_possible_position(Field position) {
    return position >= 0 && position <= std::numeric_limits<Field>::max() / 2 &&
           base::is_aligned<Field>(position, kShmRecordAlignment);
}

bool is_word_aligned(const std::byte* at) {
    return base::is_aligned(reinterpret_cast<std::uintptr_t>(at), std::uintptr_t{kShmRecordAlignment});
}

/// The negative length says how far a claim reaches, should its producer die before the positive one.
void open_record(std::byte* record, std::size_t length, std::int32_t type) {
    const auto word = static_cast<std::uint32_t>(-static_cast<std::int32_t>(length)) |
                      static_cast<std::uint64_t>(static_cast<std::uint32_t>(type)) << 32;
    base::store_relaxed<std::uint64_t>(record, 0, word);
    // SYNC(shm_ring.claim): release; who sees a word of the body also sees the length. A release operation
    // orders only what precedes it, so this is a fence. TSan does not model fences and no data race depends
    // on this one.
#if !defined(__SANITIZE_THREAD__)
    std::atomic_thread_fence(std::memory_order_release);
#endif
}

void write_padding(std::byte* record, std::size_t length) {
    base::store_relaxed<std::int32_t>(record, kShmRecordTypeOffset, kShmPaddingType);
    // SYNC(shm_ring.length): release; publishes the type to parse.
    base::store_release(record, 0, static_cast<std::int32_t>(length));
}

}  // namespace

Result<ShmMpscRing> ShmMpscRing::attach(std::span<std::byte> memory) {
    if (memory.size() < kShmRingTrailerBytes + kShmRingCapacityMin ||
        !base::is_power_of_two(memory.size() - kShmRingTrailerBytes) ||
        memory.size() > std::size_t{std::numeric_limits<std::int32_t>::max()}) {
        return fail(ErrorCode::kGeneric, "ring buffer length is not a power of two plus its trailer of 768");
    }
    if (!is_word_aligned(memory.data())) {
        return fail(ErrorCode::kGeneric, "ring buffer memory is not aligned to 8 bytes");
    }
    ShmMpscRing ring;
    ring.base_ = memory.data();
    ring.capacity_ = memory.size() - kShmRingTrailerBytes;
    // A consumer that takes over goes on where the last one stopped, but only from a possible place.
    const Field head = ring.consumer_position();
    ring.head_ = is_possible_position(head) ? head : 0;
    return ring;
}

ShmMpscRing::Claim ShmMpscRing::try_claim(std::int32_t type, std::size_t body_length) {
    if (!is_message_type(type) || body_length > message_length_max()) {
        return {.result = ShmWriteResult::kInvalid};
    }
    const std::size_t record_length = body_length + kShmRecordHeaderBytes;
    const auto needed = static_cast<Field>(shm_record_bytes(record_length));
    for (;;) {
        // SYNC(shm_ring.head_cache): acquire; the consumer's zeroing comes before our writing. Head before
        // tail: then a tail behind the head is a scribble and not a race.
        Field head = base::load_acquire<Field>(trailer(), shm_ring_field::kHeadCache);
        // relaxed, here and in the exchange: the tail only deals out space. What was written there, and that
        // it may be written again, goes by the records' lengths and the head; whoever sees a head sees by
        // it a tail at least as far.
        Field tail = base::load_relaxed<Field>(trailer(), shm_ring_field::kTail);
        if (!base::is_aligned<Field>(tail, kShmRecordAlignment)) {
            return {.result = ShmWriteResult::kCorrupt};
        }
        const std::size_t offset = offset_of(tail);
        const auto to_end = static_cast<Field>(capacity_ - offset);
        const Field padding = needed > to_end ? to_end : 0;
        const Field limit = static_cast<Field>(capacity_) - needed - padding;
        if (distance(head, tail) > limit || distance(head, tail) < 0) {
            // SYNC(shm_ring.head): acquire; pairs with consume.
            head = base::load_acquire<Field>(trailer(), shm_ring_field::kHead);
            if (distance(head, base::load_relaxed<Field>(trailer(), shm_ring_field::kTail)) < 0) {
                return {.result = ShmWriteResult::kCorrupt};
            }
            if (distance(head, tail) > limit) {
                return {.result = ShmWriteResult::kFull};
            }
            // SYNC(shm_ring.head_cache): release; pairs with the acquire above in other producers.
            base::store_release(trailer(), shm_ring_field::kHeadCache, head);
        }
        if (!base::atomic_at<Field>(trailer(), shm_ring_field::kTail)
                 .compare_exchange_strong(
                     tail, distance(-needed - padding, tail), std::memory_order_relaxed)) {
            continue;
        }
        std::byte* record = base_ + offset;
        if (padding != 0) {
            open_record(record, static_cast<std::size_t>(padding), kShmPaddingType);
            write_padding(record, static_cast<std::size_t>(padding));
            record = base_;
        }
        open_record(record, record_length, type);
        return {ShmWriteResult::kWritten, record, static_cast<std::int32_t>(record_length)};
    }
}

void ShmMpscRing::commit(const Claim& claim) {
    // SYNC(shm_ring.length): release; publishes type and body to parse.
    base::store_release(claim.record, 0, claim.record_length);
}

void ShmMpscRing::abort(const Claim& claim) {
    write_padding(claim.record, static_cast<std::size_t>(claim.record_length));
}

ShmWriteResult ShmMpscRing::try_write(std::int32_t type, std::span<const std::byte> body) {
    const Claim claim = try_claim(type, body.size());
    if (claim.valid()) {
        if (!body.empty()) {
            base::store_bytes(claim.body().data(), body.data(), body.size());
        }
        commit(claim);
    }
    return claim.result;
}

std::int64_t ShmMpscRing::next_correlation_id() {
    // relaxed: ids need to differ, they order nothing.
    return base::atomic_at<Field>(trailer(), shm_ring_field::kCorrelationCounter)
        .fetch_add(1, std::memory_order_relaxed);
}

void ShmMpscRing::set_consumer_heartbeat_ms(std::int64_t now_ms) {
    // SYNC(shm_ring.heartbeat): release; who sees the driver alive sees what it set up.
    base::store_release(trailer(), shm_ring_field::kConsumerHeartbeat, now_ms);
}

std::int64_t ShmMpscRing::consumer_heartbeat_ms() const {
    // SYNC(shm_ring.heartbeat): acquire; pairs with set_consumer_heartbeat_ms.
    return base::load_acquire<Field>(trailer(), shm_ring_field::kConsumerHeartbeat);
}

std::int64_t ShmMpscRing::producer_position() const {
    // relaxed: see try_claim.
    return base::load_relaxed<Field>(trailer(), shm_ring_field::kTail);
}

std::int64_t ShmMpscRing::consumer_position() const {
    // relaxed: a number to compare; a consumer that takes over learns from elsewhere that the last one left.
    return base::load_relaxed<Field>(trailer(), shm_ring_field::kHead);
}

void ShmMpscRing::begin_read() {
    // relaxed: we alone may write the head; another value is a scribble, which producers must not go by.
    if (base::load_relaxed<Field>(trailer(), shm_ring_field::kHead) != head_) {
        ++corruptions_;
        base::store_release(trailer(), shm_ring_field::kHead, head_);
    }
}

/// False: nothing more to read in this call.
bool ShmMpscRing::parse(std::size_t consumed, Record& out) {
    const std::size_t offset = offset_of(head_) + consumed;
    if (offset >= capacity_) {
        return false;
    }
    const std::byte* record = base_ + offset;
    // SYNC(shm_ring.length): acquire; pairs with commit and write_padding.
    const auto length = base::load_acquire<std::int32_t>(record, 0);
    if (length <= 0) {
        return false;
    }
    // Who publishes a length has moved the tail beyond the record before, so a record that reaches further
    // would take what others are about to claim.
    const Field claimed = distance(head_ + static_cast<Field>(consumed), producer_position());
    if (!accept(record, length, capacity_ - offset, out) || static_cast<Field>(out.taken) > claimed) {
        ++corruptions_;
        resync_ = true;
        return false;
    }
    return true;
}

/// `length` was loaded once; what is checked here is what is used.
bool ShmMpscRing::accept(const std::byte* record, std::int32_t length, std::size_t room, Record& out) {
    const auto record_length = static_cast<std::size_t>(length);
    if (record_length < kShmRecordHeaderBytes || shm_record_bytes(record_length) > room) {
        return false;
    }
    out.taken = shm_record_bytes(record_length);
    // relaxed: the acquire on the length covers it.
    out.type = base::load_relaxed<std::int32_t>(record, kShmRecordTypeOffset);
    out.body = {record + kShmRecordHeaderBytes, record_length - kShmRecordHeaderBytes};
    if (out.type == kShmPaddingType) {
        return true;
    }
    if (!is_message_type(out.type)) {
        ++corruptions_;  // The length holds, so only this record is passed over.
        return true;
    }
    return out.body.size() <= message_length_max();
}

void ShmMpscRing::consume(std::size_t bytes) {
    if (bytes != 0) {
        // Old bytes must not be taken for a length by the next lap.
        base::zero_bytes(base_ + offset_of(head_), bytes);
        head_ += static_cast<Field>(bytes);
        // SYNC(shm_ring.head): release; reads and zeroing are over before a producer reuses the space.
        base::store_release(trailer(), shm_ring_field::kHead, head_);
    }
    if (resync_) {
        resync_ = false;
        skip_all_claimed();
    }
}

bool ShmMpscRing::is_claimed_plausible(std::int64_t tail) const {
    return tail >= head_ && tail - head_ <= static_cast<Field>(capacity_) && is_possible_position(tail);
}

/// Behind an impossible length no record boundary is known but the tail. A producer still writing into what
/// is skipped may leave a length behind; the next lap then meets it, and comes here again.
void ShmMpscRing::skip_all_claimed() {
    Field tail = producer_position();
    if (!is_claimed_plausible(tail)) {
        ++corruptions_;
        base::zero_bytes(base_, capacity_);
        // An exchange: a producer that got in between keeps its claim.
        base::atomic_at<Field>(trailer(), shm_ring_field::kTail)
            .compare_exchange_strong(tail, head_, std::memory_order_relaxed);
        base::store_release(trailer(), shm_ring_field::kHeadCache, head_);
        return;
    }
    zero_between(head_, tail);
    head_ = tail;
    base::store_release(trailer(), shm_ring_field::kHead, head_);
}

void ShmMpscRing::zero_between(std::int64_t begin, std::int64_t end) {
    const auto length = static_cast<std::size_t>(end - begin);
    const std::size_t first = std::min(length, capacity_ - offset_of(begin));
    base::zero_bytes(base_ + offset_of(begin), first);
    base::zero_bytes(base_, length - first);
}

bool ShmMpscRing::unblock() {
    begin_read();
    const Field tail = producer_position();
    if (!is_claimed_plausible(tail)) {
        skip_all_claimed();
        return true;
    }
    if (tail == head_) {
        return false;
    }
    const std::size_t offset = offset_of(head_);
    const auto length = base::load_acquire<std::int32_t>(base_ + offset, 0);
    if (length > 0) {
        return false;
    }
    if (length == 0) {
        return pad_hole(tail);
    }
    const std::int64_t claimed = -static_cast<std::int64_t>(length);
    if (claimed < static_cast<std::int64_t>(kShmRecordHeaderBytes) ||
        shm_record_bytes(static_cast<std::size_t>(claimed)) > capacity_ - offset) {
        ++corruptions_;
        skip_all_claimed();
        return true;
    }
    write_padding(base_ + offset, static_cast<std::size_t>(claimed));
    return true;
}

/// A producer died between taking its space and writing the negative length: pads up to the next record.
/// With nothing behind the hole nobody is waiting, and the claim may be a live producer's: left alone.
bool ShmMpscRing::pad_hole(std::int64_t tail) {
    const std::size_t begin = offset_of(head_);
    const std::size_t tail_offset = offset_of(tail);
    const bool wrapped = tail_offset <= begin;
    const std::size_t hole = hole_length(begin, wrapped ? capacity_ : tail_offset);
    const bool to_end = begin + hole == capacity_;
    if (begin + hole == tail_offset || (to_end && hole_length(0, tail_offset) == tail_offset)) {
        return false;
    }
    if (!is_still_zero(begin, begin + hole)) {
        return false;
    }
    write_padding(base_ + begin, hole);
    return true;
}

/// Bytes from `begin` to the first word that is not zero, or to `limit`.
std::size_t ShmMpscRing::hole_length(std::size_t begin, std::size_t limit) const {
    std::size_t at = begin;
    // SYNC(shm_ring.claim): acquire; pairs with open_record.
    while (at < limit && base::load_acquire<std::int32_t>(base_ + at, 0) == 0) {
        at += kShmRecordAlignment;
    }
    return at - begin;
}

/// Looks again from the end backwards: a producer that writes its negative length while we look forward is
/// noticed, since it claimed before the record that ended our search.
bool ShmMpscRing::is_still_zero(std::size_t begin, std::size_t end) const {
    for (std::size_t at = end; at > begin; at -= kShmRecordAlignment) {
        if (base::load_acquire<std::int32_t>(base_ + at - kShmRecordAlignment, 0) != 0) {
            return false;
        }
    }
    return true;
}

}  // namespace fulmar::ring
