/// Sending a stream of one's own session: the fastest way, since nobody else claims space.
/// threads: one; only is_connected, is_closed and the questions of PublicationBase from others.
/// source: Aeron exclusive publication.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "client/publication_base.h"
#include "fulmar/buffer_claim.h"
#include "fulmar/offer_result.h"

namespace fulmar {

/// Made by Client::add_exclusive_publication.
class ExclusivePublication final : public client::PublicationBase {
  public:
    explicit ExclusivePublication(client::PublicationInit init)
        : PublicationBase(std::move(init)), appender_(log(), ids()) {}

    /// Copies one message into the log, in fragments if it exceeds max_payload_length().
    OfferResult offer(std::span<const std::byte> message, std::int64_t reserved_value = 0) {
        if (is_closed()) [[unlikely]] {
            return OfferResult(OfferResult::kClosed);
        }
        return OfferResult(appender_.append(limit(), message, reserved_value));
    }

    /// Gathers one message from several pieces.
    OfferResult offer(term::Buffers pieces, std::int64_t reserved_value = 0) {
        if (is_closed()) [[unlikely]] {
            return OfferResult(OfferResult::kClosed);
        }
        return OfferResult(
            appender_.append(limit(), pieces, client::gathered_length(pieces), reserved_value));
    }

    /// Claims one frame of at most max_payload_length() to write in place. On success `claim` is open.
    OfferResult try_claim(std::int32_t length, BufferClaim& claim) {
        if (is_closed()) [[unlikely]] {
            return OfferResult(OfferResult::kClosed);
        }
        term::ClaimedFrame frame;
        const auto position = appender_.claim(limit(), length, frame);
        if (position >= 0) {
            claim = BufferClaim(frame);
        }
        return OfferResult(position);
    }

    /// Copies frames that were of this stream before, such as a recording's: whole frames whose headers say
    /// exactly this place, this session and this stream, all in one term and below the limit (see
    /// available_window). Anything else is an error; at the end of a term the first try is an admin action.
    OfferResult offer_block(std::span<const std::byte> frames) {
        return OfferResult(is_closed() ? OfferResult::kClosed : appender_.append_block(limit(), frames));
    }

    /// Moves the stream on by a padding frame of `length` payload bytes, which subscribers skip.
    OfferResult append_padding(std::int32_t length) {
        return OfferResult(is_closed() ? OfferResult::kClosed : appender_.append_padding(limit(), length));
    }

    /// -4 when closed.
    [[nodiscard]] std::int64_t position() const {
        return is_closed() ? OfferResult::kClosed : appender_.position();
    }
    [[nodiscard]] std::int64_t available_window() const {
        return is_closed() ? OfferResult::kClosed : limit() - appender_.position();
    }

    /// Closes and tells receivers to stop at once, without draining what they have not consumed.
    void revoke() { close_with_flags(kRevoke); }

  private:
    static constexpr std::uint64_t kRevoke = 1;

    term::ExclusiveAppender appender_;
};

}  // namespace fulmar
