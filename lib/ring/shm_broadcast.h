/// The one-to-many broadcast in shared memory by which a driver tells its clients about events. The
/// transmitter never waits: a receiver that is a whole lap behind loses messages and is told so.
///
/// Progress: wait-free on both sides.
/// Capacity: span length - 128, a power of two; a message is at most capacity / 8.
/// Dead transmitter: everything it published stays readable; a record half written is behind the tail and
/// invisible. A new transmitter goes on at the shared tail.
/// Scribbles: a receiver checks each length against capacity and buffer end and copies before it looks;
/// impossible records are reported and passed over. Nothing is read outside the span.
/// threads: one transmitter; any number of receivers, each owned by one thread.
/// units: bytes; positions are bytes since the creation.
/// source: Aeron broadcast buffer descriptor, transmitter and receiver.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "fulmar/result.h"
#include "ring/shm_record.h"

namespace fulmar::ring {

/// Offsets in the trailer behind the records.
namespace shm_broadcast_field {
inline constexpr std::size_t kTailIntent = 0;
inline constexpr std::size_t kTail = 8;
inline constexpr std::size_t kLatest = 16;
}  // namespace shm_broadcast_field

inline constexpr std::size_t kShmBroadcastTrailerBytes = 128;
inline constexpr std::size_t kShmBroadcastCapacityMin = 64;

class BroadcastTransmitter {
  public:
    BroadcastTransmitter() = default;

    /// errors: kGeneric; the span is misaligned or its length is not 2^n + 128.
    static Result<BroadcastTransmitter> attach(std::span<std::byte> memory);

    /// False: the type is below 1 or the body above message_length_max(); nothing was sent.
    bool transmit(std::int32_t type, std::span<const std::byte> body);

    [[nodiscard]] std::size_t capacity() const { return capacity_; }
    [[nodiscard]] std::size_t message_length_max() const { return capacity_ / kShmMessagesPerLapMin; }

  private:
    std::byte* base_ = nullptr;
    std::size_t capacity_ = 0;
    std::int64_t tail_ = 0;  // our own; the shared one is an output
};

enum class Reception : std::uint8_t {
    kNothing,
    kMessage,
    kLapped,   ///< messages were lost: the transmitter went round; reception goes on at the latest
    kCorrupt,  ///< an impossible record; reception goes on at the tail
};

struct BroadcastMessage {
    Reception status = Reception::kNothing;
    std::int32_t type = 0;
    /// A private copy, valid until the next receive.
    std::span<const std::byte> body;
};

class BroadcastReceiver {
  public:
    BroadcastReceiver() = default;

    /// Starts at the latest message, as a client that has just come does.
    /// errors: kGeneric; the span is misaligned or its length is not 2^n + 128.
    static Result<BroadcastReceiver> attach(std::span<std::byte> memory);

    /// The next message, copied and checked to have been whole; or why there is none.
    [[nodiscard]] BroadcastMessage receive_next();

    /// How often messages were lost.
    [[nodiscard]] std::int64_t lapped_count() const { return lapped_count_; }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }

  private:
    struct Header {
        std::int32_t length = 0;
        std::int32_t type = 0;
    };

    [[nodiscard]] std::size_t offset_of(std::int64_t position) const;
    [[nodiscard]] bool is_intact(std::int64_t position) const;
    [[nodiscard]] Header load_header(std::int64_t position) const;
    [[nodiscard]] bool is_possible(Header header, std::size_t room) const;
    BroadcastMessage read_at(std::int64_t position, std::int64_t tail);
    BroadcastMessage lapped();
    BroadcastMessage corrupt(std::int64_t tail);

    const std::byte* base_ = nullptr;
    std::size_t capacity_ = 0;
    std::int64_t next_ = 0;
    std::int64_t lapped_count_ = 0;
    std::unique_ptr<std::byte[]> copy_;
};

}  // namespace fulmar::ring
