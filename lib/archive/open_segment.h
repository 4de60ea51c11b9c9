/// One segment that is being written, its file and its sidecar's: made ahead, named, filled, synced, closed.
///
/// A sidecar has its name, durably, before its segment has one: a segment without a sidecar was written by
/// somebody who keeps none. threads: one owner, which polls the hub too. errors: error(), which stays;
/// nothing but close() is carried out from then on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "archive/segment.h"
#include "archive/sidecar_buffer.h"
#include "archive/storage_hub.h"
#include "fulmar/error.h"

namespace fulmar::archive {

class OpenSegment final : public StorageUser {
  public:
    struct Place {
        std::int64_t recording_id = 0;
        std::int64_t base = 0;
        std::int32_t length = 0;
    };

    /// A new one, to be filled from `position` on.
    OpenSegment(StorageHub& hub, const Place& place, std::int64_t position);
    /// One that is there and is filled up to `position`; `next_slot` of its sidecar, where it has one.
    OpenSegment(
        StorageHub& hub, const Place& place, std::int64_t position, std::optional<std::uint64_t> next_slot);

    /// Submits what is due. Returns how much.
    int poll();

    /// Both files are open and may be written; the segment may still lack its name.
    [[nodiscard]] bool is_prepared() const;
    /// Gives a prepared segment its name.
    void name() { name_wanted_ = true; }
    [[nodiscard]] bool is_named() const;
    /// Whether a sync of the directory began after it was named and completed.
    [[nodiscard]] bool is_name_durable() const { return name_durable_; }
    void set_name_durable() { name_durable_ = true; }
    /// No space was left when it was to be made; prepare_again() tries once more.
    [[nodiscard]] const std::optional<Error>& blocked() const { return blocked_; }
    void prepare_again() { blocked_.reset(); }

    [[nodiscard]] port::FileHandle file() const { return data_; }
    [[nodiscard]] SidecarBuffer& checksums() { return checksums_; }
    [[nodiscard]] std::int64_t base() const { return place_.base; }
    [[nodiscard]] std::int64_t end() const { return place_.base + place_.length; }

    /// Submits the entries that gathered, or a mark. False: not now.
    [[nodiscard]] bool write_checksums(std::int64_t durable, std::uint32_t epoch);
    /// A sync of all that was submitted up to now; of the sidecar alone, or of both.
    void sync(bool with_data);
    [[nodiscard]] bool is_syncing() const { return syncs_wanted_ != 0 || syncs_under_way_ != 0; }

    /// Closes both files once nothing is under way on them, and removes them if the segment has no name yet.
    void close() { close_wanted_ = true; }
    [[nodiscard]] bool is_closed() const { return stage_ == Stage::kClosed; }

    [[nodiscard]] const std::optional<Error>& error() const { return error_; }
    [[nodiscard]] std::string file_name() const;

    void on_storage(port::StorageCompletion& completion) override;

  private:
    /// What is next to be done with its names and handles.
    enum class Stage : std::uint8_t {
        kCreateSidecar,
        kCreateData,
        kSyncNames,
        kPrepared,
        kRename,
        kOpenData,
        kOpenSidecar,
        kNamed,
        kCloseData,
        kCloseSidecar,
        kRemoveData,
        kRemoveSidecar,
        kClosed,
    };
    enum Token : std::uint64_t { kStage, kSyncData, kSyncSidecar, kEntries };

    [[nodiscard]] bool submit(Token token, port::StorageRequest request);
    [[nodiscard]] bool submit_stage();
    [[nodiscard]] bool submit_syncs();
    [[nodiscard]] bool submit_checksums();
    void begin_closing();
    void on_stage(const port::StorageCompletion& completion);
    void skip_what_is_not_there();
    void fail_with(const port::StorageCompletion& completion, const std::string& what);
    [[nodiscard]] std::string prepared_name() const;

    StorageHub& hub_;
    const Place place_;
    Stage stage_;
    bool asked_ = false;  // for the stage
    const bool has_sidecar_;
    bool named_;
    bool name_durable_;
    bool name_wanted_ = false;
    bool close_wanted_ = false;
    port::FileHandle data_ = port::FileHandle::kNone;
    port::FileHandle sidecar_ = port::FileHandle::kNone;
    SidecarBuffer checksums_;
    std::optional<SidecarBuffer::Write> checksums_waiting_;
    unsigned syncs_wanted_ = 0;  // bits of Token
    unsigned syncs_under_way_ = 0;
    std::optional<Error> blocked_;
    std::optional<Error> error_;
};

}  // namespace fulmar::archive
