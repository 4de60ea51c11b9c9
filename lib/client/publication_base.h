/// What concurrent and exclusive publications have in common: who they are, their log, their limit, closing.
/// Inherited, not virtual: both kinds are used by their own type, and forwarding twenty questions by hand
/// would only add lines.
/// threads: questions may be asked from any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fulmar/offer_result.h"
#include "fulmar/result.h"
#include "layout/log_buffer.h"
#include "observe/counters.h"
#include "port/memory_map.h"
#include "term/append.h"
#include "wire/frame.h"

namespace fulmar::client {

class Conductor;

/// Everything a ready publication consists of; filled by the conductor when the driver has answered.
struct PublicationInit {
    std::shared_ptr<Conductor> conductor;
    std::shared_ptr<port::Mapping> mapping;  ///< keeps `log` mapped
    layout::LogBuffer log;
    observe::Counter limit;
    std::string channel;
    std::int64_t registration_id = 0;
    std::int64_t original_registration_id = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int32_t channel_status_id = layout::kNullCounterId;
};

class PublicationBase {
  public:
    PublicationBase(const PublicationBase&) = delete;
    PublicationBase& operator=(const PublicationBase&) = delete;

    [[nodiscard]] const std::string& channel() const { return init_.channel; }
    [[nodiscard]] std::int32_t stream_id() const { return init_.stream_id; }
    [[nodiscard]] std::int32_t session_id() const { return init_.session_id; }
    /// Correlation id of the command that added this one.
    [[nodiscard]] std::int64_t registration_id() const { return init_.registration_id; }
    /// The same, of the first to share this log: names the log in counters and spies.
    [[nodiscard]] std::int64_t original_registration_id() const { return init_.original_registration_id; }
    [[nodiscard]] bool is_original() const { return init_.registration_id == init_.original_registration_id; }

    [[nodiscard]] std::int32_t term_length() const { return init_.log.term_length(); }
    [[nodiscard]] std::int32_t initial_term_id() const { return init_.log.initial_term_id(); }
    [[nodiscard]] int position_bits_to_shift() const { return init_.log.shift(); }
    [[nodiscard]] std::int32_t mtu() const { return init_.log.mtu(); }
    /// Longest message one offer takes.  units: bytes
    [[nodiscard]] std::int32_t max_message_length() const { return message_max_; }
    /// Longest message that goes out as one frame, and longest claim.  units: bytes
    [[nodiscard]] std::int32_t max_payload_length() const { return payload_max_; }
    [[nodiscard]] std::int64_t max_possible_position() const {
        return std::int64_t{init_.log.term_length()} << 31;
    }

    /// Offers at or beyond this position are back pressured; -4 when closed.
    [[nodiscard]] std::int64_t position_limit() const {
        return is_closed() ? OfferResult::kClosed : init_.limit.get_acquire();
    }
    // SYNC(publication.connected): acquire, in LogBuffer; pairs with the driver's release.
    [[nodiscard]] bool is_connected() const { return !is_closed() && init_.log.is_connected(); }
    [[nodiscard]] bool is_closed() const { return closed_.load(std::memory_order_acquire); }

    /// Counter whose value is the channel's status; kNullCounterId for IPC.
    [[nodiscard]] std::int32_t channel_status_id() const { return init_.channel_status_id; }
    /// layout::kChannelActive once the channel works, kChannelErrored when it cannot.
    [[nodiscard]] std::int64_t channel_status() const;
    /// `address:port` this publication sends from; ports are real where the channel said 0.
    [[nodiscard]] std::vector<std::string> local_socket_addresses() const;

    /// Manual multi-destination: the id to wait for with Client::find_operation, and to remove it by.
    [[nodiscard]] Result<std::int64_t> async_add_destination(const std::string& destination_channel);
    [[nodiscard]] Result<std::int64_t> async_remove_destination(const std::string& destination_channel);
    [[nodiscard]] Result<std::int64_t> async_remove_destination(std::int64_t destination_id);
    /// The same, waiting for the driver's answer.
    [[nodiscard]] Result<std::int64_t> add_destination(const std::string& destination_channel);
    [[nodiscard]] Status remove_destination(const std::string& destination_channel);
    [[nodiscard]] Status remove_destination(std::int64_t destination_id);

    /// Offers answer "closed" from now on; the driver is told without waiting for its answer. Idempotent.
    void close() { close_with_flags(0); }
    /// The same, with an id to wait for by Client::find_operation.  errors: it was closed before.
    [[nodiscard]] Result<std::int64_t> async_close();
    /// The same, until the driver has done it.
    [[nodiscard]] Status close_and_wait();

    /// Called by the client when it ends, or when the driver gave the publication up.
    void mark_closed() { closed_.store(true, std::memory_order_release); }

  protected:
    explicit PublicationBase(PublicationInit init)
        : init_(std::move(init)),
          payload_max_(init_.log.mtu() - wire::kDataHeaderLength),
          message_max_(std::min(init_.log.term_length() / 8, wire::kMessageLengthMax)) {}
    ~PublicationBase() { close(); }

    void close_with_flags(std::uint64_t flags);
    [[nodiscard]] const layout::LogBuffer& log() const { return init_.log; }
    [[nodiscard]] term::StreamIds ids() const { return {init_.session_id, init_.stream_id}; }
    [[nodiscard]] std::int64_t limit() const { return init_.limit.get_acquire(); }

  private:
    PublicationInit init_;
    std::int32_t payload_max_;
    std::int32_t message_max_;
    // SYNC(publication.closed): release in mark_closed, acquire in is_closed.
    std::atomic<bool> closed_{false};
};

/// Length of a gathered message; -1 when it cannot be a message at all.
[[nodiscard]] inline std::int32_t gathered_length(term::Buffers pieces) {
    std::size_t total = 0;
    for (const auto& piece : pieces) {
        total += piece.size();
        if (total > static_cast<std::size_t>(wire::kMessageLengthMax)) {
            return -1;
        }
    }
    return static_cast<std::int32_t>(total);
}

}  // namespace fulmar::client
