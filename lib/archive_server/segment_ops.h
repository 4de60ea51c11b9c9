/// Requests that change which bytes of a recording are kept: truncate, purge, detach, attach, migrate.
///
/// One at a time for each recording. The catalog is durable before a file goes, so that no start finds a
/// recording whose files were taken away.
/// threads: the conductor's.  source: Aeron 1.53, archive control protocol.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/truncation.h"
#include "archive_server/catalog_file.h"
#include "archive_server/context.h"
#include "archive_server/control_sessions.h"
#include "archive_server/migration.h"
#include "archive_server/recordings.h"
#include "archive_server/replays.h"
#include "archive_server/segment_attach.h"
#include "archive_server/segment_removal.h"

namespace fulmar::archive {

class SegmentOps {
  public:
    SegmentOps(ServerContext& context, Recordings& recordings, Replays& replays);

    void truncate(Asker asker, std::int64_t recording_id, std::int64_t position);
    void purge_recording(Asker asker, std::int64_t recording_id);
    void detach(Asker asker, std::int64_t recording_id, std::int64_t new_start_position);
    void delete_detached(Asker asker, std::int64_t recording_id);
    void purge_segments(Asker asker, std::int64_t recording_id, std::int64_t new_start_position);
    void attach(Asker asker, std::int64_t recording_id);
    void migrate(Asker asker, std::int64_t source_id, std::int64_t destination_id);

    int poll();

    /// Files of the recording are being changed.
    [[nodiscard]] bool is_busy(std::int64_t recording_id) const;
    [[nodiscard]] bool is_idle() const;

  private:
    /// What has been begun for one asker. Which of the tasks there are tells what it is.
    struct Job {
        Asker asker;
        std::int64_t recording_id = -1;
        std::int64_t other_id = -1;  ///< the destination of a migration
        CatalogFile::Ticket ticket = 0;
        bool is_answered = false;
        bool is_over = false;
        /// It failed where it can neither go on nor back: the next start goes on with it, and until then
        /// nothing else is to happen to its recordings.
        bool is_stuck = false;
        std::unique_ptr<SegmentRemoval> removal;
        std::optional<Truncation::Cut> cut;
        std::unique_ptr<Truncation> truncation;
        std::unique_ptr<SegmentAttach> attach;
        MigrationPlan plan{};
        std::unique_ptr<Migration> migration;
    };

    /// The recording, unless there is none or something is done to it; the asker is told then.
    [[nodiscard]] std::optional<Recording> free_recording(Asker asker, std::int64_t recording_id);
    [[nodiscard]] bool may_detach(Asker asker, const Recording& recording, std::int64_t new_start_position);
    void set_start(std::int64_t recording_id, std::int64_t position);
    void begin_removal(Asker asker, const SegmentRemoval::Range& range);
    Job& add_job(Asker asker, std::int64_t recording_id);
    [[nodiscard]] std::string why_not_joined(const Recording& source, const Recording& destination);

    int poll_removal(Job& job);
    int poll_truncation(Job& job);
    int poll_attach(Job& job);
    int poll_migration(Job& job);
    [[nodiscard]] bool is_migrating() const;
    void end(Job& job);
    void fail(Job& job, const Error& error);

    ServerContext& context_;
    Recordings& recordings_;
    Replays& replays_;
    std::vector<std::unique_ptr<Job>> jobs_;
};

}  // namespace fulmar::archive
