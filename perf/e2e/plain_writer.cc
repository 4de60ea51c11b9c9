#include "perf/e2e/plain_writer.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace fulmar::perf {
namespace {

/// As much memory is written from as a log buffer has.
constexpr std::size_t kSource = 192 << 20;

std::string name_of(const std::string& directory, std::uint64_t index) {
    return directory + "/plain-" + std::to_string(index);
}

Unexpected<Error> failed(const char* what) {
    return fail(ErrorCode::kGeneric,
        std::string("plain writer: ") + what + ": " + std::generic_category().message(errno));
}

class Writer {
  public:
    Writer(const std::string& directory, const WritePattern& pattern)
        : directory_(directory), pattern_(pattern), source_(kSource, std::byte{0x5a}) {}
    ~Writer() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
        for (std::uint64_t i = 0; i < files_; ++i) {
            (void)::unlink(name_of(directory_, i).c_str());
        }
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    Status write() {
        std::uint64_t unsynced = 0;
        for (std::uint64_t at = 0; at < pattern_.bytes;) {
            const std::uint64_t in_file = at % pattern_.file_length;
            if (in_file == 0) {
                FULMAR_TRY_VOID(next_file());
            }
            const std::uint64_t source = at % (kSource - pattern_.block);
            const std::uint64_t length =
                std::min({pattern_.block, pattern_.bytes - at, pattern_.file_length - in_file});
            if (::pwrite(fd_, source_.data() + source, length, static_cast<off_t>(in_file)) !=
                static_cast<ssize_t>(length)) {
                return failed("pwrite");
            }
            at += length;
            unsynced += length;
            if (pattern_.sync_every != 0 && unsynced >= pattern_.sync_every) {
                unsynced = 0;
                FULMAR_TRY_VOID(sync());
            }
        }
        return sync();
    }

  private:
    Status sync() {
        return pattern_.sync_every == 0 || ::fdatasync(fd_) == 0 ? Status(Done{}) : failed("fdatasync");
    }
    Status next_file() {
        if (fd_ >= 0) {
            FULMAR_TRY_VOID(sync());
            ::close(fd_);
        }
        fd_ = ::open(name_of(directory_, files_).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        ++files_;
        if (fd_ < 0) {
            return failed("open");
        }
        if (const int error = ::posix_fallocate(fd_, 0, static_cast<off_t>(pattern_.file_length));
            error != 0) {
            errno = error;
            return failed("posix_fallocate");
        }
        return Done{};
    }

    const std::string& directory_;
    const WritePattern& pattern_;
    std::vector<std::byte> source_;
    std::uint64_t files_ = 0;
    int fd_ = -1;
};

}  // namespace

Result<double> write_plainly(const std::string& directory, const WritePattern& pattern) {
    Writer writer(directory, pattern);
    const auto begin = std::chrono::steady_clock::now();
    FULMAR_TRY_VOID(writer.write());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace fulmar::perf
