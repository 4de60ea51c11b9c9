/// Beginning a control session, step by step: two streams, a request that names the response stream, perhaps
/// a challenge, and the archive's id.
/// threads: one.  errors: each poll says why it cannot go on; kTimeout names the step that waited.
/// source: Aeron archive control protocol, client side of connecting.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/session_messages.h"
#include "archive_client/session.h"
#include "config/channel_uri.h"

namespace fulmar::archive_client {

class Connector {
  public:
    /// errors: a channel that is none, or options that cannot be.
    static ArchiveResult<std::unique_ptr<Connector>> create(Client& client, ArchiveClientOptions options);
    Connector(Client& client, ArchiveClientOptions options, config::ChannelUri request_channel,
        config::ChannelUri response_channel);
    ~Connector();
    Connector(const Connector&) = delete;
    Connector& operator=(const Connector&) = delete;

    /// The session once the archive has accepted it; null while there is more to wait for. After an error or
    /// the session: an error.
    ArchiveResult<std::unique_ptr<Session>> poll();
    /// What it waits for.
    [[nodiscard]] std::string_view step() const;
    [[nodiscard]] Client& client() const { return client_; }

  private:
    enum class Step : std::uint8_t {
        kSessionId,
        kSubscription,
        kPublication,
        kPublicationConnected,
        kResponsePort,
        kSubscriptionConnected,
        kConnectResponse,
        kChallengeResponse,
        kArchiveIdResponse,
        kDone,
    };
    /// What answered the request that waits.
    struct Answer {
        bool is_challenge = false;
        std::int64_t control_session_id = -1;
        std::int64_t relevant_id = -1;
        std::int32_t version = 0;
        std::vector<std::byte> challenge;
        std::optional<ArchiveError> error;
    };
    struct Receiver;
    struct Assembled {
        Connector* connector;
        ControlledAction operator()(std::span<const std::byte> message, const Header&) const {
            connector->on_message(message);
            return ControlledAction::kBreak;  // what follows the answer is for the session that begins then
        }
    };

    ArchiveResult<std::unique_ptr<Session>> poll_steps();
    /// True when the step is done and the next one may be tried at once.
    ArchiveResult<bool> advance();
    ArchiveResult<bool> await_session_id();
    ArchiveResult<bool> await_subscription();
    ArchiveResult<bool> await_publication();
    ArchiveResult<bool> send_connect();
    ArchiveResult<bool> await_response();
    void on_message(std::span<const std::byte> message);
    ArchiveResult<bool> on_accepted(const Answer& answer);
    ArchiveStatus answer_challenge(const Answer& answer);
    ArchiveStatus ask_archive_id();
    [[nodiscard]] ArchiveError timeout_error() const;
    [[nodiscard]] std::unique_ptr<Session> finish();
    /// Best effort: an archive that has accepted us shall not wait for our time-out.
    void close_session();

    Client& client_;
    ArchiveClientOptions options_;
    config::ChannelUri request_channel_;
    config::ChannelUri response_channel_;
    Instant deadline_;
    Step step_ = Step::kSessionId;
    std::int64_t driver_request_ = -1;  ///< what the media driver is asked for now; -1: nothing
    std::unique_ptr<Subscription> responses_;
    std::optional<RequestWriter> writer_;
    std::string resolved_response_channel_;
    std::int64_t correlation_id_ = -1;
    std::int64_t control_session_id_ = -1;
    std::int64_t archive_id_ = -1;
    std::int32_t protocol_version_ = 0;
    std::optional<Answer> answer_;
    ControlledFragmentAssembler<Assembled> assembler_{Assembled{this}};
    std::optional<ArchiveError> ended_;
};

}  // namespace fulmar::archive_client
