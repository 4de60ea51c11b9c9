/// Gives segments of one recording to another: renames them with their sidecars, syncs the names.
///
/// A sidecar knows its segment's base, not its recording; it stays true under the new name.
/// threads: as StorageTask. errors: the storage's; a name that is taken.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "archive/storage_task.h"

namespace fulmar::archive {

class SegmentMove final : public StorageTask {
  public:
    SegmentMove(StorageHub& hub, std::int64_t from_recording, std::int64_t to_recording,
        const std::vector<std::int64_t>& bases);

    /// Segments that have their new name.
    [[nodiscard]] std::int64_t count() const { return count_; }

  private:
    void step() override;
    void on_answer(port::StorageCompletion& completion) override;

    std::vector<std::pair<std::string, std::string>> names_;  // still to be renamed, the next one last
    std::int64_t count_ = 0;
};

}  // namespace fulmar::archive
