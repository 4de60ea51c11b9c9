#include "drivers/secret_file/secret_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace fulmar::drivers {
namespace {

constexpr std::size_t kLengthMax = 1 << 20;

class File {
  public:
    explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    ~File() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    [[nodiscard]] int fd() const { return fd_; }

  private:
    int fd_;
};

Unexpected<Error> unreadable(const std::string& path) {
    return fail(ErrorCode::kGeneric, "cannot read " + path + ": " + std::generic_category().message(errno));
}

}  // namespace

Result<std::string> read_secret_file(const std::string& path, Readers readers) {
    const File file(path);
    struct stat facts {};
    // Of the file that is open: whatever takes its name meanwhile is another.
    if (file.fd() < 0 || ::fstat(file.fd(), &facts) != 0) {
        return unreadable(path);
    }
    if ((facts.st_mode & S_IROTH) != 0) {
        return fail(ErrorCode::kGeneric, path + ": everybody can read the secrets; chmod " +
                                             (readers == Readers::kOwner ? "go-r " : "o-r ") + path);
    }
    if (readers == Readers::kOwner && (facts.st_mode & S_IRGRP) != 0) {
        return fail(ErrorCode::kGeneric, path + ": its group can read the secrets; chmod g-r " + path);
    }
    std::string text;
    for (std::array<char, 4096> part;;) {
        const ssize_t got = ::read(file.fd(), part.data(), part.size());
        if (got == 0) {
            return text;
        }
        if (got < 0 && errno != EINTR) {
            return unreadable(path);
        }
        text.append(part.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (text.size() > kLengthMax) {
            return fail(ErrorCode::kGeneric,
                path + " has more than " + std::to_string(kLengthMax) + " bytes, which are not secrets");
        }
    }
}

}  // namespace fulmar::drivers
