/// Recordings on a disk that lies, in a process that dies: writers, power cuts, recovery, extension, again
/// and again, from one seed.
///
/// What must hold after each recovery: nothing that was told durable is gone; every byte up to the stop
/// position is the stream's, or named as damage; nothing lies behind it; a sound recording is never called
/// damaged; a spoilt byte is never served. threads: one.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace fulmar::sim {

enum class DiskCount : std::uint8_t {
    kKill,
    kPowerCut,
    kTornPowerCut,
    kRecovery,
    kRecoveryInterrupted,
    kCut,
    kExtended,
    kStopped,
    kTruncated,
    kRollOver,
    kPadding,
    kBytes,
    kSync,
    kSyncError,
    kSyncLost,
    kWriteError,
    kNoSpace,
    kReadError,
    kMisread,
    kFlipped,
    kAstray,
    kDamageFound,
    kWindow,  ///< a spoilt byte of the last epoch was cut, as it may be
    kCount,
};
inline constexpr std::size_t kDiskCounts = static_cast<std::size_t>(DiskCount::kCount);
inline constexpr std::array<std::string_view, kDiskCounts> kDiskCountNames{"kill", "power_cut",
    "torn_power_cut", "recovery", "recovery_interrupted", "cut", "extended", "stopped", "truncated",
    "roll_over", "padding", "bytes", "sync", "sync_error", "sync_lost", "write_error", "no_space",
    "read_error", "misread", "flipped", "astray", "damage_found", "window"};

struct DiskWorldResult {
    std::uint64_t seed = 0;
    std::uint64_t hash = 0;
    std::array<std::uint64_t, kDiskCounts> counts{};
    std::string failure;  ///< empty: passed
};

[[nodiscard]] DiskWorldResult run_archive_disk_world(std::uint64_t seed, bool verbose = false);

}  // namespace fulmar::sim
