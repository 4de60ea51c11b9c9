/// MemoryMap over heap memory, for simulation and tests: named regions that everybody who opens the same
/// path of the same object shares, with a bound on the space in all.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "port/memory_map.h"

namespace fulmar::drivers {

class HeapRegion;
class HeapSpace;

/// threads: any. A region lives while it has a name or a mapping, so removing a mapped path is legal, as on
/// a file system; mappings may outlive this object. Space is given back when the last user goes.
/// Directories need not be made before files are created in them.
class HeapMemoryMap final : public port::MemoryMap {
  public:
    explicit HeapMemoryMap(std::int64_t space_max = std::numeric_limits<std::int64_t>::max());
    ~HeapMemoryMap() override;
    HeapMemoryMap(const HeapMemoryMap&) = delete;
    HeapMemoryMap& operator=(const HeapMemoryMap&) = delete;

    [[nodiscard]] Result<std::unique_ptr<port::Mapping>> create(
        const std::string& path, std::int64_t length, bool reserve) override;
    [[nodiscard]] Result<std::unique_ptr<port::Mapping>> open(
        const std::string& path, bool writable) override;
    [[nodiscard]] Status remove(const std::string& path) override;
    [[nodiscard]] bool exists(const std::string& path) override;
    [[nodiscard]] Status make_directory(const std::string& path) override;
    [[nodiscard]] Status remove_directory(const std::string& path) override;
    [[nodiscard]] std::int64_t usable_space(const std::string& path) override;

    /// Changes the bound, so that a simulation can let space run out.
    void set_space_max(std::int64_t space_max);

  private:
    // Shared, because mappings may outlive their name and this object.
    std::shared_ptr<HeapSpace> space_;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<HeapRegion>> regions_;
    std::set<std::string> directories_;
};

}  // namespace fulmar::drivers
