/// An archive on this machine: a directory, its files and threads, and a media driver inside or beside it.
/// What the program fulmar-archive and tests share.
/// threads: start, close and poll from the owner.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "archive_server/options.h"
#include "drivers/storage_file/file_storage.h"
#include "fulmar/driver.h"
#include "fulmar/result.h"

namespace fulmar::drivers {

struct ArchiveOptions {
    enum class Threading : std::uint8_t {
        kDedicated,  ///< conductor, recorder and replayer on a thread each
        kShared,     ///< one thread for all three
        kInline,     ///< none: the caller polls, the driver inside as well
    };
    std::string archive_dir;
    /// Where the mark file is, with a link to it in archive_dir; empty: in archive_dir itself.
    std::string mark_file_dir;
    bool delete_dir_on_start = false;
    Threading threading = Threading::kShared;
    config::IdleStrategy idle = config::IdleStrategy::kBackoff;
    FileStorage::Engine engine = FileStorage::Engine::kBest;
    /// Faults for its disk (drivers/storage_fault); empty: none. Needs a threading of one thread.
    std::string storage_fault;
    archive::ServerOptions server;
    /// Who may connect, a line each (lib/archive_server/credentials.h); empty: everybody.
    std::string credentials_file;

    /// A driver to attach to instead of one inside: its directory.
    std::string attach_to;
    /// The driver inside, unless attach_to is given. Its threading is inline where the archive's is.
    MediaDriverOptions driver;
};

class Archive {
  public:
    /// Returns when clients may come: the directory is recovered and the control streams are there.
    /// errors: kGeneric, one line: another archive in the directory, a catalog that cannot be read, no
    /// driver.
    static Result<std::unique_ptr<Archive>> start(ArchiveOptions options);
    virtual ~Archive() = default;
    Archive(const Archive&) = delete;
    Archive& operator=(const Archive&) = delete;

    /// One round of everything, inline only.
    virtual int poll() = 0;
    /// Start-up lines: where, how, what was recovered.
    [[nodiscard]] virtual const std::vector<std::string>& description() const = 0;
    /// Why it ended by itself; nothing while it runs. Any thread.
    [[nodiscard]] virtual std::optional<Error> error() const = 0;
    /// Of all recordings that have ended. Any thread.
    [[nodiscard]] virtual archive::WriterCounts written() const = 0;
    /// Ends recordings in order and gives the directory back. Idempotent.
    virtual void close() = 0;

  protected:
    Archive() = default;
};

}  // namespace fulmar::drivers
