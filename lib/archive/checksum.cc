#include "archive/checksum.h"

#include <algorithm>
#include <array>
#include <isa-l/crc.h>

#include "base/bytes.h"
#include "wire/frame.h"

namespace fulmar::archive {

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) {
    // The library counts in int and leaves both complements to its caller.
    constexpr std::size_t kPartMax = std::size_t{1} << 30;
    std::uint32_t crc = ~before;
    while (!bytes.empty()) {
        const auto part = bytes.first(std::min(bytes.size(), kPartMax));
        auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(part.data()));
        crc = ::crc32_iscsi(data, static_cast<int>(part.size()), crc);
        bytes = bytes.subspan(part.size());
    }
    return ~crc;
}

std::int32_t frame_checksum(std::span<const std::byte> frame) {
    return static_cast<std::int32_t>(crc32c(frame.subspan(wire::kDataHeaderLength)));
}

void checksum_frames(std::span<std::byte> block) {
    while (block.size() >= wire::kDataHeaderLength) {
        const auto length = base::load_le<std::int32_t>(block.data(), wire::field::kFrameLength);
        if (length <= 0) {
            return;
        }
        const auto frame =
            block.first(std::min(block.size(), static_cast<std::size_t>(wire::align_frame(length))));
        if (!wire::is_padding(frame.data())) {
            base::store_le(frame.data(), wire::field::kSessionId, frame_checksum(frame));
        }
        block = block.subspan(frame.size());
    }
}

std::optional<std::uint32_t> crc32c_before_frame_checksums(
    std::span<const std::byte> block, std::int32_t session_id) {
    std::uint32_t crc = 0;
    while (!block.empty()) {
        std::array<std::byte, wire::kDataHeaderLength> header;
        if (block.size() < header.size()) {
            return std::nullopt;
        }
        std::copy_n(block.begin(), header.size(), header.begin());
        const auto length = base::load_le<std::int32_t>(header.data(), wire::field::kFrameLength);
        if (length < wire::kDataHeaderLength || static_cast<std::size_t>(length) > block.size()) {
            return std::nullopt;
        }
        const auto frame =
            block.first(std::min(block.size(), static_cast<std::size_t>(wire::align_frame(length))));
        if (!frame_checksum_matches(frame)) {
            return std::nullopt;
        }
        if (!wire::is_padding(header.data())) {
            base::store_le(header.data(), wire::field::kSessionId, session_id);
        }
        crc = crc32c(frame.subspan(header.size()), crc32c(header, crc));
        block = block.subspan(frame.size());
    }
    return crc;
}

bool frame_checksum_matches(std::span<const std::byte> frame) {
    return wire::is_padding(frame.data()) ||
           base::load_le<std::int32_t>(frame.data(), wire::field::kSessionId) == frame_checksum(frame);
}

}  // namespace fulmar::archive
