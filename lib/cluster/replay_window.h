/// Which of a session's sequence numbers have been: the greatest, and those of the 63 before it.
/// threads: one owner.  source: RFC 4303, 3.4.3.
#pragma once

#include <cstdint>

namespace fulmar::cluster {

class ReplayWindow {
  public:
    static constexpr std::uint64_t kReach = 64;

    enum class Verdict : std::uint8_t {
        kNew,
        kRepeated,
        kTooOld,  ///< whether it has been is not known any more
    };

    /// Of an authenticated message: from now on it has been.
    Verdict admit(std::uint64_t sequence) {
        if (sequence > greatest_) {
            const std::uint64_t by = sequence - greatest_;
            seen_ = (by < kReach ? seen_ << by : 0) | 1;
            greatest_ = sequence;
            return Verdict::kNew;
        }
        const std::uint64_t back = greatest_ - sequence;
        if (back >= kReach) {
            return Verdict::kTooOld;
        }
        const std::uint64_t bit = std::uint64_t{1} << back;
        if ((seen_ & bit) != 0) {
            return Verdict::kRepeated;
        }
        seen_ |= bit;
        return Verdict::kNew;
    }

  private:
    std::uint64_t greatest_ = 0;
    std::uint64_t seen_ = 1;  // by how far back; 0 itself is no sequence number
};

}  // namespace fulmar::cluster
