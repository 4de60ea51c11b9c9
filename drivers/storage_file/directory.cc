#include "drivers/storage_file/directory.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace fulmar::drivers {

namespace {

using Code = port::StorageCompletion::Code;

// Readable and writable for whom the umask lets.
constexpr mode_t kFileMode = 0666;

Code code_of(int error) {
    switch (error) {
        case ENOENT: return Code::kNotFound;
        case EEXIST: return Code::kExists;
        case ENOSPC:
        case EDQUOT:
        case EFBIG: return Code::kNoSpace;
        default: return Code::kIo;
    }
}

/// Repeats a call that a signal interrupted; 0 or the errno.
template <class Call>
int error_of(Call&& call) {
    while (call() < 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

int allocate(int fd, std::uint64_t length) {
    if (length == 0) {
        return 0;
    }
    const auto size = static_cast<off_t>(length);
    const int error = error_of([fd, size] { return ::fallocate(fd, 0, 0, size); });
    return error == EOPNOTSUPP ? ::posix_fallocate(fd, 0, size) : error;
}

int write_zeros(int fd, std::uint64_t offset, std::uint64_t length) {
    static constexpr std::array<std::byte, 65'536> kZeros{};
    while (length > 0) {
        const auto count = std::min<std::uint64_t>(length, kZeros.size());
        const ssize_t written = ::pwrite(fd, kZeros.data(), count, static_cast<off_t>(offset));
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        if (written > 0) {
            offset += static_cast<std::uint64_t>(written);
            length -= static_cast<std::uint64_t>(written);
        }
    }
    return 0;
}

struct CloseDirectory {
    void operator()(DIR* stream) const { (void)::closedir(stream); }
};

/// Whether the file system of `fd` says that it has so much left. One that keeps no count has.
bool has_room(int fd, std::uint64_t length) {
    struct statvfs facts {};
    return ::fstatvfs(fd, &facts) != 0 || facts.f_blocks == 0 ||
           length <= std::uint64_t{facts.f_bavail} * facts.f_frsize;
}

}  // namespace

SystemOutcome SystemOutcome::failed(const std::string& what, int error) {
    return {code_of(error), what + ": " + std::generic_category().message(error)};
}

Result<Directory> Directory::open(const std::string& path, bool read_only) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fail(ErrorCode::kGeneric,
            "cannot open directory " + path + ": " + std::generic_category().message(errno));
    }
    return Directory(fd, read_only);
}

Directory::Directory(Directory&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), read_only_(other.read_only_) {}

Directory::~Directory() {
    if (fd_ >= 0) {
        (void)::close(fd_);
    }
}

SystemOutcome Directory::open_file(const std::string& name, OpenFile& out) const {
    // O_NONBLOCK: a pipe of that name shall not hold us up. It means nothing for a file.
    const int access = read_only_ ? O_RDONLY : O_RDWR;
    const int fd = ::openat(fd_, name.c_str(), access | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return SystemOutcome::failed("cannot open " + name, errno);
    }
    struct stat facts {};
    const int error = ::fstat(fd, &facts) != 0 ? errno : 0;
    if (error != 0 || !S_ISREG(facts.st_mode)) {
        (void)::close(fd);
        return error != 0 ? SystemOutcome::failed("cannot open " + name, error)
                          : SystemOutcome{Code::kIo, "cannot open " + name + ": not a regular file"};
    }
    out = {fd, facts.st_ino, static_cast<std::uint64_t>(facts.st_size)};
    return {};
}

