#include "ring/shm_broadcast.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace fulmar::ring {

namespace {

using Field = std::int64_t;
using Word = std::uint64_t;
static_assert(sizeof(Word) == kShmRecordAlignment);

Status check_memory(std::span<const std::byte> memory) {
    if (memory.size() < kShmBroadcastTrailerBytes + kShmBroadcastCapacityMin ||
        !base::is_power_of_two(memory.size() - kShmBroadcastTrailerBytes) ||
        memory.size() > std::size_t{std::numeric_limits<std::int32_t>::max()}) {
        return fail(ErrorCode::kGeneric, "broadcast length is not a power of two plus its trailer of 128");
    }
    if (!base::is_aligned(
            reinterpret_cast<std::uintptr_t>(memory.data()), std::uintptr_t{kShmRecordAlignment})) {
        return fail(ErrorCode::kGeneric, "broadcast memory is not aligned to 8 bytes");
    }
    return Done{};
}

/// SYNC(broadcast.word): release per word; a receiver that sees any of these words also sees the tail intent
/// stored before them, and so that its record was overwritten. This replaces a fence, and is why the intent
/// itself needs no order.
void store_words(std::byte* to, std::span<const std::byte> from) {
    for (std::size_t at = 0; at < from.size(); at += sizeof(Word)) {
        Word word = 0;
        std::memcpy(&word, from.data() + at, std::min(sizeof word, from.size() - at));
        base::store_release(to, at, word);
    }
}

/// SYNC(broadcast.word): acquire per word; pairs with store_words.
void load_words(std::byte* to, const std::byte* from, std::size_t length) {
    for (std::size_t at = 0; at < length; at += sizeof(Word)) {
        base::store_le(to, at, base::load_acquire<Word>(from, at));
    }
}

void store_header(std::byte* record, std::size_t length, std::int32_t type) {
    const Word word = static_cast<Word>(length) | (static_cast<Word>(static_cast<std::uint32_t>(type)) << 32);
    // SYNC(broadcast.word): release; as the words of the body.
    base::store_release(record, 0, word);
}

}  // namespace

Result<BroadcastTransmitter> BroadcastTransmitter::attach(std::span<std::byte> memory) {
    FULMAR_TRY_VOID(check_memory(memory));
    BroadcastTransmitter transmitter;
    transmitter.base_ = memory.data();
    transmitter.capacity_ = memory.size() - kShmBroadcastTrailerBytes;
    // relaxed: who takes over learns from elsewhere that the last transmitter left.
    const Field tail =
        base::load_relaxed<Field>(transmitter.base_ + transmitter.capacity_, shm_broadcast_field::kTail);
    transmitter.tail_ = tail >= 0 ? base::align_up<Field>(tail, kShmRecordAlignment) : 0;
    return transmitter;
}

bool BroadcastTransmitter::transmit(std::int32_t type, std::span<const std::byte> body) {
    if (!is_message_type(type) || body.size() > message_length_max()) {
        return false;
    }
    std::byte* trailer = base_ + capacity_;
    const std::size_t length = body.size() + kShmRecordHeaderBytes;
    const std::size_t taken = shm_record_bytes(length);
    const std::size_t offset = static_cast<std::size_t>(tail_) & (capacity_ - 1);
    const std::size_t to_end = capacity_ - offset;
    const std::size_t padding = taken > to_end ? to_end : 0;
    const Field begin = tail_ + static_cast<Field>(padding);
    const Field end = begin + static_cast<Field>(taken);

    // Before any word is overwritten, receivers of the old ones are warned. relaxed: see store_words.
    base::store_relaxed(trailer, shm_broadcast_field::kTailIntent, end);
    if (padding != 0) {
        store_header(base_ + offset, padding, kShmPaddingType);
    }
    std::byte* record = base_ + (padding != 0 ? 0 : offset);
    store_header(record, length, type);
    store_words(record + kShmRecordHeaderBytes, body);

    // relaxed: where to start over; nothing is read there before the tail says so.
    base::store_relaxed(trailer, shm_broadcast_field::kLatest, begin);
    // SYNC(broadcast.tail): release; publishes the record to receive_next.
    base::store_release(trailer, shm_broadcast_field::kTail, end);
    tail_ = end;
    return true;
}

