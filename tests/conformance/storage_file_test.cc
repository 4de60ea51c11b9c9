// The suite over real files, once by io_uring and once by plain calls.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "drivers/storage_file/file_storage.h"
#include "tests/conformance/storage_suite.h"
#include "tests/temporary_directory.h"

namespace fulmar::test {

StorageRig open_storage(const StorageRigOptions&) {
    auto directory = std::make_shared<TemporaryDirectory>();
    StorageRig rig;
    rig.owner = directory;
    rig.waits_for_a_disk = true;
    rig.start = [path = directory->path()]() -> std::unique_ptr<port::Storage> {
        auto storage = drivers::FileStorage::create(
            {.directory = path, .capacity = 64, .engine = drivers::FileStorage::Engine::ENGINE});
        if (!storage && storage.error().code == ErrorCode::kNotSupported) {
            std::puts(storage.error().message.c_str());
            std::exit(77);  // the kernel has none: skipped
        }
        REQUIRE_MESSAGE(storage, (storage ? "" : storage.error().message));
        return std::move(*storage);
    };
    return rig;
}

}  // namespace fulmar::test
