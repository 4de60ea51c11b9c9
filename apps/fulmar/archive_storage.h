/// An archive's directory opened for work on its files, by the archive's own tasks. Who changes anything
/// takes the directory's lock first. threads: one.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "archive/storage_hub.h"
#include "archive/storage_task.h"
#include "drivers/storage_file/file_storage.h"
#include "fulmar/result.h"

namespace fulmar::cli {

class ArchiveStorage {
  public:
    /// errors: the directory cannot be opened.
    [[nodiscard]] static Result<ArchiveStorage> open(const std::string& dir, bool read_only);

    [[nodiscard]] archive::StorageHub& hub() { return *hub_; }
    /// Hands out what has completed; waits a little where nothing has.
    void poll() {
        if (hub_->poll(64) == 0) {
            std::this_thread::yield();
        }
    }
    void run(archive::StorageTask& task) {
        for (task.poll(); !task.is_done(); task.poll()) {
            poll();
        }
    }

  private:
    explicit ArchiveStorage(std::unique_ptr<drivers::FileStorage> storage)
        : storage_(std::move(storage)), hub_(std::make_unique<archive::StorageHub>(*storage_)) {}

    std::unique_ptr<drivers::FileStorage> storage_;
    std::unique_ptr<archive::StorageHub> hub_;
};

}  // namespace fulmar::cli
