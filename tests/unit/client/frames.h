/// Frames as a driver or publisher would leave them in a log.
#pragma once

#include <cstring>
#include <string_view>

#include "base/position.h"
#include "layout/log_buffer.h"
#include "wire/frame.h"

namespace fulmar::client::test {

struct FrameToPut {
    std::int64_t position = 0;
    std::uint8_t flags = wire::flag::kUnfragmented;
    wire::FrameType type = wire::FrameType::kData;
    std::int32_t session_id = 777;
    std::int64_t reserved_value = 0;
};

/// Returns the position after it.
inline std::int64_t put_frame(const layout::LogBuffer& log, const FrameToPut& put, std::string_view payload) {
    std::byte* frame = log.at(put.position);
    wire::DataHeader header;
    header.flags = put.flags;
    header.type = put.type;
    header.term_offset = base::compute_term_offset(put.position, log.term_length());
    header.session_id = put.session_id;
    header.stream_id = 1001;
    header.term_id = base::compute_term_id(put.position, log.shift(), log.initial_term_id());
    header.reserved_value = put.reserved_value;
    wire::write_data_header(frame, header);
    if (!payload.empty()) {
        std::memcpy(frame + wire::kDataHeaderLength, payload.data(), payload.size());
    }
    const auto length = static_cast<std::int32_t>(payload.size()) + wire::kDataHeaderLength;
    wire::frame_length_release(frame, length);
    return put.position + wire::align_frame(length);
}

inline std::int64_t put_message(const layout::LogBuffer& log, std::int64_t position, std::string_view payload,
    std::int32_t session_id = 777) {
    return put_frame(log, {.position = position, .session_id = session_id}, payload);
}

/// Padding of `length` bytes, header included.
inline std::int64_t put_padding(const layout::LogBuffer& log, std::int64_t position, std::int32_t length) {
    put_frame(log, {.position = position, .type = wire::FrameType::kPad}, {});
    wire::frame_length_release(log.at(position), length);
    return position + length;
}

}  // namespace fulmar::client::test
