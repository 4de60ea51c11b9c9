/// The file of what a member has promised: its term, its vote, and the name of its disk.
///
///   member.vote   two copies of one slot of 64 bytes, at 0 and at 4096; little-endian:
///     magic:u64  version:u32  reserved:u32  sequence:u64  disk:u64,u64  term:i64  voted_for:i32  crc32c:u32
///     of all before it, then zeros
///
/// A promise is written over the copy that is not the last durable one and is durable with its sync; the
/// other copy follows in its own time. So a torn write leaves the promise before it, and a sector that goes
/// bad later leaves the same one. A file without a whole copy is never taken for an empty one: a member that
/// has forgotten what it promised must come back as another, by a disk of another name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "archive/file_replacement.h"
#include "archive/storage_task.h"
#include "raft/node.h"

namespace fulmar::cluster {

inline constexpr std::string_view kVoteFileName = "member.vote";
inline constexpr std::size_t kVoteSlotLength = 64;
inline constexpr std::uint64_t kVoteSlotSpacing = 4096;

struct Promise {
    std::uint64_t sequence = 0;
    raft::DiskId disk;
    raft::State state;

    bool operator==(const Promise&) const = default;
};

using VoteSlot = std::array<std::byte, kVoteSlotLength>;
[[nodiscard]] VoteSlot encode_promise(const Promise& promise);
/// Nothing: these bytes are no slot, or not a whole one.
[[nodiscard]] std::optional<Promise> decode_promise(std::span<const std::byte> slot);

/// Opens the file, or makes it with a promise of nothing.
/// threads: as StorageTask.  errors: the storage's, and a file without a whole slot; one line that says how
/// to mend it.
class VoteFileOpening final : public archive::StorageTask {
  public:
    /// `fresh`: names the disk if there is no file yet.
    VoteFileOpening(archive::StorageHub& hub, const raft::DiskId& fresh);

    // When done well:
    [[nodiscard]] port::FileHandle file() const { return file_; }
    [[nodiscard]] const Promise& promise() const { return promise_; }
    [[nodiscard]] std::uint64_t copy() const { return copy_; }  ///< that holds it
    [[nodiscard]] bool was_made() const { return was_made_; }

  private:
    enum class State : std::uint8_t { kOpen, kMake, kRead };

    void step() override;
    void on_answer(port::StorageCompletion& completion) override;
    void conclude();

    State state_ = State::kOpen;
    port::FileHandle file_ = port::FileHandle::kNone;
    Promise promise_;
    std::uint64_t copy_ = 0;
    bool was_made_ = false;
    std::vector<std::byte> bytes_;
    std::optional<archive::FileReplacement> making_;
};

/// Keeps promises in an open file.
/// threads: one owner, which polls the hub too.  errors: error(), which stays; nothing becomes durable any
/// more.
class VoteFile final : public archive::StorageUser {
  public:
    /// Of a file that was opened well.
    VoteFile(archive::StorageHub& hub, const VoteFileOpening& opened)
        : hub_(hub), file_(opened.file()), promise_(opened.promise()), durable_copy_(opened.copy()) {}

    /// Replaces what is not on its way yet. `number`: the owner's, which grows.
    void keep(std::uint64_t number, const raft::State& state);
    int poll();
    /// The last number whose state, or a later one, survives a power cut.
    [[nodiscard]] std::uint64_t durable() const { return durable_; }
    [[nodiscard]] const raft::DiskId& disk() const { return promise_.disk; }
    [[nodiscard]] bool is_idle() const { return step_ == Step::kIdle && wanted_ == written_; }
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

    void on_storage(port::StorageCompletion& completion) override;

  private:
    enum class Step : std::uint8_t { kIdle, kWrite, kSync, kSecondWrite, kSecondSync };

    void begin();

    archive::StorageHub& hub_;
    port::FileHandle file_;
    Promise promise_;
    VoteSlot slot_{};
    Step step_ = Step::kIdle;
    bool is_asked_ = false;
    std::uint64_t durable_copy_;
    std::uint64_t wanted_ = 0;   // number of promise_.state
    std::uint64_t written_ = 0;  // number of what slot_ holds
    std::uint64_t durable_ = 0;
    std::optional<Error> error_;
};

}  // namespace fulmar::cluster
