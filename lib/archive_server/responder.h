/// The way back of a control session: messages to its client, in order, kept while the client does not take
/// them.
/// threads: the conductor's.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "archive/messages.h"
#include "fulmar/archive/codes.h"
#include "fulmar/exclusive_publication.h"
#include "fulmar/sbe/encoder.h"
#include "fulmar/time.h"

namespace fulmar::archive {

class Responder {
  public:
    /// A client that reads nothing must not fill our memory: more messages than this end its session.
    static constexpr std::size_t kWaitingMax = 64 * 1024;

    explicit Responder(std::int64_t control_session_id) : control_session_id_(control_session_id) {}

    void open(ExclusivePublication& publication) { publication_ = &publication; }

    void ok(std::int64_t correlation_id, std::int64_t relevant_id, Instant now) {
        response(correlation_id, ControlResponseCode::kOk, relevant_id, "", now);
    }
    void error(std::int64_t correlation_id, ArchiveErrorCode code, std::string_view message, Instant now) {
        response(correlation_id, ControlResponseCode::kError, static_cast<std::int64_t>(code), message, now);
    }
    void response(std::int64_t correlation_id, ControlResponseCode code, std::int64_t relevant_id,
        std::string_view message, Instant now);

    /// Encodes M with `fill(encoder)` and sends it behind what waits.
    template <class M, class Fill>
    void send(Fill&& fill, Instant now) {
        sbe::Encoder<M> encoder(scratch());
        encoder.template set<"controlSessionId">(control_session_id_);
        fill(encoder);
        post(*encoder.finish(), now);
    }
    /// A whole message.
    void post(std::span<const std::byte> message, Instant now);
    /// The same, only if it can go out at once: for what is worth nothing later, and for listings that wait.
    [[nodiscard]] bool try_post(std::span<const std::byte> message);

    int flush(Instant now);
    [[nodiscard]] bool is_clear() const { return waiting_.empty(); }
    /// The client does not take what it asked for.
    [[nodiscard]] bool is_stuck(Instant now, Duration patience) const {
        return waiting_.size() > kWaitingMax || (!waiting_.empty() && now > waiting_since_ + patience);
    }
    /// A message that the publication can never take was dropped; the session cannot go on in order.
    [[nodiscard]] bool is_broken() const { return is_broken_; }

    [[nodiscard]] std::int64_t control_session_id() const { return control_session_id_; }
    /// Room for one message of any kind.
    [[nodiscard]] std::span<std::byte> scratch() { return scratch_; }

  private:
    [[nodiscard]] bool offer(std::span<const std::byte> message);

    static constexpr std::size_t kMessageMax = 160 * 1024;
    /// Of an error's text: a response has to fit into the smallest message a publication may have.
    static constexpr std::size_t kTextMax = 1024;

    const std::int64_t control_session_id_;
    ExclusivePublication* publication_ = nullptr;
    std::deque<std::vector<std::byte>> waiting_;
    Instant waiting_since_;
    bool is_broken_ = false;
    std::vector<std::byte> scratch_ = std::vector<std::byte>(kMessageMax);
};

}  // namespace fulmar::archive
