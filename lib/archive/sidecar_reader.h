/// Reads the entries of a segment's sidecar one after the other, in windows of 32 KiB, while the sidecar may
/// still grow.
///
/// Marks and empty slots are where it ends for now; a slot that is bad is read again and, if it stays so,
/// passed over: what it covered is covered by nothing. threads: as StorageHub. errors: error().
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "archive/sidecar.h"
#include "archive/storage_hub.h"

namespace fulmar::archive {

class SidecarReader final : public StorageUser {
  public:
    SidecarReader(StorageHub& hub, std::int64_t recording_id, std::int32_t segment_length);

    /// Of the segment at `base`; none is open, and nothing is under way.
    void open(std::int64_t base);
    void close();
    /// Submits what the storage had no room for.
    void poll();
    [[nodiscard]] bool is_busy() const { return waiting_.has_value() || is_asked_; }
    [[nodiscard]] bool is_closed() const { return state_ == State::kClosed; }
    [[nodiscard]] const std::optional<std::string>& error() const { return error_; }

    enum class Next : std::uint8_t {
        kWait,   ///< it is being read
        kNone,   ///< no entry reaches beyond the position, or there is no sidecar
        kEntry,  ///< entry()
    };
    /// Finds the first entry that ends behind `position`, which never goes back. `recorded`: up to where the
    /// recording was known to be in its files, with its entries, when the caller asks.
    [[nodiscard]] Next next(std::int64_t position, std::int64_t recorded);
    [[nodiscard]] const SidecarEntry& entry() const { return entry_; }

    void on_storage(port::StorageCompletion& completion) override;

  private:
    enum class State : std::uint8_t { kClosed, kOpen, kMissing };
    static constexpr std::uint64_t kWindowSlots = 1024;

    void ask(port::StorageRequest request);
    Next read_from_here(std::int64_t recorded);
    [[nodiscard]] SidecarSlot slot_at(std::uint64_t number) const;
    [[nodiscard]] static bool is_data(const SidecarSlot& slot);
    [[nodiscard]] bool skip_to_entry();

    StorageHub& hub_;
    const std::int64_t recording_id_;
    const std::int32_t segment_length_;
    State state_ = State::kClosed;
    std::int64_t base_ = 0;
    port::FileHandle file_ = port::FileHandle::kNone;
    std::optional<port::StorageRequest> waiting_;
    bool is_asked_ = false;
    std::optional<std::string> error_;

    std::vector<std::byte> window_;
    std::uint64_t first_ = 0;  // slot of the window's begin
    std::uint64_t count_ = 0;  // slots in it
    std::uint64_t slot_ = 1;   // the next one
    bool is_at_end_ = false;
    std::int64_t read_recorded_ = 0;  // `recorded` when the window was asked for
    int attempts_ = 0;
    int read_errors_ = 0;
    SidecarEntry entry_{};
};

}  // namespace fulmar::archive
