/// Channel endpoints and the transports they are made of. A transport is one bound address, what a port's
/// Binding points back to. Send endpoints carry publications and hear status messages and NAKs; receive
/// endpoints carry subscriptions' interest and images, whose packets may come by several transports.
/// threads: fields are the owning agent's (sender or receiver) after registration, unless they say
/// otherwise; the conductor keeps the objects alive and reads `released` before it frees them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/flat_table.h"
#include "config/channel_params.h"
#include "observe/counters.h"
#include "port/packet_port.h"
#include "transport/destination_tracker.h"

namespace fulmar::transport {
class Image;
class NetworkPublication;
}  // namespace fulmar::transport

namespace fulmar::agent {

/// What a tag refers to, and what a channel that uses the tag must not contradict. owner: conductor.
struct ChannelIdentity {
    std::optional<std::int64_t> tag;
    config::ControlMode mode = config::ControlMode::kNone;
    port::Endpoint address;  ///< of the endpoint parameter, as resolved; invalid: none
    port::Endpoint control;  ///< likewise
};

struct ChannelEndpoint {
    std::string canonical;  ///< what sharing is decided by, unless tags do; conductor
    ChannelIdentity identity;
    std::int32_t mtu_max = 0;           ///< largest datagram the port carries
    std::int32_t requested_sndbuf = 0;  ///< by whom it was opened; sharers must agree
    std::int32_t requested_rcvbuf = 0;
    observe::Counter status;  ///< channel status; conductor writes
    int references = 0;       ///< publications or subscriptions on it; conductor
    bool closing = false;     ///< conductor

    /// SYNC(endpoint.released): release by its agent after removal; pairs with acquire by the conductor.
    std::atomic<bool> released{false};
};

enum class EndpointKind : std::uint8_t { kSend, kReceive };

/// One bound address. Common head, so that one cookie type serves both kinds.
struct Transport {
    Transport(EndpointKind k, ChannelEndpoint& e) : kind(k), endpoint(e) {}

    const EndpointKind kind;
    ChannelEndpoint& endpoint;
    std::unique_ptr<port::Binding> binding;
    port::PacketQueue* queue = nullptr;
    std::int32_t local_address_counter = layout::kNullCounterId;  ///< conductor

    /// Takes a binding that was opened on a port, for one of its queues.
    void attach(std::unique_ptr<port::Binding> opened, port::PacketQueue& of) {
        binding = std::move(opened);
        binding->cookie = this;
        queue = &of;
    }
    [[nodiscard]] static Transport& of(const port::Binding& binding) {
        return *static_cast<Transport*>(binding.cookie);
    }
};

/// (session, stream) as one key.
[[nodiscard]] constexpr std::uint64_t stream_key(std::int32_t session_id, std::int32_t stream_id) {
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(session_id)) << 32) |
           static_cast<std::uint32_t>(stream_id);
}

/// owner: sender agent.
struct SendChannelEndpoint : ChannelEndpoint {
    Transport transport{EndpointKind::kSend, *this};
    port::Endpoint destination;
    std::int32_t ttl = 0;  ///< of a multicast group; 0: as the system has it
    std::unique_ptr<transport::DestinationTracker> destinations;  ///< of a multi-destination publication
    observe::Counter destination_count;                           ///< conductor allocates
    port::PacketPort* port = nullptr;                             ///< conductor
    FlatTable<transport::NetworkPublication*> publications;       ///< by stream_key; sender

    [[nodiscard]] bool is_multicast() const { return destination.ip.is_multicast(); }
    /// Several receivers may listen to what is sent once.
    [[nodiscard]] bool has_group() const { return destinations != nullptr || is_multicast(); }
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

struct ReceiveChannelEndpoint;

/// A subscription's own address, or one of its receive destinations. owner: receiver agent.
struct ReceiveTransport : Transport {
    explicit ReceiveTransport(ReceiveChannelEndpoint& e);

    /// Of the control parameter, or of a group: hears everything that is said back; invalid: whoever sends
    /// does.
    port::Endpoint control;
    std::int32_t ttl = 0;        ///< of a multicast group
    Instant next_setup_request;  ///< where setups are asked for

    std::string key;                   ///< a destination as its channel names it; conductor
    std::int64_t registration_id = 0;  ///< of the command that added it; conductor
    bool removing = false;             ///< conductor
    /// SYNC(transport.released): release by the receiver after removal; pairs with acquire by the conductor.
    std::atomic<bool> released{false};

    [[nodiscard]] bool is_multicast() const { return control.ip.is_multicast(); }
    /// Whoever sends to a control address does not know of us before; what is sent to a group comes anyhow.
    [[nodiscard]] bool asks_for_setups() const { return control.valid() && !is_multicast(); }
};

/// owner: receiver agent.
struct ReceiveChannelEndpoint : ChannelEndpoint {
    std::int64_t receiver_id = 0;           ///< unique per endpoint, goes into every status message
    std::optional<std::int64_t> group_tag;  ///< so does this; conductor
    FlatTable<std::unique_ptr<StreamInterest>> streams;         ///< by stream id; receiver
    std::vector<ReceiveTransport*> polled;                      ///< receiver
    std::vector<std::unique_ptr<ReceiveTransport>> transports;  ///< conductor
};

inline ReceiveTransport::ReceiveTransport(ReceiveChannelEndpoint& e) : Transport(EndpointKind::kReceive, e) {}

[[nodiscard]] inline SendChannelEndpoint& send_endpoint_of(const Transport& transport) {
    return static_cast<SendChannelEndpoint&>(transport.endpoint);
}
[[nodiscard]] inline ReceiveChannelEndpoint& receive_endpoint_of(const Transport& transport) {
    return static_cast<ReceiveChannelEndpoint&>(transport.endpoint);
}

}  // namespace fulmar::agent
