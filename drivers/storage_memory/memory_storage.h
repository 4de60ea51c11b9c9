/// Storage over a MemoryDisk, for tests and the simulator: nothing happens but in poll, and there in an order
/// drawn from a seed.
///
/// Destroying it is the death of its process: what was not carried out never will be; the disk keeps the
/// rest. threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "base/prng.h"
#include "drivers/storage_memory/memory_disk.h"
#include "port/storage.h"

namespace fulmar::drivers {

class MemoryStorage final : public port::Storage {
  public:
    struct Options {
        std::uint64_t seed = 1;
        std::size_t capacity = 256;  ///< requests under way
    };

    MemoryStorage(MemoryDisk& disk, const Options& options);
    ~MemoryStorage() override;

    [[nodiscard]] bool submit(port::StorageRequest& request) override;
    /// May return nothing while something is under way, but not for ever.
    int poll(std::vector<port::StorageCompletion>& completions, int limit) override;
    [[nodiscard]] std::size_t under_way() const override { return waiting_.size(); }

  private:
    [[nodiscard]] bool is_held_back(std::size_t index) const;
    [[nodiscard]] port::StorageCompletion carry_out(const port::StorageRequest& request);
    void carry_out_on_name(const port::StorageRequest& request, port::StorageCompletion& completion);
    void carry_out_on_file(const port::StorageRequest& request, port::StorageCompletion& completion);

    MemoryDisk& disk_;
    const std::size_t capacity_;
    base::Prng draws_;
    std::vector<port::StorageRequest> waiting_;  // oldest first
    std::map<port::FileHandle, MemoryDisk::FileId> open_;
    std::uint32_t last_handle_ = 0;
};

}  // namespace fulmar::drivers
