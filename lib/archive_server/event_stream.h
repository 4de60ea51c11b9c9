/// The stream on which an archive tells everybody of its recordings: begun, got further, stopped. Nobody has
/// to listen; what nobody listens to is not kept.
/// threads: the conductor's.  bounds: kWaitingMax messages wait for a listener that is slow; older ones go.
/// source: Aeron 1.53, recording events.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "archive/catalog.h"
#include "archive_server/options.h"
#include "fulmar/client.h"

namespace fulmar::archive {

class EventStream {
  public:
    static constexpr std::size_t kWaitingMax = 1024;

    EventStream(Client& client, const ServerOptions& options);

    /// from: where it begins now; of an extension the end of what was there.
    void started(const Recording& recording, std::int64_t from);
    /// True when it was told; it is worth nothing later, and does not wait.
    [[nodiscard]] bool progress(std::int64_t recording_id, std::int64_t from, std::int64_t position);
    void stopped(std::int64_t recording_id, std::int64_t from, std::int64_t position);

    int poll();
    /// Whether it is there, or not wanted.
    [[nodiscard]] bool is_ready() const { return request_ == -1; }
    /// Why it can not be there.
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  private:
    enum class Outcome : std::uint8_t { kTold, kNobodyListens, kLater };

    template <class M, class Fill>
    [[nodiscard]] std::span<const std::byte> encode(Fill&& fill);
    void post(std::span<const std::byte> message);
    [[nodiscard]] Outcome offer(std::span<const std::byte> message);

    Client& client_;
    std::int64_t request_ = -1;
    std::unique_ptr<ExclusivePublication> publication_;
    std::optional<Error> error_;
    std::vector<std::byte> buffer_;
    std::deque<std::vector<std::byte>> waiting_;
};

}  // namespace fulmar::archive
