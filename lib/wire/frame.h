/// Aeron's frames: constants, header offsets, plain-value structs, and checked decoding of a datagram.
/// A log buffer holds these same frames, so the data header is defined here once for both.
/// units: bytes.  threads: pure functions.  source: Aeron transport protocol, UDP frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace fulmar::wire {

enum class FrameType : std::uint16_t {
    kPad = 0x00,
    kData = 0x01,
    kNak = 0x02,
    kStatusMessage = 0x03,
    kError = 0x04,
    kSetup = 0x05,
    kRttMeasurement = 0x06,
    kResolution = 0x07,
    kResponseSetup = 0x0B,
    kExtension = 0xFFFF,
};

inline constexpr std::int32_t kFrameAlignment = 32;
inline constexpr std::int32_t kFrameHeaderLength = 8;
inline constexpr std::int32_t kDataHeaderLength = 32;
inline constexpr std::int32_t kNakLength = 28;
inline constexpr std::int32_t kStatusMessageLength = 36;
inline constexpr std::int32_t kStatusMessageWithTagLength = 44;
inline constexpr std::int32_t kErrorHeaderLength = 40;
inline constexpr std::int32_t kSetupLength = 40;
inline constexpr std::int32_t kRttMeasurementLength = 40;
inline constexpr std::int32_t kResponseSetupLength = 20;
inline constexpr std::int32_t kResolutionLengthMin = 22;  ///< base header and one entry without a name
inline constexpr std::int32_t kErrorTextMax = 1023;
inline constexpr std::uint8_t kFrameVersion = 0;

inline constexpr std::int32_t kTermLengthMin = 64 * 1024;
inline constexpr std::int32_t kTermLengthMax = 1024 * 1024 * 1024;
inline constexpr std::int32_t kMtuMin = 64;  ///< header plus one aligned payload slot
inline constexpr std::int32_t kMtuMax = 65504;
inline constexpr std::int32_t kMessageLengthMax = 16 * 1024 * 1024;

namespace flag {
inline constexpr std::uint8_t kBegin = 0x80;          // DATA
inline constexpr std::uint8_t kEnd = 0x40;            // DATA
inline constexpr std::uint8_t kUnfragmented = 0xC0;   // DATA
inline constexpr std::uint8_t kEndOfStream = 0x20;    // DATA heartbeats
inline constexpr std::uint8_t kRevoked = 0x10;        // DATA heartbeats
inline constexpr std::uint8_t kSendSetup = 0x80;      // SM
inline constexpr std::uint8_t kSmEndOfStream = 0x40;  // SM
inline constexpr std::uint8_t kSendResponse = 0x80;   // SETUP
inline constexpr std::uint8_t kGroup = 0x40;          // SETUP
inline constexpr std::uint8_t kReply = 0x80;          // RTTM
inline constexpr std::uint8_t kHasGroupTag = 0x08;    // ERR
}  // namespace flag

/// Byte offsets inside the base and data headers.
namespace field {
inline constexpr std::size_t kFrameLength = 0;
inline constexpr std::size_t kVersion = 4;
inline constexpr std::size_t kFlags = 5;
inline constexpr std::size_t kType = 6;
inline constexpr std::size_t kTermOffset = 8;
inline constexpr std::size_t kSessionId = 12;
inline constexpr std::size_t kStreamId = 16;
inline constexpr std::size_t kTermId = 20;
inline constexpr std::size_t kReservedValue = 24;
}  // namespace field

/// The 8 bytes that open every frame. frame_length excludes alignment padding; 0 in a heartbeat.
struct FrameHeader {
    std::int32_t frame_length = 0;
    std::uint8_t version = kFrameVersion;
    std::uint8_t flags = 0;
    FrameType type = FrameType::kPad;
};

/// DATA and PAD.
struct DataHeader {
    std::int32_t frame_length = 0;
    std::uint8_t flags = 0;
    FrameType type = FrameType::kData;
    std::int32_t term_offset = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int32_t term_id = 0;
    std::int64_t reserved_value = 0;
};

struct Setup {
    std::uint8_t flags = 0;
    std::int32_t term_offset = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int32_t initial_term_id = 0;
    std::int32_t active_term_id = 0;
    std::int32_t term_length = 0;
    std::int32_t mtu = 0;
    std::int32_t ttl = 0;
};

struct StatusMessage {
    std::uint8_t flags = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int32_t consumption_term_id = 0;
    std::int32_t consumption_term_offset = 0;
    std::int32_t receiver_window = 0;
    std::int64_t receiver_id = 0;
    bool has_group_tag = false;
    std::int64_t group_tag = 0;
};

struct Nak {
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int32_t term_id = 0;
    std::int32_t term_offset = 0;
    std::int32_t length = 0;
};

struct RttMeasurement {
    std::uint8_t flags = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int64_t echo_timestamp = 0;
    std::int64_t reception_delta = 0;
    std::int64_t receiver_id = 0;
};

