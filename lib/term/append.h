/// Producers' side of a log: claiming space, writing frames, rotating to the next term. The concurrent
/// form may be called by many threads and processes, the exclusive form by one owner.
///
/// Hooks: a template policy called at each point where a producer may die (after the tail moved, after the
/// negative length, before the commit, before the rotation); NoKillPoint compiles to nothing, simulator and
/// model checks use their own.
/// threads: as said per function.  source: Aeron publication appenders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "layout/log_buffer.h"
#include "wire/frame.h"

namespace fulmar::term {

/// Negative results of an append; the numbers are Aeron's.
inline constexpr std::int64_t kNotConnected = -1;
inline constexpr std::int64_t kBackPressured = -2;
inline constexpr std::int64_t kAdminAction = -3;
inline constexpr std::int64_t kClosed = -4;
inline constexpr std::int64_t kMaxPositionExceeded = -5;
inline constexpr std::int64_t kAppendError = -6;

/// kAfterTail: space is claimed, nothing is written. kAfterNegativeLength: the frame (or the padding of a
/// trip) shows -length. kBeforeCommit: all but the final length is written. kBeforeRotate: a trip wrote its
/// padding, the next term is not active yet. Fragments pass the middle two once each.
enum class KillPoint : std::uint8_t { kAfterTail, kAfterNegativeLength, kBeforeCommit, kBeforeRotate };

/// The production policy: nobody dies.
struct NoKillPoint {
    /// Returning true abandons the append at this point, as if the process had died; it returns kClosed.
    static constexpr bool dies(KillPoint) { return false; }
};

/// Pieces of a gathered message, in order.
using Buffers = std::span<const std::span<const std::byte>>;

/// Where a claimed frame's payload is; commit() or abort() it.
struct ClaimedFrame {
    std::byte* frame = nullptr;
    std::int32_t frame_length = 0;  ///< header included, unaligned

    [[nodiscard]] std::span<std::byte> payload() const {
        return {frame + wire::kDataHeaderLength,
            static_cast<std::size_t>(frame_length - wire::kDataHeaderLength)};
    }
};

/// Space one message takes in the log, fragment headers and alignment included.
/// message_length >= 0, payload_max > 0.
[[nodiscard]] std::int32_t framed_length(std::int32_t message_length, std::int32_t payload_max);

/// Longest message a log takes: min(term_length / 8, 16 MiB).
[[nodiscard]] constexpr std::int32_t message_length_max(std::int32_t term_length) {
    return term_length / 8 < wire::kMessageLengthMax ? term_length / 8 : wire::kMessageLengthMax;
}

/// Where a stream ends for good: term counts are 31 bits.
[[nodiscard]] constexpr std::int64_t position_max(std::int32_t term_length) {
    return static_cast<std::int64_t>(term_length) << 31;
}

/// Makes the term after `term_count` (whose id is `term_id`) the active one unless somebody has; false when
/// another did or the tails do not allow it.  threads: any, driver included.
bool rotate(const layout::LogBuffer& log, std::int32_t term_count, std::int32_t term_id);

/// Ids a producer stamps into each frame.
struct StreamIds {
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
};

// Definitions of the templates are in append_impl.h, included at the end.

/// Appends a message of any length up to message_length_max; fragments when it exceeds mtu - 32.
/// limit: publication limit position, exclusive for the message's start. message_length must be the sum of
/// the pieces. Returns the new position or a negative result above.  threads: any number.
template <class Hook = NoKillPoint>
std::int64_t append_concurrent(const layout::LogBuffer& log, StreamIds ids, std::int64_t limit,
    Buffers message, std::int32_t message_length, std::int64_t reserved_value, Hook hook = {});

/// Claims one frame for in-place writing; at most mtu - 32 bytes.  threads: any number.
template <class Hook = NoKillPoint>
std::int64_t claim_concurrent(const layout::LogBuffer& log, StreamIds ids, std::int64_t limit,
    std::int32_t payload_length, ClaimedFrame& out, Hook hook = {});

/// The only producer's state: where the next frame goes, without reading the tail. It publishes the tail
/// before each frame, so that the driver knows how far the producer may have written.
/// threads: one owner.
class ExclusiveAppender {
  public:
    ExclusiveAppender() = default;
    /// Continues where the log's active term and its tail say.
    ExclusiveAppender(const layout::LogBuffer& log, StreamIds ids);

    std::int64_t append(
        std::int64_t limit, std::span<const std::byte> message, std::int64_t reserved_value = 0);
    std::int64_t append(
        std::int64_t limit, Buffers message, std::int32_t message_length, std::int64_t reserved_value);
    std::int64_t claim(std::int64_t limit, std::int32_t payload_length, ClaimedFrame& out);
    /// Appends a PAD frame with `length` bytes behind its header.
    std::int64_t append_padding(std::int64_t limit, std::int32_t length);
    /// Appends frames that were of this stream before: whole, aligned, with headers of exactly this place, as
    /// a recording holds them. All of `block` lies in one term, and below the limit: a driver need not have
    /// cleaned more than a message beyond it. kAppendError for anything else; kAdminAction where the term was
    /// full.
    std::int64_t append_block(std::int64_t limit, std::span<const std::byte> block);
    [[nodiscard]] std::int64_t position() const { return term_begin_position_ + term_offset_; }

  private:
    /// Whether these are frames of this stream from where it stands to inside its term.
    [[nodiscard]] bool continues(std::span<const std::byte> block) const;
    /// Checks the limit and takes `required` bytes; returns the new position or a negative result.
    std::int64_t take(std::int64_t limit, std::int32_t required, std::int32_t& frame_offset);
    std::int64_t trip(std::int32_t required);

    layout::LogBuffer log_;
    StreamIds ids_;
    std::int64_t term_begin_position_ = 0;
    std::byte* term_ = nullptr;
    // A word of its own: read together with a neighbour right after it was stored, it would stall the read.
    std::int64_t term_offset_ = 0;
    std::int32_t term_id_ = 0;
    std::int32_t payload_max_ = 0;
    int partition_ = 0;
};

/// Publishes a claimed frame, or turns it into padding.
void commit(const ClaimedFrame& claim);
void abort(const ClaimedFrame& claim);

}  // namespace fulmar::term

#include "term/append_impl.h"
