/// The log buffer file: three terms and one metadata page at the end, shared by clients and driver.
/// LogBuffer is a view; it owns nothing and allocates nothing.
/// threads: any; fields that several threads touch are read and written by the accessors named
/// `_acquire`/`_release`.  source: Aeron log buffer descriptor.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "fulmar/result.h"

namespace fulmar::layout {

inline constexpr int kPartitionCount = 3;
inline constexpr std::int32_t kLogMetadataLength = 4096;
inline constexpr std::int32_t kPageSizeMin = 4096;
inline constexpr std::int32_t kPageSizeMax = 1024 * 1024 * 1024;

/// Offsets inside the metadata page.
namespace log_field {
inline constexpr std::size_t kTermTailCounters = 0;  // i64 x 3: term_id << 32 | tail offset
inline constexpr std::size_t kActiveTermCount = 24;  // i32
inline constexpr std::size_t kEndOfStreamPosition = 128;
inline constexpr std::size_t kIsConnected = 136;
inline constexpr std::size_t kActiveTransportCount = 140;
inline constexpr std::size_t kCorrelationId = 256;
inline constexpr std::size_t kInitialTermId = 264;
inline constexpr std::size_t kDefaultFrameHeaderLength = 268;
inline constexpr std::size_t kMtuLength = 272;
inline constexpr std::size_t kTermLength = 276;
inline constexpr std::size_t kPageSize = 280;
inline constexpr std::size_t kPublicationWindowLength = 284;
inline constexpr std::size_t kReceiverWindowLength = 288;
inline constexpr std::size_t kSocketSndbufLength = 292;
inline constexpr std::size_t kOsDefaultSocketSndbufLength = 296;
inline constexpr std::size_t kOsMaxSocketSndbufLength = 300;
inline constexpr std::size_t kSocketRcvbufLength = 304;
inline constexpr std::size_t kOsDefaultSocketRcvbufLength = 308;
inline constexpr std::size_t kOsMaxSocketRcvbufLength = 312;
inline constexpr std::size_t kMaxResend = 316;
inline constexpr std::size_t kDefaultFrameHeader = 320;  // 128 bytes, 32 used
inline constexpr std::size_t kEntityTag = 448;
inline constexpr std::size_t kResponseCorrelationId = 456;
inline constexpr std::size_t kLingerTimeoutNs = 464;
inline constexpr std::size_t kUntetheredWindowLimitTimeoutNs = 472;
inline constexpr std::size_t kUntetheredRestingTimeoutNs = 480;
inline constexpr std::size_t kGroup = 488;  // u8 from here on
inline constexpr std::size_t kIsResponse = 489;
inline constexpr std::size_t kRejoin = 490;
inline constexpr std::size_t kReliable = 491;
inline constexpr std::size_t kSparse = 492;
inline constexpr std::size_t kSignalEos = 493;
inline constexpr std::size_t kSpiesSimulateConnection = 494;
inline constexpr std::size_t kTether = 495;
inline constexpr std::size_t kIsPublicationRevoked = 496;
inline constexpr std::size_t kType = 497;
inline constexpr std::size_t kUntetheredLingerTimeoutNs = 500;  // unaligned i64
}  // namespace log_field

enum class LogType : std::uint8_t { kConcurrentPublication = 0, kExclusivePublication = 1, kImage = 2 };

/// Everything the driver writes into the metadata of a new log before it is announced.
struct LogMetadata {
    std::int64_t correlation_id = 0;
    std::int32_t initial_term_id = 0;
    std::int32_t mtu = 0;
    std::int32_t term_length = 0;
    std::int32_t page_size = kPageSizeMin;
    std::int32_t publication_window_length = 0;
    std::int32_t receiver_window_length = 0;
    std::int32_t socket_sndbuf_length = 0;
    std::int32_t os_default_socket_sndbuf_length = 0;
    std::int32_t os_max_socket_sndbuf_length = 0;
    std::int32_t socket_rcvbuf_length = 0;
    std::int32_t os_default_socket_rcvbuf_length = 0;
    std::int32_t os_max_socket_rcvbuf_length = 0;
    std::int32_t max_resend = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int64_t entity_tag = -1;
    std::int64_t response_correlation_id = -1;
    std::int64_t linger_timeout_ns = 0;
    std::int64_t untethered_window_limit_timeout_ns = 0;
    std::int64_t untethered_linger_timeout_ns = 0;
    std::int64_t untethered_resting_timeout_ns = 0;
    bool group = false;
    bool is_response = false;
    bool rejoin = true;
    bool reliable = true;
    bool sparse = true;
    bool signal_eos = true;
    bool spies_simulate_connection = false;
    bool tether = true;
    LogType type = LogType::kConcurrentPublication;
};

/// term id in the high word, offset in the low word; the offset may exceed the term after a trip.
struct RawTail {
    std::int64_t value = 0;
    [[nodiscard]] std::int32_t term_id() const { return static_cast<std::int32_t>(value >> 32); }
    [[nodiscard]] std::int64_t raw_offset() const { return value & 0xFFFF'FFFFLL; }
    [[nodiscard]] std::int32_t offset(std::int32_t term_length) const {
        const std::int64_t raw = raw_offset();
        return raw < term_length ? static_cast<std::int32_t>(raw) : term_length;
    }
    static RawTail pack(std::int32_t term_id, std::int32_t offset) {
        return {(static_cast<std::int64_t>(term_id) << 32) | static_cast<std::uint32_t>(offset)};
    }
};

[[nodiscard]] constexpr std::int64_t log_file_length(std::int32_t term_length, std::int32_t page_size) {
    return base::align_up<std::int64_t>(
        std::int64_t{term_length} * kPartitionCount + kLogMetadataLength, page_size);
}

/// A mapped log. Copyable, two words; the mapping must outlive it.
class LogBuffer {
  public:
    LogBuffer() = default;

