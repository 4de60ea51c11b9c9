/// archive::ReplayReader over any sidecar beside any frames: what it hands out goes forward without holes but
/// those of padding, stays inside its memory, and is what the entries that it was checked by say; and it
/// ends, with all that was asked for or with a reason.
#include <algorithm>

#include "archive/sidecar.h"
#include "archive_server/migration_plan.h"
#include "archive_server/replay_reader.h"
#include "base/bytes.h"
#include "drivers/storage_memory/memory_disk.h"
#include "drivers/storage_memory/memory_storage.h"
#include "fuzz.h"

namespace {

using namespace fulmar;
using namespace fulmar::archive;
using drivers::MemoryDisk;

constexpr std::int32_t kSegment = 65'536;

void make(MemoryDisk& disk, const std::string& name, std::uint64_t length, std::span<const std::byte> bytes) {
    const auto made = disk.create(name, length);
    (void)disk.write(made.file, 0, bytes.first(std::min<std::size_t>(bytes.size(), length)));
    disk.close(made.file);
}

/// Slots whose self-check fits, which random bytes never have; what they say is as random as before.
std::vector<std::byte> sealed(std::span<const std::byte> bytes) {
    std::vector<std::byte> slots(bytes.begin(), bytes.end());
    for (std::uint64_t number = 1; (number + 1) * kSidecarSlotLength <= slots.size(); ++number) {
        std::byte* slot = slots.data() + number * kSidecarSlotLength;
        if (slot[31] == std::byte{0xff}) {
            continue;  // stays bad
        }
        write_sidecar_entry(slot, 0, number,
            {.kind = static_cast<SidecarKind>(static_cast<unsigned>(slot[12]) % 4),
                .position = base::load_le<std::uint16_t>(slot, 0) / 32 * 32,
                .length = base::load_le<std::uint16_t>(slot, 4) / 32 * 32,
                .checksum = base::load_le<std::uint32_t>(slot, 8)});
    }
    return slots;
}

void replay(std::span<const std::byte> input, std::int64_t position) {
    MemoryDisk disk;
    const std::size_t half = input.size() / 2;
    make(disk, segment_name(0, 0), kSegment, input.first(half));
    make(disk, sidecar_name(0, 0), 4096, sealed(input.subspan(half)));
    drivers::MemoryStorage storage(disk, {});
    StorageHub hub(storage);
    ReplayReader reader({.recording_id = 0,
                            .shape = {.term_length = kSegment, .segment_length = kSegment, .mtu = 1408},
                            .position = position,
                            .read_length = 4096},
        hub);
    std::int64_t reached = position;
    for (int turns = 0; !reader.failure() && reached < kSegment; ++turns) {
        FUZZ_CHECK(turns < 1'000'000);
        (void)hub.poll(16);
        (void)reader.poll(Instant{}, {.until = kSegment, .recorded = kSegment});
        if (!reader.front().is_ready()) {
            continue;
        }
        const ReplayReader::Piece& piece = reader.front();
        FUZZ_CHECK(piece.position >= reached);
        FUZZ_CHECK(piece.begin <= piece.end && piece.end <= piece.memory.size());
        FUZZ_CHECK(piece.begin >= ReplayReader::kHeadroom);
        reached = piece.position + static_cast<std::int64_t>(piece.end - piece.begin);
        FUZZ_CHECK(reached <= kSegment);
        fuzz::touch(std::span<const std::byte>(piece.memory).subspan(piece.begin, piece.end - piece.begin));
        reader.pop();
    }
    for (int turns = 0; !reader.close(); ++turns) {
        FUZZ_CHECK(turns < 1'000'000);
        (void)hub.poll(16);
    }
}

void read_plan(std::span<const std::byte> bytes) {
    if (const auto plan = MigrationPlan::read(bytes)) {
        const auto again = plan->write();
        FUZZ_CHECK(MigrationPlan::read(again) == plan);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz::copy_of(data, size);
    read_plan(bytes);
    if (size < 4 || size > 16'384) {
        return 0;
    }
    const std::int64_t position = base::load_le<std::uint16_t>(bytes.data(), 0) / 32 * 32;
    replay(std::span(bytes).subspan(2), position);
    return 0;
}
