/// One client of the archive: from its connect request to its end.
/// threads: the conductor's.  source: Aeron 1.53, archive control protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive_server/auth.h"
#include "archive_server/counters.h"
#include "archive_server/options.h"
#include "archive_server/responder.h"
#include "fulmar/client.h"

namespace fulmar::archive {

/// Something that answers with many messages, one at a time while the client takes them.
class Listing {
  public:
    virtual ~Listing() = default;
    /// Sends what can be sent now. True: all has been said.
    [[nodiscard]] virtual bool poll(Responder& responder, Instant now) = 0;
};

class ControlSession {
  public:
    enum class State : std::uint8_t {
        kOpening,        ///< the response publication is being made
        kConnecting,     ///< nobody subscribes to it yet
        kChallenged,     ///< the client has to prove more
        kAuthenticated,  ///< OK is repeated until the client shows that it has seen it
        kRejected,       ///< so is the error
        kActive,
        kDone,
    };
    struct Init {
        std::int64_t id = 0;
        std::int64_t connect_correlation_id = 0;
        std::int64_t publication_request = 0;  ///< of Client::async_add_exclusive_publication
        PendingCounter counter;                ///< shows the client to tools; the session does without, too
        std::int64_t image_correlation_id = 0;
        std::int32_t image_session_id = 0;
        std::string description;  ///< who it is, for errors
        std::string rejection;    ///< why it cannot be served at all; empty: it can
        std::vector<std::byte> credentials;
        Instant now;
    };

    ControlSession(Init init, Client& client, const ServerOptions& options);
    ~ControlSession();
    ControlSession(const ControlSession&) = delete;
    ControlSession& operator=(const ControlSession&) = delete;

    int poll(Instant now);
    /// A request with this session's id arrived on its image. False: it is not to be served.
    [[nodiscard]] bool on_request();
    void on_challenge_response(
        std::int64_t correlation_id, std::span<const std::byte> credentials, Instant now);
    /// Ends it. An abnormal end is an error, and its request stream is refused.
    void end(std::string_view reason, bool is_abnormal);

    [[nodiscard]] std::int64_t id() const { return init_.id; }
    [[nodiscard]] std::int64_t image_correlation_id() const { return init_.image_correlation_id; }
    [[nodiscard]] std::int32_t image_session_id() const { return init_.image_session_id; }
    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] bool is_done() const { return state_ == State::kDone; }
    [[nodiscard]] bool ended_abnormally() const { return is_abnormal_; }
    [[nodiscard]] const std::string& end_reason() const { return end_reason_; }
    [[nodiscard]] const std::string& description() const { return init_.description; }
    [[nodiscard]] const std::vector<std::byte>& principal() const { return principal_; }
    /// Of the response publication once there is one; -1 before.
    [[nodiscard]] std::int64_t response_registration_id() const {
        return publication_ != nullptr ? publication_->registration_id() : -1;
    }

    [[nodiscard]] Responder& responder() { return responder_; }
    [[nodiscard]] bool is_listing() const { return listing_ != nullptr; }
    void begin_listing(std::unique_ptr<Listing> listing) { listing_ = std::move(listing); }

  private:
    int open();
    int connect(Instant now);
    void decide(const Authenticator::Decision& decision, Instant now);
    int repeat_outcome(Instant now);
    int serve(Instant now);

    Init init_;
    Client& client_;
    const ServerOptions& options_;
    State state_ = State::kOpening;
    std::unique_ptr<ExclusivePublication> publication_;
    Responder responder_;
    std::unique_ptr<Listing> listing_;
    std::vector<std::byte> principal_;
    std::vector<std::byte> challenge_;
    std::string end_reason_;
    bool is_abnormal_ = false;
    Instant active_deadline_;
    Instant next_repeat_;
    Instant next_ping_;
};

}  // namespace fulmar::archive
