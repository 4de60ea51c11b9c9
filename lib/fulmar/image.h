/// One publication as a subscription sees it: a session's frames and how far we have consumed them.
/// threads: poll and position from the thread that polls the subscription; the rest from any.
/// source: Aeron image.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/position.h"
#include "fulmar/controlled_action.h"
#include "fulmar/header.h"
#include "fulmar/result.h"
#include "layout/log_buffer.h"
#include "observe/counters.h"
#include "port/memory_map.h"
#include "term/read.h"

namespace fulmar {

namespace client {
class Conductor;

struct ImageInit {
    Conductor* conductor = nullptr;  ///< outlives every image
    std::shared_ptr<port::Mapping> mapping;
    layout::LogBuffer log;
    observe::Counter position;
    std::int64_t join_position = 0;  ///< what the counter said; see is_join_position_valid
    std::int64_t correlation_id = 0;
    std::int64_t subscription_registration_id = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::string source_identity;
};

/// A reader may start there: not negative, frame aligned, below the stream's end.
[[nodiscard]] bool is_join_position_valid(std::int64_t position, const layout::LogBuffer& log);

/// End of the run of whole frames from `offset` that fits below `offset_limit`; padding only when first.
[[nodiscard]] std::int32_t scan_block(const std::byte* term, std::int32_t offset, std::int32_t offset_limit);
}  // namespace client

/// Where a block handed out by block_poll lies in its stream.
struct BlockInfo {
    std::int64_t position = 0;  ///< of the block's first byte
    std::int32_t session_id = 0;
    std::int32_t term_id = 0;
};

/// Owned by the client. A pointer to it is good until its unavailable handler has run, and for the client's
/// resource linger after that (polls then find nothing).
///
/// Fragment handlers are called as handler(std::span<const std::byte> payload, const Header&); both views end
/// with the call. The log is memory that others write: a frame that cannot be one ends the poll.
class Image {
  public:
    explicit Image(client::ImageInit init);
    Image(const Image&) = delete;
    Image& operator=(const Image&) = delete;

    [[nodiscard]] std::int32_t session_id() const { return stream_.session_id; }
    [[nodiscard]] std::int32_t stream_id() const { return stream_.stream_id; }
    /// The driver's name for this image, unique while the driver runs.
    [[nodiscard]] std::int64_t correlation_id() const { return init_.correlation_id; }
    [[nodiscard]] std::int64_t subscription_registration_id() const {
        return init_.subscription_registration_id;
    }
    /// `address:port` of the sender, or `aeron:ipc`.
    [[nodiscard]] const std::string& source_identity() const { return init_.source_identity; }
    [[nodiscard]] std::int32_t subscriber_position_id() const { return init_.position.id(); }
    [[nodiscard]] std::int64_t join_position() const { return join_position_; }
    [[nodiscard]] std::int32_t initial_term_id() const { return init_.log.initial_term_id(); }
    [[nodiscard]] std::int32_t term_length() const { return init_.log.term_length(); }
    [[nodiscard]] std::int32_t mtu() const { return init_.log.mtu(); }
    [[nodiscard]] int position_bits_to_shift() const { return init_.log.shift(); }

    [[nodiscard]] bool is_closed() const { return closed_.load(std::memory_order_acquire); }
    /// Consumed up to here; after closing, where consumption ended.
    [[nodiscard]] std::int64_t position() const { return position_.load(std::memory_order_relaxed); }
    /// Skips ahead: frame aligned, at most to the end of the term we are in.
    /// errors: kGeneric with both positions.
    [[nodiscard]] Status set_position(std::int64_t position);
    /// All the sender wrote has been consumed and no more will come.
    [[nodiscard]] bool is_end_of_stream() const { return position() >= end_of_stream_position(); }
    /// INT64_MAX until known.
    [[nodiscard]] std::int64_t end_of_stream_position() const {
        return is_closed() ? final_end_of_stream_ : init_.log.end_of_stream_position();
    }
    /// Transports that carry this image now; several under a multi-destination subscription.
    [[nodiscard]] std::int32_t active_transport_count() const {
        return is_closed() ? 0 : init_.log.active_transport_count();
    }
    [[nodiscard]] bool is_publication_revoked() const;

