// The catalog on a disk that loses what was not synced.
#include "archive_server/catalog_file.h"

#include <string>

#include "process.h"

namespace fulmar::archive {
namespace {

using archive_server::test::Process;
using drivers::MemoryDisk;

constexpr std::int64_t kRecordings = 20;

Recording sample(std::int64_t number, const std::string& channel) {
    return {.start_position = number * 1024,
        .stop_position = number * 1024,
        .segment_file_length = 64 * 1024,
        .term_buffer_length = 64 * 1024,
        .mtu_length = 1408,
        .stream_id = 10,
        .stripped_channel = channel,
        .original_channel = channel + "|alias=original",
        .source_identity = "aeron:ipc"};
}

std::string channel_of(std::int64_t number) {
    return "aeron:udp?endpoint=localhost:" + std::to_string(40'000 + number);
}

void fill(MemoryDisk& disk) {
    Process process(disk, 1);
    for (std::int64_t i = 0; i < kRecordings; ++i) {
        REQUIRE(process.file->catalog().add(sample(i, channel_of(i))));
    }
    process.persist();
}

/// What everybody may rely on: all entries but one as they were, and that one old or new.
bool has_new_one(const Catalog& catalog, std::size_t index, const Recording& replacement) {
    REQUIRE(catalog.size() == kRecordings);
    CHECK(catalog.next_recording_id() == kRecordings);
    for (std::size_t i = 0; i < catalog.size(); ++i) {
        const auto number = static_cast<std::int64_t>(i);
        const Recording found = catalog.at(i);
        CHECK(found.id == number);
        CHECK(found.start_position == number * 1024);
        if (i != index) {
            CHECK(found.original_channel == channel_of(number) + "|alias=original");
        }
    }
    const std::string& channel = catalog.at(index).stripped_channel;
    const bool is_new = channel == replacement.stripped_channel;
    CHECK((is_new || channel == channel_of(static_cast<std::int64_t>(index))));
    return is_new;
}

TEST_CASE("archive catalog file: an entry that is replaced is the old or the new one after any power cut") {
    constexpr std::size_t kIndex = 3;
    int old_ones = 0;
    int new_ones = 0;
    int leftovers = 0;
    for (const bool torn : {false, true}) {
        // One longer than what it takes the place of, so that all behind it moves; and one shorter.
        for (const std::string& channel : {channel_of(3) + std::string(700, 'x'), std::string("aeron:ipc")}) {
            bool was_told = false;
            for (int cut_after = 0; !was_told; ++cut_after) {
                CAPTURE(torn);
                CAPTURE(cut_after);
                MemoryDisk disk;
                fill(disk);
                const Recording replacement = sample(3, channel);
                {
                    Process process(disk, 2);
                    REQUIRE(process.file->catalog().replace(kIndex, replacement));
                    const auto ticket = process.file->commit();
                    for (int i = 0; i < cut_after; ++i) {
                        process.step();
                    }
                    was_told = process.file->is_persisted(ticket);
                }
                base::Prng draws(static_cast<std::uint64_t>(cut_after) + 1);
                disk.power_cut({.torn = torn}, draws);
                for (const auto& entry : disk.list()) {
                    leftovers += entry.name == kCatalogUnfinishedName ? 1 : 0;
                }
                Process process(disk, 3);
                const bool is_new = has_new_one(process.file->catalog(), kIndex, replacement);
                CHECK((is_new || !was_told));
                (is_new ? new_ones : old_ones) += 1;
                CHECK(disk.list().size() == 1);
            }
        }
    }
    CHECK(old_ones > 10);
    CHECK(new_ones >= 4);
    CHECK(leftovers > 0);
}

TEST_CASE("archive catalog file: changes around a replacement are kept with it and after it") {
    MemoryDisk disk;
    fill(disk);
    const Recording replacement = sample(5, channel_of(5) + std::string(300, 'y'));
    {
        Process process(disk, 2);
        Catalog& catalog = process.file->catalog();
        catalog.set_stop(1, 4096, 11);
        (void)process.file->commit();
        REQUIRE(catalog.replace(5, replacement));
        catalog.set_stop(6, 8192, 12);
        (void)process.file->commit();
        catalog.set_stop(7, 16384, 13);
        REQUIRE(catalog.add(sample(kRecordings, channel_of(kRecordings))));
        process.persist();
        CHECK(process.file->visible() == kRecordings + 1);
    }
    base::Prng draws(1);
    disk.power_cut({}, draws);
    Process process(disk, 3);
    const Catalog& catalog = process.file->catalog();
    REQUIRE(catalog.size() == kRecordings + 1);
    CHECK(catalog.at(1).stop_position == 4096);
    CHECK(catalog.at(5).stripped_channel == replacement.stripped_channel);
    CHECK(catalog.at(6).stop_position == 8192);
    CHECK(catalog.at(7).stop_position == 16384);
    CHECK(catalog.at(kRecordings).stripped_channel == channel_of(kRecordings));
}

}  // namespace
}  // namespace fulmar::archive
