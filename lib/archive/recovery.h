/// What an archive does with its directory before it serves anybody: gets rid of what was half made or half
/// deleted, finds out where recordings end that nobody stopped, and looks whether the others have their
/// files.
///
/// The directory is listed once; only recordings that were not stopped are read. The catalog is changed in
/// memory: its owner writes the changes when this is done, and not before, so that an interruption begins
/// anew. A recording that is damaged keeps its entry as it is: the next start finds the damage again, until
/// it is repaired. Meanwhile it can be read up to stop_position(), and not extended. threads: one owner,
/// which polls the hub too. errors: the directory cannot be listed; anything else concerns one recording and
/// is told in damages().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/catalog.h"
#include "archive/damage.h"
#include "archive/recording_recovery.h"
#include "archive/storage_task.h"

namespace fulmar::archive {

struct RecoveryOptions {
    bool checksum_frames = false;  ///< frames carry Aeron's checksum (--record-checksum)
    std::int64_t now_ms = 0;       ///< the stop timestamp of recordings that nobody stopped
};

class Recovery final : private StorageTask {
  public:
    Recovery(StorageHub& hub, Catalog& catalog, const RecoveryOptions& options);

    void poll();
    [[nodiscard]] bool is_done() const { return phase_ == Phase::kDone; }
    [[nodiscard]] const std::optional<Error>& error() const { return StorageTask::error(); }

    // When done:
    [[nodiscard]] const std::vector<Damage>& damages() const { return damages_; }
    /// What was done or seen, a line each, for the log.
    [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
    [[nodiscard]] bool is_extendable(std::int64_t recording_id) const;
    /// Of a recording whose entry still says that it is active, since it is damaged; kNullValue of others.
    [[nodiscard]] std::int64_t stop_position(std::int64_t recording_id) const;

  private:
    enum class Phase : std::uint8_t { kList, kRemove, kRecordings, kRecord, kCut, kDone };
    struct File {
        std::int64_t recording_id = 0;
        std::int64_t base = 0;
        std::uint64_t length = 0;
    };
    struct DamagedStop {
        std::int64_t recording_id;
        std::int64_t position;
    };

    void step() override;
    void on_answer(port::StorageCompletion& completion) override;

    void sort_in(const std::vector<port::DirectoryEntry>& entries);
    void note_orphans();
    void next_recording();
    void check_stopped(const Recording& recording, const SegmentShape& shape);
    void begin_recovery(const Recording& recording, const SegmentShape& shape);
    void end_recovery();
    void end_cut();
    [[nodiscard]] std::span<const File> files_of(std::int64_t recording_id) const;
    [[nodiscard]] const File* file_at(std::int64_t recording_id, std::int64_t base) const;

    StorageHub& hub_;
    Catalog& catalog_;
    const RecoveryOptions options_;
    Phase phase_ = Phase::kList;
    std::vector<File> segments_;  // by recording and base
    std::vector<std::string> leftovers_;
    std::size_t index_ = 0;  // in the catalog
    std::unique_ptr<RecordingRecovery> recovery_;
    std::unique_ptr<Truncation> cut_;
    std::vector<Damage> damages_;
    std::vector<DamagedStop> damaged_stops_;
    std::vector<std::string> notes_;
};

}  // namespace fulmar::archive