struct ErrorFrame {
    std::uint8_t flags = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int64_t receiver_id = 0;
    std::int64_t group_tag = 0;
    std::int32_t error_code = 0;
    std::string_view text;  ///< points into the decoded datagram
};

struct ResponseSetup {
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int32_t response_session_id = 0;
};

/// Why a datagram is not a frame we accept; every value is counted as an invalid packet.
enum class FrameFault : std::uint8_t {
    kNone,
    kTruncated,       ///< shorter than the header its type needs
    kNegativeLength,  ///< frame_length below zero
    kVersion,         ///< version byte is not 0
    kType,            ///< a type this driver does not accept
    kMisaligned,      ///< DATA datagram length not a multiple of 32
    kLength,          ///< frame_length beyond the datagram, or an inner length out of range
};

/// Checks the envelope of a datagram: length, version, type, and the minimum each type needs.
/// On kNone the matching read_* below may be called without further length checks.
[[nodiscard]] FrameFault check_datagram(std::span<const std::byte> datagram);

/// The two that run once per packet and once per log frame are inline.
[[nodiscard]] inline FrameHeader read_frame_header(const std::byte* frame) {
    return {
        .frame_length = base::load_le<std::int32_t>(frame, field::kFrameLength),
        .version = base::load_le<std::uint8_t>(frame, field::kVersion),
        .flags = base::load_le<std::uint8_t>(frame, field::kFlags),
        .type = static_cast<FrameType>(base::load_le<std::uint16_t>(frame, field::kType)),
    };
}
[[nodiscard]] inline DataHeader read_data_header(const std::byte* frame) {
    return {
        .frame_length = base::load_le<std::int32_t>(frame, field::kFrameLength),
        .flags = base::load_le<std::uint8_t>(frame, field::kFlags),
        .type = static_cast<FrameType>(base::load_le<std::uint16_t>(frame, field::kType)),
        .term_offset = base::load_le<std::int32_t>(frame, field::kTermOffset),
        .session_id = base::load_le<std::int32_t>(frame, field::kSessionId),
        .stream_id = base::load_le<std::int32_t>(frame, field::kStreamId),
        .term_id = base::load_le<std::int32_t>(frame, field::kTermId),
        .reserved_value = base::load_le<std::int64_t>(frame, field::kReservedValue),
    };
}
[[nodiscard]] Setup read_setup(const std::byte* frame);
[[nodiscard]] StatusMessage read_status_message(const std::byte* frame);
[[nodiscard]] Nak read_nak(const std::byte* frame);
[[nodiscard]] RttMeasurement read_rtt_measurement(const std::byte* frame);
[[nodiscard]] ErrorFrame read_error(const std::byte* frame);
[[nodiscard]] ResponseSetup read_response_setup(const std::byte* frame);

/// Writers fill exactly the type's length at `frame` and return it. Room is the caller's business.
/// An error text is cut at kErrorTextMax.
inline std::int32_t write_data_header(std::byte* frame, const DataHeader& value) {
    base::store_le(frame, field::kFrameLength, value.frame_length);
    base::store_le(frame, field::kVersion, kFrameVersion);
    base::store_le(frame, field::kFlags, value.flags);
    base::store_le(frame, field::kType, static_cast<std::uint16_t>(value.type));
    base::store_le(frame, field::kTermOffset, value.term_offset);
    base::store_le(frame, field::kSessionId, value.session_id);
    base::store_le(frame, field::kStreamId, value.stream_id);
    base::store_le(frame, field::kTermId, value.term_id);
    base::store_le(frame, field::kReservedValue, value.reserved_value);
    return kDataHeaderLength;
}
std::int32_t write_setup(std::byte* frame, const Setup& value);
std::int32_t write_status_message(std::byte* frame, const StatusMessage& value);
std::int32_t write_nak(std::byte* frame, const Nak& value);
std::int32_t write_rtt_measurement(std::byte* frame, const RttMeasurement& value);
std::int32_t write_error(std::byte* frame, const ErrorFrame& value);
std::int32_t write_response_setup(std::byte* frame, const ResponseSetup& value);

/// Length word of a frame in a log: acquire; pairs with the release that published the frame.
[[nodiscard]] inline std::int32_t frame_length_acquire(const std::byte* frame) {
    return base::load_acquire<std::int32_t>(frame, field::kFrameLength);
}
inline void frame_length_release(std::byte* frame, std::int32_t length) {
    base::store_release<std::int32_t>(frame, field::kFrameLength, length);
}
[[nodiscard]] inline bool is_padding(const std::byte* frame) {
    return base::load_le<std::uint16_t>(frame, field::kType) == static_cast<std::uint16_t>(FrameType::kPad);
}
[[nodiscard]] constexpr std::int32_t align_frame(std::int32_t length) {
    return base::align_up(length, kFrameAlignment);
}

}  // namespace fulmar::wire
