/// Gives the segments of one recording to another: looks what there is, waits for leave, renames them with
/// their sidecars, syncs the names.
///
/// A sidecar knows its segment's base, not its recording; it stays true under the new name.
/// threads: as StorageTask. errors: the storage's; before anything is renamed, a name that is taken.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "archive/storage_task.h"

namespace fulmar::archive {

class SegmentMove final : public StorageTask {
  public:
    /// Of `from_recording` those that begin before `until`. goes_on: some may have moved already.
    SegmentMove(StorageHub& hub, std::int64_t from_recording, std::int64_t to_recording, std::int64_t until,
        bool goes_on);

    /// All that is to be renamed is there, and no name is taken.
    [[nodiscard]] bool has_looked() const { return has_looked_; }
    void allow() { is_allowed_ = true; }
    /// Segments that have their new name.
    [[nodiscard]] std::int64_t count() const { return count_; }

  private:
    void step() override;
    void on_answer(port::StorageCompletion& completion) override;
    void look(const std::vector<port::DirectoryEntry>& entries);

    const std::int64_t from_;
    const std::int64_t to_;
    const std::int64_t until_;
    const bool goes_on_;
    bool has_looked_ = false;
    bool is_allowed_ = false;
    std::vector<std::pair<std::string, std::string>> names_;  // still to be renamed, the next one last
    std::int64_t count_ = 0;
};

}  // namespace fulmar::archive
