/// From a directory to what a Server is made on: the catalog is opened, or made where there is none, and
/// recordings that an earlier life left active get their stop positions. A migration that it left
/// unfinished is finished.
///
/// Poll until is_done; then error(), or take_catalog() and catalog_file().
/// threads: one owner, which polls the hub too.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/catalog.h"
#include "archive/recovery.h"
#include "archive/storage_hub.h"
#include "archive_server/migration_resume.h"
#include "fulmar/error.h"
#include "fulmar/time.h"

namespace fulmar::archive {

/// A recording that was damaged while nobody looked; see Recovery.
struct DamagedRecording {
    std::int64_t id = -1;
    /// Where it ends, where its catalog entry does not say so.
    std::int64_t stop_position = kNullValue;
    std::int64_t begin = 0;  ///< of the first damage
    std::string why;
};

class StartUp final : public StorageUser {
  public:
    StartUp(
        StorageHub& hub, const RecoveryOptions& recovery, std::size_t catalog_capacity = kCatalogCapacity);

    int poll(Instant now);
    [[nodiscard]] bool is_done() const { return state_ == State::kDone; }
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }
    [[nodiscard]] port::FileHandle catalog_file() const { return file_; }
    /// With changes that recovery made and nobody has written yet.
    [[nodiscard]] Catalog take_catalog() { return *std::move(catalog_); }
    /// What recovery did or saw, a line each.
    [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
    /// Recordings that are not what was recorded.
    [[nodiscard]] const std::vector<DamagedRecording>& damaged() const { return damaged_; }

    void on_storage(port::StorageCompletion& completion) override;

  private:
    enum class State : std::uint8_t {
        kTidying,
        kOpening,
        kCreating,
        kWriting,
        kSyncing,
        kSyncingName,
        kRenaming,
        kReading,
        kMigrating,
        kRecovering,
        kDone
    };
    void ask(port::StorageRequest request);
    void fail(const port::StorageCompletion& completion, std::string_view what);

    StorageHub& hub_;
    void migrate();
    void recover();
    void recovered();

    const RecoveryOptions recovery_options_;
    const std::size_t capacity_;
    State state_ = State::kTidying;
    std::optional<port::StorageRequest> waiting_;  // the storage had no room for it
    port::FileHandle file_ = port::FileHandle::kNone;
    std::vector<std::byte> bytes_;
    std::size_t read_ = 0;
    std::optional<Catalog> catalog_;
    std::unique_ptr<MigrationResume> migration_;
    std::unique_ptr<Recovery> recovery_;
    std::vector<std::string> notes_;
    std::vector<DamagedRecording> damaged_;
    std::optional<Error> error_;
};

}  // namespace fulmar::archive
