/// Producers' side of a log: claiming space, writing frames, rotating to the next term. The concurrent
/// form may be called by many threads and processes, the exclusive form by one owner.
///
/// Hooks: a template policy called at each point where a producer may die (after the tail moved, after the
/// negative length, before the commit); NoKillPoint compiles to nothing, simulator and model checks use
/// their own.
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

enum class KillPoint : std::uint8_t { kAfterTail, kAfterNegativeLength, kBeforeCommit };

/// The production policy: nobody dies.
struct NoKillPoint {
    /// Returning true abandons the append at this point, as if the process had died.
    static constexpr bool dies(KillPoint) { return false; }
};

/// One piece of a gathered message.
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
[[nodiscard]] std::int32_t framed_length(std::int32_t message_length, std::int32_t payload_max);

/// Ids a producer stamps into each frame.
struct StreamIds {
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
};

// Definitions of the templates are in append_impl.h, included at the end.

/// Appends a message of any length up to the maximum; fragments when it exceeds payload_max.
/// limit: publication limit position, exclusive for the message's start. Returns the new position or a
/// negative result above.  threads: any number.
template <class Hook = NoKillPoint>
std::int64_t append_concurrent(const layout::LogBuffer& log, StreamIds ids, std::int64_t limit,
    Buffers message, std::int32_t message_length, std::int64_t reserved_value, Hook hook = {});

/// Claims one frame for in-place writing; at most mtu - 32 bytes.  threads: any number.
template <class Hook = NoKillPoint>
std::int64_t claim_concurrent(const layout::LogBuffer& log, StreamIds ids, std::int64_t limit,
    std::int32_t payload_length, ClaimedFrame& out, Hook hook = {});

/// The only producer's state: where the next frame goes, without reading the tail.
class ExclusiveAppender {
  public:
    ExclusiveAppender() = default;
    ExclusiveAppender(const layout::LogBuffer& log, StreamIds ids);

    std::int64_t append(
        std::int64_t limit, std::span<const std::byte> message, std::int64_t reserved_value = 0);
    std::int64_t append(
        std::int64_t limit, Buffers message, std::int32_t message_length, std::int64_t reserved_value);
    std::int64_t claim(std::int64_t limit, std::int32_t payload_length, ClaimedFrame& out);
    std::int64_t append_padding(std::int64_t limit, std::int32_t length);
    [[nodiscard]] std::int64_t position() const { return term_begin_position_ + term_offset_; }

  private:
    std::int64_t trip(std::int64_t limit, std::int32_t required);

    layout::LogBuffer log_;
    StreamIds ids_;
    std::int64_t term_begin_position_ = 0;
    std::int32_t term_offset_ = 0;
    std::int32_t term_id_ = 0;
    int partition_ = 0;
};

void commit(const ClaimedFrame& claim);
void abort(const ClaimedFrame& claim);

}  // namespace fulmar::term

#include "term/append_impl.h"
