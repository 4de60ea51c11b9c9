// The suites over a disk in memory.
#include "drivers/storage_memory/memory_storage.h"
#include "tests/conformance/storage_power_cut_suite.h"
#include "tests/conformance/storage_suite.h"

namespace fulmar::test {

StorageRig open_storage(const StorageRigOptions& options) {
    struct Machine {
        explicit Machine(const StorageRigOptions& from)
            : disk(from.space), draws(from.seed), seed(from.seed) {}
        drivers::MemoryDisk disk;
        base::Prng draws;
        std::uint64_t seed;
    };
    auto machine = std::make_shared<Machine>(options);
    StorageRig rig;
    rig.owner = machine;
    rig.limits_space = true;
    rig.start = [machine = machine.get()] {
        return std::make_unique<drivers::MemoryStorage>(
            machine->disk, drivers::MemoryStorage::Options{.seed = ++machine->seed});
    };
    rig.power_cut = [machine = machine.get(), torn = options.torn] {
        machine->disk.power_cut({.torn = torn, .sector_bytes = kSectorBytes}, machine->draws);
    };
    return rig;
}

}  // namespace fulmar::test
