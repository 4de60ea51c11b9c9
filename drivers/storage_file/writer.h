/// What the thread of a FileStorage does with a batch of requests.
///
/// Names first, in the order they came; then all reads and writes, those that lie side by side in a file as
/// one; then one sync is begun for each file that asked, however often it did; then what is to be closed. A
/// sync waits for the device while further batches are carried out, one at a time for a file: who asks
/// meanwhile gets the next one, so that the slower the disk, the more goes into one sync.
/// threads: one owner. Reads, writes and syncs take no memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <sys/uio.h>
#include <unordered_map>
#include <vector>

#include "drivers/storage_file/directory.h"
#include "drivers/storage_file/io_engine.h"
#include "port/storage.h"
#include "ring/spsc_pointer_ring.h"

namespace fulmar::drivers {

/// A request on its way to the thread, and its completion on its way back.
struct StorageSlot {
    port::StorageRequest request;
    port::StorageCompletion completion;
    StorageSlot* next = nullptr;  ///< the writer's, in one of its lists
};

using SlotRing = ring::SpscPointerRing<StorageSlot*>;

class Writer final : private IoSink {
  public:
    /// `finished` holds a slot for each of `batch_max`.
    Writer(Directory directory, std::unique_ptr<IoEngine> engine, std::size_t batch_max, SlotRing& finished);
    ~Writer() override;
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    void carry_out(std::span<StorageSlot* const> batch);
    /// Goes on with what syncs have come to. Returns how many.
    int poll() { return is_syncing() ? engine_->poll(*this) : 0; }
    /// Until a sync is done, or for `patience`.
    void wait(Duration patience) { engine_->wait(patience); }
    [[nodiscard]] bool is_syncing() const { return syncs_under_way_ > 0; }

  private:
    struct SlotList {
        StorageSlot* first = nullptr;
        StorageSlot* last = nullptr;
        void push(StorageSlot& slot);
    };
    /// Of one file, or of the directory.
    struct Sync {
        IoJob job;  ///< its cookie: the file's handle, or kDirectory
        SlotList asking;
        SlotList served;  ///< by the one under way
        bool is_under_way = false;
    };
    struct File {
        std::uint32_t handle = 0;
        int fd = -1;
        std::uint64_t inode = 0;
        SlotList writes;
        Sync sync;
        SlotList closes;
        bool touched = false;
    };

    static constexpr std::size_t kDirectory = 0;  // no file's handle

    void sort_in(StorageSlot& slot);
    void sort_in_on_file(StorageSlot& slot);
    void on_name(StorageSlot& slot);
    void open(StorageSlot& slot);
    void transfer();
    void queue_writes(File& file);
    void queue(IoJob::Kind kind, int fd, std::uint64_t offset, std::span<iovec> parts, StorageSlot& first);
    /// Begins the sync that is asked for, unless one is under way.
    void begin_sync(Sync& sync);
    void close_if_asked(File& file);

    void on_done(IoJob& job, std::int64_t result) override;
    void on_read(IoJob& job, std::uint64_t count);
    void on_written(IoJob& job, std::uint64_t count);
    void on_transfer_failed(IoJob& job, int error);
    void on_synced(IoJob& job, int error);
    [[nodiscard]] bool is_unknown(const IoJob& sync) const;
    void finish_all(SlotList& list, const SystemOutcome& outcome);

    void finish(StorageSlot& slot, SystemOutcome outcome);
    void finish(StorageSlot& slot) { finish(slot, {}); }
    void touch(File& file);

    Directory directory_;
    std::unique_ptr<IoEngine> engine_;
    SlotRing& finished_;

    std::unordered_map<std::uint32_t, File> files_;
    std::uint32_t last_handle_ = 0;
    Sync directory_sync_;
    std::size_t syncs_under_way_ = 0;
    /// A sync of these failed: what the disk has of them is unknown, whatever the next sync would say.
    std::set<std::uint64_t> unknown_inodes_;
    bool directory_unknown_ = false;

    // Of the batch at hand; as long as it may become, from the start.
    std::vector<File*> touched_;
    SlotList reads_;
    std::vector<iovec> parts_;
    /// The first request of each transfer, by the job's cookie.
    std::vector<StorageSlot*> firsts_;
    std::vector<IoJob> jobs_;
    std::vector<IoJob> again_;
};

}  // namespace fulmar::drivers
