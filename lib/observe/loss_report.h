/// Writes the loss report: an entry per image, made when it first loses, added to from then on.
/// threads: one writer; readers anywhere use layout::LossReportCursor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace fulmar::observe {

/// Where one image's losses are added up. A default one counts nowhere. The report must outlive it.
class LossEntry {
  public:
    LossEntry() = default;
    explicit LossEntry(std::byte* entry) : entry_(entry) {}

    [[nodiscard]] bool valid() const { return entry_ != nullptr; }
    void record(std::int64_t bytes_lost, std::int64_t now_ms) const;

  private:
    std::byte* entry_ = nullptr;
};

struct LossSource {
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::string_view channel;
    std::string_view source;
};

class LossReport {
  public:
    LossReport() = default;
    /// `report` is zeroed and 8-aligned; it outlives this and all entries.
    explicit LossReport(std::span<std::byte> report) : report_(report) {}

    /// Opens an entry with its first loss.  errors: an invalid entry when the report is full, which dropped()
    /// counts.
    [[nodiscard]] LossEntry create(const LossSource& source, std::int64_t bytes_lost, std::int64_t now_ms);

    [[nodiscard]] std::int64_t dropped() const { return dropped_; }

  private:
    std::span<std::byte> report_;
    std::size_t next_offset_ = 0;
    std::int64_t dropped_ = 0;
};

}  // namespace fulmar::observe
