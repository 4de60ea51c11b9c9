/// Removes files of one recording: finds them, waits for leave, removes them with their sidecars, syncs.
/// threads: as StorageTask.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "archive/storage_task.h"

namespace fulmar::archive {

class SegmentRemoval final : public StorageTask {
  public:
    /// Of the recording's segments those whose base is in [from, to).
    struct Range {
        std::int64_t recording_id = 0;
        std::int64_t from = 0;
        std::int64_t to = INT64_MAX;
    };

    SegmentRemoval(StorageHub& hub, const Range& range);

    /// The directory was looked through; bases() and other_bases() are known.
    [[nodiscard]] bool is_counted() const { return state_ != State::kListing; }
    [[nodiscard]] const std::vector<std::int64_t>& bases() const { return bases_; }
    /// Of now: nobody is told of the files any more.
    void allow() { is_allowed_ = true; }

  private:
    enum class State : std::uint8_t {
        kListing,
        kWaiting,
        kRemoving,
        kSyncing,
        kRemovingSidecars,
        kSyncingSidecars
    };

    void step() override;
    void on_answer(port::StorageCompletion& completion) override;
    void sort_in(const std::vector<port::DirectoryEntry>& entries);

    const Range range_;
    State state_ = State::kListing;
    bool is_allowed_ = false;
    std::vector<std::int64_t> bases_;
    std::vector<std::string> names_;     // segments still to be removed, the next one last
    std::vector<std::string> sidecars_;  // go when the segments are gone: one without is judged by its frames
};

}  // namespace fulmar::archive
