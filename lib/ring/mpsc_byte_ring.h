/// Records of any length from any number of producer threads to one consumer thread of a process. A producer
/// takes its space by one exchange on the tail, writes in place, and publishes by one store of the record's
/// header; nobody waits for an earlier producer.
///
/// Progress: claim is lock-free (a failed exchange means that another producer got in), commit is wait-free,
/// poll is wait-free and stops at the first record still being written.
/// Capacity: a power of two, at least 64; a record takes its body + 8 bytes, rounded up to 8. body_length_max
/// is half the capacity less the header, so that a record and the padding before it fit an empty ring.
/// Dead producer: one that stops between claim and commit (a killed thread) blocks the consumer at its record
/// for good: records behind it stay unread and the ring fills. That is accepted within one process, where a
/// thread does not die alone; use ShmMpscRing across processes.
/// threads: any number claim and write, one polls.
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
class BasicMpscByteRing {
  public:
    static constexpr std::size_t kCapacityBytesMin = 64;

    /// One producer's record in the making. Every valid claim must end in commit or abort.
    class Claim {
      public:
        [[nodiscard]] bool valid() const { return record_ != nullptr; }
        /// Where to write; 8-byte aligned.
        [[nodiscard]] std::span<std::byte> body() const {
            return {record_ + kByteRecordHeaderBytes, header_.length - kByteRecordHeaderBytes};
        }

      private:
        friend class BasicMpscByteRing;
        std::byte* record_ = nullptr;
        ByteRecordHeader header_;
    };

    /// units: bytes.
    explicit BasicMpscByteRing(std::size_t capacity)
        : buffer_(checked_capacity(capacity, kCapacityBytesMin)), capacity_(capacity) {}

    BasicMpscByteRing(const BasicMpscByteRing&) = delete;
    BasicMpscByteRing& operator=(const BasicMpscByteRing&) = delete;

    /// An invalid claim: full. A longer body than body_length_max() or a negative type is a bug.
    [[nodiscard]] Claim try_claim(std::size_t body_length, std::int32_t type = 0) {
        FULMAR_ASSERT(body_length <= body_length_max(), "record longer than the ring allows");
        FULMAR_ASSERT(type >= 0, "negative record types are the ring's own");
        const std::size_t needed = byte_record_bytes(body_length);
        // relaxed: a stale tail makes the exchange fail.
        std::uint64_t tail = tail_.load(std::memory_order_relaxed);
        for (;;) {
            const std::size_t to_end = capacity_ - offset_of(tail);
            const std::size_t padding = needed <= to_end ? 0 : to_end;
            if (!has_room(tail, padding + needed)) [[unlikely]] {
                return {};
            }
            // relaxed: the tail only hands out space; the record's header orders the data.
            if (tail_.compare_exchange_weak(
                    tail, tail + padding + needed, std::memory_order_relaxed, std::memory_order_relaxed)) {
                if (padding != 0) [[unlikely]] {
                    publish(at(tail), {static_cast<std::uint32_t>(padding), kPaddingType});
                }
                Claim claim;
                claim.record_ = at(tail + padding);
                claim.header_ = {static_cast<std::uint32_t>(body_length + kByteRecordHeaderBytes), type};
                return claim;
            }
        }
    }

    void commit(const Claim& claim) { publish(claim.record_, claim.header_); }

    /// Gives the record up; the consumer passes over it.
    void abort(const Claim& claim) { publish(claim.record_, {claim.header_.length, kPaddingType}); }

    /// Copies one record in; false: full.  threads: any producer.
    [[nodiscard]] bool try_write(std::span<const std::byte> body, std::int32_t type = 0) {
        const Claim claim = try_claim(body.size(), type);
        if (!claim.valid()) {
            return false;
        }
        Access::on_write(claim.body().data(), body.size());
        if (!body.empty()) {
            std::memcpy(claim.body().data(), body.data(), body.size());
        }
        commit(claim);
        return true;
    }

