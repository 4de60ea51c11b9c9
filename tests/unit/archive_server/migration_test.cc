// Migrations on a disk that loses what was not synced.
#include "archive_server/migration.h"

#include <string>
#include <vector>

#include "process.h"

namespace fulmar::archive {
namespace {

using archive_server::test::Process;
using drivers::MemoryDisk;

constexpr std::int64_t kSegment = 64 * 1024;

Recording sample(std::int64_t start, std::int64_t stop) {
    return {.start_position = start,
        .stop_position = stop,
        .segment_file_length = kSegment,
        .term_buffer_length = 64 * 1024,
        .mtu_length = 1408,
        .stream_id = 10,
        .stripped_channel = "aeron:ipc",
        .original_channel = "aeron:ipc",
        .source_identity = "aeron:ipc"};
}

/// Tells files apart, whatever they are called.
std::byte mark_of(std::int64_t base, bool is_sidecar) {
    return static_cast<std::byte>(base / kSegment * 2 + (is_sidecar ? 2 : 1));
}

void make(MemoryDisk& disk, const std::string& name, std::uint64_t length, std::byte mark) {
    const auto made = disk.create(name, length);
    REQUIRE(made.code == MemoryDisk::Code::kOk);
    REQUIRE(disk.write(made.file, 0, {&mark, 1}) == MemoryDisk::Code::kOk);
    disk.sync(made.file);
    disk.close(made.file);
}

/// Recording 0 is the source, 1 the destination; what there is of both goes from 0 to 5 segments.
struct Case {
    bool in_front = true;  ///< the source begins at 0
    [[nodiscard]] MigrationPlan plan() const {
        constexpr std::int64_t kJoint = 3 * kSegment;
        constexpr std::int64_t kEnd = 5 * kSegment;
        return in_front ? MigrationPlan{0, 1, 0, kJoint, kJoint, kEnd}
                        : MigrationPlan{0, 1, kJoint, kEnd, 0, kJoint};
    }
    void fill(MemoryDisk& disk) const {
        Process process(disk, 1);
        const MigrationPlan plan = this->plan();
        REQUIRE(process.file->catalog().add(sample(plan.source_start, plan.source_stop)));
        REQUIRE(process.file->catalog().add(sample(plan.destination_start, plan.destination_stop)));
        process.persist();
        for (std::int64_t base = 0; base < 5 * kSegment; base += kSegment) {
            const bool is_source = base >= plan.source_start && base < plan.source_stop;
            make(disk, segment_name(is_source ? 0 : 1, base), kSegment, mark_of(base, false));
            make(disk, sidecar_name(is_source ? 0 : 1, base), 4096, mark_of(base, true));
        }
        disk.sync_directory();
    }
    /// Both recordings are whole. Returns whether the segments have moved.
    [[nodiscard]] bool check(MemoryDisk& disk, const Catalog& catalog) const {
        const MigrationPlan plan = this->plan();
        const Recording source = catalog.at(0);
        const Recording destination = catalog.at(1);
        const bool has_moved = source.stop_position == source.start_position;
        CHECK(source.start_position == plan.source_start);
        CHECK(source.stop_position == (has_moved ? plan.source_start : plan.source_stop));
        CHECK(destination.start_position == (has_moved ? 0 : plan.destination_start));
        CHECK(destination.stop_position == (has_moved ? 5 * kSegment : plan.destination_stop));
        CHECK(disk.list().size() == 11);
        for (std::int64_t base = 0; base < 5 * kSegment; base += kSegment) {
            const bool is_source = !has_moved && base >= plan.source_start && base < plan.source_stop;
            for (const bool is_sidecar : {false, true}) {
                const std::int64_t id = is_source ? 0 : 1;
                const std::string name = is_sidecar ? sidecar_name(id, base) : segment_name(id, base);
                CAPTURE(name);
                const auto opened = disk.open(name);
                REQUIRE(opened.code == MemoryDisk::Code::kOk);
                std::byte mark{};
                (void)disk.read(opened.file, 0, {&mark, 1});
                disk.close(opened.file);
                CHECK(mark == mark_of(base, is_sidecar));
            }
        }
        return has_moved;
    }
};

enum class End : std::uint8_t { kKill, kPowerCut, kTornPowerCut };

void end(MemoryDisk& disk, End how, std::uint64_t seed) {
    base::Prng draws(seed);
    if (how != End::kKill) {
        disk.power_cut({.torn = how == End::kTornPowerCut}, draws);
    }
}

TEST_CASE("archive migration: wherever it is cut, both recordings are whole, before or after it") {
    int moved = 0;
    int unmoved = 0;
    int resumed = 0;
    for (const bool in_front : {true, false}) {
        for (const End how : {End::kKill, End::kPowerCut, End::kTornPowerCut}) {
            for (const int start_ups : {1, 2}) {
                bool was_told = false;
                for (int cut_after = 0; !was_told; ++cut_after) {
                    CAPTURE(in_front);
                    CAPTURE(static_cast<int>(how));
                    CAPTURE(cut_after);
                    const Case at{in_front};
                    MemoryDisk disk;
                    at.fill(disk);
                    {
                        Process process(disk, 2);
                        Migration migration(process.hub, *process.file, at.plan());
                        for (int i = 0; i < cut_after && !migration.is_done(); ++i) {
                            process.step();
                            migration.poll();
                            REQUIRE_FALSE(migration.error());
                        }
                        was_told = migration.is_done();
                        CHECK((!was_told || migration.count() == (in_front ? 3 : 2)));
                    }
                    const auto seed = static_cast<std::uint64_t>(cut_after) + 1;
                    end(disk, how, seed);
                    // The next start is cut as well, at various places.
                    if (start_ups == 2) {
                        { const Process interrupted(disk, 3, cut_after * 7 % 61); }
                        end(disk, how, seed + 1);
                    }
                    Process process(disk, 4);
                    resumed += process.start_up.notes().empty() ? 0 : 1;
                    const bool has_moved = at.check(disk, process.file->catalog());
                    CHECK((has_moved || !was_told));
                    (has_moved ? moved : unmoved) += 1;
                }
            }
        }
    }
    CHECK(moved > 50);
    CHECK(unmoved > 50);
    CHECK(resumed > 50);
}

TEST_CASE("archive migration: what is in the way is found before anything happens") {
    const Case at{};
    MemoryDisk disk;
    at.fill(disk);
    // Detached from the destination once, and kept.
    make(disk, segment_name(1, kSegment), kSegment, std::byte{99});
    disk.sync_directory();
    {
        Process process(disk, 2);
        Migration migration(process.hub, *process.file, at.plan());
        while (!migration.is_done()) {
            process.step();
            migration.poll();
        }
        REQUIRE(migration.error());
        CHECK(migration.error()->message.find("1-65536.rec") != std::string::npos);
        CHECK_FALSE(migration.is_half_done());
    }
    REQUIRE(disk.remove(segment_name(1, kSegment)) == MemoryDisk::Code::kOk);
    const Process process(disk, 3);
    CHECK_FALSE(at.check(disk, process.file->catalog()));
}

TEST_CASE("archive migration: a plan of other recordings is removed, and nothing is moved") {
    const Case at{};
    for (const bool is_garbled : {false, true}) {
        CAPTURE(is_garbled);
        MemoryDisk disk;
        at.fill(disk);
        MigrationPlan plan = at.plan();
        plan.source_stop += is_garbled ? 0 : kSegment;
        plan.destination_start += is_garbled ? 0 : kSegment;
        auto bytes = plan.write();
        bytes[20] ^= is_garbled ? std::byte{1} : std::byte{0};
        const auto made = disk.create(kMigrationFileName, bytes.size());
        REQUIRE(disk.write(made.file, 0, bytes) == MemoryDisk::Code::kOk);
        disk.close(made.file);
        const Process process(disk, 2);
        CHECK_FALSE(at.check(disk, process.file->catalog()));
        CHECK(process.start_up.notes().size() == 1);
    }
}

}  // namespace
}  // namespace fulmar::archive
