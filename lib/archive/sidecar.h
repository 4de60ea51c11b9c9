/// Sidecars: what each segment's bytes should be, in a file beside it, `<recording id>-<base position>.crc`.
///
/// Segments stay as Aeron writes them; its tools look for `.rec` and do not see these files. A sidecar is a
/// list of slots of 32 bytes. The first is the header, each other one an entry: so many bytes from this
/// position on have this CRC-32C, frame headers included. Entries follow one another as the stream does. Each
/// slot carries a CRC-32C of itself, of its place and of the segment's base: one that was torn, flipped or
/// written elsewhere is known as bad, and does not stand in the way of those behind it. A slot of zeros is
/// empty.
///
/// An entry also says up to where the recording was durable when it was written: up to there a sync of data,
/// sidecars and names had completed (the epoch with the number it carries). Recovery takes the greatest of
/// these, the last completed epoch. What is bad before it is corruption, since the disk had confirmed it;
/// what is bad behind it was on its way when the power went, and is cut.
///
/// The window that remains: the completion of the *last* sync is not on disk before the next entry or mark is
/// (a mark follows WriterOptions::idle_mark behind the last block, and when the recording stops). If the
/// power goes in between *and* the disk has spoilt a block of that very epoch which it had confirmed, then
/// the block is taken for one that was on its way, and cut. Without such a disk nothing durable is ever cut.
///
/// A stream that an archive without sidecars recorded, or went on with, has none, or has bytes that no entry
/// covers; those are judged by their frames alone.
///
/// threads: pure functions over bytes. units: bytes, stream positions; little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "archive/segment.h"
#include "base/bytes.h"

namespace fulmar::archive {

inline constexpr std::string_view kSidecarSuffix = ".crc";
inline constexpr std::size_t kSidecarSlotLength = 32;
inline constexpr std::uint16_t kSidecarVersion = 1;
/// Blocks that follow one another share an entry up to this length: what is damaged is known to this
/// accuracy, and a sidecar is a two-thousandth of its segment. A longer block has an entry of its own.
inline constexpr std::int64_t kSidecarSpan = 64 * 1024;

[[nodiscard]] std::string sidecar_name(std::int64_t recording_id, std::int64_t base);
/// What a file's name says; nothing where it is no sidecar's.
[[nodiscard]] std::optional<SegmentName> parse_sidecar_name(std::string_view name);

/// Bytes that a sidecar is made with. Streams of few bytes and many syncs make it grow.
[[nodiscard]] constexpr std::uint64_t sidecar_length(std::int32_t segment_length) {
    constexpr std::uint64_t kPage = 4096;
    return base::align_up(static_cast<std::uint64_t>(segment_length) / 1024, kPage);
}

enum class SidecarKind : std::uint8_t {
    kData = 1,
    kPadding = 2,  ///< a frame of this length of which only the header, 32 bytes, was written and is covered
    kMark = 3,     ///< covers nothing; says what is durable. The next entry takes its slot.
};

struct SidecarEntry {
    SidecarKind kind = SidecarKind::kData;
    std::int64_t position = 0;
    std::int64_t length = 0;  ///< of the stream; 0 of a mark
    std::uint32_t checksum = 0;
    std::uint32_t epoch = 0;   ///< syncs that had completed since the writer began; counts around
    std::int64_t durable = 0;  ///< of the recording, when this was written

    [[nodiscard]] std::int64_t end() const { return position + length; }
    /// Bytes from `position` on that the checksum is of.
    [[nodiscard]] std::int64_t covered() const;
    bool operator==(const SidecarEntry&) const = default;
};

/// The slot with this number of the sidecar of the segment at `base`; 32 bytes each.
void write_sidecar_header(std::byte* slot, std::int64_t base, std::int32_t segment_length);
void write_sidecar_entry(std::byte* slot, std::int64_t base, std::uint64_t number, const SidecarEntry& entry);

struct SidecarSlot {
    enum class State : std::uint8_t { kEmpty, kHeader, kEntry, kBad };
    State state = State::kEmpty;
    SidecarEntry entry{};
};
/// Reads what stands there: never more than kSidecarSlotLength bytes of it, and an entry only if it lies
/// within its segment. A header of another version or another segment is kBad.
[[nodiscard]] SidecarSlot read_sidecar_slot(
    std::span<const std::byte> slot, std::int64_t base, std::uint64_t number, std::int32_t segment_length);

}  // namespace fulmar::archive
