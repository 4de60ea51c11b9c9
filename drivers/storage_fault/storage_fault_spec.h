/// What a disk shall do wrong, as text and as numbers:
/// `hold-unsynced,torn,sector:4k,read:0.01,write:0.01,sync:0.01,sync-lost:0.001,misdirect:0.001,flip-read:0.001,`
/// `flip-rest:0.001,slow:0.05,delay:20ms,space:64m,seed:7`.
/// Every part may be left out; `none` is no fault at all.
/// threads: values and pure functions.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "fulmar/result.h"
#include "fulmar/time.h"

namespace fulmar::drivers {

inline constexpr Duration kStorageDelayMax = seconds(60);

struct StorageFaultSpec {
    static constexpr std::uint64_t kSpaceUnlimited = std::numeric_limits<std::uint64_t>::max();

    /// What is not synced stays in memory, so that the end of the process, even by kill -9, is a power cut.
    bool hold_unsynced = false;
    /// Of what is held, each sector and name goes to the disk early or does not, one as likely as the other.
    bool torn = false;
    std::uint64_t sector_bytes = 512;  ///< or 4096

    // Probabilities in [0, 1], per request.
    double read_error = 0;   ///< `read`
    double write_error = 0;  ///< `write`; the first of its sectors may have been written
    double sync_error = 0;   ///< `sync`; nothing is lost yet
    /// Fails once, and what was to be synced never will be, though the next sync says success.
    double sync_lost = 0;
    double misdirect = 0;  ///< of a write: it goes to another place in its file
    double flip_read = 0;  ///< a bit of what is read, not of what is on the disk
    double flip_rest = 0;  ///< a bit of what is written
    double slow = 0;       ///< of a completion: `delay` later

    Duration delay = milliseconds(10);  ///< at most kStorageDelayMax
    /// Creating a file takes its length of this, a write its own; what goes beyond finds no space.
    std::uint64_t space = kSpaceUnlimited;
    std::uint64_t seed = 1;

    bool operator==(const StorageFaultSpec&) const = default;
};

/// errors: kGeneric naming the part that is wrong and what it may be.
[[nodiscard]] Result<StorageFaultSpec> parse_storage_fault(std::string_view text);
/// Canonical text that parses back to the same value.
[[nodiscard]] std::string to_string(const StorageFaultSpec& spec);

}  // namespace fulmar::drivers
