/// A Storage around another that makes its disk a bad one: `hold-unsynced,torn,read:0.01`.
///
/// Requests are carried out one after the other, each as a list of steps on the Storage below: it is for
/// tests, where knowing what happened is worth more than speed. With hold-unsynced the Storage below sees
/// nothing but what was synced, and files that have no synced name under one of their own (kHeldPrefix),
/// which the next FaultStorage on that directory removes. Destroying it is a power cut. threads: one submits
/// and polls; counts from any.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "base/statistic.h"
#include "drivers/storage_fault/held_bytes.h"
#include "drivers/storage_fault/storage_fault_spec.h"
#include "port/clock.h"
#include "port/storage.h"

namespace fulmar::drivers {

/// How often each fault was drawn, and what came of it.
struct StorageFaultCounts {
    std::uint64_t requests = 0;
    std::uint64_t read_errors = 0;
    std::uint64_t write_errors = 0;
    std::uint64_t sync_errors = 0;
    std::uint64_t syncs_lost = 0;
    std::uint64_t bytes_lost = 0;  ///< by those
    std::uint64_t no_space = 0;
    std::uint64_t misdirected = 0;
    std::uint64_t flipped_reads = 0;
    std::uint64_t flipped_at_rest = 0;
    std::uint64_t slowed = 0;
    std::uint64_t torn_sectors = 0;  ///< that went to the disk early
    std::uint64_t torn_names = 0;
};

class FaultStorage final : public port::Storage {
  public:
    static constexpr std::string_view kHeldPrefix = ".unsynced-";
    static constexpr std::size_t kCapacity = 256;

    FaultStorage(std::unique_ptr<port::Storage> inner, const StorageFaultSpec& spec, port::Clock& clock);

    [[nodiscard]] bool submit(port::StorageRequest& request) override;
    int poll(std::vector<port::StorageCompletion>& completions, int limit) override;
    [[nodiscard]] std::size_t under_way() const override {
        return queue_.size() + finished_.size() - (mounting_ ? 1 : 0);
    }

    /// From the next request on; what is held stays held.
    void set_spec(const StorageFaultSpec& spec);
    [[nodiscard]] const StorageFaultCounts& counts() const { return counts_; }
    /// What a power cut would take now.
    [[nodiscard]] std::uint64_t held_bytes() const;
    [[nodiscard]] std::size_t held_names() const { return held_names_.size(); }

  private:
    using FileKey = std::uint32_t;
    /// An inode: what is below, and what lies over it.
    struct File {
        std::string name_below;
        port::FileHandle below = port::FileHandle::kNone;
        std::uint32_t opened = 0;
        bool removed = false;
        std::uint64_t length = 0;
        std::uint64_t length_below = 0;
        /// Below, from here on, is what a held kResize has cut away.
        std::uint64_t valid_below = 0;
        HeldBytes dirty;
        HeldBytes lost;  ///< still read, never written: a failed sync took them for written
    };
    struct NameChange {
        FileKey file = 0;
        std::string name;      ///< below, before
        std::string new_name;  ///< empty: it goes
        bool replaces = false;
        [[nodiscard]] port::StorageRequest::Op op() const {
            using enum port::StorageRequest::Op;
            return new_name.empty() ? kRemove : replaces ? kReplace : kRename;
        }
    };
    /// A request at work.
    struct Job {
        port::StorageRequest request;
        port::StorageCompletion completion;
        FileKey file = 0;
        std::deque<port::StorageRequest> steps;
        std::deque<std::vector<std::byte>> buffers;  // that steps write from
        NameChange early;                            // that a step makes
    };
    struct Finished {
        port::StorageCompletion completion;
        Instant due;
    };
    enum class Kind : std::uint8_t {
        kRead = 1,
        kWrite,
        kSync,
        kSyncLost,
        kMisdirect,
        kFlipRead,
        kFlipRest,
        kSlow,
        kTear,
        kCount
    };

    void start_streams();
    [[nodiscard]] base::Prng& draws(Kind kind) { return streams_[static_cast<std::size_t>(kind)]; }
    [[nodiscard]] bool drawn(Kind kind, double probability, std::uint64_t& counter);

    void work(Instant now);
    void begin(Job& job);
    void begin_on_file(Job& job);
    void on_step(Job& job, const port::StorageRequest& step, port::StorageCompletion& done);
    void end(Job& job);
    void refuse(Job& job, port::StorageCompletion::Code code, std::string why);
    void mount(Job& job, const std::vector<port::DirectoryEntry>& entries);

    // Of files, in fault_content.cc.
    void begin_read(Job& job);
    void end_read(Job& job);
    void begin_write(Job& job);
    void begin_zero(Job& job);
    void begin_resize(Job& job);
    void begin_sync(Job& job);
    void end_sync(Job& job);
    [[nodiscard]] bool takes_space(Job& job, std::uint64_t bytes);
    void store(Job& job, std::uint64_t offset, std::span<const std::byte> data);
    void write_early(Job& job, std::uint64_t begin, std::uint64_t end);
    void misdirect(const File& file, std::uint64_t& offset, std::uint64_t length);
    [[nodiscard]] bool holds(const File& file) const;
    [[nodiscard]] static bool is_settled(const File& file);

    // Of names, in fault_names.cc.
    void begin_open(Job& job);
    void begin_create(Job& job);
    void end_open(Job& job);
    void begin_close(Job& job);
    void begin_rename(Job& job);
    void begin_replace(Job& job);
    void begin_remove(Job& job);
    void begin_sync_directory(Job& job);
    void list(Job& job) const;
    void change_name(Job& job, const NameChange& change);
    void on_name_changed(const NameChange& change);
    [[nodiscard]] bool goes_early(const NameChange& change);
    void close_below_if_unused(Job& job);
    void forget_files();

    std::unique_ptr<port::Storage> inner_;
    StorageFaultSpec spec_;
    port::Clock& clock_;
    StorageFaultCounts counts_;
    std::vector<base::Prng> streams_;
    std::uint64_t space_taken_ = 0;

    std::deque<Job> queue_;  // the front is at work, if begun_
    bool begun_ = false;
    bool step_under_way_ = false;
    bool mounting_ = true;
    std::deque<Finished> finished_;
    std::vector<port::StorageCompletion> polled_;

    std::map<FileKey, File> files_;
    FileKey last_file_ = 0;
    std::map<std::string, FileKey> names_;
    std::deque<NameChange> held_names_;
    std::map<port::FileHandle, FileKey> handles_;
    std::uint32_t last_handle_ = 0;
    std::uint64_t last_held_name_ = 0;
};

}  // namespace fulmar::drivers
