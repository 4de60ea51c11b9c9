// A member's promises on a disk that loses what was not synced, tears what it writes, and goes bad.
#include "cluster/vote_file.h"

#include <memory>
#include <optional>

#include <doctest/doctest.h>

#include "drivers/storage_memory/memory_disk.h"
#include "drivers/storage_memory/memory_storage.h"

using namespace fulmar;
using namespace fulmar::cluster;
using drivers::MemoryDisk;

namespace {

constexpr raft::DiskId kDisk{11, 12};
constexpr raft::DiskId kOther{13, 14};

/// A process that opens the file.
struct Process {
    Process(MemoryDisk& disk, std::uint64_t seed, const raft::DiskId& fresh = kDisk)
        : storage(disk, {.seed = seed}), opening(hub, fresh) {
        for (int i = 0; i < 1'000 && !opening.is_done(); ++i) {
            opening.poll();
            (void)hub.poll(1);
        }
        REQUIRE(opening.is_done());
        if (!opening.error()) {
            file.emplace(hub, opening);
        }
    }
    void step() {
        (void)file->poll();
        (void)hub.poll(1);
    }
    void settle() {
        while (!file->is_idle() && !file->error()) {
            step();
        }
    }

    drivers::MemoryStorage storage;
    archive::StorageHub hub{storage};
    VoteFileOpening opening;
    std::optional<VoteFile> file;
};

raft::State state_of(std::uint64_t number) {
    return {.term = static_cast<raft::Term>(number), .voted_for = static_cast<raft::MemberId>(number % 3)};
}

}  // namespace

TEST_CASE("vote file: it is made once, and its disk keeps its name") {
    MemoryDisk disk;
    {
        Process first(disk, 1);
        CHECK(first.opening.was_made());
        CHECK(first.opening.promise().disk == kDisk);
        CHECK(first.opening.promise().state == raft::State{});
    }
    Process again(disk, 2, kOther);
    CHECK_FALSE(again.opening.was_made());
    CHECK(again.file->disk() == kDisk);
}

TEST_CASE("vote file: what was told durable is there after any power cut") {
    int torn_ones = 0;
    for (const std::uint64_t sector : {std::uint64_t{512}, std::uint64_t{16}}) {
        for (std::uint64_t seed = 1; seed <= 300; ++seed) {
            CAPTURE(sector);
            CAPTURE(seed);
            base::Prng draws(seed);
            MemoryDisk disk;
            std::uint64_t told = 0;
            std::uint64_t asked = 0;
            for (int life = 0; life < 5; ++life) {
                auto process = std::make_unique<Process>(disk, seed + static_cast<std::uint64_t>(life));
                REQUIRE(process->file);
                const raft::State found = process->opening.promise().state;
                const auto term = static_cast<std::uint64_t>(found.term);
                REQUIRE(term >= told);
                REQUIRE(term <= asked);
                REQUIRE((term == 0 || found == state_of(term)));
                told = term;
                asked = term;
                std::uint64_t number = 0;
                const std::uint64_t before = term;
                for (auto steps = draws.below(30); steps > 0; --steps) {
                    if (draws.chance(0.3)) {
                        asked = before + ++number;
                        process->file->keep(number, state_of(asked));
                    }
                    process->step();
                }
                told = before + process->file->durable();
                process.reset();
                torn_ones += disk.unsynced_bytes() > 0 ? 1 : 0;
                disk.power_cut({.torn = true, .sector_bytes = sector}, draws);
            }
        }
    }
    CHECK(torn_ones > 100);
}

TEST_CASE("vote file: a sector that goes bad leaves the promise, two leave an error") {
    for (std::uint64_t copy = 0; copy < 2; ++copy) {
        MemoryDisk disk;
        {
            Process process(disk, 1);
            process.file->keep(1, state_of(1));
            process.file->keep(2, state_of(2));
            process.settle();
            process.file->keep(7, state_of(7));
            process.settle();
            CHECK(process.file->durable() == 7);
        }
        const auto spoil = [&](std::uint64_t which) {
            const auto opened = disk.open(std::string(kVoteFileName));
            const std::vector<std::byte> noise(512, std::byte{0x5a});
            (void)disk.write(opened.file, which * kVoteSlotSpacing, noise);
            disk.close(opened.file);
        };
        spoil(copy);
        {
            Process process(disk, 2);
            CHECK(process.opening.promise().state == state_of(7));
            process.file->keep(1, state_of(8));
            process.settle();
        }
        {
            Process process(disk, 3);
            CHECK(process.opening.promise().state == state_of(8));
        }
        spoil(0);
        spoil(1);
        Process process(disk, 4);
        REQUIRE(process.opening.error());
        CHECK(process.opening.error()->message.find("fulmar cluster replace") != std::string::npos);
    }
}

TEST_CASE("vote file: a slot is whole or none") {
    const Promise promise{.sequence = 5, .disk = kDisk, .state = state_of(9)};
    const VoteSlot slot = encode_promise(promise);
    CHECK(decode_promise(slot) == promise);
    CHECK_FALSE(decode_promise(std::span(slot).first(63)));
    CHECK_FALSE(decode_promise({}));
    for (std::size_t bit = 0; bit < 56 * 8; ++bit) {
        VoteSlot flipped = slot;
        flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        CHECK_FALSE(decode_promise(flipped));
    }
}
