/// How the writer thread moves bytes: rounds of transfers and syncs, by io_uring or by plain calls.
/// threads: construct anywhere, then the writer thread alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <sys/uio.h>

#include "fulmar/result.h"

namespace fulmar::drivers {

struct IoJob {
    enum class Kind : std::uint8_t {
        kRead,
        kWrite,
        kSyncData,  ///< content and what is needed to read it
        kSyncAll,   ///< of a directory: its entries
    };
    Kind kind = Kind::kSyncData;
    int fd = -1;
    std::uint64_t offset = 0;
    std::span<iovec> parts{};
    /// The user's own.
    std::size_t cookie = 0;
};

/// Hears of each job of a round, in any order.
class IoSink {
  public:
    virtual ~IoSink() = default;
    /// `result`: bytes, fewer than asked for too; or a negative errno.
    virtual void on_done(IoJob& job, std::int64_t result) = 0;
};

class IoEngine {
  public:
    static constexpr std::size_t kPartsMax = 1024;  ///< of one job; the kernel takes no more

    virtual ~IoEngine() = default;
    [[nodiscard]] virtual std::string_view name() const = 0;
    /// Returns when every job was tried once and told to `sink`.
    virtual void run(std::span<IoJob> jobs, IoSink& sink) = 0;
};

/// preadv, pwritev, fdatasync, one after the other.
[[nodiscard]] std::unique_ptr<IoEngine> make_call_engine();
/// errors: kNotSupported with the kernel's reason.
[[nodiscard]] Result<std::unique_ptr<IoEngine>> make_uring_engine();

}  // namespace fulmar::drivers
