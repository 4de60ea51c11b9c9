/// Layout of the loss report, `<dir>/loss-report.dat`, and a reader for it: one entry per image that lost.
/// threads: readers any; the writer is observe::LossReport.  source: Aeron loss report descriptor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace fulmar::layout {

inline constexpr std::string_view kLossReportFileName = "loss-report.dat";
inline constexpr std::size_t kLossReportLengthDefault = 1024 * 1024;
inline constexpr std::size_t kLossEntryAlignment = 64;
inline constexpr std::size_t kLossEntryHeaderLength = 44;  ///< up to the channel's text

namespace loss_field {
inline constexpr std::size_t kObservationCount = 0;  // i64, release-stored last, <= 0 ends the report
inline constexpr std::size_t kTotalBytesLost = 8;    // i64
inline constexpr std::size_t kFirstObservationMs = 16;
inline constexpr std::size_t kLastObservationMs = 24;
inline constexpr std::size_t kSessionId = 32;      // i32
inline constexpr std::size_t kStreamId = 36;       // i32
inline constexpr std::size_t kChannelLength = 40;  // i32, text from 44, then aligned to 4 the source's
}  // namespace loss_field

/// units: timestamps in ms since the epoch
struct LossRecord {
    std::int64_t observation_count = 0;
    std::int64_t total_bytes_lost = 0;
    std::int64_t first_observation_ms = 0;
    std::int64_t last_observation_ms = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::string_view channel;
    std::string_view source;
};

/// Bytes that an entry takes in the report, the distance to the next one.
[[nodiscard]] std::size_t loss_entry_length(std::size_t channel_length, std::size_t source_length);

class LossReportCursor {
  public:
    explicit LossReportCursor(std::span<const std::byte> report) : report_(report) {}

    /// The next entry, or false at the end of the report.
    [[nodiscard]] bool next(LossRecord& record);

    /// True when the walk ended at a length that cannot be, instead of at the end.
    [[nodiscard]] bool corrupt() const { return corrupt_; }

  private:
    std::span<const std::byte> report_;
    std::size_t offset_ = 0;
    bool corrupt_ = false;
};

}  // namespace fulmar::layout
