#include "observe/distinct_error_log.h"

#include <algorithm>
#include <bit>

#include "base/bytes.h"
#include "layout/error_log.h"

namespace fulmar::observe {
namespace {

namespace field = layout::error_field;

/// FNV-1a over code and text; never 0, which marks a free slot.
/// source: Fowler, Noll, Vo, 64-bit parameters.
std::uint64_t hash_of(std::int32_t code, std::string_view text) {
    constexpr std::uint64_t kPrime = 0x100000001B3;
    std::uint64_t hash = 0xCBF29CE484222325;
    const auto mix = [&hash](std::uint8_t byte) { hash = (hash ^ byte) * kPrime; };
    for (int shift = 0; shift < 32; shift += 8) {
        mix(static_cast<std::uint8_t>(static_cast<std::uint32_t>(code) >> shift));
    }
    for (const char c : text) {
        mix(static_cast<std::uint8_t>(c));
    }
    return hash == 0 ? 1 : hash;
}

void count(std::byte* record, std::int32_t observations, std::int64_t now_ms) {
    // relaxed: tools show these two; nothing is derived from them.
    base::atomic_at<std::int32_t>(record, field::kObservationCount)
        .fetch_add(observations, std::memory_order_relaxed);
    base::store_relaxed(record, field::kLastObservationMs, now_ms);
}

}  // namespace

DistinctErrorLog::DistinctErrorLog(std::span<std::byte> log, std::size_t errors_max)
    : log_(log), slot_count_(std::bit_ceil(errors_max)), slots_(std::make_unique<Slot[]>(slot_count_)) {}

DistinctErrorLog::Outcome DistinctErrorLog::record(
    std::int32_t code, std::string_view text, std::int64_t now_ms) {
    text = text.substr(0, kErrorTextRecordedMax);
    bool is_claimed = false;
    Slot* slot = find_or_claim(hash_of(code, text), is_claimed);
    if (slot == nullptr) {
        return drop();
    }
    return is_claimed ? publish(*slot, text, now_ms) : observe(*slot, now_ms);
}

DistinctErrorLog::Slot* DistinctErrorLog::find_or_claim(std::uint64_t hash, bool& is_claimed) {
    for (std::size_t probe = 0; probe < slot_count_; ++probe) {
        Slot& slot = slots_[(hash + probe) & (slot_count_ - 1)];
        std::uint64_t seen = 0;
        // relaxed: the hash alone decides who owns the slot; the record is published by its offset.
        is_claimed = slot.hash.compare_exchange_strong(seen, hash, std::memory_order_relaxed);
        if (is_claimed || seen == hash) {
            return &slot;
        }
    }
    return nullptr;
}

DistinctErrorLog::Outcome DistinctErrorLog::publish(Slot& slot, std::string_view text, std::int64_t now_ms) {
    const std::size_t length = layout::kErrorRecordHeaderLength + text.size();
    const std::int64_t offset = claim_room(length);
    if (offset == kNoRoom) {
        slot.offset.store(kNoRoom, std::memory_order_relaxed);
        return drop();
    }
    std::byte* record = log_.data() + offset;
    base::store_relaxed<std::int32_t>(record, field::kObservationCount, 1);
    base::store_relaxed(record, field::kLastObservationMs, now_ms);
    base::store_le(record, field::kFirstObservationMs, now_ms);
    std::copy_n(text.data(), text.size(), reinterpret_cast<char*>(record) + field::kText);
    // SYNC(error_log.length): release; publishes the record to layout::ErrorLogCursor.
    base::store_release(record, field::kLength, static_cast<std::int32_t>(length));
    // SYNC(error_log.offset): release; publishes the record to observe().
    slot.offset.store(offset, std::memory_order_release);
    // SYNC(error_log.uncounted): acquire-release; pairs with the add in observe(), which either comes before
    // this exchange, and is collected here, or after it, and then sees the offset above.
    count(record, slot.uncounted.exchange(0, std::memory_order_acq_rel), now_ms);
    return Outcome::kNew;
}

DistinctErrorLog::Outcome DistinctErrorLog::observe(Slot& slot, std::int64_t now_ms) {
    // SYNC(error_log.uncounted): acquire-release; pairs with the exchange in publish().
    slot.uncounted.fetch_add(1, std::memory_order_acq_rel);
    // SYNC(error_log.offset): acquire; pairs with publish().
    const std::int64_t offset = slot.offset.load(std::memory_order_acquire);
    if (offset == kNoRoom) {
        return drop();
    }
    if (offset != kUnpublished) {
        count(log_.data() + offset, slot.uncounted.exchange(0, std::memory_order_relaxed), now_ms);
    }
    return Outcome::kRepeated;
}

std::int64_t DistinctErrorLog::claim_room(std::size_t length) {
    const auto aligned = static_cast<std::int64_t>(base::align_up(length, layout::kErrorRecordAlignment));
    // relaxed: the claim only divides the log; records are published by their length.
    std::int64_t offset = next_offset_.load(std::memory_order_relaxed);
    do {
        if (offset + aligned > static_cast<std::int64_t>(log_.size())) {
            return kNoRoom;
        }
    } while (!next_offset_.compare_exchange_weak(offset, offset + aligned, std::memory_order_relaxed));
    return offset;
}

DistinctErrorLog::Outcome DistinctErrorLog::drop() {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return Outcome::kDropped;
}

}  // namespace fulmar::observe
