/// Who has a directory's lock file locked owns the directory, until the process ends, however that is.
/// threads: one owner.
#pragma once

#include <string>

#include "fulmar/result.h"

namespace fulmar::drivers {

class DirectoryLock {
  public:
    static constexpr const char* kFileName = "archive.lock";

    /// errors: kGeneric when another process has it, naming it, or when the directory cannot be written.
    [[nodiscard]] static Result<DirectoryLock> take(const std::string& directory);
    ~DirectoryLock();
    DirectoryLock(DirectoryLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    DirectoryLock& operator=(DirectoryLock&&) = delete;

  private:
    explicit DirectoryLock(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace fulmar::drivers
