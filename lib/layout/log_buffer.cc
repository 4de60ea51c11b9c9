#include "layout/log_buffer.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/assert.h"
#include "base/position.h"

namespace fulmar::layout {
namespace {

using base::load_le;
using base::store_le;

constexpr std::int32_t kTermLengthMin = 64 * 1024;
constexpr std::int32_t kTermLengthMax = 1024 * 1024 * 1024;
constexpr std::int32_t kDataHeaderLength = 32;
constexpr std::int32_t kMtuMax = 65504;

/// Offsets inside the default header, which is a data frame's; layout does not depend on wire.
constexpr std::size_t kHeaderFlags = 5;
constexpr std::size_t kHeaderType = 6;
constexpr std::size_t kHeaderSessionId = 12;
constexpr std::size_t kHeaderStreamId = 16;
constexpr std::size_t kHeaderTermId = 20;
constexpr std::uint8_t kUnfragmented = 0xC0;
constexpr std::uint16_t kDataType = 1;

Unexpected<Error> impossible(const char* field, std::int64_t value) {
    return fail(ErrorCode::kGeneric, "log buffer: " + std::string(field) + "=" + std::to_string(value) +
                                         " is impossible; the file is not "
                                         "a log or is damaged");
}

bool is_size(std::int32_t value, std::int32_t least, std::int32_t most) {
    return value >= least && value <= most && base::is_power_of_two(value);
}

bool read_flag(const std::byte* metadata, std::size_t offset) {
    return load_le<std::uint8_t>(metadata, offset) != 0;
}

void write_flag(std::byte* metadata, std::size_t offset, bool value) {
    store_le(metadata, offset, static_cast<std::uint8_t>(value ? 1 : 0));
}

void write_default_header(std::byte* metadata, const LogMetadata& value) {
    store_le(metadata, log_field::kDefaultFrameHeaderLength, kDataHeaderLength);
    std::byte* header = metadata + log_field::kDefaultFrameHeader;
    store_le(header, kHeaderFlags, kUnfragmented);
    store_le(header, kHeaderType, kDataType);
    store_le(header, kHeaderSessionId, value.session_id);
    store_le(header, kHeaderStreamId, value.stream_id);
    store_le(header, kHeaderTermId, value.initial_term_id);
}

void write_lengths(std::byte* metadata, const LogMetadata& value) {
    store_le(metadata, log_field::kMtuLength, value.mtu);
    store_le(metadata, log_field::kTermLength, value.term_length);
    store_le(metadata, log_field::kPageSize, value.page_size);
    store_le(metadata, log_field::kPublicationWindowLength, value.publication_window_length);
    store_le(metadata, log_field::kReceiverWindowLength, value.receiver_window_length);
    store_le(metadata, log_field::kSocketSndbufLength, value.socket_sndbuf_length);
    store_le(metadata, log_field::kOsDefaultSocketSndbufLength, value.os_default_socket_sndbuf_length);
    store_le(metadata, log_field::kOsMaxSocketSndbufLength, value.os_max_socket_sndbuf_length);
    store_le(metadata, log_field::kSocketRcvbufLength, value.socket_rcvbuf_length);
    store_le(metadata, log_field::kOsDefaultSocketRcvbufLength, value.os_default_socket_rcvbuf_length);
    store_le(metadata, log_field::kOsMaxSocketRcvbufLength, value.os_max_socket_rcvbuf_length);
}

void write_options(std::byte* metadata, const LogMetadata& value) {
    store_le(metadata, log_field::kMaxResend, value.max_resend);
    store_le(metadata, log_field::kEntityTag, value.entity_tag);
    store_le(metadata, log_field::kResponseCorrelationId, value.response_correlation_id);
    store_le(metadata, log_field::kLingerTimeoutNs, value.linger_timeout_ns);
    store_le(metadata, log_field::kUntetheredWindowLimitTimeoutNs, value.untethered_window_limit_timeout_ns);
    store_le(metadata, log_field::kUntetheredLingerTimeoutNs, value.untethered_linger_timeout_ns);
    store_le(metadata, log_field::kUntetheredRestingTimeoutNs, value.untethered_resting_timeout_ns);
    write_flag(metadata, log_field::kGroup, value.group);
    write_flag(metadata, log_field::kIsResponse, value.is_response);
    write_flag(metadata, log_field::kRejoin, value.rejoin);
    write_flag(metadata, log_field::kReliable, value.reliable);
    write_flag(metadata, log_field::kSparse, value.sparse);
    write_flag(metadata, log_field::kSignalEos, value.signal_eos);
    write_flag(metadata, log_field::kSpiesSimulateConnection, value.spies_simulate_connection);
    write_flag(metadata, log_field::kTether, value.tether);
    store_le(metadata, log_field::kType, static_cast<std::uint8_t>(value.type));
}

}  // namespace

Result<LogBuffer> LogBuffer::open(std::span<std::byte> mapping) {
    const auto size = static_cast<std::int64_t>(mapping.size());
    if (size < log_file_length(kTermLengthMin, kPageSizeMin)) {
        return impossible("file length", size);
    }
    std::byte* metadata = mapping.data() + size - kLogMetadataLength;
    const auto term_length = load_le<std::int32_t>(metadata, log_field::kTermLength);
    if (!is_size(term_length, kTermLengthMin, kTermLengthMax)) {
        return impossible("term length", term_length);
    }
    const auto page_size = load_le<std::int32_t>(metadata, log_field::kPageSize);
    if (!is_size(page_size, kPageSizeMin, kPageSizeMax)) {
        return impossible("page size", page_size);
    }
    if (size != log_file_length(term_length, page_size)) {
        return impossible("file length", size);
    }
    const auto header_length = load_le<std::int32_t>(metadata, log_field::kDefaultFrameHeaderLength);
    if (header_length != kDataHeaderLength) {
        return impossible("default header length", header_length);
    }
    const auto mtu = load_le<std::int32_t>(metadata, log_field::kMtuLength);
    if (mtu <= kDataHeaderLength || mtu > kMtuMax || !base::is_aligned(mtu, kDataHeaderLength)) {
        return impossible("mtu", mtu);
    }
    LogBuffer log;
    log.base_ = mapping.data();
    log.metadata_ = metadata;
    log.term_length_ = term_length;
    log.initial_term_id_ = load_le<std::int32_t>(metadata, log_field::kInitialTermId);
    log.mtu_ = mtu;
    log.shift_ = base::term_length_shift(term_length);
    return log;
}

LogBuffer LogBuffer::create(std::span<std::byte> mapping, const LogMetadata& value) {
    const auto size = static_cast<std::int64_t>(mapping.size());
    FULMAR_ASSERT(is_size(value.term_length, kTermLengthMin, kTermLengthMax), "checked with the channel");
    FULMAR_ASSERT(is_size(value.page_size, kPageSizeMin, kPageSizeMax), "checked with the configuration");
    FULMAR_ASSERT(size == log_file_length(value.term_length, value.page_size), "the file was made for it");

    LogBuffer log;
    log.base_ = mapping.data();
    log.metadata_ = mapping.data() + size - kLogMetadataLength;
    log.term_length_ = value.term_length;
    log.initial_term_id_ = value.initial_term_id;
    log.mtu_ = value.mtu;
    log.shift_ = base::term_length_shift(value.term_length);

    store_le(log.metadata_, log_field::kCorrelationId, value.correlation_id);
    store_le(log.metadata_, log_field::kInitialTermId, value.initial_term_id);
    write_lengths(log.metadata_, value);
    write_options(log.metadata_, value);
    write_default_header(log.metadata_, value);
    log.set_end_of_stream_position(std::numeric_limits<std::int64_t>::max());
    return log;
}

void LogBuffer::init_tails(std::int32_t term_id, std::int32_t term_offset) {
    const std::int32_t count = base::wrapping_subtract(term_id, initial_term_id_);
    FULMAR_ASSERT(count >= 0, "a stream starts at or after its initial term");
    const int active = count % kPartitionCount;
    tail_release(active, RawTail::pack(term_id, term_offset));
    for (int i = 1; i < kPartitionCount; ++i) {
        // What the rotation into this partition expects to find: the term it held one round ago.
        const std::int32_t expected = base::wrapping_add(term_id, i - kPartitionCount);
        tail_release((active + i) % kPartitionCount, RawTail::pack(expected, 0));
    }
    active_term_count_release(count);
}

LogMetadata LogBuffer::read_metadata() const {
    const std::byte* m = metadata_;
    const std::byte* header = default_header();
    return {
        .correlation_id = load_le<std::int64_t>(m, log_field::kCorrelationId),
        .initial_term_id = initial_term_id_,
        .mtu = mtu_,
        .term_length = term_length_,
        .page_size = load_le<std::int32_t>(m, log_field::kPageSize),
        .publication_window_length = load_le<std::int32_t>(m, log_field::kPublicationWindowLength),
        .receiver_window_length = load_le<std::int32_t>(m, log_field::kReceiverWindowLength),
        .socket_sndbuf_length = load_le<std::int32_t>(m, log_field::kSocketSndbufLength),
        .os_default_socket_sndbuf_length = load_le<std::int32_t>(m, log_field::kOsDefaultSocketSndbufLength),
        .os_max_socket_sndbuf_length = load_le<std::int32_t>(m, log_field::kOsMaxSocketSndbufLength),
        .socket_rcvbuf_length = load_le<std::int32_t>(m, log_field::kSocketRcvbufLength),
        .os_default_socket_rcvbuf_length = load_le<std::int32_t>(m, log_field::kOsDefaultSocketRcvbufLength),
        .os_max_socket_rcvbuf_length = load_le<std::int32_t>(m, log_field::kOsMaxSocketRcvbufLength),
        .max_resend = load_le<std::int32_t>(m, log_field::kMaxResend),
        .session_id = load_le<std::int32_t>(header, kHeaderSessionId),
        .stream_id = load_le<std::int32_t>(header, kHeaderStreamId),
        .entity_tag = load_le<std::int64_t>(m, log_field::kEntityTag),
        .response_correlation_id = load_le<std::int64_t>(m, log_field::kResponseCorrelationId),
        .linger_timeout_ns = load_le<std::int64_t>(m, log_field::kLingerTimeoutNs),
        .untethered_window_limit_timeout_ns =
            load_le<std::int64_t>(m, log_field::kUntetheredWindowLimitTimeoutNs),
        .untethered_linger_timeout_ns = load_le<std::int64_t>(m, log_field::kUntetheredLingerTimeoutNs),
        .untethered_resting_timeout_ns = load_le<std::int64_t>(m, log_field::kUntetheredRestingTimeoutNs),
        .group = read_flag(m, log_field::kGroup),
        .is_response = read_flag(m, log_field::kIsResponse),
        .rejoin = read_flag(m, log_field::kRejoin),
        .reliable = read_flag(m, log_field::kReliable),
        .sparse = read_flag(m, log_field::kSparse),
        .signal_eos = read_flag(m, log_field::kSignalEos),
        .spies_simulate_connection = read_flag(m, log_field::kSpiesSimulateConnection),
        .tether = read_flag(m, log_field::kTether),
        .type = static_cast<LogType>(load_le<std::uint8_t>(m, log_field::kType)),
    };
}

std::int64_t LogBuffer::producer_position() const {
    // A rotation moves the next tail before the count, so a mismatch means that we looked between the two
    // or were overtaken: look again. Whoever writes nonsense instead gets the start of the counted term.
    constexpr int kAttemptsMax = 3;
    std::int32_t count = 0;
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
        count = std::max(active_term_count_acquire(), std::int32_t{0});
        const RawTail tail = tail_acquire(count % kPartitionCount);
        if (base::wrapping_subtract(tail.term_id(), initial_term_id_) == count) {
            return (std::int64_t{count} << shift_) + tail.offset(term_length_);
        }
    }
    return std::int64_t{count} << shift_;
}

}  // namespace fulmar::layout