    /// Calls handler(type, body) for up to `limit` records in the order of their claims; returns how many.
    /// The body is the ring's memory, valid during the call; the handler must not poll this ring. threads:
    /// consumer.
    template <class Handler>
    std::size_t poll(Handler&& handler, std::size_t limit = std::numeric_limits<std::size_t>::max()) {
        std::size_t count = 0;
        std::uint64_t handed_back = head_own_;
        while (count < limit) {
            std::byte* record = at(head_own_);
            // SYNC(mpsc_byte.header): acquire; pairs with publish.
            const auto header =
                unpack_header(Access::template load<std::uint64_t>(record, std::memory_order_acquire));
            if (header.length == 0) {
                break;
            }
            const std::size_t taken = base::align_up<std::size_t>(header.length, kByteRecordAlignment);
            if (header.type >= 0) [[likely]] {
                const std::size_t length = header.length - kByteRecordHeaderBytes;
                Access::on_read(record + kByteRecordHeaderBytes, length);
                handler(header.type, std::span<const std::byte>(record + kByteRecordHeaderBytes, length));
                ++count;
            }
            // Old bytes must not be taken for a header by the lap after this one.
            Access::zero(record, taken);
            head_own_ += taken;
            if (head_own_ - handed_back >= capacity_ / kPortionsPerLap) [[unlikely]] {
                hand_back();
                handed_back = head_own_;
            }
        }
        if (head_own_ != handed_back) {
            hand_back();
        }
        return count;
    }

    /// units: bytes.
    [[nodiscard]] std::size_t capacity() const { return capacity_; }
    [[nodiscard]] std::size_t body_length_max() const { return capacity_ / 2 - kByteRecordHeaderBytes; }

  private:
    using Access = Memory<Atom>;
    static constexpr std::size_t kPortionsPerLap = 8;

    [[nodiscard]] std::size_t offset_of(std::uint64_t position) const { return position & (capacity_ - 1); }
    [[nodiscard]] std::byte* at(std::uint64_t position) const { return buffer_.data() + offset_of(position); }

    /// A stale tail may lie behind the head; then the answer is yes and the exchange fails.
    [[nodiscard]] bool has_room(std::uint64_t tail, std::size_t needed) {
        // SYNC(mpsc_byte.head_cache): acquire; another producer may have learned the head, and the consumer's
        // zeroing must come before our writing for us too.
        if (fits(tail, needed, head_cache_.load(std::memory_order_acquire))) [[likely]] {
            return true;
        }
        // SYNC(mpsc_byte.head): acquire; pairs with hand_back.
        const std::uint64_t head = head_.load(std::memory_order_acquire);
        // SYNC(mpsc_byte.head_cache): release; pairs with the acquire above.
        head_cache_.store(head, std::memory_order_release);
        return fits(tail, needed, head);
    }

    [[nodiscard]] bool fits(std::uint64_t tail, std::size_t needed, std::uint64_t head) const {
        return static_cast<std::int64_t>(tail + needed - head) <= static_cast<std::int64_t>(capacity_);
    }

    static void publish(std::byte* record, ByteRecordHeader header) {
        // SYNC(mpsc_byte.header): release; publishes the body to poll.
        Access::template store<std::uint64_t>(record, pack_header(header), std::memory_order_release);
    }

    void hand_back() {
        // SYNC(mpsc_byte.head): release; reads and zeroing are over before try_claim reuses the space.
        head_.store(head_own_, std::memory_order_release);
    }

    const AlignedBytes buffer_;
    const std::size_t capacity_;

    // Producers write.
    alignas(kWriterSpacingBytes) Atom<std::uint64_t> tail_{0};
    // Producers write, seldom; apart from the tail, whose line moves with each claim.
    alignas(kWriterSpacingBytes) Atom<std::uint64_t> head_cache_{0};
    // The consumer's own.
    alignas(kWriterSpacingBytes) std::uint64_t head_own_ = 0;
    // Consumer writes, producers read when the ring looks full.
    alignas(kWriterSpacingBytes) Atom<std::uint64_t> head_{0};
};

using MpscByteRing = BasicMpscByteRing<>;

}  // namespace fulmar::ring
