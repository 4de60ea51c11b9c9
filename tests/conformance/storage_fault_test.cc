// The suites over a storage that loses what is not synced, above a disk in memory and above real files; and
// over one that has nothing to do and must not be noticed.
#include "drivers/storage_fault/fault_storage.h"
#include "drivers/storage_file/file_storage.h"
#include "drivers/storage_memory/memory_storage.h"
#include "tests/conformance/storage_suite.h"
#include "tests/temporary_directory.h"
#ifndef PASSING
#include "tests/conformance/storage_power_cut_suite.h"
#endif

namespace fulmar::test {

namespace {

struct StillClock final : port::Clock {
    [[nodiscard]] Instant now() override { return {}; }
    [[nodiscard]] std::int64_t epoch_ms() override { return 0; }
};

struct Machine {
    explicit Machine(const StorageRigOptions& options) : disk(options.space), seed(options.seed) {}
    drivers::MemoryDisk disk;
    TemporaryDirectory directory;
    std::uint64_t seed;
    StillClock clock;
};

std::unique_ptr<port::Storage> start_below([[maybe_unused]] Machine& machine) {
#ifdef OVER_FILES
    auto storage = drivers::FileStorage::create({.directory = machine.directory.path()});
    REQUIRE_MESSAGE(storage, (storage ? "" : storage.error().message));
    return std::move(*storage);
#else
    return std::make_unique<drivers::MemoryStorage>(
        machine.disk, drivers::MemoryStorage::Options{.seed = machine.seed});
#endif
}

}  // namespace

StorageRig open_storage(const StorageRigOptions& options) {
    auto machine = std::make_shared<Machine>(options);
    drivers::StorageFaultSpec spec;
#ifndef PASSING
    spec.hold_unsynced = true;
    spec.torn = options.torn;
    spec.sector_bytes = kSectorBytes;
#endif
    StorageRig rig;
    rig.owner = machine;
    rig.start = [machine = machine.get(), spec]() mutable {
        spec.seed = ++machine->seed;
        return std::make_unique<drivers::FaultStorage>(start_below(*machine), spec, machine->clock);
    };
#ifdef PASSING
    rig.limits_space = true;
#endif
#ifdef OVER_FILES
    rig.waits_for_a_disk = true;
#endif
    rig.power_cut = [] {};  // the end of the process was one
    return rig;
}

}  // namespace fulmar::test
