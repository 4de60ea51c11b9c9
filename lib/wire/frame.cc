#include "wire/frame.h"

#include <algorithm>

namespace fulmar::wire {
namespace {

using base::load_le;
using base::store_le;

constexpr std::size_t kErrorLengthField = 36;

std::size_t control_length_min(FrameType type) {
    switch (type) {
        case FrameType::kNak: return kNakLength;
        case FrameType::kStatusMessage: return kStatusMessageLength;
        case FrameType::kError: return kErrorHeaderLength;
        case FrameType::kSetup: return kSetupLength;
        case FrameType::kRttMeasurement: return kRttMeasurementLength;
        case FrameType::kResolution: return kResolutionLengthMin;
        case FrameType::kResponseSetup: return kResponseSetupLength;
        default: return 0;
    }
}

FrameFault check_data(std::span<const std::byte> datagram, const FrameHeader& header) {
    if (datagram.size() < kDataHeaderLength) {
        return FrameFault::kTruncated;
    }
    if (datagram.size() % kFrameAlignment != 0) {
        return FrameFault::kMisaligned;
    }
    if (header.frame_length == 0) {  // a heartbeat is a header and nothing else
        const bool is_heartbeat = header.type == FrameType::kData && datagram.size() == kDataHeaderLength;
        return is_heartbeat ? FrameFault::kNone : FrameFault::kLength;
    }
    if (header.frame_length < kDataHeaderLength) {
        return FrameFault::kLength;
    }
    // A PAD states the run it stands for and carries only its header.
    const auto length = static_cast<std::size_t>(header.frame_length);
    const bool is_whole = header.type == FrameType::kPad || length <= datagram.size();
    return is_whole ? FrameFault::kNone : FrameFault::kLength;
}

FrameFault check_control(std::span<const std::byte> datagram, const FrameHeader& header) {
    const std::size_t length_min = control_length_min(header.type);
    if (length_min == 0) {
        return FrameFault::kType;
    }
    if (datagram.size() < length_min) {
        return FrameFault::kTruncated;
    }
    if (static_cast<std::size_t>(header.frame_length) > datagram.size()) {
        return FrameFault::kLength;
    }
    if (header.type == FrameType::kError) {
        const auto text_length = load_le<std::int32_t>(datagram.data(), kErrorLengthField);
        const bool is_inside = text_length >= 0 && text_length <= kErrorTextMax &&
                               kErrorHeaderLength + text_length <= header.frame_length;
        return is_inside ? FrameFault::kNone : FrameFault::kLength;
    }
    return FrameFault::kNone;
}

void write_frame_header(std::byte* frame, std::int32_t length, std::uint8_t flags, FrameType type) {
    store_le(frame, field::kFrameLength, length);
    store_le(frame, field::kVersion, kFrameVersion);
    store_le(frame, field::kFlags, flags);
    store_le(frame, field::kType, static_cast<std::uint16_t>(type));
}

}  // namespace

FrameFault check_datagram(std::span<const std::byte> datagram) {
    if (datagram.size() < kFrameHeaderLength) {
        return FrameFault::kTruncated;
    }
    const FrameHeader header = read_frame_header(datagram.data());
    if (header.frame_length < 0) {
        return FrameFault::kNegativeLength;
    }
    if (header.version != kFrameVersion) {
        return FrameFault::kVersion;
    }
    if (header.type == FrameType::kData || header.type == FrameType::kPad) {
        return check_data(datagram, header);
    }
    return check_control(datagram, header);
}

Setup read_setup(const std::byte* frame) {
    return {
        .flags = load_le<std::uint8_t>(frame, field::kFlags),
        .term_offset = load_le<std::int32_t>(frame, 8),
        .session_id = load_le<std::int32_t>(frame, 12),
        .stream_id = load_le<std::int32_t>(frame, 16),
        .initial_term_id = load_le<std::int32_t>(frame, 20),
        .active_term_id = load_le<std::int32_t>(frame, 24),
        .term_length = load_le<std::int32_t>(frame, 28),
        .mtu = load_le<std::int32_t>(frame, 32),
        .ttl = load_le<std::int32_t>(frame, 36),
    };
}

StatusMessage read_status_message(const std::byte* frame) {
    StatusMessage value{
        .flags = load_le<std::uint8_t>(frame, field::kFlags),
        .session_id = load_le<std::int32_t>(frame, 8),
        .stream_id = load_le<std::int32_t>(frame, 12),
        .consumption_term_id = load_le<std::int32_t>(frame, 16),
        .consumption_term_offset = load_le<std::int32_t>(frame, 20),
        .receiver_window = load_le<std::int32_t>(frame, 24),
        .receiver_id = load_le<std::int64_t>(frame, 28),
    };
    // check_datagram has seen that frame_length lies inside the datagram, so the tag does too.
    if (load_le<std::int32_t>(frame, field::kFrameLength) == kStatusMessageWithTagLength) {
        value.has_group_tag = true;
        value.group_tag = load_le<std::int64_t>(frame, 36);
    }
    return value;
}

Nak read_nak(const std::byte* frame) {
    return {
        .session_id = load_le<std::int32_t>(frame, 8),
        .stream_id = load_le<std::int32_t>(frame, 12),
        .term_id = load_le<std::int32_t>(frame, 16),
        .term_offset = load_le<std::int32_t>(frame, 20),
        .length = load_le<std::int32_t>(frame, 24),
    };
}

RttMeasurement read_rtt_measurement(const std::byte* frame) {
    return {
        .flags = load_le<std::uint8_t>(frame, field::kFlags),
        .session_id = load_le<std::int32_t>(frame, 8),
        .stream_id = load_le<std::int32_t>(frame, 12),
        .echo_timestamp = load_le<std::int64_t>(frame, 16),
        .reception_delta = load_le<std::int64_t>(frame, 24),
        .receiver_id = load_le<std::int64_t>(frame, 32),
    };
}

ErrorFrame read_error(const std::byte* frame) {
    const auto text_length =
        std::clamp(load_le<std::int32_t>(frame, kErrorLengthField), std::int32_t{0}, kErrorTextMax);
    return {
        .flags = load_le<std::uint8_t>(frame, field::kFlags),
        .session_id = load_le<std::int32_t>(frame, 8),
        .stream_id = load_le<std::int32_t>(frame, 12),
        .receiver_id = load_le<std::int64_t>(frame, 16),
        .group_tag = load_le<std::int64_t>(frame, 24),
        .error_code = load_le<std::int32_t>(frame, 32),
        .text = {reinterpret_cast<const char*>(frame + kErrorHeaderLength),
            static_cast<std::size_t>(text_length)},
    };
}

ResponseSetup read_response_setup(const std::byte* frame) {
    return {
        .session_id = load_le<std::int32_t>(frame, 8),
        .stream_id = load_le<std::int32_t>(frame, 12),
        .response_session_id = load_le<std::int32_t>(frame, 16),
    };
}

std::int32_t write_setup(std::byte* frame, const Setup& value) {
    write_frame_header(frame, kSetupLength, value.flags, FrameType::kSetup);
    store_le(frame, 8, value.term_offset);
    store_le(frame, 12, value.session_id);
    store_le(frame, 16, value.stream_id);
    store_le(frame, 20, value.initial_term_id);
    store_le(frame, 24, value.active_term_id);
    store_le(frame, 28, value.term_length);
    store_le(frame, 32, value.mtu);
    store_le(frame, 36, value.ttl);
    return kSetupLength;
}

std::int32_t write_status_message(std::byte* frame, const StatusMessage& value) {
    const std::int32_t length = value.has_group_tag ? kStatusMessageWithTagLength : kStatusMessageLength;
    write_frame_header(frame, length, value.flags, FrameType::kStatusMessage);
    store_le(frame, 8, value.session_id);
    store_le(frame, 12, value.stream_id);
    store_le(frame, 16, value.consumption_term_id);
    store_le(frame, 20, value.consumption_term_offset);
    store_le(frame, 24, value.receiver_window);
    store_le(frame, 28, value.receiver_id);
    if (value.has_group_tag) {
        store_le(frame, 36, value.group_tag);
    }
    return length;
}

std::int32_t write_nak(std::byte* frame, const Nak& value) {
    write_frame_header(frame, kNakLength, 0, FrameType::kNak);
    store_le(frame, 8, value.session_id);
    store_le(frame, 12, value.stream_id);
    store_le(frame, 16, value.term_id);
    store_le(frame, 20, value.term_offset);
    store_le(frame, 24, value.length);
    return kNakLength;
}

std::int32_t write_rtt_measurement(std::byte* frame, const RttMeasurement& value) {
    write_frame_header(frame, kRttMeasurementLength, value.flags, FrameType::kRttMeasurement);
    store_le(frame, 8, value.session_id);
    store_le(frame, 12, value.stream_id);
    store_le(frame, 16, value.echo_timestamp);
    store_le(frame, 24, value.reception_delta);
    store_le(frame, 32, value.receiver_id);
    return kRttMeasurementLength;
}

std::int32_t write_error(std::byte* frame, const ErrorFrame& value) {
    const auto text = value.text.substr(0, kErrorTextMax);
    const auto text_length = static_cast<std::int32_t>(text.size());
    write_frame_header(frame, kErrorHeaderLength + text_length, value.flags, FrameType::kError);
    store_le(frame, 8, value.session_id);
    store_le(frame, 12, value.stream_id);
    store_le(frame, 16, value.receiver_id);
    store_le(frame, 24, value.group_tag);
    store_le(frame, 32, value.error_code);
    store_le(frame, kErrorLengthField, text_length);
    std::copy_n(text.data(), text.size(), reinterpret_cast<char*>(frame) + kErrorHeaderLength);
    return kErrorHeaderLength + text_length;
}

std::int32_t write_response_setup(std::byte* frame, const ResponseSetup& value) {
    write_frame_header(frame, kResponseSetupLength, 0, FrameType::kResponseSetup);
    store_le(frame, 8, value.session_id);
    store_le(frame, 12, value.stream_id);
    store_le(frame, 16, value.response_session_id);
    return kResponseSetupLength;
}

}  // namespace fulmar::wire