Result<BroadcastReceiver> BroadcastReceiver::attach(std::span<std::byte> memory) {
    FULMAR_TRY_VOID(check_memory(memory));
    BroadcastReceiver receiver;
    receiver.base_ = memory.data();
    receiver.capacity_ = memory.size() - kShmBroadcastTrailerBytes;
    receiver.copy_ = std::make_unique<std::byte[]>(receiver.capacity_ / kShmMessagesPerLapMin);
    receiver.next_ =  // relaxed: see transmit
        base::load_relaxed<Field>(receiver.base_ + receiver.capacity_, shm_broadcast_field::kLatest);
    return receiver;
}

BroadcastMessage BroadcastReceiver::receive_next() {
    // SYNC(broadcast.tail): acquire; pairs with transmit.
    const Field tail = base::load_acquire<Field>(base_ + capacity_, shm_broadcast_field::kTail);
    if (tail <= next_) {
        return {};
    }
    if (!is_intact(next_)) {
        return lapped();
    }
    const Header header = load_header(next_);
    if (header.type != kShmPaddingType) {
        return read_at(next_, tail);
    }
    // Padding reaches to the end of the buffer, whatever its length says.
    const auto padding = static_cast<Field>(capacity_ - offset_of(next_));
    const Field begin = next_ + padding;
    if (!is_intact(next_)) {
        return lapped();
    }
    return begin < tail ? read_at(begin, tail) : corrupt(tail);
}

BroadcastMessage BroadcastReceiver::read_at(std::int64_t position, std::int64_t tail) {
    const std::size_t offset = offset_of(position);
    const Header header = load_header(position);
    const bool possible = is_possible(header, capacity_ - offset);
    BroadcastMessage message{Reception::kMessage, header.type, {}};
    if (possible) {
        const std::size_t length = static_cast<std::size_t>(header.length) - kShmRecordHeaderBytes;
        load_words(copy_.get(), base_ + offset + kShmRecordHeaderBytes, length);
        message.body = {copy_.get(), length};
    }
    // An impossible header may just be an overwritten one, so being lapped is asked first.
    if (!is_intact(position)) {
        return lapped();
    }
    if (!possible) {
        return corrupt(tail);
    }
    next_ = position + static_cast<Field>(shm_record_bytes(static_cast<std::size_t>(header.length)));
    return message;
}

BroadcastMessage BroadcastReceiver::lapped() {
    ++lapped_count_;
    next_ =
        base::load_relaxed<Field>(base_ + capacity_, shm_broadcast_field::kLatest);  // relaxed: see transmit
    return {Reception::kLapped, 0, {}};
}

BroadcastMessage BroadcastReceiver::corrupt(std::int64_t tail) {
    next_ = tail;
    return {Reception::kCorrupt, 0, {}};
}

/// Rounded down to a word, since a scribbled position may be anything.
std::size_t BroadcastReceiver::offset_of(std::int64_t position) const {
    return static_cast<std::size_t>(position) & (capacity_ - 1) & ~(kShmRecordAlignment - 1);
}

bool BroadcastReceiver::is_intact(std::int64_t position) const {
    // relaxed: the words loaded before it carry it along. Unsigned, since a scribbled one may overflow.
    const Field intent = base::load_relaxed<Field>(base_ + capacity_, shm_broadcast_field::kTailIntent);
    return static_cast<Word>(intent) - static_cast<Word>(position) < capacity_;
}

BroadcastReceiver::Header BroadcastReceiver::load_header(std::int64_t position) const {
    // SYNC(broadcast.word): acquire; pairs with store_header.
    const Word word = base::load_acquire<Word>(base_, offset_of(position));
    return {static_cast<std::int32_t>(word & 0xFFFF'FFFFU), static_cast<std::int32_t>(word >> 32)};
}

bool BroadcastReceiver::is_possible(Header header, std::size_t room) const {
    if (!is_message_type(header.type) || header.length < static_cast<std::int32_t>(kShmRecordHeaderBytes)) {
        return false;
    }
    const auto length = static_cast<std::size_t>(header.length);
    return shm_record_bytes(length) <= room &&
           length - kShmRecordHeaderBytes <= capacity_ / kShmMessagesPerLapMin;
}

}  // namespace fulmar::ring
