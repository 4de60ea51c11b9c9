#include "archive/sidecar.h"

#include <array>
#include <string_view>

#include <doctest/doctest.h>

#include "archive/checksum.h"
#include "archive/sidecar_buffer.h"
#include "wire/frame.h"

namespace fulmar::test {

using namespace fulmar::archive;
using State = SidecarSlot::State;

namespace {

constexpr std::int64_t kBase = 1'048'576;
constexpr std::int32_t kSegment = 131'072;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

SidecarEntry entry_at(std::int64_t offset) {
    return {.kind = SidecarKind::kData,
        .position = kBase + offset,
        .length = 4'096,
        .checksum = 0x12345678,
        .epoch = 41,
        .durable = kBase + offset - 64};
}

}  // namespace

TEST_CASE("checksum: CRC-32C, and in parts") {
    CHECK(crc32c(bytes_of("123456789")) == 0xe3069283);  // RFC 3720's check value of this polynomial
    CHECK(crc32c({}) == 0);
    CHECK(crc32c(bytes_of("6789"), crc32c(bytes_of("12345"))) == 0xe3069283);
}

TEST_CASE("checksum: of frames, in place of the session id, and not of padding") {
    std::array<std::byte, 192> block{};
    (void)wire::write_data_header(block.data(), {.frame_length = 70, .session_id = 5});
    (void)wire::write_data_header(
        block.data() + 96, {.frame_length = 96, .type = wire::FrameType::kPad, .session_id = 5});
    block[40] = std::byte{1};
    CHECK_FALSE(frame_checksum_matches(std::span(block).first(96)));
    checksum_frames(block);
    CHECK(frame_checksum_matches(std::span(block).first(96)));
    CHECK(wire::read_data_header(block.data()).session_id ==
          static_cast<std::int32_t>(crc32c(std::span(block).subspan(32, 64))));
    CHECK(wire::read_data_header(block.data() + 96).session_id == 5);
    block[95] = std::byte{1};  // alignment counts, too
    CHECK_FALSE(frame_checksum_matches(std::span(block).first(96)));
}

TEST_CASE("sidecar: names") {
    CHECK(sidecar_name(3, 65'536) == "3-65536.crc");
    CHECK(parse_sidecar_name("3-65536.crc") == SegmentName{3, 65'536});
    for (const char* other :
        {"3-65536.rec", "3.crc", "3-65536.crc.del", "-1-0.crc", ".crc", "3-65536.rec.crc"}) {
        CHECK_FALSE(parse_sidecar_name(other));
    }
    CHECK_FALSE(parse_segment_name("3-65536.crc"));
}

TEST_CASE("sidecar: a slot is what was written, in its place, or bad") {
    std::array<std::byte, kSidecarSlotLength> slot{};
    CHECK(read_sidecar_slot(slot, kBase, 9, kSegment).state == State::kEmpty);
    const SidecarEntry entry = entry_at(8'192);
    write_sidecar_entry(slot.data(), kBase, 9, entry);
    const SidecarSlot read = read_sidecar_slot(slot, kBase, 9, kSegment);
    CHECK(read.state == State::kEntry);
    CHECK(read.entry == entry);
    CHECK(read_sidecar_slot(slot, kBase, 10, kSegment).state == State::kBad);
    CHECK(read_sidecar_slot(slot, kBase + kSegment, 9, kSegment).state == State::kBad);
    CHECK(read_sidecar_slot(std::span(slot).first(31), kBase, 9, kSegment).state == State::kBad);
    for (std::size_t bit = 0; bit < slot.size() * 8; ++bit) {
        auto flipped = slot;
        flipped[bit / 8] ^= std::byte{1} << (bit % 8);
        CHECK(read_sidecar_slot(flipped, kBase, 9, kSegment).state == State::kBad);
    }
}

TEST_CASE("sidecar: an entry lies within its segment and is whole frames") {
    const auto state_of = [](const SidecarEntry& entry) {
        std::array<std::byte, kSidecarSlotLength> slot{};
        write_sidecar_entry(slot.data(), kBase, 1, entry);
        return read_sidecar_slot(slot, kBase, 1, kSegment).state;
    };
    SidecarEntry entry = entry_at(kSegment - 4'096);
    CHECK(state_of(entry) == State::kEntry);
    entry.length += 32;
    CHECK(state_of(entry) == State::kBad);
    entry.length = 31;
    CHECK(state_of(entry) == State::kBad);
    entry.length = 0;
    CHECK(state_of(entry) == State::kBad);
    entry.kind = SidecarKind::kMark;
    CHECK(state_of(entry) == State::kEntry);
    entry.kind = SidecarKind{9};
    CHECK(state_of(entry) == State::kBad);
    entry = entry_at(0);
    entry.durable = -1;
    CHECK(state_of(entry) == State::kBad);
}

TEST_CASE("sidecar: the header names the segment it is of") {
    std::array<std::byte, kSidecarSlotLength> slot{};
    write_sidecar_header(slot.data(), kBase, kSegment);
    CHECK(read_sidecar_slot(slot, kBase, 0, kSegment).state == State::kHeader);
    CHECK(read_sidecar_slot(slot, kBase, 0, 2 * kSegment).state == State::kBad);
    CHECK(read_sidecar_slot(slot, kBase, 1, kSegment).state == State::kBad);
}

TEST_CASE("sidecar_buffer: blocks that follow one another share an entry, padding does not") {
    SidecarBuffer buffer(kBase, kSegment, kBase, 0);
    const std::vector<std::byte> block(4'096, std::byte{3});
    for (int i = 0; i < 17; ++i) {
        buffer.add(SidecarKind::kData, 4'096, block);
    }
    buffer.add(SidecarKind::kPadding, 61'440 - 4'096, std::span(block).first(32));
    buffer.add(SidecarKind::kData, 4'096, block);
    const auto write = buffer.take(kBase, 2);
    REQUIRE(write);
    CHECK(write->offset == 0);
    REQUIRE(write->bytes.size() == 5 * kSidecarSlotLength);
    std::vector<SidecarEntry> entries;
    for (std::uint64_t i = 0; i < 5; ++i) {
        const auto slot = read_sidecar_slot(write->bytes.subspan(i * kSidecarSlotLength), kBase, i, kSegment);
        CHECK(slot.state == (i == 0 ? State::kHeader : State::kEntry));
        entries.push_back(slot.entry);
    }
    CHECK(entries[1].length == kSidecarSpan);
    std::uint32_t sixteen = 0;
    for (int i = 0; i < 16; ++i) {
        sixteen = crc32c(block, sixteen);
    }
    CHECK(entries[1].checksum == sixteen);
    CHECK(entries[2].position == kBase + kSidecarSpan);
    CHECK(entries[3].kind == SidecarKind::kPadding);
    CHECK(entries[3].covered() == 32);
    CHECK(entries[4].position == entries[3].end());
    CHECK(entries[4].epoch == 2);
    CHECK(buffer.covered() == kBase);
    buffer.on_written(write->buffer);
    CHECK(buffer.covered() == buffer.end());
}

TEST_CASE(
    "sidecar_buffer: two writes at a time; what is covered has no hole; the next entry takes a mark's slot") {
    SidecarBuffer buffer(kBase, kSegment, kBase, 7);
    const std::vector<std::byte> block(64, std::byte{3});
    buffer.add(SidecarKind::kData, 64, block);
    const auto first = buffer.take(0, 0);
    buffer.add(SidecarKind::kData, 64, block);
    const auto second = buffer.take(0, 0);
    buffer.add(SidecarKind::kData, 64, block);
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->offset == 7 * kSidecarSlotLength);
    CHECK(second->offset == 8 * kSidecarSlotLength);
    CHECK_FALSE(buffer.take(0, 0));
    buffer.on_written(second->buffer);
    CHECK(buffer.covered() == kBase);
    buffer.on_written(first->buffer);
    CHECK(buffer.covered() == kBase + 128);
    const auto third = buffer.take(0, 0);
    REQUIRE(third);
    buffer.on_written(third->buffer);
    CHECK(buffer.covered() == kBase + 192);
    const auto mark = buffer.take(kBase + 192, 3);
    REQUIRE(mark);
    const auto slot = read_sidecar_slot(mark->bytes, kBase, 10, kSegment);
    CHECK(slot.entry.kind == SidecarKind::kMark);
    CHECK(slot.entry.durable == kBase + 192);
    buffer.add(SidecarKind::kData, 64, block);
    CHECK_FALSE(buffer.take(0, 0));
    buffer.on_written(mark->buffer);
    CHECK(buffer.take(0, 0)->offset == mark->offset);
}

}  // namespace fulmar::test
