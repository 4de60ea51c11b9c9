/// A log in heap memory, filled bodies, and readers that say what stands in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "layout/log_buffer.h"
#include "term/append.h"
#include "wire/frame.h"

namespace fulmar::term::testing {

inline constexpr std::int32_t kTermLength = 64 * 1024;
inline constexpr std::int32_t kMtu = 1408;
inline constexpr std::int32_t kPayloadMax = kMtu - wire::kDataHeaderLength;
inline constexpr std::int64_t kNoLimit = INT64_MAX;
inline constexpr StreamIds kIds{.session_id = 0x5e5510, .stream_id = 1001};

class TestLog {
  public:
    explicit TestLog(
        std::int32_t initial_term_id = 7, std::int32_t term_count = 0, std::int32_t term_offset = 0)
        : storage_(
              static_cast<std::size_t>(layout::log_file_length(kTermLength, 4096)) / sizeof(std::int64_t)) {
        layout::LogMetadata metadata;
        metadata.initial_term_id = initial_term_id;
        metadata.mtu = kMtu;
        metadata.term_length = kTermLength;
        metadata.session_id = kIds.session_id;
        metadata.stream_id = kIds.stream_id;
        log = layout::LogBuffer::create(std::as_writable_bytes(std::span(storage_)), metadata);
        log.init_tails(base::wrapping_add(initial_term_id, term_count), term_offset);
    }

    std::int64_t append(std::int32_t length, std::int64_t limit = kNoLimit) {
        const std::vector<std::byte> body(static_cast<std::size_t>(length), std::byte{0x5A});
        const std::span<const std::byte> piece(body);
        return append_concurrent(log, kIds, limit, Buffers(&piece, 1), length, 0);
    }

    [[nodiscard]] std::int32_t length_at(std::int64_t position) const {
        return wire::frame_length_acquire(log.at(position));
    }
    [[nodiscard]] bool padding_at(std::int64_t position) const { return wire::is_padding(log.at(position)); }
    void scribble_length(std::int64_t position, std::int32_t length) const {
        wire::frame_length_release(log.at(position), length);
    }

    layout::LogBuffer log;

  private:
    std::vector<std::int64_t> storage_;
};

/// A body in which each byte tells its index.
inline std::vector<std::byte> numbered_body(std::size_t length) {
    std::vector<std::byte> body(length);
    for (std::size_t i = 0; i < length; ++i) {
        body[i] = static_cast<std::byte>(i * 7 + 1);
    }
    return body;
}

/// Dies at the n-th time it passes a point.
struct DieAt {
    KillPoint point = KillPoint::kAfterTail;
    int countdown = 1;
    bool dies(KillPoint passed) { return passed == point && --countdown == 0; }
};

}  // namespace fulmar::term::testing
