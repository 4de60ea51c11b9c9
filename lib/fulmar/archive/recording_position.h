/// How far a recording is, read from the counter that the archive keeps for it in its driver's counters file:
/// without a request, for clients of that driver.
/// threads: any; the archive writes on while they read.  source: Aeron archive's rec-pos counter, type 100.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "fulmar/archive/options.h"
#include "fulmar/counters_reader.h"

namespace fulmar {

inline constexpr std::int32_t kRecordingPositionTypeId = 100;
/// "Whichever archive it is" where an archive id is asked for.
inline constexpr std::int64_t kAnyArchive = -1;

/// The counter of an active recording. Archives may share a driver: say which one.
[[nodiscard]] std::optional<std::int32_t> find_recording_counter(
    const CountersReader& counters, std::int64_t recording_id, std::int64_t archive_id);
/// The same by the session that is recorded.
[[nodiscard]] std::optional<std::int32_t> find_recording_counter_by_session(
    const CountersReader& counters, std::int32_t session_id, std::int64_t archive_id);

/// One recording's counter. A counter is freed when its recording stops and may become another's: each look
/// makes sure that it is still the one.
class RecordingPosition {
  public:
    /// Nothing when the counter is not that of an active recording. The counters outlive it.
    [[nodiscard]] static std::optional<RecordingPosition> open(
        const CountersReader& counters, std::int32_t counter_id);

    [[nodiscard]] std::int32_t counter_id() const { return counter_id_; }
    [[nodiscard]] std::int64_t recording_id() const { return recording_id_; }
    [[nodiscard]] std::int32_t session_id() const { return session_id_; }
    [[nodiscard]] std::int64_t archive_id() const { return archive_id_; }
    /// `address:port` of the publisher, or `aeron:ipc`; cut at what a key holds.
    [[nodiscard]] const std::string& source_identity() const { return source_identity_; }

    [[nodiscard]] bool is_active() const;
    /// kNullPosition once it has stopped.
    [[nodiscard]] std::int64_t position() const;

  private:
    RecordingPosition() = default;

    CountersReader counters_;
    std::int32_t counter_id_ = kNullCounterId;
    std::int64_t registration_id_ = 0;
    std::int64_t recording_id_ = kNullRecordingId;
    std::int32_t session_id_ = 0;
    std::int64_t archive_id_ = kAnyArchive;
    std::string source_identity_;
};

}  // namespace fulmar
