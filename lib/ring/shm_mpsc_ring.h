/// The many-to-one ring in shared memory by which clients of any process and language send commands to a
/// driver. Also issues correlation ids and carries the consumer's heartbeat.
///
/// Progress: try_claim is lock-free, commit and read are wait-free; read stops at the first record still
/// being written.
/// Capacity: span length - 768, a power of two, all of it usable; a message is at most capacity / 8.
/// Dead producer: a claim never committed blocks the consumer until unblock() turns it into padding; the
/// caller decides when (no progress for the client liveness time-out while records wait).
/// Scribbles: other processes may write anything anywhere. The consumer keeps its head to itself, loads each
/// length once and believes none: an impossible record makes it skip all that is claimed and count it.
/// No call reads or writes outside the span or loops without end.
/// threads: any process and thread writes; one consumer calls read and unblock.
/// units: bytes; positions are bytes since the ring's creation.
/// source: Aeron ring buffer descriptor and many-to-one ring buffer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "base/bytes.h"
#include "fulmar/result.h"
#include "ring/shm_record.h"

namespace fulmar::ring {

/// Offsets in the trailer behind the records; each int64 on lines of its own.
namespace shm_ring_field {
inline constexpr std::size_t kTail = 128;
inline constexpr std::size_t kHeadCache = 256;
inline constexpr std::size_t kHead = 384;
inline constexpr std::size_t kCorrelationCounter = 512;
inline constexpr std::size_t kConsumerHeartbeat = 640;
}  // namespace shm_ring_field

inline constexpr std::size_t kShmRingTrailerBytes = 768;
inline constexpr std::size_t kShmRingCapacityMin = 64;

enum class ShmWriteResult : std::uint8_t {
    kWritten,
    kFull,     ///< no room now: try again later
    kInvalid,  ///< a type below 1 or a body above message_length_max(): never works
    kCorrupt,  ///< the ring's positions contradict each other: somebody scribbled
};

class ShmMpscRing {
  public:
    /// One record in the making; commit() or abort() it, or the ring waits for an unblock.
    struct Claim {
        ShmWriteResult result = ShmWriteResult::kFull;
        std::byte* record = nullptr;
        std::int32_t record_length = 0;

        [[nodiscard]] bool valid() const { return result == ShmWriteResult::kWritten; }
        [[nodiscard]] std::span<std::byte> body() const {
            return {record + kShmRecordHeaderBytes,
                static_cast<std::size_t>(record_length) - kShmRecordHeaderBytes};
        }
    };

    ShmMpscRing() = default;

    /// Views memory that its creator zeroed; attaching to a ring in use is the normal case. The memory must
    /// outlive the view.  errors: kGeneric; the span is misaligned or its length is not 2^n + 768.
    static Result<ShmMpscRing> attach(std::span<std::byte> memory);

    // Producers.

    ShmWriteResult try_write(std::int32_t type, std::span<const std::byte> body);
    [[nodiscard]] Claim try_claim(std::int32_t type, std::size_t body_length);
    static void commit(const Claim& claim);
    static void abort(const Claim& claim);

    /// Unique among all clients and the driver.  threads: any.
    [[nodiscard]] std::int64_t next_correlation_id();

    // The consumer.

    /// Calls handler(int32 type, span<const byte> body) for up to `limit` messages, oldest first; returns how
    /// many. Stops at the end of the buffer (as a bound per call; the next call starts over at its begin).
    /// The body is shared memory: its writer may still change it, so decode from one copy.
    template <class Handler>
    std::size_t read(Handler&& handler, std::size_t limit = std::numeric_limits<std::size_t>::max()) {
        begin_read();
        std::size_t count = 0;
        std::size_t consumed = 0;
        Record record;
        while (count < limit && parse(consumed, record)) {
            consumed += record.taken;
            if (is_message_type(record.type)) {
                ++count;
                handler(record.type, record.body);
            }
        }
        consume(consumed);
        return count;
    }

    /// Turns a blocking claim at the head into padding. Call it when the head has not moved for the liveness
    /// time-out while producer_position() is ahead. True: something was mended, read again.
    bool unblock();

    /// Impossible records skipped, types that cannot be, positions put right.  threads: consumer.
    [[nodiscard]] std::int64_t corruptions() const { return corruptions_; }

    // Anybody.

    /// units: milliseconds since the epoch; -1 after the consumer left.
    void set_consumer_heartbeat_ms(std::int64_t now_ms);
    [[nodiscard]] std::int64_t consumer_heartbeat_ms() const;

    /// Claimed up to here; shared memory, so possibly nonsense.
    [[nodiscard]] std::int64_t producer_position() const;
    /// What the shared memory says; the consumer itself goes by its own.
    [[nodiscard]] std::int64_t consumer_position() const;
    [[nodiscard]] std::size_t capacity() const { return capacity_; }
    [[nodiscard]] std::size_t message_length_max() const { return capacity_ / kShmMessagesPerLapMin; }

  private:
    struct Record {
        std::int32_t type = 0;
        std::size_t taken = 0;  ///< header, body and padding
        std::span<const std::byte> body;
    };

    [[nodiscard]] std::size_t offset_of(std::int64_t position) const {
        return static_cast<std::size_t>(position) & (capacity_ - 1);
    }
    [[nodiscard]] std::byte* trailer() const { return base_ + capacity_; }
    [[nodiscard]] bool is_claimed_plausible(std::int64_t tail) const;

    void begin_read();
    bool parse(std::size_t consumed, Record& out);
    bool accept(const std::byte* record, std::int32_t length, std::size_t room, Record& out);
    void consume(std::size_t bytes);
    void skip_all_claimed();
    void zero_between(std::int64_t begin, std::int64_t end);

    [[nodiscard]] std::size_t hole_length(std::size_t begin, std::size_t limit) const;
    [[nodiscard]] bool is_still_zero(std::size_t begin, std::size_t end) const;
    bool pad_hole(std::int64_t tail);

    std::byte* base_ = nullptr;
    std::size_t capacity_ = 0;
    std::int64_t head_ = 0;  // the consumer's own; the shared one is an output
    std::int64_t corruptions_ = 0;
    bool resync_ = false;
};

}  // namespace fulmar::ring
