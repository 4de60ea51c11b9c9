#include "drivers/archive_runtime/directory_lock.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

namespace fulmar::drivers {

Result<DirectoryLock> DirectoryLock::take(const std::string& directory) {
    const std::string path = directory + "/" + kFileName;
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        return fail(ErrorCode::kGeneric, "cannot write " + path + ": " +
                                             std::generic_category().message(errno) +
                                             ": give --archive-dir a directory of this user");
    }
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        std::array<char, 32> owner{};
        const auto length = ::pread(fd, owner.data(), owner.size() - 1, 0);
        ::close(fd);
        return fail(
            ErrorCode::kGeneric, directory + " is in use by another archive" +
                                     (length > 0 ? " (process " + std::string(owner.data()) + ")" : "") +
                                     ": stop it, or choose another --archive-dir");
    }
    const std::string pid = std::to_string(::getpid());
    if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) {
        // The lock holds all the same; only the message of who comes next is poorer.
    }
    return DirectoryLock(fd);
}

DirectoryLock::~DirectoryLock() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

}  // namespace fulmar::drivers
