/// Syncs segments that were closed, their sidecars, and the directory.
/// threads: as StorageTask. errors: a segment that is not there; the storage's. A failed sync is not tried
/// again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "archive/storage_task.h"

namespace fulmar::archive {

class SegmentSync final : public StorageTask {
  public:
    SegmentSync(StorageHub& hub, std::int64_t recording_id, const std::vector<std::int64_t>& bases);

  private:
    enum class State : std::uint8_t { kOpen, kSync, kClose, kSyncDirectory };
    void step() override;
    void on_answer(port::StorageCompletion& completion) override;

    const std::int64_t recording_id_;
    std::vector<std::string> names_;
    port::FileHandle file_ = port::FileHandle::kNone;
    State state_;
};

}  // namespace fulmar::archive
