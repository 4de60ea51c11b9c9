#include "drivers/memory_map/file_memory_map.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/bytes.h"

namespace fulmar::drivers {

namespace {

// Readable and writable for whom the umask lets: driver and clients may run as different users of a group.
constexpr mode_t kFileMode = 0666;
constexpr mode_t kDirectoryMode = 0777;

Unexpected<Error> fail_errno(const char* what, const std::string& path, int error) {
    const auto code = error == ENOSPC || error == EDQUOT ? ErrorCode::kStorageSpace : ErrorCode::kGeneric;
    return fail(code, std::string(what) + " " + path + ": " + std::generic_category().message(error));
}

class FileDescriptor {
  public:
    explicit FileDescriptor(int fd) : fd_(fd) {}
    ~FileDescriptor() {
        if (fd_ >= 0) {
            (void)::close(fd_);
        }
    }
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    [[nodiscard]] int get() const { return fd_; }

  private:
    int fd_;
};

class FileMapping final : public port::Mapping {
  public:
    FileMapping(void* address, std::size_t length) : bytes_(static_cast<std::byte*>(address), length) {}
    ~FileMapping() override { (void)::munmap(bytes_.data(), bytes_.size()); }
    FileMapping(const FileMapping&) = delete;
    FileMapping& operator=(const FileMapping&) = delete;
    [[nodiscard]] std::span<std::byte> bytes() const override { return bytes_; }

  private:
    std::span<std::byte> bytes_;
};

struct FileSystem {
    bool hugetlb = false;
    bool in_memory = false;
    std::int64_t block_bytes = 4096;
};

FileSystem describe(const struct statfs& facts) {
    FileSystem fs;
    // f_type is signed on some platforms and HUGETLBFS_MAGIC does not fit; compare the low 32 bits.
    const auto type = static_cast<std::uint32_t>(facts.f_type);
    fs.hugetlb = type == static_cast<std::uint32_t>(HUGETLBFS_MAGIC);
    fs.in_memory = fs.hugetlb || type == static_cast<std::uint32_t>(TMPFS_MAGIC);
    fs.block_bytes = facts.f_bsize;
    return fs;
}

std::string nearest_existing(const std::string& path) {
    auto at = std::filesystem::path(path);
    std::error_code ignored;
    while (!at.empty() && !std::filesystem::exists(at, ignored)) {
        const auto parent = at.parent_path();
        if (parent == at) {
            break;
        }
        at = parent;
    }
    return at.empty() ? std::string(".") : at.string();
}

Result<std::unique_ptr<port::Mapping>> map(
    int fd, std::size_t length, int protection, int flags, const std::string& path) {
    void* address = ::mmap(nullptr, length, protection, MAP_SHARED | flags, fd, 0);
    if (address == MAP_FAILED) {
        const int error = errno;
        // hugetlbfs answers ENOMEM when the pool has too few pages, which is a lack of space to our caller.
        return fail_errno("cannot map", path, error == ENOMEM ? ENOSPC : error);
    }
    return std::unique_ptr<port::Mapping>(std::make_unique<FileMapping>(address, length));
}

/// Takes the space now. posix_fallocate would fall back to writing, which hugetlbfs cannot do.
int reserve_space(int fd, std::int64_t length, const FileSystem& fs) {
    int result = 0;
    do {
        result = ::fallocate(fd, 0, 0, length);
    } while (result != 0 && errno == EINTR);
    if (result == 0) {
        return 0;
    }
    if (errno != EOPNOTSUPP || fs.hugetlb) {
        return errno;
    }
    return ::posix_fallocate(fd, 0, length);
}

std::int64_t free_huge_pages(std::int64_t page_bytes) {
    const auto read_count = [page_bytes](const char* name) -> std::int64_t {
        const auto file =
            "/sys/kernel/mm/hugepages/hugepages-" + std::to_string(page_bytes / 1024) + "kB/" + name;
        std::FILE* stream = std::fopen(file.c_str(), "re");
        if (stream == nullptr) {
            return 0;
        }
        long long count = 0;
        const bool read = std::fscanf(stream, "%lld", &count) == 1;
        (void)std::fclose(stream);
        return read ? count : 0;
    };
    return read_count("free_hugepages") - read_count("resv_hugepages");
}

}  // namespace

Result<std::unique_ptr<port::Mapping>> FileMemoryMap::create(
    const std::string& path, std::int64_t length, bool reserve) {
    if (length <= 0) {
        return fail(ErrorCode::kGeneric, "cannot create " + path + ": length " + std::to_string(length));
    }
    const FileDescriptor fd(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kFileMode));
    if (fd.get() < 0) {
        return fail_errno("cannot create", path, errno);
    }
    const auto drop_file = [&path](Unexpected<Error> reason) {
        (void)::unlink(path.c_str());
        return reason;
    };
    struct statfs facts {};
    if (::fstatfs(fd.get(), &facts) != 0) {
        return drop_file(fail_errno("cannot examine", path, errno));
    }
    const auto fs = describe(facts);
    const auto file_length = fs.hugetlb ? base::align_up(length, fs.block_bytes) : length;
    if (::ftruncate(fd.get(), file_length) != 0) {
        return drop_file(fail_errno("cannot size", path, errno));
    }
    if (reserve) {
        if (const int error = reserve_space(fd.get(), file_length, fs); error != 0) {
            return drop_file(fail_errno("cannot reserve space for", path, error));
        }
    }
    const bool populate = reserve && fs.in_memory && options_.populate_reserved;
    auto mapping = map(fd.get(), static_cast<std::size_t>(file_length), PROT_READ | PROT_WRITE,
        populate ? MAP_POPULATE : 0, path);
    if (!mapping) {
        return drop_file(Unexpected<Error>{std::move(mapping).error()});
    }
    return mapping;
}

