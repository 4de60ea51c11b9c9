/// Records of any length between exactly one producer and one consumer thread of a process, without a copy on
/// either side: the producer writes into the ring, the consumer's handler reads from it.
///
/// A record is contiguous; where the end of the buffer is too short, padding fills it. The producer may stage
/// several records and publish them by one store; the consumer hands space back in portions while it works
/// through a long batch, so neither side waits for a whole ring.
///
/// Progress: wait-free on both sides.
/// Capacity: a power of two, at least 64; a record takes its body + 8 bytes, rounded up to 8. body_length_max
/// is half the capacity less the header, so that a record and the padding before it fit an empty ring.
/// Dead producer: what it published stays readable; claimed or staged records are as if never written.
/// threads: one producer (try_claim .. publish, try_write), one consumer (poll).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>

#include "base/assert.h"
#include "base/bytes.h"
#include "ring/byte_record.h"
#include "ring/memory.h"

namespace fulmar::ring {

template <template <class> class Atom = std::atomic>
class BasicSpscByteRing {
  public:
    static constexpr std::size_t kCapacityBytesMin = 64;

    /// units: bytes.
    explicit BasicSpscByteRing(std::size_t capacity)
        : buffer_(checked_capacity(capacity, kCapacityBytesMin)), capacity_(capacity) {}

    BasicSpscByteRing(const BasicSpscByteRing&) = delete;
    BasicSpscByteRing& operator=(const BasicSpscByteRing&) = delete;

    /// Space for one record, 8-byte aligned; null: full. Ends with commit, stage or abort before the next
    /// claim. A longer body than body_length_max() or a negative type is a bug.  threads: producer.
    [[nodiscard]] std::byte* try_claim(std::size_t body_length, std::int32_t type = 0) {
        FULMAR_ASSERT(body_length <= body_length_max(), "record longer than the ring allows");
        FULMAR_ASSERT(type >= 0, "negative record types are the ring's own");
        const std::size_t needed = byte_record_bytes(body_length);
        const std::size_t to_end = capacity_ - offset_of(next_tail_);
        const std::size_t padding = needed <= to_end ? 0 : to_end;
        if (!has_room(padding + needed)) [[unlikely]] {
            return nullptr;
        }
        std::uint64_t begin = next_tail_;
        if (padding != 0) [[unlikely]] {
            write_header(begin, {static_cast<std::uint32_t>(padding), kPaddingType});
            begin += padding;
        }
        write_header(begin, {static_cast<std::uint32_t>(body_length + kByteRecordHeaderBytes), type});
        claim_end_ = begin + needed;
        return buffer_.data() + offset_of(begin) + kByteRecordHeaderBytes;
    }

    /// Completes the claimed record; the consumer sees it after the next publish or commit.
    void stage() { next_tail_ = claim_end_; }

    /// Completes the claimed record and publishes it with all staged before it.
    void commit() {
        stage();
        publish();
    }

    /// Forgets the claimed record.
    void abort() { claim_end_ = next_tail_; }

    /// Shows all staged records to the consumer.
    void publish() {
        // SYNC(spsc_byte.tail): release; publishes headers and bodies to poll.
        tail_.store(next_tail_, std::memory_order_release);
    }

    /// Copies one record in and publishes it; false: full.  threads: producer.
    [[nodiscard]] bool try_write(std::span<const std::byte> body, std::int32_t type = 0) {
        if (!try_stage(body, type)) {
            return false;
        }
        publish();
        return true;
    }

    /// Copies one record in, to be published later; false: full (publish what is staged, or nobody makes
    /// room).  threads: producer.
    [[nodiscard]] bool try_stage(std::span<const std::byte> body, std::int32_t type = 0) {
        std::byte* to = try_claim(body.size(), type);
        if (to == nullptr) {
            return false;
        }
        Access::on_write(to, body.size());
        if (!body.empty()) {
            std::memcpy(to, body.data(), body.size());
        }
        stage();
        return true;
    }

