/// One image being recorded: its blocks go from the term buffer to the writer as they are, and its subscriber
/// position follows what was written, so that nothing can overwrite memory that is still on its way.
///
/// threads: the recorder's, between being handed over and `has_ended`; the conductor's before and after.
/// progress() from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "archive/recording_writer.h"
#include "fulmar/counter.h"
#include "fulmar/image.h"

namespace fulmar::archive {

/// What others may know of a recording while it runs: shared, so that a replay may ask after its end.
struct LivePosition {
    /// Positions below are recorded, and durable where the archive promises that.
    // SYNC(recording.position): release by the recorder, acquire by readers of the files.
    std::atomic<std::int64_t> position{0};
    /// position is final.
    // SYNC(recording.ended): release by the conductor, acquire by replays.
    std::atomic<bool> has_ended{false};
};

class RecordingSession {
  public:
    struct Init {
        std::int64_t recording_id = 0;
        Image* image = nullptr;
        std::shared_ptr<const void> mapping;  ///< keeps the image's log
        SegmentShape shape;
        std::int64_t start_position = 0;
        std::int64_t position = 0;  ///< to go on at
        bool extends = false;       ///< it has files already
        std::int32_t block_length_max = 0;
        Counter* recorded = nullptr;  ///< outlives the session
        Counter* written = nullptr;   ///< may be null
        std::shared_ptr<LivePosition> progress;
    };

    RecordingSession(Init init, StorageHub& storage, const WriterOptions& options);

    int poll(Instant now);
    /// No more blocks; what was taken is finished.
    void stop() { is_stopping_ = true; }
    /// Nothing is under way any more; the image and its log are not needed. error() and position() are final.
    [[nodiscard]] bool has_ended() const { return writer_.is_finished(); }

    [[nodiscard]] std::int64_t recording_id() const { return init_.recording_id; }
    /// Where the recording ends, once the session has.
    [[nodiscard]] std::int64_t end_position() const { return writer_.end_position(); }
    /// Where the last block ends that was taken; after an error it may lie behind the end.
    [[nodiscard]] std::int64_t submitted_position() const { return writer_.submitted_position(); }
    [[nodiscard]] const std::optional<Error>& error() const { return writer_.error(); }
    [[nodiscard]] const WriterCounts& counts() const { return writer_.counts(); }

  private:
    int take_blocks();
    int publish();

    Init init_;
    RecordingWriter writer_;
    std::int64_t told_;
    std::int64_t written_told_;
    bool is_stopping_ = false;
    bool is_finishing_ = false;
};

}  // namespace fulmar::archive
