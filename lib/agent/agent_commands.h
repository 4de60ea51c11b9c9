/// What agents tell each other over SPSC queues: plain values, pointers to objects that the conductor keeps
/// alive until the other side has acknowledged their removal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "observe/counters.h"
#include "port/endpoint.h"
#include "ring/spsc_byte_ring.h"
#include "ring/spsc_pointer_ring.h"
#include "wire/frame.h"

namespace fulmar::transport {
class Image;
class NetworkPublication;
}  // namespace fulmar::transport

namespace fulmar::agent {

struct SendChannelEndpoint;
struct ReceiveChannelEndpoint;
struct ReceiveTransport;

/// conductor -> sender
struct SenderCommand {
    enum class Kind : std::uint8_t {
        kAddEndpoint,        ///< endpoint: start polling its binding
        kRemoveEndpoint,     ///< then endpoint->released
        kAddPublication,     ///< endpoint, publication
        kRemovePublication,  ///< then publication->released_by_sender
        kAddDestination,     ///< endpoint, destination_id, address, has_name
        kRemoveDestination,  ///< endpoint, destination_id
        kMoveDestination,    ///< endpoint, destination_id, address: its name means another one now
    };
    Kind kind = Kind::kAddEndpoint;
    SendChannelEndpoint* endpoint = nullptr;
    transport::NetworkPublication* publication = nullptr;
    std::int64_t destination_id = 0;
    port::Endpoint address;
    bool has_name = false;
};

/// conductor -> receiver
struct ReceiverCommand {
    enum class Kind : std::uint8_t {
        kAddEndpoint,
        kRemoveEndpoint,   ///< with its transports; then endpoint->released
        kAddTransport,     ///< transport: start polling its binding
        kRemoveTransport,  ///< then transport->released
        kAddSubscription,  ///< endpoint, stream_id, has_session, session_id
        kRemoveSubscription,
        kAddImage,          ///< endpoint, image
        kRemoveImage,       ///< then image->released_by_receiver; the session cools down
        kImageFailed,       ///< endpoint, stream_id, session_id: INIT_IN_PROGRESS is over, no image came
        kEndCoolDown,       ///< endpoint, stream_id, session_id: may be created again
        kAddSubscriber,     ///< image, position: a new one, or one that has rested
        kRestSubscriber,    ///< image, position.id(): it is no longer waited for, until it is added again
        kRemoveSubscriber,  ///< image, position.id()
        kRejectImage,       ///< image, reason
        kRespond,           ///< image, session_id: of the publication that answers it
        kStopResponding,    ///< image: whoever asked has heard it
        kRequestSetup,      ///< endpoint, stream_id, session_id
    };
    Kind kind = Kind::kAddEndpoint;
    bool has_session = false;
    std::int32_t stream_id = 0;
    std::int32_t session_id = 0;
    ReceiveChannelEndpoint* endpoint = nullptr;
    ReceiveTransport* transport = nullptr;
    transport::Image* image = nullptr;
    observe::Counter position;
    std::string_view reason;  ///< the conductor's, for as long as the image lives
};

/// receiver -> conductor: a SETUP arrived for a stream somebody subscribes.
struct ImageRequest {
    ReceiveTransport* transport = nullptr;
    wire::Setup setup;
    port::Endpoint source;
};

/// sender -> conductor: what a record of the event queue holds, by its type.
enum class SenderEvent : std::int32_t {
    kRejection,          ///< Rejection
    kSilentDestination,  ///< SilentDestination
    kResponseNamed,      ///< ResponseNamed
    kResponseConnected,  ///< ResponseConnected
};

/// A receiver rejected a publication. The reason follows it in the record.
struct Rejection {
    std::int64_t registration_id = 0;
    std::int64_t destination_id = 0;
    std::int64_t receiver_id = 0;
    std::int64_t group_tag = 0;
    std::int32_t error_code = 0;
    port::Endpoint source;
};

/// Nothing was heard from a destination with a name: it may mean another address by now.
struct SilentDestination {
    std::int64_t destination_id = 0;
};

/// The other side answers a request publication with that session.
struct ResponseNamed {
    std::int64_t subscription_id = 0;
    std::int32_t session_id = 0;
};

/// A response publication is heard: its image need not name it any more.
struct ResponseConnected {
    std::int64_t image_id = 0;
};

inline constexpr std::size_t kAgentQueueCapacity = 1024;
inline constexpr std::size_t kSenderEventQueueBytes = 64 * 1024;
using SenderQueue = ring::SpscPointerRing<SenderCommand>;
using ReceiverQueue = ring::SpscPointerRing<ReceiverCommand>;
using ImageRequestQueue = ring::SpscPointerRing<ImageRequest>;
using SenderEventQueue = ring::SpscByteRing;

}  // namespace fulmar::agent