    /// Wraps a mapping whose metadata says how it is divided; the file is foreign, so every length is
    /// checked first.  errors: kGeneric with the field that is impossible.
    static Result<LogBuffer> open(std::span<std::byte> mapping);

    /// Wraps a fresh zeroed mapping and writes its metadata and default header.
    static LogBuffer create(std::span<std::byte> mapping, const LogMetadata& metadata);

    /// Sets the tails so that the first append lands at (term_id, offset); publications only.
    void init_tails(std::int32_t term_id, std::int32_t term_offset);

    [[nodiscard]] bool valid() const { return base_ != nullptr; }
    [[nodiscard]] std::int32_t term_length() const { return term_length_; }
    [[nodiscard]] std::int32_t initial_term_id() const { return initial_term_id_; }
    [[nodiscard]] std::int32_t mtu() const { return mtu_; }
    [[nodiscard]] int shift() const { return shift_; }
    [[nodiscard]] std::byte* term(int partition) const {
        return base_ + static_cast<std::int64_t>(partition) * term_length_;
    }
    [[nodiscard]] std::byte* at(std::int64_t position) const {
        return term(static_cast<int>((position >> shift_) % kPartitionCount)) +
               (position & (term_length_ - 1));
    }
    [[nodiscard]] std::byte* metadata() const { return metadata_; }
    [[nodiscard]] const std::byte* default_header() const {
        return metadata_ + log_field::kDefaultFrameHeader;
    }

    [[nodiscard]] RawTail tail_acquire(int partition) const {
        return {base::load_acquire<std::int64_t>(metadata_, tail_offset(partition))};
    }
    /// fetch-add on a tail; returns the value before.
    RawTail tail_get_and_add(int partition, std::int64_t delta) const {
        return {base::atomic_at<std::int64_t>(metadata_, tail_offset(partition))
                    .fetch_add(delta, std::memory_order_acq_rel)};
    }
    void tail_release(int partition, RawTail tail) const {
        base::store_release<std::int64_t>(metadata_, tail_offset(partition), tail.value);
    }
    [[nodiscard]] bool tail_compare_and_set(int partition, RawTail expected, RawTail desired) const {
        return base::atomic_at<std::int64_t>(metadata_, tail_offset(partition))
            .compare_exchange_strong(expected.value, desired.value, std::memory_order_acq_rel);
    }
    [[nodiscard]] std::int32_t active_term_count_acquire() const {
        return base::load_acquire<std::int32_t>(metadata_, log_field::kActiveTermCount);
    }
    void active_term_count_release(std::int32_t count) const {
        base::store_release<std::int32_t>(metadata_, log_field::kActiveTermCount, count);
    }
    [[nodiscard]] bool active_term_count_compare_and_set(std::int32_t expected, std::int32_t desired) const {
        return base::atomic_at<std::int32_t>(metadata_, log_field::kActiveTermCount)
            .compare_exchange_strong(expected, desired, std::memory_order_acq_rel);
    }
    [[nodiscard]] bool is_connected() const {
        return base::load_acquire<std::int32_t>(metadata_, log_field::kIsConnected) == 1;
    }
    void set_connected(bool connected) const {
        base::store_release<std::int32_t>(metadata_, log_field::kIsConnected, connected ? 1 : 0);
    }
    [[nodiscard]] std::int64_t end_of_stream_position() const {
        return base::load_acquire<std::int64_t>(metadata_, log_field::kEndOfStreamPosition);
    }
    void set_end_of_stream_position(std::int64_t position) const {
        base::store_release<std::int64_t>(metadata_, log_field::kEndOfStreamPosition, position);
    }
    [[nodiscard]] std::int32_t active_transport_count() const {
        return base::load_acquire<std::int32_t>(metadata_, log_field::kActiveTransportCount);
    }
    void set_active_transport_count(std::int32_t count) const {
        base::store_release<std::int32_t>(metadata_, log_field::kActiveTransportCount, count);
    }
    [[nodiscard]] LogMetadata read_metadata() const;

    /// Position the producers have claimed up to: derived from active term count and tail, clamped to
    /// the term, as shared memory may hold anything.
    [[nodiscard]] std::int64_t producer_position() const;

  private:
    static constexpr std::size_t tail_offset(int partition) {
        return log_field::kTermTailCounters + static_cast<std::size_t>(partition) * sizeof(std::int64_t);
    }

    std::byte* base_ = nullptr;
    std::byte* metadata_ = nullptr;
    std::int32_t term_length_ = 0;
    std::int32_t initial_term_id_ = 0;
    std::int32_t mtu_ = 0;
    int shift_ = 0;
};

}  // namespace fulmar::layout
