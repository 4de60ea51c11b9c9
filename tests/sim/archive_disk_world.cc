#include "tests/sim/archive_disk_world.h"

#include <cstdio>

#include "drivers/storage_memory/memory_storage.h"
#include "tests/sim/archive_disk_inside.h"

namespace fulmar::sim::disk {

using drivers::MemoryStorage;

DiskWorldResult DiskWorld::run() {
    const std::int64_t lives = draws_.between(3, 6);
    for (std::int64_t life = 0; life < lives && !failed(); ++life) {
        recover();
        if (!failed()) {
            live();
        }
        die(true);
    }
    if (!failed()) {
        recover();
    }
    stop_storage();
    return result_;
}

void DiskWorld::fail(const std::string& why) {
    if (!failed()) {
        result_.failure = why;
    }
    note("FAIL " + why);
}

void DiskWorld::note(const std::string& what) const {
    if (verbose_) {
        std::fprintf(stderr, "%s\n", what.c_str());
    }
}

void DiskWorld::start_storage(const std::string& faults) {
    stop_storage();
    auto memory = std::make_unique<MemoryStorage>(disk_, MemoryStorage::Options{.seed = ++storage_seed_});
    if (faults.empty()) {
        storage_ = std::move(memory);
    } else {
        auto spec = drivers::parse_storage_fault(faults + ",seed:" + std::to_string(storage_seed_));
        FULMAR_ASSERT(spec.has_value(), "a spec of our own");
        auto storage = std::make_unique<FaultStorage>(std::move(memory), *spec, clock_);
        faults_ = storage.get();
        storage_ = std::move(storage);
    }
    hub_ = std::make_unique<StorageHub>(*storage_);
}

void DiskWorld::stop_storage() {
    if (faults_ != nullptr) {
        const drivers::StorageFaultCounts& seen = faults_->counts();
        count(DiskCount::kSyncError, seen.sync_errors);
        count(DiskCount::kSyncLost, seen.syncs_lost);
        count(DiskCount::kWriteError, seen.write_errors);
        count(DiskCount::kReadError, seen.read_errors);
        count(DiskCount::kMisread, seen.flipped_reads);
        faults_ = nullptr;
    }
    storage_.reset();
    hub_.reset();
    for (auto& subject : subjects_) {
        subject->writer.reset();
    }
}

void DiskWorld::die(bool may_spoil) {
    for (const auto& subject : subjects_) {
        if (subject->writer) {
            note_positions(*subject);
        }
    }
    stop_storage();
    const auto how = disk_draws_.below(3);
    if (how == 0) {
        count(DiskCount::kKill);
    } else {
        count(how == 1 ? DiskCount::kPowerCut : DiskCount::kTornPowerCut);
        disk_.power_cut({.torn = how == 2}, disk_draws_);
    }
    note(how == 0 ? "killed" : how == 1 ? "power cut" : "torn power cut");
    // Only what had to survive this can be spoilt and be missed.
    if (may_spoil && how != 0 && disk_draws_.chance(0.4)) {
        spoil();
    }
}

}  // namespace fulmar::sim::disk

namespace fulmar::sim {

DiskWorldResult run_archive_disk_world(std::uint64_t seed, bool verbose) {
    return disk::DiskWorld(seed, verbose).run();
}

}  // namespace fulmar::sim
