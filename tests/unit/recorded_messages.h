/// The messages in a recorded segment of a log.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include "wire/frame.h"

namespace fulmar::test {

/// Walks the frames to the first that has no length, and puts fragments together.
inline std::vector<std::vector<std::byte>> recorded_messages(std::span<const std::byte> segment) {
    std::vector<std::vector<std::byte>> messages;
    std::size_t at = 0;
    while (at + wire::kDataHeaderLength <= segment.size()) {
        const std::byte* frame = segment.data() + at;
        const wire::DataHeader header = wire::read_data_header(frame);
        if (header.frame_length <= 0) {
            break;
        }
        REQUIRE(at + static_cast<std::size_t>(header.frame_length) <= segment.size());
        if (!wire::is_padding(frame)) {
            if ((header.flags & wire::flag::kBegin) != 0) {
                messages.emplace_back();
            }
            messages.back().insert(
                messages.back().end(), frame + wire::kDataHeaderLength, frame + header.frame_length);
        }
        at += static_cast<std::size_t>(wire::align_frame(header.frame_length));
    }
    return messages;
}

}  // namespace fulmar::test
