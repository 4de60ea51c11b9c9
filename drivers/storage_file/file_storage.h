/// Storage on real files of one directory: a thread of its own behind two rings.
///
/// The thread takes all that has gathered as one batch, see Writer. A failed sync sticks: each later sync of
/// that file fails as well, whichever handle asks.
/// threads: one submits and polls; describe from any.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "config/settings.h"
#include "drivers/storage_file/writer.h"
#include "fulmar/result.h"
#include "port/storage.h"

namespace fulmar::drivers {

class FileStorage final : public port::Storage {
  public:
    enum class Engine : std::uint8_t {
        kBest,   ///< io_uring where the kernel lets us, else plain calls
        kUring,  ///< or fail
        kCalls,
    };
    struct Options {
        std::string directory;       ///< it must exist
        bool read_only = false;      ///< files are opened for reading alone
        std::size_t capacity = 256;  ///< requests under way; a power of two
        Engine engine = Engine::kBest;
        /// Of the thread, when nothing is asked of it.
        config::IdleStrategy idle = config::IdleStrategy::kBackoff;
    };

    /// errors: kGeneric when the directory cannot be opened, kNotSupported when kUring is asked for in vain.
    [[nodiscard]] static Result<std::unique_ptr<FileStorage>> create(const Options& options);
    /// Over an engine of one's own.
    [[nodiscard]] static Result<std::unique_ptr<FileStorage>> create(
        const Options& options, std::unique_ptr<IoEngine> engine);
    /// Carries out what was submitted, then ends.
    ~FileStorage() override;

    [[nodiscard]] bool submit(port::StorageRequest& request) override;
    int poll(std::vector<port::StorageCompletion>& completions, int limit) override;
    [[nodiscard]] std::size_t under_way() const override { return slots_.size() - free_.size(); }

    /// How bytes go to the disk, and why not otherwise: "io_uring", "pwritev (io_uring: ...)".
    [[nodiscard]] const std::string& describe() const { return description_; }

  private:
    FileStorage(const Options& options, Directory directory, std::unique_ptr<IoEngine> engine);
    void run();

    const config::IdleStrategy idle_;
    std::string description_;
    std::vector<StorageSlot> slots_;
    std::vector<StorageSlot*> free_;  // a stack, so that the same few stay in use
    SlotRing submitted_;
    SlotRing finished_;
    Writer writer_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace fulmar::drivers