SystemOutcome Directory::create_file(const std::string& name, std::uint64_t length, OpenFile& out) const {
    const int fd = ::openat(fd_, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kFileMode);
    if (fd < 0) {
        return SystemOutcome::failed("cannot create " + name, errno);
    }
    struct stat facts {};
    // Asked before it is tried: a file system takes all that is left before it says that it does not suffice,
    // and whoever else writes there fails meanwhile.
    int error = has_room(fd, length) ? allocate(fd, length) : ENOSPC;
    if (error == 0 && ::fstat(fd, &facts) != 0) {
        error = errno;
    }
    if (error != 0) {
        (void)::unlinkat(fd_, name.c_str(), 0);
        (void)::close(fd);
        return SystemOutcome::failed(
            "cannot create " + name + " with " + std::to_string(length) + " bytes", error);
    }
    out = {fd, facts.st_ino, length};
    return {};
}

SystemOutcome Directory::rename(const std::string& name, const std::string& new_name) const {
    const char* from = name.c_str();
    const char* to = new_name.c_str();
    int error = ::renameat2(fd_, from, fd_, to, RENAME_NOREPLACE) != 0 ? errno : 0;
    if (error == EINVAL || error == ENOSYS) {
        // A file system that cannot tell "and replace nothing": a link does not replace either.
        error = ::linkat(fd_, from, fd_, to, 0) != 0 || ::unlinkat(fd_, from, 0) != 0 ? errno : 0;
    }
    return error == 0 ? SystemOutcome{}
                      : SystemOutcome::failed("cannot rename " + name + " to " + new_name, error);
}

SystemOutcome Directory::replace(const std::string& name, const std::string& new_name) const {
    return ::renameat(fd_, name.c_str(), fd_, new_name.c_str()) == 0
               ? SystemOutcome{}
               : SystemOutcome::failed("cannot put " + name + " in the place of " + new_name, errno);
}

SystemOutcome Directory::remove(const std::string& name) const {
    return ::unlinkat(fd_, name.c_str(), 0) == 0 ? SystemOutcome{}
                                                 : SystemOutcome::failed("cannot remove " + name, errno);
}

SystemOutcome Directory::list(std::vector<port::DirectoryEntry>& out) const {
    // A stream of its own: one over fd_ itself would share its place with the next.
    const int fd = ::openat(fd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, CloseDirectory> stream(fd < 0 ? nullptr : ::fdopendir(fd));
    if (!stream) {
        const int error = errno;
        if (fd >= 0) {
            (void)::close(fd);
        }
        return SystemOutcome::failed("cannot list the directory", error);
    }
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe): the stream is ours
        if (entry == nullptr) {
            return errno == 0 ? SystemOutcome{} : SystemOutcome::failed("cannot list the directory", errno);
        }
        const std::string name(&entry->d_name[0]);
        struct stat facts {};
        if (::fstatat(fd_, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT) {
                continue;  // removed by somebody since
            }
            return SystemOutcome::failed("cannot list " + name, errno);
        }
        if (S_ISREG(facts.st_mode)) {
            out.push_back({name, static_cast<std::uint64_t>(facts.st_size)});
        }
    }
}

SystemOutcome Directory::free_space(std::uint64_t& out) const {
    struct statvfs facts {};
    if (::fstatvfs(fd_, &facts) != 0) {
        return SystemOutcome::failed("cannot tell the free space", errno);
    }
    out = std::uint64_t{facts.f_bavail} * facts.f_frsize;
    return {};
}

SystemOutcome zero_range(int fd, std::uint64_t offset, std::uint64_t length) {
    if (length == 0) {
        return {};
    }
    int error = error_of([fd, offset, length] {
        return ::fallocate(fd, FALLOC_FL_ZERO_RANGE, static_cast<off_t>(offset), static_cast<off_t>(length));
    });
    if (error == EOPNOTSUPP) {
        error = write_zeros(fd, offset, length);
    }
    return error == 0 ? SystemOutcome{} : SystemOutcome::failed("cannot zero", error);
}

SystemOutcome resize_file(int fd, std::uint64_t length) {
    const int error = error_of([fd, length] { return ::ftruncate(fd, static_cast<off_t>(length)); });
    return error == 0 ? SystemOutcome{} : SystemOutcome::failed("cannot resize", error);
}

}  // namespace fulmar::drivers
