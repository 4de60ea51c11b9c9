/// Named mappings shared between driver and clients: files on tmpfs or hugetlbfs, or heap in a simulation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "fulmar/result.h"

namespace fulmar::port {

/// Keeps memory mapped while it lives. threads: the bytes are shared, the object has one owner.
class Mapping {
  public:
    virtual ~Mapping() = default;
    [[nodiscard]] virtual std::span<std::byte> bytes() const = 0;
};

/// May block; called from the resource agent or at start-up, never on a data path.
class MemoryMap {
  public:
    virtual ~MemoryMap() = default;

    /// Creates a zeroed file of `length` bytes and maps it; fails if it exists.
    /// reserve: take the space now (kStorageSpace if there is none) instead of on first touch.
    /// errors: kStorageSpace, kGeneric with path and reason.
    [[nodiscard]] virtual Result<std::unique_ptr<Mapping>> create(
        const std::string& path, std::int64_t length, bool reserve) = 0;
    /// Maps an existing file, whole.
    [[nodiscard]] virtual Result<std::unique_ptr<Mapping>> open(const std::string& path, bool writable) = 0;
    [[nodiscard]] virtual Status remove(const std::string& path) = 0;
    [[nodiscard]] virtual bool exists(const std::string& path) = 0;
    [[nodiscard]] virtual Status make_directory(const std::string& path) = 0;
    /// Deletes a directory and what is in it; absent is success.
    [[nodiscard]] virtual Status remove_directory(const std::string& path) = 0;
    /// Free space of the file system that holds `path`.  units: bytes
    [[nodiscard]] virtual std::int64_t usable_space(const std::string& path) = 0;
};

}  // namespace fulmar::port
