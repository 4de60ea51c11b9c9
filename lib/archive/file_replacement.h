/// Puts a file in the place of what has its name, or of nothing: written and synced under another name, then
/// renamed over it, so that whatever happens there is the old one or the new one, whole.
///
/// threads: as StorageTask. errors: the storage's; the old one stays then, and who starts next removes what
/// was written of the new one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "archive/storage_task.h"

namespace fulmar::archive {

/// The name of a file that is not whole yet is this longer.
inline constexpr std::string_view kUnfinishedSuffix = ".new";

class FileReplacement final : public StorageTask {
  public:
    /// `bytes` stay until it is done.
    FileReplacement(StorageHub& hub, std::string name, std::span<const std::byte> bytes);

    /// The new one, when done well: open, and the caller's.
    [[nodiscard]] port::FileHandle file() const { return file_; }

  private:
    enum class State : std::uint8_t { kRemoveOlder, kCreate, kWrite, kSync, kReplace, kSyncDirectory };
    static constexpr std::size_t kWriteMax = 8 << 20;

    void step() override;
    void on_answer(port::StorageCompletion& completion) override;

    [[nodiscard]] std::string unfinished_name() const { return name_ + std::string(kUnfinishedSuffix); }

    const std::string name_;
    const std::span<const std::byte> bytes_;
    std::size_t written_ = 0;
    State state_ = State::kRemoveOlder;
    port::FileHandle file_ = port::FileHandle::kNone;
};

}  // namespace fulmar::archive
