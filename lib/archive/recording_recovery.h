/// Finds where a recording ends whose archive died, and cuts there what was on its way to the disk.
///
/// With sidecars: everything before the last completed epoch must be as it was recorded. What is not is
/// damage, and stays as it is. Behind that epoch the recording ends at the first block that is not whole;
/// what lies there is zeroed, later segments are removed, and what is kept is synced, so that the stop
/// position can be told to others. Segments before the one in which the last epoch ended are not read:
/// `fulmar archive verify` reads all.
///
/// Without a sidecar beside the last segment the recording is somebody else's, and ends where its frames do.
/// A frame that cannot be is damage then, since nobody knows what had been synced.
/// threads: one owner. errors: the storage's; nothing else is concluded then.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/damage.h"
#include "archive/segment_check.h"
#include "archive/segment_sync.h"
#include "archive/truncation.h"

namespace fulmar::archive {

class RecordingRecovery {
  public:
    struct Subject {
        std::int64_t recording_id = 0;
        SegmentShape shape{};
        std::int64_t start_position = 0;
        std::vector<std::int64_t> bases{};  ///< of the segments that are there, from the start on, ascending
        bool checksum_frames = false;
        std::optional<std::int32_t> session_id{};  ///< as SegmentCheck has it
    };

    RecordingRecovery(StorageHub& hub, Subject subject);

    void poll();
    [[nodiscard]] bool is_done() const { return state_ == State::kDone; }
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

    // When done:
    [[nodiscard]] std::int64_t stop_position() const { return stop_; }
    /// Of what is cut: where the last whole frame or block was found that could not be kept, or
    /// stop_position().
    [[nodiscard]] std::int64_t found_end() const { return found_end_; }
    [[nodiscard]] const std::vector<Damage>& damages() const { return damages_; }

  private:
    enum class State : std::uint8_t { kCheck, kSync, kCut, kDone };

    void begin_check();
    void on_checked();
    void conclude();
    void begin_sync();
    void begin_cut();

    StorageHub& hub_;
    const Subject subject_;
    State state_ = State::kCheck;
    std::size_t next_;  // segments before this one were not looked at
    std::unique_ptr<SegmentCheck> check_;
    std::unique_ptr<SegmentSync> sync_;
    std::unique_ptr<Truncation> cut_;

    bool has_sidecars_ = false;
    std::int64_t durable_;
    std::int64_t found_end_;
    std::int64_t stop_;
    std::vector<SegmentCheck::Fault> faults_;
    std::vector<Damage> damages_;
    std::optional<Error> error_;
};

}  // namespace fulmar::archive