    /// Calls handler(type, body) for up to `limit` records, oldest first; returns how many. The body is the
    /// ring's memory, valid during the call; the handler must not poll this ring.  threads: consumer.
    template <class Handler>
    std::size_t poll(Handler&& handler, std::size_t limit = std::numeric_limits<std::size_t>::max()) {
        // SYNC(spsc_byte.tail): acquire; pairs with publish. Once per batch; so there is nothing to cache.
        const std::uint64_t tail = tail_.load(std::memory_order_acquire);
        std::size_t count = 0;
        std::uint64_t head = next_head_;
        std::uint64_t handed_back = head;
        while (head != tail && count < limit) {
            const std::byte* record = buffer_.data() + offset_of(head);
            Access::on_read(record, kByteRecordHeaderBytes);
            const auto header = base::load_le<ByteRecordHeader>(record, 0);
            if (header.type >= 0) [[likely]] {
                const std::size_t length = header.length - kByteRecordHeaderBytes;
                Access::on_read(record + kByteRecordHeaderBytes, length);
                handler(header.type, std::span<const std::byte>(record + kByteRecordHeaderBytes, length));
                ++count;
            }
            head += base::align_up<std::size_t>(header.length, kByteRecordAlignment);
            if (head - handed_back >= capacity_ / kPortionsPerLap) [[unlikely]] {
                hand_back(head);
                handed_back = head;
            }
        }
        if (head != handed_back) {
            hand_back(head);
        }
        return count;
    }

    /// units: bytes.
    [[nodiscard]] std::size_t capacity() const { return capacity_; }
    [[nodiscard]] std::size_t body_length_max() const { return capacity_ / 2 - kByteRecordHeaderBytes; }

    /// Published bytes, padding included; a snapshot, exact when both sides rest.
    [[nodiscard]] std::size_t size_bytes_approx() const {
        // relaxed: a statistic. Head first, so that the difference cannot be negative.
        const std::uint64_t head = head_.load(std::memory_order_relaxed);
        return tail_.load(std::memory_order_relaxed) - head;
    }

  private:
    using Access = Memory<Atom>;
    static constexpr std::size_t kPortionsPerLap = 8;

    [[nodiscard]] std::size_t offset_of(std::uint64_t position) const { return position & (capacity_ - 1); }

    void write_header(std::uint64_t position, ByteRecordHeader header) {
        std::byte* at = buffer_.data() + offset_of(position);
        Access::on_write(at, sizeof header);
        base::store_le(at, 0, header);
    }

    [[nodiscard]] bool has_room(std::size_t needed) {
        if (next_tail_ + needed - head_cache_ <= capacity_) [[likely]] {
            return true;
        }
        // SYNC(spsc_byte.head): acquire; pairs with hand_back.
        head_cache_ = head_.load(std::memory_order_acquire);
        return next_tail_ + needed - head_cache_ <= capacity_;
    }

    void hand_back(std::uint64_t head) {
        next_head_ = head;
        // SYNC(spsc_byte.head): release; our reads are over before try_claim reuses the space.
        head_.store(head, std::memory_order_release);
    }

    const AlignedBytes buffer_;
    const std::size_t capacity_;

    // The producer's own.
    alignas(kWriterSpacingBytes) std::uint64_t next_tail_ = 0;
    std::uint64_t claim_end_ = 0;
    std::uint64_t head_cache_ = 0;
    // Producer writes, consumer reads.
    alignas(kWriterSpacingBytes) Atom<std::uint64_t> tail_{0};
    // The consumer's own.
    alignas(kWriterSpacingBytes) std::uint64_t next_head_ = 0;
    // Consumer writes, producer reads.
    alignas(kWriterSpacingBytes) Atom<std::uint64_t> head_{0};
};

using SpscByteRing = BasicSpscByteRing<>;

}  // namespace fulmar::ring
