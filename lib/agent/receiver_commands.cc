// What the conductor tells the receiver: endpoints and their transports, interest, images and their
// subscribers.
#include <algorithm>
#include <memory>

#include "agent/receiver.h"
#include "agent/receiver_detail.h"
#include "base/assert.h"
#include "transport/image.h"

namespace fulmar::agent {

using layout::SystemCounter;

void Receiver::execute(Instant now, const ReceiverCommand& command) {
    using Kind = ReceiverCommand::Kind;
    switch (command.kind) {
        case Kind::kAddEndpoint: endpoints_.push_back(command.endpoint); break;
        case Kind::kRemoveEndpoint: remove_endpoint(*command.endpoint); break;
        case Kind::kAddTransport: add_transport(now, *command.transport); break;
        case Kind::kRemoveTransport: remove_transport(*command.transport); break;
        case Kind::kAddSubscription: add_interest(now, command); break;
        case Kind::kRemoveSubscription: remove_interest(command); break;
        case Kind::kAddImage: add_image(*command.endpoint, *command.image); break;
        case Kind::kRemoveImage: remove_image(*command.endpoint, *command.image); break;
        case Kind::kImageFailed:
        case Kind::kEndCoolDown:
            if (auto* stream = command.endpoint->streams.find(key_of(command.stream_id))) {
                SessionEntry* entry = (*stream)->entries.find(key_of(command.session_id));
                if (entry != nullptr && entry->image == nullptr) {
                    (*stream)->entries.erase(key_of(command.session_id));
                }
            }
            break;
        case Kind::kAddSubscriber:
            if (!command.image->add_subscriber(command.position)) {
                context_.system[SystemCounter::kReceiverProxyFails].increment_shared();
            }
            break;
        case Kind::kRestSubscriber: command.image->rest_subscriber(command.position.id()); break;
        case Kind::kRemoveSubscriber: command.image->remove_subscriber(command.position.id()); break;
        case Kind::kRejectImage: command.image->reject(command.reason); break;
        case Kind::kRespond: command.image->respond(command.session_id); break;
        case Kind::kStopResponding: command.image->stop_responding(); break;
        case Kind::kRequestSetup: request_setup(now, command); break;
    }
}

void Receiver::add_transport(Instant now, ReceiveTransport& transport) {
    receive_endpoint_of(transport).polled.push_back(&transport);
    transport.queue->add(*transport.binding);
    if (transport.asks_for_setups()) {
        ++controls_;
        transport.next_setup_request = now + kSetupRequestInterval;
        elicit_setup(now, transport, 0, 0, transport.control);
    }
}

void Receiver::remove_transport(ReceiveTransport& transport) {
    ReceiveChannelEndpoint& endpoint = receive_endpoint_of(transport);
    std::erase(endpoint.polled, &transport);
    transport.queue->remove(*transport.binding);
    controls_ -= transport.asks_for_setups() ? 1 : 0;
    endpoint.streams.for_each([&transport](std::uint64_t, std::unique_ptr<StreamInterest>& stream) {
        stream->entries.for_each([&transport](std::uint64_t, SessionEntry& entry) {
            if (entry.image != nullptr) {
                entry.image->remove_path(transport.binding.get());
            }
        });
    });
    // SYNC(transport.released): release; the conductor may free it from here on.
    transport.released.store(true, std::memory_order_release);
}

void Receiver::remove_endpoint(ReceiveChannelEndpoint& endpoint) {
    while (!endpoint.polled.empty()) {
        remove_transport(*endpoint.polled.back());
    }
    std::erase(endpoints_, &endpoint);
    // SYNC(endpoint.released): release; the conductor may free it from here on.
    endpoint.released.store(true, std::memory_order_release);
}

void Receiver::add_interest(Instant now, const ReceiverCommand& command) {
    auto& stream = command.endpoint->streams.at(key_of(command.stream_id));
    if (stream == nullptr) {
        stream = std::make_unique<StreamInterest>();
    }
    if (command.has_session) {
        ++stream->sessions.at(key_of(command.session_id));
        request_setup(now, command);
    } else {
        ++stream->any_session;
    }
}

void Receiver::remove_interest(const ReceiverCommand& command) {
    auto* found = command.endpoint->streams.find(key_of(command.stream_id));
    if (found == nullptr) {
        return;
    }
    StreamInterest& stream = **found;
    if (command.has_session) {
        int* count = stream.sessions.find(key_of(command.session_id));
        if (count != nullptr && --*count == 0) {
            stream.sessions.erase(key_of(command.session_id));
        }
    } else {
        --stream.any_session;
    }
    if (stream.any_session == 0 && stream.sessions.empty() && stream.images == 0) {
        endpoint_forget(*command.endpoint, command.stream_id);
    }
}

void Receiver::endpoint_forget(ReceiveChannelEndpoint& endpoint, std::int32_t stream_id) {
    endpoint.streams.erase(key_of(stream_id));
}

void Receiver::add_image(ReceiveChannelEndpoint& endpoint, transport::Image& image) {
    auto& stream = endpoint.streams.at(key_of(image.stream_id()));
    if (stream == nullptr) {
        stream = std::make_unique<StreamInterest>();
    }
    SessionEntry& entry = stream->entries.at(key_of(image.session_id()));
    FULMAR_ASSERT(entry.image == nullptr, "the conductor makes one image of a session at a time");
    entry = {&image, SessionState::kInitInProgress, Instant::never()};
    ++stream->images;
    images_.push_back(&image);
}

void Receiver::remove_image(ReceiveChannelEndpoint& endpoint, transport::Image& image) {
    if (auto* stream = endpoint.streams.find(key_of(image.stream_id()))) {
        SessionEntry* entry = (*stream)->entries.find(key_of(image.session_id()));
        if (entry != nullptr && entry->image == &image) {
            *entry = {nullptr, SessionState::kCoolDown, Instant::never()};
            --(*stream)->images;
        }
        if ((*stream)->images == 0 && (*stream)->any_session == 0 && (*stream)->sessions.empty()) {
            endpoint_forget(endpoint, image.stream_id());
        }
    }
    std::erase(images_, &image);
    // SYNC(image.released): release; the conductor may free it from here on.
    image.released_by_receiver.store(true, std::memory_order_release);
}

}  // namespace fulmar::agent
