/// archive::read_sidecar_slot over any bytes: nothing is read beyond a slot, an entry lies within its
/// segment, and what is written again is the same slot.
#include <algorithm>
#include <array>

#include "archive/sidecar.h"
#include "base/bytes.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace fulmar::archive;
    const auto bytes = fulmar::fuzz::copy_of(data, size);
    constexpr std::int32_t kSegment = 131'072;
    constexpr std::int64_t kBase = 3 * kSegment;
    for (std::uint64_t number = 0; number * kSidecarSlotLength < bytes.size(); ++number) {
        // At the very end of its memory, so that one byte too many is seen.
        const std::size_t from = number * kSidecarSlotLength;
        const auto part = std::span(bytes).subspan(from, std::min(kSidecarSlotLength, bytes.size() - from));
        const std::vector<std::byte> slot(part.begin(), part.end());
        // As it is, and with a self-check that fits, which random bytes never have.
        for (const bool fits : {false, true}) {
            std::vector<std::byte> copy = slot;
            if (fits && copy.size() == kSidecarSlotLength && number > 0) {
                SidecarEntry entry{.kind = static_cast<SidecarKind>(copy[12]),
                    .position = kBase + fulmar::base::load_le<std::uint32_t>(copy.data(), 0),
                    .length = fulmar::base::load_le<std::uint32_t>(copy.data(), 4),
                    .checksum = fulmar::base::load_le<std::uint32_t>(copy.data(), 8),
                    .epoch = fulmar::base::load_le<std::uint32_t>(copy.data(), 24),
                    .durable = fulmar::base::load_le<std::int64_t>(copy.data(), 16)};
                write_sidecar_entry(copy.data(), kBase, number, entry);
            }
            const SidecarSlot read = read_sidecar_slot(copy, kBase, number, kSegment);
            if (read.state != SidecarSlot::State::kEntry) {
                continue;
            }
            FUZZ_CHECK(number > 0);
            FUZZ_CHECK(read.entry.position >= kBase);
            FUZZ_CHECK(read.entry.length >= 0);
            FUZZ_CHECK(read.entry.end() <= kBase + kSegment);
            FUZZ_CHECK(read.entry.covered() <= read.entry.length);
            FUZZ_CHECK(read.entry.durable >= 0);
            std::array<std::byte, kSidecarSlotLength> again{};
            write_sidecar_entry(again.data(), kBase, number, read.entry);
            const SidecarSlot same = read_sidecar_slot(again, kBase, number, kSegment);
            FUZZ_CHECK(same.state == SidecarSlot::State::kEntry);
            FUZZ_CHECK(same.entry == read.entry);
        }
    }
    return 0;
}
