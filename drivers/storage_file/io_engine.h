/// How the writer thread moves bytes: transfers at once, syncs beside them.
///
/// A buffered write is a copy into the page cache and is done on the thread that asks, by every engine: a
/// kernel that takes it through a ring hands it to a worker of its own, which costs more than the copy (a
/// quarter of the rate, measured on ext4). A sync waits for the device; meanwhile transfers go on.
/// threads: construct anywhere, then the writer thread alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <sys/uio.h>

#include "fulmar/result.h"
#include "fulmar/time.h"

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
    // The engine's, of a sync.
    IoJob* next = nullptr;
    std::int64_t result = 0;
};

/// Hears of each job, in any order.
class IoSink {
  public:
    virtual ~IoSink() = default;
    /// `result`: bytes, fewer than asked for too; or a negative errno. Of a sync it may be told inside any
    /// call of the engine but begin, and may begin another.
    virtual void on_done(IoJob& job, std::int64_t result) = 0;
};

class IoEngine {
  public:
    static constexpr std::size_t kPartsMax = 1024;  ///< of one job; the kernel takes no more

    virtual ~IoEngine() = default;
    [[nodiscard]] virtual std::string_view name() const = 0;
    /// Reads and writes. Returns when each was tried once and told to `sink`.
    virtual void run(std::span<IoJob> transfers, IoSink& sink) = 0;
    /// Begins a sync, of what was written to its file before. `job` stays where it is until it is told.
    virtual void begin(IoJob& job) = 0;
    /// Tells of syncs that are done. Returns how many.
    virtual int poll(IoSink& sink) = 0;
    /// Until some sync is done, or for `patience`.
    virtual void wait(Duration patience) = 0;
};

/// preadv, pwritev, and a thread for fdatasync.
[[nodiscard]] std::unique_ptr<IoEngine> make_call_engine();
/// Reads side by side, and syncs, through a ring of the kernel.
/// errors: kNotSupported with the kernel's reason.
[[nodiscard]] Result<std::unique_ptr<IoEngine>> make_uring_engine();

/// One job by the call that is made for it. Returns bytes or a negative errno.
[[nodiscard]] std::int64_t call(const IoJob& job);

}  // namespace fulmar::drivers
