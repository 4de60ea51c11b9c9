/// Goes on with a migration that an earlier life did not finish, before anybody looks at its recordings.
///
/// threads: as StorageTask. errors: those of Migration; a plan that cannot be read.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "archive_server/migration.h"

namespace fulmar::archive {

class MigrationResume final : public StorageTask {
  public:
    /// `file` is the catalog's. What is changed in the catalog is on disk when this is done.
    MigrationResume(StorageHub& hub, port::FileHandle file, Catalog& catalog);

    /// What was done, in a line; empty: there was nothing to do.
    [[nodiscard]] const std::string& note() const { return note_; }

  private:
    enum class State : std::uint8_t { kTidy, kOpen, kRead, kClose, kMigrate, kRemove, kSyncDirectory };

    void step() override;
    void on_answer(port::StorageCompletion& completion) override;
    void judge();
    void migrate();

    const port::FileHandle catalog_handle_;
    Catalog& catalog_;
    State state_ = State::kTidy;
    port::FileHandle file_ = port::FileHandle::kNone;
    std::array<std::byte, MigrationPlan::kLength> bytes_{};
    std::size_t read_ = 0;
    std::unique_ptr<CatalogFile> catalog_file_;
    std::unique_ptr<Migration> migration_;
    std::string note_;
};

}  // namespace fulmar::archive
