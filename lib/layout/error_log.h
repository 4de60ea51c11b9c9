/// Layout of the distinct error log and a reader for it. The log may be another process's, alive or dead:
/// its lengths are checked before use, and a text may change while it is read.
/// threads: readers any; writers see observe/distinct_error_log.h.  source: Aeron distinct error log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace fulmar::layout {

inline constexpr std::size_t kErrorRecordHeaderLength = 24;
inline constexpr std::size_t kErrorRecordAlignment = 8;

namespace error_field {
inline constexpr std::size_t kLength = 0;  // i32, header and text; release-stored last, 0 ends the log
inline constexpr std::size_t kObservationCount = 4;     // i32
inline constexpr std::size_t kLastObservationMs = 8;    // i64
inline constexpr std::size_t kFirstObservationMs = 16;  // i64
inline constexpr std::size_t kText = 24;                // UTF-8, not terminated
}  // namespace error_field

/// units: timestamps in ms since the epoch
struct ErrorRecord {
    std::int32_t observation_count = 0;
    std::int64_t first_observation_ms = 0;
    std::int64_t last_observation_ms = 0;
    std::string_view text;
};

/// Walks the records in order; each step moves forward by at least one aligned header.
class ErrorLogCursor {
  public:
    explicit ErrorLogCursor(std::span<const std::byte> log) : log_(log) {}

    /// The next record, or false at the end of the log.
    [[nodiscard]] bool next(ErrorRecord& record);

    /// True when the walk ended at a length that cannot be, instead of at the end.
    [[nodiscard]] bool corrupt() const { return corrupt_; }

  private:
    std::span<const std::byte> log_;
    std::size_t offset_ = 0;
    bool corrupt_ = false;
};

}  // namespace fulmar::layout
