/// Sending a stream that several threads and processes may write to.
/// threads: offer and try_claim from any number of threads; close from one.
/// source: Aeron concurrent publication.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "client/publication_base.h"
#include "fulmar/buffer_claim.h"
#include "fulmar/offer_result.h"

namespace fulmar {

/// Made by Client::add_publication. The log stays mapped as long as this object lives.
class Publication final : public client::PublicationBase {
  public:
    explicit Publication(client::PublicationInit init) : PublicationBase(std::move(init)) {}

    /// Copies one message into the log, in fragments if it exceeds max_payload_length().
    OfferResult offer(std::span<const std::byte> message, std::int64_t reserved_value = 0) {
        return offer(term::Buffers(&message, 1), reserved_value);
    }

    /// Gathers one message from several pieces.
    OfferResult offer(term::Buffers pieces, std::int64_t reserved_value = 0) {
        if (is_closed()) [[unlikely]] {
            return OfferResult(OfferResult::kClosed);
        }
        return OfferResult(term::append_concurrent(
            log(), ids(), limit(), pieces, client::gathered_length(pieces), reserved_value));
    }

    /// Claims one frame of at most max_payload_length() to write in place. On success `claim` is open.
    OfferResult try_claim(std::int32_t length, BufferClaim& claim) {
        if (is_closed()) [[unlikely]] {
            return OfferResult(OfferResult::kClosed);
        }
        term::ClaimedFrame frame;
        const auto position = term::claim_concurrent(log(), ids(), limit(), length, frame);
        if (position >= 0) {
            claim = BufferClaim(frame);
        }
        return OfferResult(position);
    }

    /// Stream position producers have reached; -4 when closed.
    [[nodiscard]] std::int64_t position() const {
        return is_closed() ? OfferResult::kClosed : log().producer_position();
    }
    /// What may be offered before back pressure.  units: bytes
    [[nodiscard]] std::int64_t available_window() const {
        return is_closed() ? OfferResult::kClosed : limit() - log().producer_position();
    }
};

}  // namespace fulmar
