/// The record format of the in-process byte rings: an 8-byte header, then the body, padded to 8 bytes. Never
/// leaves the process; ShmMpscRing and ShmBroadcast have Aeron's format instead.
/// threads: pure functions.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace fulmar::ring {

/// Length and type travel as one word, so that one store publishes both.
struct ByteRecordHeader {
    std::uint32_t length = 0;  ///< header and body, without the padding to 8; 0 is "nothing here yet"
    std::int32_t type = 0;
};
static_assert(sizeof(ByteRecordHeader) == 8);

inline constexpr std::size_t kByteRecordAlignment = 8;
inline constexpr std::size_t kByteRecordHeaderBytes = sizeof(ByteRecordHeader);
/// The record that fills the end of the buffer when the next one does not fit; user types are >= 0.
inline constexpr std::int32_t kPaddingType = -1;

[[nodiscard]] constexpr std::size_t byte_record_bytes(std::size_t body_length) {
    return base::align_up(body_length + kByteRecordHeaderBytes, kByteRecordAlignment);
}

[[nodiscard]] constexpr std::uint64_t pack_header(ByteRecordHeader header) {
    return std::bit_cast<std::uint64_t>(header);
}
[[nodiscard]] constexpr ByteRecordHeader unpack_header(std::uint64_t word) {
    return std::bit_cast<ByteRecordHeader>(word);
}

}  // namespace fulmar::ring
