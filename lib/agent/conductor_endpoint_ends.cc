// Closing channel endpoints that nobody uses any more, and single transports of those that go on.
#include <algorithm>
#include <utility>

#include "agent/conductor.h"

namespace fulmar::agent {

void Conductor::begin_removing(ReceiveTransport& transport) {
    if (!transport.removing) {
        transport.removing = true;
        ReceiverCommand command;
        command.kind = ReceiverCommand::Kind::kRemoveTransport;
        command.transport = &transport;
        to_receiver_.send(command);
    }
}

void Conductor::begin_closing(SendChannelEndpoint& endpoint) {
    if (!endpoint.closing) {
        endpoint.closing = true;
        endpoint.status.set_release(layout::kChannelClosing);
        SenderCommand command;
        command.kind = SenderCommand::Kind::kRemoveEndpoint;
        command.endpoint = &endpoint;
        to_sender_.send(command);
        std::erase_if(send_destinations_,
            [&endpoint](const SendDestination& known) { return known.endpoint == &endpoint; });
    }
}

void Conductor::begin_closing(ReceiveChannelEndpoint& endpoint) {
    if (!endpoint.closing) {
        endpoint.closing = true;
        endpoint.status.set_release(layout::kChannelClosing);
        ReceiverCommand command;
        command.kind = ReceiverCommand::Kind::kRemoveEndpoint;
        command.endpoint = &endpoint;
        to_receiver_.send(command);
    }
}

void Conductor::close_transport(Transport& transport) {
    std::vector<std::int32_t> ids{transport.local_address_counter};
    free_counters(ids);
    auto task = std::make_unique<ResourceTask>();
    task->kind = ResourceTask::Kind::kCloseBinding;
    task->binding = std::move(transport.binding);
    (void)resources_.submit(std::move(task));
}

void Conductor::close_transports(SendChannelEndpoint& endpoint) {
    std::vector<std::int32_t> ids{endpoint.destination_count.id()};
    free_counters(ids);
    close_transport(endpoint.transport);
}

void Conductor::close_transports(ReceiveChannelEndpoint& endpoint) {
    for (const auto& transport : endpoint.transports) {
        close_transport(*transport);
    }
}

template <class Endpoint, class MayFree>
int Conductor::reap_endpoints_of(std::vector<std::unique_ptr<Endpoint>>& endpoints, MayFree&& may_free) {
    int work = 0;
    for (std::size_t i = endpoints.size(); i-- > 0;) {
        Endpoint& endpoint = *endpoints[i];
        // An add in progress may be about to take a reference.
        if (endpoint.references == 0 && !endpoint.closing && !add_) {
            begin_closing(endpoint);
            ++work;
        }
        // SYNC(endpoint.released): acquire; pairs with its agent's release after removal.
        if (endpoint.closing && endpoint.released.load(std::memory_order_acquire) &&
            endpoint.references == 0 && may_free()) {
            close_transports(endpoint);
            std::vector<std::int32_t> ids{endpoint.status.id()};
            free_counters(ids);
            endpoints.erase(endpoints.begin() + static_cast<std::ptrdiff_t>(i));
            ++work;
        }
    }
    return work;
}

int Conductor::reap_destinations(ReceiveChannelEndpoint& endpoint) {
    int work = 0;
    for (std::size_t i = endpoint.transports.size(); i-- > 0;) {
        ReceiveTransport& transport = *endpoint.transports[i];
        const auto is_awaited = [&](const PendingImage& pending) { return pending.transport == &transport; };
        // SYNC(transport.released): acquire; pairs with the receiver's release after removal.
        if (transport.removing && transport.released.load(std::memory_order_acquire) &&
            context_.image_requests->size_approx() == 0 &&
            std::none_of(pending_images_.begin(), pending_images_.end(), is_awaited)) {
            close_transport(transport);
            endpoint.transports.erase(endpoint.transports.begin() + static_cast<std::ptrdiff_t>(i));
            ++work;
        }
    }
    return work;
}

int Conductor::reap_endpoints() {
    int work = 0;
    for (const auto& endpoint : receive_endpoints_) {
        work += reap_destinations(*endpoint);
    }
    return work + reap_endpoints_of(send_endpoints_, [] { return true; }) +
           // The receiver's last requests may still name the endpoint.
           reap_endpoints_of(
               receive_endpoints_, [this] { return context_.image_requests->size_approx() == 0; });
}

}  // namespace fulmar::agent
