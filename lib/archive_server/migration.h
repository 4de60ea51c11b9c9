/// A migration: segments of one recording become another's, with their sidecars, and both catalog entries say
/// so. Whatever ends it, the next start finds both recordings as they were, or goes on with it.
///
///   1. nothing of the destination may be in the way: refused, and nothing has happened;
///   2. the plan is on disk (kMigrationFileName): from here on it goes forward only;
///   3. the files have their new names; 4. the catalog says so; 5. the plan is gone.
///
/// One at a time. threads: one owner, which polls the hub and the catalog file too. errors: the storage's; a
/// file in the way. After an error is_half_done() tells whether the next start has to finish it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "archive/file_replacement.h"
#include "archive_server/catalog_file.h"
#include "archive_server/migration_plan.h"
#include "archive_server/segment_move.h"

namespace fulmar::archive {

class Migration {
  public:
    enum class Begin : std::uint8_t {
        kNew,
        kPlanned,  ///< the plan is on disk, from an earlier life
    };
    Migration(StorageHub& hub, CatalogFile& catalog, const MigrationPlan& plan, Begin begin = Begin::kNew);

    void poll();
    [[nodiscard]] bool is_done() const { return state_ == State::kDone; }
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }
    [[nodiscard]] bool is_half_done() const { return error_ && is_planned_; }
    /// Segments that have a new name.
    [[nodiscard]] std::int64_t count() const { return move_.count(); }

  private:
    enum class State : std::uint8_t { kLook, kPlan, kClosePlan, kMove, kCatalog, kForget, kDone };

    /// Closes the plan's file; or removes it, for good.
    class PlanFile final : public StorageTask {
      public:
        PlanFile(StorageHub& hub, port::FileHandle file) : StorageTask(hub), file_(file) {}
        explicit PlanFile(StorageHub& hub) : StorageTask(hub) {}

      private:
        void step() override;
        void on_answer(port::StorageCompletion& completion) override;
        port::FileHandle file_ = port::FileHandle::kNone;
        bool is_removed_ = false;
    };

    [[nodiscard]] bool has_ended(StorageTask& task);

    StorageHub& hub_;
    CatalogFile& catalog_;
    const MigrationPlan plan_;
    const std::array<std::byte, MigrationPlan::kLength> bytes_;
    State state_ = State::kLook;
    bool is_planned_;
    SegmentMove move_;
    FileReplacement plan_written_;
    std::unique_ptr<PlanFile> plan_file_;
    CatalogFile::Ticket ticket_ = 0;
    std::optional<Error> error_;
};

}  // namespace fulmar::archive
