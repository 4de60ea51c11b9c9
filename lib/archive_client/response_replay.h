/// A replay that is to come back the way that a request goes. The archive gives out a token; with it the
/// request may come over a second publication, and the replay is that publication's response stream.
/// threads: as Session.  source: Aeron 1.53, archive control protocol.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "archive/messages.h"
#include "archive_client/errand.h"
#include "archive_client/request_writer.h"
#include "fulmar/archive/options.h"
#include "fulmar/client.h"

namespace fulmar::archive_client {

/// All of a replay request but session and correlation id; both templates have these members.
struct ReplayFields {
    std::int64_t recording_id;
    std::string channel;
    std::int32_t stream_id;
    ReplayParams params;
    std::int64_t token = -1;

    void operator()(auto& request) const {
        request.template set<"recordingId">(recording_id);
        request.template set<"position">(params.position);
        request.template set<"length">(params.length);
        request.template set<"replayStreamId">(stream_id);
        request.template set<"fileIoMaxLength">(params.file_io_max_length);
        request.template set<"replayToken">(token);
        if constexpr (std::is_same_v<typename std::remove_reference_t<decltype(request)>::Message,
                          archive::BoundedReplayRequest>) {
            request.template set<"limitCounterId">(params.bounding_limit_counter_id);
        }
        request.template data<"replayChannel">(channel);
    }
    [[nodiscard]] bool is_bounded() const { return params.bounding_limit_counter_id != kNullCounterId; }
};

class ResponseReplay final : public Errand {
  public:
    /// fields.params.subscription_registration_id: of the subscription that the replay shall come to.
    ResponseReplay(Client& client, std::int64_t correlation_id, ReplayFields fields);
    ~ResponseReplay() override;

    [[nodiscard]] ArchiveResult<int> poll(Session& session) override;
    [[nodiscard]] std::string_view step() const override;

  private:
    enum class State : std::uint8_t { kToken, kPublication, kConnecting, kSent };

    ArchiveResult<int> await_token(Session& session);
    ArchiveResult<int> open(Session& session);
    ArchiveResult<int> send(Session& session);

    Client& client_;
    std::int64_t correlation_id_;
    ReplayFields fields_;
    State state_ = State::kToken;
    std::int64_t token_request_ = -1;
    std::int64_t publication_request_ = -1;
    std::optional<RequestWriter> writer_;
};

}  // namespace fulmar::archive_client
