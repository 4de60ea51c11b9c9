#include "archive/sidecar.h"

#include <algorithm>
#include <array>

#include "archive/checksum.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "wire/frame.h"

namespace fulmar::archive {

namespace {

using base::load_le;
using base::store_le;

// Of an entry; `position` counts from the segment's base.
constexpr std::size_t kPosition = 0;
constexpr std::size_t kLength = 4;
constexpr std::size_t kChecksum = 8;
constexpr std::size_t kKind = 12;
constexpr std::size_t kReserved = 13;
constexpr std::size_t kDurable = 16;
constexpr std::size_t kEpoch = 24;
constexpr std::size_t kCheck = 28;

// Of the header: "fulmar", the version, the segment's base and length.
constexpr std::array<char, 6> kMagic{'f', 'u', 'l', 'm', 'a', 'r'};
constexpr std::size_t kHeaderVersion = 6;
constexpr std::size_t kHeaderBase = 8;
constexpr std::size_t kHeaderSegmentLength = 16;

std::uint32_t check_of(const std::byte* slot, std::int64_t base, std::uint64_t number) {
    std::array<std::byte, 16> place;
    store_le(place.data(), 0, base);
    store_le(place.data(), 8, number);
    return crc32c({slot, kCheck}, crc32c(place));
}

bool is_header_of(const std::byte* slot, std::int64_t base, std::int32_t segment_length) {
    return load_le<std::array<char, 6>>(slot, 0) == kMagic &&
           load_le<std::uint16_t>(slot, kHeaderVersion) == kSidecarVersion &&
           load_le<std::int64_t>(slot, kHeaderBase) == base &&
           load_le<std::int32_t>(slot, kHeaderSegmentLength) == segment_length;
}

bool is_sane(const SidecarEntry& entry, std::int64_t base, std::int32_t segment_length) {
    const std::int64_t offset = entry.position - base;
    if (offset < 0 || entry.length < 0 || offset > segment_length - entry.length || entry.durable < 0 ||
        (entry.position | entry.length) % wire::kFrameAlignment != 0) {
        return false;
    }
    switch (entry.kind) {
        case SidecarKind::kData: return entry.length > 0;
        case SidecarKind::kPadding: return entry.length >= wire::kDataHeaderLength;
        case SidecarKind::kMark: return entry.length == 0;
    }
    return false;
}

}  // namespace

std::string sidecar_name(std::int64_t recording_id, std::int64_t base) {
    return std::to_string(recording_id) + "-" + std::to_string(base) + std::string(kSidecarSuffix);
}

std::optional<SegmentName> parse_sidecar_name(std::string_view name) {
    if (!name.ends_with(kSidecarSuffix)) {
        return std::nullopt;
    }
    name.remove_suffix(kSidecarSuffix.size());
    return parse_segment_name(std::string(name) + std::string(kSegmentSuffix));
}

std::int64_t SidecarEntry::covered() const {
    return kind == SidecarKind::kPadding ? std::int64_t{wire::kDataHeaderLength} : length;
}

void write_sidecar_header(std::byte* slot, std::int64_t base, std::int32_t segment_length) {
    std::fill_n(slot, kSidecarSlotLength, std::byte{0});
    store_le(slot, 0, kMagic);
    store_le(slot, kHeaderVersion, kSidecarVersion);
    store_le(slot, kHeaderBase, base);
    store_le(slot, kHeaderSegmentLength, segment_length);
    store_le(slot, kCheck, check_of(slot, base, 0));
}

void write_sidecar_entry(
    std::byte* slot, std::int64_t base, std::uint64_t number, const SidecarEntry& entry) {
    FULMAR_ASSERT(number > 0 && entry.position >= base, "an entry has its place behind the header");
    std::fill_n(slot, kSidecarSlotLength, std::byte{0});
    store_le(slot, kPosition, static_cast<std::uint32_t>(entry.position - base));
    store_le(slot, kLength, static_cast<std::uint32_t>(entry.length));
    store_le(slot, kChecksum, entry.checksum);
    store_le(slot, kKind, entry.kind);
    store_le(slot, kDurable, entry.durable);
    store_le(slot, kEpoch, entry.epoch);
    store_le(slot, kCheck, check_of(slot, base, number));
}

SidecarSlot read_sidecar_slot(
    std::span<const std::byte> slot, std::int64_t base, std::uint64_t number, std::int32_t segment_length) {
    using State = SidecarSlot::State;
    const std::span<const std::byte> bytes = slot.first(std::min(slot.size(), kSidecarSlotLength));
    if (std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; })) {
        return {};
    }
    const std::byte* at = bytes.data();
    if (bytes.size() < kSidecarSlotLength ||
        load_le<std::uint32_t>(at, kCheck) != check_of(at, base, number)) {
        return {.state = State::kBad};
    }
    if (number == 0) {
        return {.state = is_header_of(at, base, segment_length) ? State::kHeader : State::kBad};
    }
    const SidecarEntry entry{
        .kind = static_cast<SidecarKind>(load_le<std::uint8_t>(at, kKind)),
        .position = base + load_le<std::uint32_t>(at, kPosition),
        .length = load_le<std::uint32_t>(at, kLength),
        .checksum = load_le<std::uint32_t>(at, kChecksum),
        .epoch = load_le<std::uint32_t>(at, kEpoch),
        .durable = load_le<std::int64_t>(at, kDurable),
    };
    static_assert(kReserved + 3 == kDurable, "zero in this version");
    return {.state = is_sane(entry, base, segment_length) ? State::kEntry : State::kBad, .entry = entry};
}

}  // namespace fulmar::archive