    /// Makes the driver end this image and tell the sender why.
    [[nodiscard]] Status reject(std::string_view reason);

    /// Delivers up to `fragment_limit` fragments. Returns how many.
    template <class Handler>
    int poll(Handler&& handler, int fragment_limit) {
        return bounded_poll(handler, kNoLimit, fragment_limit);
    }

    /// The same, up to a position.
    template <class Handler>
    int bounded_poll(Handler&& handler, std::int64_t limit_position, int fragment_limit);

    /// The handler returns a ControlledAction.
    template <class Handler>
    int controlled_poll(Handler&& handler, int fragment_limit) {
        return bounded_controlled_poll(handler, kNoLimit, fragment_limit);
    }
    template <class Handler>
    int bounded_controlled_poll(Handler&& handler, std::int64_t limit_position, int fragment_limit);

    /// Looks ahead from `initial_position` (frame aligned) without consuming. Returns the position reached by
    /// the last whole message that was seen, so that it may be set_position later.
    template <class Handler>
    std::int64_t controlled_peek(
        std::int64_t initial_position, Handler&& handler, std::int64_t limit_position);

    /// Delivers whole frames as they lie in the log, headers included, at most to the end of a term:
    /// handler(std::span<const std::byte> block, const BlockInfo&). Returns bytes consumed. Padding comes
    /// only as a block of its own.
    template <class Handler>
    std::int64_t block_poll(Handler&& handler, std::int32_t block_length_limit);

    /// The same without consuming, from a position at or beyond position(): for who hands blocks on and
    /// consumes (set_position) when they have arrived. Returns the bytes delivered.
    template <class Handler>
    std::int64_t block_peek(
        std::int64_t initial_position, Handler&& handler, std::int32_t block_length_limit) const;

    /// Keeps the log mapped while it lives, also beyond the image.
    [[nodiscard]] std::shared_ptr<const void> keep_mapped() const { return init_.mapping; }

    /// Called by the client when the driver ended the image.
    void mark_closed();

  private:
    static constexpr std::int64_t kNoLimit = INT64_MAX;

    struct Window {
        const std::byte* term;
        std::int64_t base_position;  ///< stream position of offset 0
        std::int32_t offset;
        std::int32_t offset_limit;
    };
    [[nodiscard]] Window window(std::int64_t position, std::int64_t limit_position) const {
        const std::int32_t term_length = init_.log.term_length();
        const std::int32_t offset = base::compute_term_offset(position, term_length);
        const std::int64_t base_position = position - offset;
        // Down to a frame's alignment, so that no frame's padding crosses a limit that has none.
        const std::int64_t room = std::min<std::int64_t>(term_length, limit_position - base_position) &
                                  ~std::int64_t{wire::kFrameAlignment - 1};
        return {init_.log.term(base::partition_of_position(position, init_.log.shift())), base_position,
            offset, static_cast<std::int32_t>(room)};
    }
    /// Publishes how far we are; the driver's flow control reads it.
    void advance_to(std::int64_t position) {
        position_.store(position, std::memory_order_relaxed);  // relaxed: only the polling thread writes it
        if (!is_closed()) {
            // SYNC(counter.value): release; the frames below were read before the driver may clean them.
            init_.position.set_release(position);
        }
    }

    client::ImageInit init_;
    Header::Stream stream_;
    std::int64_t join_position_ = 0;
    std::int64_t final_end_of_stream_ = kNoLimit;  // written before closed_ is set
    // The private copy decides: the counter lies in memory that others could scribble on.
    std::atomic<std::int64_t> position_{0};
    // SYNC(image.closed): release in mark_closed, acquire in is_closed.
    std::atomic<bool> closed_{false};
};

}  // namespace fulmar

#include "client/image_impl.h"
