/// The objects the conductor manages and how they refer to each other. Pointers go to objects held by
/// unique_ptr in the conductor's tables, and each is unlinked before its object dies.
/// threads: the conductor; what sender and receiver own lies inside the cores and endpoints.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/channel_endpoint.h"
#include "config/channel_params.h"
#include "fulmar/time.h"
#include "layout/events.h"
#include "observe/counters.h"
#include "port/memory_map.h"
#include "port/resolver.h"
#include "transport/image.h"
#include "transport/ipc_publication.h"
#include "transport/network_publication.h"

namespace fulmar::agent {

/// A log in the hands of the conductor: mapped while anybody reads or writes it.
struct LogFile {
    std::string path;
    std::unique_ptr<port::Mapping> mapping;
    bool is_counted = false;  ///< in the "bytes currently mapped" counter
};

/// A client process, known from its first add command until it closes or falls silent.
struct ClientState {
    std::int64_t id = 0;
    observe::Counter heartbeat;  ///< epoch ms, written by the client
    bool closed = false;
};

struct SubscriptionState;

/// What both kinds of publication have in common.
struct PublicationState {
    std::string channel;  ///< as its first client wrote it
    config::ChannelParams params;
    std::int64_t registration_id = 0;
    std::int64_t client_id = 0;  ///< its first client's, for the counters
    std::int32_t stream_id = 0;
    std::int32_t session_id = 0;
    std::int32_t initial_term_id = 0;
    std::int64_t initial_position = 0;
    std::int32_t mtu = 0;
    bool is_exclusive = false;
    int references = 0;
    LogFile log;
    std::vector<std::int32_t> counter_ids;  ///< freed with it
};

struct NetworkPublicationState : PublicationState {
    SendChannelEndpoint* endpoint = nullptr;
    std::unique_ptr<transport::NetworkPublication> core;
    bool announced_end = false;  ///< spies heard ON_UNAVAILABLE_IMAGE
    bool removing = false;       ///< the sender was told; waiting for released_by_sender
};

struct IpcPublicationState : PublicationState {
    std::unique_ptr<transport::IpcPublication> core;
    bool announced_end = false;  ///< subscribers heard ON_UNAVAILABLE_IMAGE
    bool is_rejected = false;    ///< no subscriber is linked until:
    Instant rejected_until;
};

/// One client's claim on a publication; a shared one has several.
struct PublicationLink {
    std::int64_t registration_id = 0;  ///< correlation id of this client's add
    std::int64_t client_id = 0;
    NetworkPublicationState* network = nullptr;
    IpcPublicationState* ipc = nullptr;
};

struct ImageState;

/// How long a subscription that need not be waited for may lag behind; is still served after it was told; and
/// rests.
struct UntetheredTimeouts {
    Duration window_limit{};
    Duration linger{};
    Duration resting{};
};

/// A subscription reading one image, one IPC publication, or as a spy one network publication.
struct SubscriberLink {
    /// Whether the stream waits for it. source: Aeron's untethered subscriptions.
    enum class Tether : std::uint8_t {
        kTethered,  ///< always
        kActive,    ///< while it keeps up, and for some time longer
        kLinger,    ///< its client was told that the image is over, and may not have heard yet
        kResting,   ///< no more, until it comes back
    };

    SubscriptionState* subscription = nullptr;
    ImageState* image = nullptr;
    IpcPublicationState* ipc = nullptr;
    NetworkPublicationState* spied = nullptr;
    observe::Counter position;
    Tether tether = Tether::kTethered;
    bool is_watched = false;  ///< tether_since was set
    Instant tether_since;     ///< of its state; kActive: when it last kept up

    [[nodiscard]] bool is_left_behind() const {
        return tether == Tether::kLinger || tether == Tether::kResting;
    }
};

/// A subscription; or what a multi-destination subscription listens to by IPC or as a spy, which has the
/// subscription's registration id, and a channel, parameters and images of its own.
struct SubscriptionState {
    std::string channel;
    config::ChannelParams params;
    std::int64_t registration_id = 0;
    std::int64_t destination_id = -1;  ///< of the command that added the destination; -1: is none
    std::int64_t client_id = 0;
    std::int32_t stream_id = 0;
    ReceiveChannelEndpoint* endpoint = nullptr;  ///< null for IPC and spies
    std::string spied_channel;                   ///< of a spy: canonical form of what it listens to
    bool reliable = true;
    bool rejoin = true;
    SubscriberLink::Tether tether = SubscriberLink::Tether::kTethered;  ///< of its new links
    bool awaits_response = false;                                       ///< its session is not known yet

