/// CRC-32C: of bytes, and as Aeron's archive puts it into frames.
/// threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace fulmar::archive {

/// Of `bytes` behind others whose checksum is `before`: crc32c(b, crc32c(a)) is that of a and b together.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

/// What a data frame's session id holds in a recording with frame checksums: CRC-32C over all of `frame`
/// behind its header. `frame` has its aligned length.  source: Aeron Archive's record checksum.
[[nodiscard]] std::int32_t frame_checksum(std::span<const std::byte> frame);

/// Puts it into each data frame of `block`, which is whole frames; padding is left alone.
void checksum_frames(std::span<std::byte> block);

/// crc32c of a block of whole frames as it was with this session id in its data frames. Aeron's archive tool
/// puts checksums into the frames of recordings that were made without; nothing where not all of them hold
/// one.
[[nodiscard]] std::optional<std::uint32_t> crc32c_before_frame_checksums(
    std::span<const std::byte> block, std::int32_t session_id);

/// Whether a frame of its aligned length holds it. Padding always does.
[[nodiscard]] bool frame_checksum_matches(std::span<const std::byte> frame);

}  // namespace fulmar::archive
