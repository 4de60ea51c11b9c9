/// Which NAKed ranges are being sent again, and which repeats of a NAK to ignore meanwhile.
/// threads: the sender agent.  Bound: kSlotsMax ranges; a NAK that finds no slot is counted and dropped, the
/// receiver asks again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "fulmar/time.h"

namespace fulmar::transport {

class RetransmitHandler {
  public:
    static constexpr std::size_t kSlotsMax = 256;

    struct Options {
        std::size_t slots = 64;  ///< how many ranges at once; group semantics: max-resend
        Duration delay;          ///< wait before the first byte; 0 for unicast
        Duration linger;         ///< how long repeats of the same range are ignored after it was sent
    };

    enum class Verdict : std::uint8_t { kAccepted, kRepeat, kOverflow };

    explicit RetransmitHandler(const Options& options) : options_(options) {}

    /// A NAK for [position, position + length), already validated and bounded.
    Verdict on_nak(Instant now, std::int64_t position, std::int32_t length);

    /// The next range to send; nullptr when none is due. The caller moves `next` forward as it sends, and
    /// calls sent() when next reached end.
    struct Range {
        std::int64_t begin = 0;
        std::int64_t next = 0;
        std::int64_t end = 0;
        Instant deadline;  ///< start of sending while delayed, end of linger afterwards
        enum class State : std::uint8_t { kFree, kDelayed, kSending, kLinger } state = State::kFree;
    };
    [[nodiscard]] Range* due(Instant now);
    void sent(Range& range, Instant now);
    void drop(Range& range);
    /// A packet at `position` was not taken by the port: its range goes on from there.
    void untake(std::int64_t position);
    /// Frees lingering ranges whose time is over.
    void on_timer(Instant now);
    [[nodiscard]] bool idle() const { return active_ == 0; }

  private:
    [[nodiscard]] std::size_t slots() const {
        return options_.slots < kSlotsMax ? options_.slots : kSlotsMax;
    }

    Options options_;
    std::size_t active_ = 0;
    std::size_t cursor_ = 0;
    std::array<Range, kSlotsMax> ranges_{};
};

}  // namespace fulmar::transport
