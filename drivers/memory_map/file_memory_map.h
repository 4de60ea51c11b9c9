/// MemoryMap over files: tmpfs as a rule, hugetlbfs for large pages, any file system that can mmap.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "port/memory_map.h"

namespace fulmar::drivers {

/// threads: any, it holds no state. Calls may block on the file system.
///
/// Beyond the port's contract: on hugetlbfs a created file is rounded up to whole pages, so `bytes()` may
/// be longer than asked (see page_size). make_directory also makes parents and accepts an existing
/// directory. usable_space looks at the nearest existing parent when `path` does not exist yet.
/// errors: a failed create leaves no file behind.
class FileMemoryMap final : public port::MemoryMap {
  public:
    struct Options {
        /// Touch reserved memory when it is created, on memory file systems, so that the data path
        /// does not pay a page fault per page. Off for files that a disk would then have to write.
        bool populate_reserved = true;
    };

    FileMemoryMap() = default;
    explicit FileMemoryMap(const Options& options) : options_(options) {}

    [[nodiscard]] Result<std::unique_ptr<port::Mapping>> create(
        const std::string& path, std::int64_t length, bool reserve) override;
    [[nodiscard]] Result<std::unique_ptr<port::Mapping>> open(
        const std::string& path, bool writable) override;
    [[nodiscard]] Status remove(const std::string& path) override;
    [[nodiscard]] bool exists(const std::string& path) override;
    [[nodiscard]] Status make_directory(const std::string& path) override;
    [[nodiscard]] Status remove_directory(const std::string& path) override;
    [[nodiscard]] std::int64_t usable_space(const std::string& path) override;

    /// Page size of the file system that holds `path`: 4096 on most, 2 MiB or 1 GiB on hugetlbfs.
    /// units: bytes
    [[nodiscard]] static std::int64_t page_size(const std::string& path);

  private:
    Options options_;
};

}  // namespace fulmar::drivers
