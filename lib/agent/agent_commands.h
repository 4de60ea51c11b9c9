/// What agents tell each other over SPSC queues: plain values, pointers to objects that the conductor keeps
/// alive until the other side has acknowledged their removal.
#pragma once

#include <cstdint>

#include "observe/counters.h"
#include "port/endpoint.h"
#include "ring/spsc_pointer_ring.h"
#include "wire/frame.h"

namespace fulmar::transport {
class Image;
class NetworkPublication;
}  // namespace fulmar::transport

namespace fulmar::agent {

struct SendChannelEndpoint;
struct ReceiveChannelEndpoint;

/// conductor -> sender
struct SenderCommand {
    enum class Kind : std::uint8_t {
        kAddEndpoint,        ///< endpoint: start polling its binding
        kRemoveEndpoint,     ///< then endpoint->released
        kAddPublication,     ///< endpoint, publication
        kRemovePublication,  ///< then publication->released_by_sender
    };
    Kind kind = Kind::kAddEndpoint;
    SendChannelEndpoint* endpoint = nullptr;
    transport::NetworkPublication* publication = nullptr;
};

/// conductor -> receiver
struct ReceiverCommand {
    enum class Kind : std::uint8_t {
        kAddEndpoint,
        kRemoveEndpoint,   ///< then endpoint->released
        kAddSubscription,  ///< endpoint, stream_id, has_session, session_id
        kRemoveSubscription,
        kAddImage,          ///< endpoint, image
        kRemoveImage,       ///< then image->released_by_receiver; the session cools down
        kImageFailed,       ///< endpoint, stream_id, session_id: INIT_IN_PROGRESS is over, no image came
        kEndCoolDown,       ///< endpoint, stream_id, session_id: may be created again
        kAddSubscriber,     ///< image, position
        kRemoveSubscriber,  ///< image, position.id()
        kRejectImage,       ///< image; reason is fixed text per rejection
    };
    Kind kind = Kind::kAddEndpoint;
    bool has_session = false;
    std::int32_t stream_id = 0;
    std::int32_t session_id = 0;
    ReceiveChannelEndpoint* endpoint = nullptr;
    transport::Image* image = nullptr;
    observe::Counter position;
    /// Rejection reason, cut to fit.
    char reason[80] = {};
};

/// receiver or sender -> conductor
struct ConductorEvent {
    enum class Kind : std::uint8_t {
        kCreateImage,       ///< a SETUP arrived for a stream somebody subscribes
        kPublicationError,  ///< a receiver rejected a publication
        kTtlAsymmetry,
    };
    Kind kind = Kind::kCreateImage;
    ReceiveChannelEndpoint* endpoint = nullptr;
    wire::Setup setup;
    port::Endpoint source;
    // kPublicationError
    std::int64_t registration_id = 0;
    std::int64_t receiver_id = 0;
    std::int64_t group_tag = 0;
    bool has_group_tag = false;
    std::int32_t error_code = 0;
    char text[96] = {};
};

inline constexpr std::size_t kAgentQueueCapacity = 1024;
using SenderQueue = ring::SpscPointerRing<SenderCommand>;
using ReceiverQueue = ring::SpscPointerRing<ReceiverCommand>;
using ConductorQueue = ring::SpscPointerRing<ConductorEvent>;

}  // namespace fulmar::agent
