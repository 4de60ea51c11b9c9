/// A media driver inside this process: with threads of its own, or polled by the application, so that a
/// message goes from device queue to handler on one core.
/// threads: polled, everything from the one thread that polls; with own threads, any.
/// Stock Aeron clients of this user can attach to its directory as to any driver's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fulmar/result.h"
#include "fulmar/time.h"

namespace fulmar {

struct MediaDriverOptions {
    enum class Threading : std::uint8_t {
        kInline,         ///< none: the application calls poll()
        kAuto,           ///< dedicated where there are cores to spare, else shared
        kDedicated,      ///< conductor, sender and receiver on a thread each
        kSharedNetwork,  ///< sender and receiver on one
        kShared,         ///< all on one
    };

    Threading threading = Threading::kInline;
    /// Empty: inline /dev/shm/fulmar-<pid>, deleted at the end; else FULMAR_DIR, AERON_DIR,
    /// /dev/shm/aeron-<user>.
    std::string dir;
    /// `udp`, `memif:client:/path`, `af_packet:veth0,ip=10.0.0.1/24` ...; empty: udp.
    std::vector<std::string> ports;
    /// Further settings as `name=value`, by our names (`mtu-length=8k`) or Aeron's (`aeron.mtu.length=8k`).
    std::vector<std::string> settings;
    /// AERON_* and FULMAR_* of the process's environment apply, below `settings`.
    bool use_environment = false;
    /// Hears of each distinct error once; on any of the driver's threads. All errors are in the error log.
    std::function<void(const Error&)> on_error;
    /// A client asked the driver to end, and the settings allow it. Once, on the conductor's thread.
    std::function<void()> on_terminate;
};

class MediaDriver {
  public:
    /// errors: kGeneric and one line: a wrong setting, a port that does not open, another driver active in
    /// the directory.  (drivers/driver_runtime)
    static Result<std::unique_ptr<MediaDriver>> start(MediaDriverOptions options);
    virtual ~MediaDriver() = default;
    MediaDriver(const MediaDriver&) = delete;
    MediaDriver& operator=(const MediaDriver&) = delete;

    /// One duty cycle of all agents, inline only; returns work done. `now` is monotonic, the same clock as
    /// poll()'s.
    virtual int poll(Instant now) = 0;
    /// The same, reading the clock.
    virtual int poll() = 0;

    [[nodiscard]] virtual const std::string& dir() const = 0;
    /// Start-up lines: threading and why, ports, modes.
    [[nodiscard]] virtual const std::vector<std::string>& description() const = 0;
    /// A client asked for it, and the settings allow it. Inline: the application decides when.
    [[nodiscard]] virtual bool terminate_requested() const = 0;

    /// Stops threads, ends streams, tells clients. Idempotent; the destructor does it too.
    virtual void close() = 0;

  protected:
    MediaDriver() = default;
};

}  // namespace fulmar
