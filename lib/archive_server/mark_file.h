/// The mark file of an archive that runs: tells tools and other archives who owns the directory.
/// threads: the conductor's.  source: Aeron 1.53, schema 100; the error log behind the head is the driver's
/// format.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "archive_server/options.h"
#include "fulmar/result.h"
#include "observe/distinct_error_log.h"
#include "port/clock.h"
#include "port/memory_map.h"

namespace fulmar::archive {

inline constexpr const char* kMarkFileName = "archive-mark.dat";
inline constexpr std::int32_t kMarkHeaderLength = 8192;

class MarkFile {
  public:
    struct Owner {
        std::int64_t pid = 0;
        std::string aeron_directory;
        std::int64_t archive_id = -1;
        std::int32_t error_buffer_length = 1024 * 1024;
        /// Whether a process of this machine lives, so that a file that names a dead one is not waited for.
        std::function<bool(std::int64_t pid)> is_alive = [](std::int64_t) { return true; };
    };

    /// errors: kGeneric when the archive of the directory's mark file is active, naming its process.
    [[nodiscard]] static Status refuse_if_active(
        const std::string& directory, const Owner& owner, port::MemoryMap& memory, port::Clock& clock);
    /// Takes the directory.
    /// errors: as refuse_if_active.
    [[nodiscard]] static Result<std::unique_ptr<MarkFile>> create(const std::string& directory,
        const ServerOptions& options, const Owner& owner, port::MemoryMap& memory, port::Clock& clock);
    /// Says that it is nobody's any more.
    ~MarkFile();

    /// Shows that the owner lives; about once a second.
    void touch(std::int64_t epoch_ms);
    void set_archive_id(std::int64_t archive_id);
    /// Enters an error into the error log. True: it is a new one.
    bool record(const Error& error, std::int64_t epoch_ms);

  private:
    MarkFile(std::unique_ptr<port::Mapping> mapping, std::int32_t error_buffer_length);

    std::unique_ptr<port::Mapping> mapping_;
    observe::DistinctErrorLog errors_;
};

}  // namespace fulmar::archive
