/// The record format that the shared-memory ring and broadcast have in common: int32 length (header and body,
/// without padding), int32 type, body, padded to 8 bytes.
/// threads: pure functions.  source: Aeron ring buffer and broadcast record descriptors.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace fulmar::ring {

inline constexpr std::size_t kShmRecordAlignment = 8;
inline constexpr std::size_t kShmRecordHeaderBytes = 8;
inline constexpr std::size_t kShmRecordTypeOffset = 4;
inline constexpr std::int32_t kShmPaddingType = -1;
/// A message is at most this part of the capacity, so that a lap is never one record.
inline constexpr std::size_t kShmMessagesPerLapMin = 8;

[[nodiscard]] constexpr std::size_t shm_record_bytes(std::size_t record_length) {
    return base::align_up(record_length, kShmRecordAlignment);
}

/// Types below 1 are not messages.
[[nodiscard]] constexpr bool is_message_type(std::int32_t type) {
    return type >= 1;
}

}  // namespace fulmar::ring