    [[nodiscard]] bool wants_session(std::int32_t session_id) const {
        return params.session_id ? *params.session_id == session_id : !awaits_response;
    }
};

struct ImageState {
    enum class Phase : std::uint8_t {
        kActive,
        kReleasing,  ///< clients were told; the receiver is letting go
        kLinger,     ///< clients may still read their mapping
    };

    std::int64_t correlation_id = 0;
    std::int64_t client_id = 0;  ///< whose subscription it was made for
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::string channel;
    std::string source_identity;
    ReceiveChannelEndpoint* endpoint = nullptr;
    std::unique_ptr<transport::Image> core;
    LogFile log;
    std::vector<std::int32_t> counter_ids;
    bool rejoin = true;
    UntetheredTimeouts untethered;
    bool requests_response = false;
    bool is_rejected = false;
    std::string reject_reason;  ///< set once; the receiver reads it
    Phase phase = Phase::kActive;
    Instant linger_deadline;
};

/// A destination that a command gave to a publication's endpoint.
struct SendDestination {
    SendChannelEndpoint* endpoint = nullptr;
    std::int64_t registration_id = 0;  ///< of the command
    config::HostPort name;
    port::Endpoint address;     ///< what the name meant last
    std::uint64_t task_id = 0;  ///< 0: it is not being looked up
};

/// A SETUP that waits for its log file.
struct PendingImage {
    std::uint64_t task_id = 0;
    std::int64_t correlation_id = 0;
    ReceiveTransport* transport = nullptr;
    ReceiveChannelEndpoint* endpoint = nullptr;  ///< the transport's
    wire::Setup setup;
    port::Endpoint source;
    std::int32_t window_length = 0;
};

/// A client's counter, or a static one (client_id kNullClientId).
struct CounterState {
    std::int64_t registration_id = 0;
    std::int64_t client_id = 0;
    std::int32_t counter_id = 0;
    std::int32_t type_id = 0;
};

inline constexpr std::int64_t kNullClientId = -1;

/// An ADD_PUBLICATION, ADD_SUBSCRIPTION or command that adds a destination, in progress. It is looked at
/// afresh after each step, so that what changed while the resource agent worked is seen.
struct PendingAdd {
    enum class Kind : std::uint8_t {
        kPublication,
        kExclusivePublication,
        kSubscription,
        kReceiveDestination,
        kSendDestination,
    };
    Kind kind = Kind::kPublication;
    std::int64_t client_id = 0;
    std::int64_t correlation_id = 0;
    std::int64_t target_id = 0;  ///< of a destination: registration id of what it is added to
    std::int32_t stream_id = 0;
    std::string channel;
    config::ChannelParams params;

    std::uint64_t task_id = 0;  ///< 0: not waiting for the resource agent
    port::Endpoint address;     ///< of the endpoint parameter; invalid until resolved
    port::Endpoint control;     ///< of the control parameter; of a multicast endpoint: its control group
    port::Endpoint local;       ///< of the interface parameter
    bool interface_found = false;
    port::PacketPort* port = nullptr;
    std::unique_ptr<port::Binding> binding;
    bool session_chosen = false;
    std::int32_t session_id = 0;
    LogFile log;

    [[nodiscard]] bool is_exclusive() const { return kind == Kind::kExclusivePublication; }
    /// The next host to resolve, in this order: endpoint, control, interface. Null: all are.
    [[nodiscard]] const std::string* unresolved_host() const {
        if (params.endpoint && !address.valid()) {
            return &params.endpoint->host;
        }
        if (params.control && !control.valid()) {
            return &params.control->host;
        }
        if (params.network_interface && !params.network_interface->is_name && !local.valid()) {
            return &params.network_interface->host;
        }
        return nullptr;
    }
    /// What unresolved_host() resolved to.
    void take_address(const port::IpAddress& ip) {
        if (params.endpoint && !address.valid()) {
            address = {ip, params.endpoint->port};
        } else if (params.control && !control.valid()) {
            control = {ip, params.control->port};
        } else {
            local = {ip, params.network_interface->port};
        }
    }
    [[nodiscard]] bool is_multicast() const { return address.ip.is_multicast(); }
    /// True when the interface parameter names one or a network, so that the address is still to be found.
    /// Multicast goes by one interface in any case.
    [[nodiscard]] bool lacks_interface() const;
    /// What to look for when it does.
    [[nodiscard]] port::InterfaceQuery interface_query() const;
    void take_interface(const port::IpAddress& ip) {
        local = {ip, params.network_interface ? params.network_interface->port : std::uint16_t{0}};
        interface_found = true;
    }
    /// Nothing in the channel but perhaps a tag says which socket is meant.
    [[nodiscard]] bool has_no_address() const { return !params.endpoint && !params.control; }
};

}  // namespace fulmar::agent
