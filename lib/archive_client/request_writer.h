/// Puts requests into the control stream, in the order in which they were asked.
/// threads: one.  errors: see submit. bounds: what waits for room is at most kWaitingMax messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "fulmar/archive/codes.h"
#include "fulmar/exclusive_publication.h"
#include "fulmar/sbe/encoder.h"

namespace fulmar::archive_client {

class RequestWriter {
  public:
    static constexpr std::size_t kWaitingMax = 4096;

    explicit RequestWriter(std::unique_ptr<ExclusivePublication> publication)
        : publication_(std::move(publication)),
          buffer_(static_cast<std::size_t>(publication_->max_message_length())) {}

    [[nodiscard]] ExclusivePublication& publication() { return *publication_; }

    /// Encodes a message of type M, whose fields `fill` sets, and sends it at once or, behind others that
    /// wait, with a later flush.
    /// errors: kNotConnected; kClient when it is too long for the stream or too many wait already.
    template <class M, class Fill>
    ArchiveStatus write(Fill&& fill) {
        sbe::Encoder<M> encoder(buffer_);
        fill(encoder);
        const auto encoded = encoder.finish();
        if (!encoded) {
            return too_long();
        }
        return submit(*encoded);
    }

    /// Sends what waits. Returns how many went.  errors: kNotConnected.
    ArchiveResult<int> flush();
    /// All that was written is in the stream.
    [[nodiscard]] bool is_flushed() const { return waiting_.empty(); }

  private:
    ArchiveStatus submit(std::span<const std::byte> message);
    /// True when it was taken, false when it has to wait.
    ArchiveResult<bool> offer(std::span<const std::byte> message);
    [[nodiscard]] Unexpected<ArchiveError> too_long() const;

    std::unique_ptr<ExclusivePublication> publication_;
    std::vector<std::byte> buffer_;
    std::deque<std::vector<std::byte>> waiting_;
};

}  // namespace fulmar::archive_client
