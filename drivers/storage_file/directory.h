/// One directory, and everything done by name in it. Every call may block.
/// threads: one owner.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fulmar/result.h"
#include "port/storage.h"

namespace fulmar::drivers {

/// How a system call ended, in the words of the seam.
struct SystemOutcome {
    port::StorageCompletion::Code code = port::StorageCompletion::Code::kOk;
    std::string detail{};

    [[nodiscard]] bool ok() const { return code == port::StorageCompletion::Code::kOk; }
    /// `what` failed with `error`, an errno.
    [[nodiscard]] static SystemOutcome failed(const std::string& what, int error);
};

class Directory {
  public:
    struct OpenFile {
        int fd = -1;
        std::uint64_t inode = 0;
        std::uint64_t length = 0;
    };

    /// Files of a `read_only` one are opened for reading alone.
    /// errors: kGeneric when it is not there or not a directory.
    [[nodiscard]] static Result<Directory> open(const std::string& path, bool read_only = false);
    Directory(Directory&& other) noexcept;
    Directory& operator=(Directory&&) = delete;
    ~Directory();

    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] SystemOutcome open_file(const std::string& name, OpenFile& out) const;
    /// Leaves nothing behind when there is no room for `length`.
    [[nodiscard]] SystemOutcome create_file(
        const std::string& name, std::uint64_t length, OpenFile& out) const;
    [[nodiscard]] SystemOutcome rename(const std::string& name, const std::string& new_name) const;
    /// Whatever has `new_name` loses it in the same step.
    [[nodiscard]] SystemOutcome replace(const std::string& name, const std::string& new_name) const;
    [[nodiscard]] SystemOutcome remove(const std::string& name) const;
    [[nodiscard]] SystemOutcome list(std::vector<port::DirectoryEntry>& out) const;
    [[nodiscard]] SystemOutcome free_space(std::uint64_t& out) const;

  private:
    Directory(int fd, bool read_only) : fd_(fd), read_only_(read_only) {}
    int fd_;
    bool read_only_;
};

[[nodiscard]] SystemOutcome zero_range(int fd, std::uint64_t offset, std::uint64_t length);
[[nodiscard]] SystemOutcome resize_file(int fd, std::uint64_t length);

}  // namespace fulmar::drivers
