/// The archive's process on a node of the virtual world: started on a disk that lies, killed with or without
/// a power cut, started again. threads: one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive_server/server.h"
#include "archive_server/start_up.h"
#include "base/prng.h"
#include "drivers/storage_fault/fault_storage.h"
#include "drivers/storage_memory/memory_disk.h"
#include "drivers/storage_memory/memory_storage.h"
#include "tests/sim/node.h"
#include "tests/sim/scheduler.h"

namespace fulmar::sim {

struct ArchiveHostOptions {
    archive::ServerOptions server;
    drivers::StorageFaultSpec faults;
    std::uint64_t disk_space = 256 << 20;
};

class ArchiveHost final : public Actor {
  public:
    ArchiveHost(Node& node, ArchiveHostOptions options, std::uint64_t seed, Verdict& verdict);
    ~ArchiveHost() override;

    /// Starts the process; it serves some time after.
    void start();
    /// The process is gone. torn: nothing for a kill; else how the power cut treats what was not synced.
    void kill(const std::optional<drivers::MemoryDisk::PowerCut>& cut);
    [[nodiscard]] bool is_up() const { return process_ != nullptr; }
    [[nodiscard]] bool is_serving() const {
        return is_up() && process_->server != nullptr && process_->server->is_ready();
    }
    /// It ended by itself: what it said.
    [[nodiscard]] const std::string& last_error() const { return last_error_; }
    /// Faults of the disk from the next start on.
    void set_faults(const drivers::StorageFaultSpec& faults) { options_.faults = faults; }
    [[nodiscard]] drivers::MemoryDisk& disk() { return disk_; }
    [[nodiscard]] archive::Server& server() { return *process_->server; }
    /// Of the recordings it called damaged when it started.
    [[nodiscard]] bool called_damaged(std::int64_t recording_id) const;
    [[nodiscard]] const drivers::StorageFaultCounts& fault_counts() const { return fault_counts_; }
    [[nodiscard]] std::uint64_t recovered_count() const { return recovered_; }

    int poll() override;

  private:
    /// Between the archive and its disk, so that what the dead still hold cannot reach it.
    class Cable final : public port::Storage {
      public:
        explicit Cable(std::unique_ptr<port::Storage> inner) : inner_(std::move(inner)) {}
        void cut() { inner_.reset(); }
        bool submit(port::StorageRequest& request) override {
            return inner_ != nullptr && inner_->submit(request);
        }
        int poll(std::vector<port::StorageCompletion>& completions, int limit) override {
            completions.clear();
            return inner_ != nullptr ? inner_->poll(completions, limit) : 0;
        }
        std::size_t under_way() const override { return inner_ != nullptr ? inner_->under_way() : 0; }

      private:
        std::unique_ptr<port::Storage> inner_;
    };
    struct Process {
        std::unique_ptr<Cable> storage;
        drivers::FaultStorage* faults = nullptr;
        std::unique_ptr<archive::StorageHub> hub;
        std::unique_ptr<Client> client;
        std::unique_ptr<archive::StartUp> start_up;
        std::unique_ptr<archive::Server> server;
        std::vector<std::int64_t> damaged;
    };

    int poll_start();
    void end_by_itself(const std::string& why);

    Node& node_;
    ArchiveHostOptions options_;
    Verdict& verdict_;
    base::Prng draws_;
    drivers::MemoryDisk disk_;
    std::unique_ptr<Process> process_;
    std::vector<std::unique_ptr<Process>> dead_;
    std::vector<std::int64_t> damaged_;
    std::string last_error_;
    drivers::StorageFaultCounts fault_counts_;
    std::uint64_t recovered_ = 0;
    Instant next_connect_;
};

}  // namespace fulmar::sim
