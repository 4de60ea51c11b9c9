/// What a port's Binding points back to: the channel endpoint a datagram belongs to.
/// Send endpoints carry publications and hear status messages and NAKs; receive endpoints carry
/// subscriptions' interest and images.
/// threads: fields are the owning agent's (sender or receiver) after registration; the conductor keeps
/// the object alive and reads `released` before it frees it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "agent/flat_table.h"
#include "config/channel_params.h"
#include "observe/counters.h"
#include "port/packet_port.h"

namespace fulmar::transport {
class Image;
class NetworkPublication;
}  // namespace fulmar::transport

namespace fulmar::agent {

enum class EndpointKind : std::uint8_t { kSend, kReceive };

/// What a tag refers to, and what a channel that uses the tag must not contradict. owner: conductor.
struct ChannelIdentity {
    std::optional<std::int64_t> tag;
    config::ControlMode mode = config::ControlMode::kNone;
    port::Endpoint address;  ///< of the endpoint parameter, as resolved; invalid: none
    port::Endpoint control;  ///< likewise
};

/// Common head, so that one cookie type serves both kinds.
struct ChannelEndpoint {
    explicit ChannelEndpoint(EndpointKind k) : kind(k) {}

    const EndpointKind kind;
    std::string canonical;  ///< what sharing is decided by, unless tags do; conductor
    ChannelIdentity identity;
    std::unique_ptr<port::Binding> binding;
    port::PacketQueue* queue = nullptr;
    std::int32_t mtu_max = 0;           ///< largest datagram the port carries
    std::int32_t requested_sndbuf = 0;  ///< by whom it was opened; sharers must agree
    std::int32_t requested_rcvbuf = 0;
    observe::Counter status;  ///< channel status; conductor writes
    std::int32_t local_address_counter = layout::kNullCounterId;
    int references = 0;    ///< publications or subscriptions on it; conductor
    bool closing = false;  ///< conductor

    /// SYNC(endpoint.released): release by its agent after removal; pairs with acquire by the conductor.
    std::atomic<bool> released{false};
};

/// (session, stream) as one key.
[[nodiscard]] constexpr std::uint64_t stream_key(std::int32_t session_id, std::int32_t stream_id) {
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(session_id)) << 32) |
           static_cast<std::uint32_t>(stream_id);
}

/// owner: sender agent.
struct SendChannelEndpoint : ChannelEndpoint {
    SendChannelEndpoint() : ChannelEndpoint(EndpointKind::kSend) {}

    port::Endpoint destination;
    FlatTable<transport::NetworkPublication*> publications;  ///< by stream_key; sender
};

/// Why a (stream, session) without an image takes no data at the moment.
enum class SessionState : std::uint8_t { kPendingSetup, kInitInProgress, kCoolDown, kNoInterest };

struct SessionEntry {
    transport::Image* image = nullptr;
    SessionState state = SessionState::kNoInterest;
    Instant deadline = Instant::never();  ///< PENDING_SETUP ends here
};

/// Interest of subscriptions in one stream.
struct StreamInterest {
    int any_session = 0;              ///< subscriptions to all sessions
    FlatTable<int> sessions;          ///< subscriptions to one session, by session id
    FlatTable<SessionEntry> entries;  ///< images and states, by session id; bounded
    int images = 0;
};

/// owner: receiver agent.
struct ReceiveChannelEndpoint : ChannelEndpoint {
    ReceiveChannelEndpoint() : ChannelEndpoint(EndpointKind::kReceive) {}

    std::int64_t receiver_id = 0;  ///< unique per endpoint, goes into every status message
    FlatTable<std::unique_ptr<StreamInterest>> streams;  ///< by stream id; receiver
};

}  // namespace fulmar::agent
