#include "apps/fulmar/archive_storage.h"

namespace fulmar::cli {

Result<ArchiveStorage> ArchiveStorage::open(const std::string& dir, bool read_only) {
    FULMAR_TRY(storage, drivers::FileStorage::create({.directory = dir, .read_only = read_only}));
    return ArchiveStorage(std::move(storage));
}

}  // namespace fulmar::cli
