/// Receivers that a sender heard from lately.
/// threads: the sender agent.  Bound: kReceiversMax; unicast needs one, a destination that changes hands a
/// few; a further one replaces the longest silent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "fulmar/time.h"

namespace fulmar::transport {

class ReceiverLiveness {
  public:
    static constexpr std::size_t kReceiversMax = 64;

    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] std::size_t size() const { return count_; }

    void heard(std::int64_t receiver_id, Instant now);
    /// True if it was there.
    bool remove(std::int64_t receiver_id);
    void expire(Instant now, Duration timeout);
    /// We did not listen for that long: nobody was silent meanwhile.
    void forgive(Duration silence);

  private:
    struct Entry {
        std::int64_t receiver_id = 0;
        Instant heard;
    };
    std::size_t count_ = 0;
    std::array<Entry, kReceiversMax> entries_{};
};

}  // namespace fulmar::transport
