/// Decides what happens to each packet of one direction; the same spec and packets give the same faults.
///
/// A kind draws from a random stream of its own, so that adding loss does not change which packets are
/// reordered. The model decides and counts; holding packets back is up to its user.
/// threads: one owner; counts may be read by any.
#pragma once

#include <cstdint>

#include "base/prng.h"
#include "base/statistic.h"
#include "fulmar/time.h"
#include "net/fault_spec.h"

namespace fulmar::net {

/// How often each fault was drawn.
struct FaultCounts {
    std::uint64_t packets = 0;  ///< looked at
    std::uint64_t lost = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t reordered = 0;
    std::uint64_t delayed = 0;
    /// A damaged frame fails its checksum and never reaches the protocol, which has none of its own: so it is
    /// dropped, like a lost one, and counted here.
    std::uint64_t corrupted = 0;
};

/// At most one of drop and the rest.
struct FaultDecision {
    bool drop = false;
    bool duplicate = false;
    /// > 0: let this many later packets overtake it, but hold it no longer than kReorderHoldMax.
    std::uint8_t overtaken_by = 0;
    Duration delay{};

    [[nodiscard]] bool passes() const { return !drop && !duplicate && overtaken_by == 0 && delay.ns == 0; }
};

/// When nothing follows, a packet held for reordering goes on after this time.
inline constexpr Duration kReorderHoldMax = milliseconds(1);
inline constexpr int kOvertakenByMax = 4;

class FaultModel {
  public:
    FaultModel(const FaultSpec& spec, FaultDirection direction);

    /// Starts the random streams anew, from the seed of `spec`; counts go on.
    void set_spec(const FaultSpec& spec);
    [[nodiscard]] const FaultSpec& spec() const { return spec_; }
    /// False: decide() would pass everything and need not be asked.
    [[nodiscard]] bool active() const { return active_; }

    [[nodiscard]] FaultDecision decide();
    [[nodiscard]] const FaultCounts& counts() const { return counts_; }

  private:
    enum class Kind : std::uint64_t { kLoss = 1, kDuplicate, kReorder, kCorrupt };
    [[nodiscard]] base::Prng stream(Kind kind) const;

    FaultSpec spec_;
    FaultDirection direction_;
    bool active_;
    base::Prng loss_;
    base::Prng duplicate_;
    base::Prng reorder_;
    base::Prng corrupt_;
    FaultCounts counts_;
};

}  // namespace fulmar::net