Result<std::unique_ptr<port::Mapping>> FileMemoryMap::open(const std::string& path, bool writable) {
    const FileDescriptor fd(::open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC));
    if (fd.get() < 0) {
        return fail_errno("cannot open", path, errno);
    }
    struct stat facts {};
    if (::fstat(fd.get(), &facts) != 0) {
        return fail_errno("cannot examine", path, errno);
    }
    if (!S_ISREG(facts.st_mode) || facts.st_size <= 0) {
        return fail(ErrorCode::kGeneric, "cannot map " + path + ": not a file with content");
    }
    return map(fd.get(), static_cast<std::size_t>(facts.st_size),
        writable ? PROT_READ | PROT_WRITE : PROT_READ, 0, path);
}

Status FileMemoryMap::remove(const std::string& path) {
    if (::unlink(path.c_str()) != 0) {
        return fail_errno("cannot remove", path, errno);
    }
    return Done{};
}

bool FileMemoryMap::exists(const std::string& path) {
    struct stat facts {};
    return ::lstat(path.c_str(), &facts) == 0;
}

Status FileMemoryMap::make_directory(const std::string& path) {
    const auto as_path = std::filesystem::path(path);
    std::error_code error;
    if (as_path.has_parent_path()) {
        std::filesystem::create_directories(as_path.parent_path(), error);
        if (error) {
            return fail_errno("cannot create directory", as_path.parent_path().string(), error.value());
        }
    }
    if (::mkdir(path.c_str(), kDirectoryMode) == 0) {
        return Done{};
    }
    const int reason = errno;
    if (reason == EEXIST && std::filesystem::is_directory(as_path, error)) {
        return Done{};
    }
    return fail_errno("cannot create directory", path, reason);
}

Status FileMemoryMap::remove_directory(const std::string& path) {
    const auto as_path = std::filesystem::path(path).lexically_normal();
    if (as_path.empty() || as_path == as_path.root_path() || as_path == ".") {
        return fail(ErrorCode::kGeneric, "will not remove directory '" + path + "'");
    }
    std::error_code error;
    std::filesystem::remove_all(as_path, error);
    if (error) {
        return fail_errno("cannot remove directory", path, error.value());
    }
    return Done{};
}

std::int64_t FileMemoryMap::usable_space(const std::string& path) {
    struct statfs facts {};
    if (::statfs(nearest_existing(path).c_str(), &facts) != 0) {
        return 0;
    }
    const auto fs = describe(facts);
    const auto blocks = static_cast<std::int64_t>(facts.f_bavail);
    if (fs.hugetlb) {
        // A mount without a size limit reports 0 blocks in all and lives off the shared pool.
        const auto pool = free_huge_pages(fs.block_bytes);
        return (facts.f_blocks == 0 || blocks > pool ? pool : blocks) * fs.block_bytes;
    }
    return blocks * static_cast<std::int64_t>(facts.f_frsize == 0 ? facts.f_bsize : facts.f_frsize);
}

std::int64_t FileMemoryMap::page_size(const std::string& path) {
    struct statfs facts {};
    if (::statfs(nearest_existing(path).c_str(), &facts) == 0) {
        if (const auto fs = describe(facts); fs.hugetlb) {
            return fs.block_bytes;
        }
    }
    return ::sysconf(_SC_PAGESIZE);
}

}  // namespace fulmar::drivers
