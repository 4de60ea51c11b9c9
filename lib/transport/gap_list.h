/// Which ranges of a received stream are missing, kept as intervals: a packet either extends the stream,
/// opens a gap behind the highest position, or fills (part of) a known gap. No frame is ever
/// scanned, so the cost per packet does not depend on how much is buffered behind a loss.
/// threads: the receiver agent.  Bound: kGapsMax; a packet that would need one more is refused (and will
/// be sent again, as it lies in the last gap's shadow).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "fulmar/time.h"

namespace fulmar::transport {

/// A hole [begin, end) of the stream and when it is to be asked for (again).
struct Gap {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    Instant next_nak;
    std::int32_t naks = 0;
};

class GapList {
  public:
    static constexpr std::size_t kGapsMax = 128;

    explicit GapList(std::int64_t position = 0) : hwm_(position) {}

    /// End of the contiguous stream: everything before it has arrived.
    [[nodiscard]] std::int64_t contiguous() const { return count_ == 0 ? hwm_ : gaps_[0].begin; }
    /// End of the highest byte known to exist.
    [[nodiscard]] std::int64_t hwm() const { return hwm_; }
    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] Gap& operator[](std::size_t index) { return gaps_[index]; }
    [[nodiscard]] const Gap& operator[](std::size_t index) const { return gaps_[index]; }

    enum class Fit : std::uint8_t {
        kNew,        ///< wholly missing: insert it all
        kPartial,    ///< overlaps what is there: insert frame by frame where covers() says missing
        kDuplicate,  ///< nothing of it is missing
    };
    [[nodiscard]] Fit fit(std::int64_t begin, std::int64_t end) const;

    /// Nothing has arrived at `position`: it lies in a gap, or behind everything.
    [[nodiscard]] bool is_missing(std::int64_t position) const {
        return position >= hwm_ || (count_ != 0 && is_in_gap(position));
    }

    /// Records that [begin, end) has arrived. A gap opened by it gets `first_nak`. False, and nothing
    /// changed, when that would take more than kGapsMax gaps.
    [[nodiscard]] bool arrive(std::int64_t begin, std::int64_t end, Instant first_nak);

    /// The sender says the stream reaches `position` (heartbeat): opens a gap up to it.
    [[nodiscard]] bool announce(std::int64_t position, Instant first_nak);

    [[nodiscard]] Instant next_deadline() const;

  private:
    [[nodiscard]] std::size_t first_ending_after(std::int64_t position) const;
    [[nodiscard]] bool is_in_gap(std::int64_t position) const;
    [[nodiscard]] bool push_back(Gap gap);
    void erase(std::size_t index);

    std::int64_t hwm_;
    std::size_t count_ = 0;
    std::array<Gap, kGapsMax> gaps_;
};

}  // namespace fulmar::transport
