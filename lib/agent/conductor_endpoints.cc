// Channel endpoints: opening, sharing, and closing them when nobody uses them.
#include <algorithm>
#include <utility>

#include "agent/conductor.h"
#include "layout/counter_keys.h"

namespace fulmar::agent {
namespace {

template <class Endpoint>
Endpoint* find_by_canonical(
    const std::vector<std::unique_ptr<Endpoint>>& endpoints, std::string_view canonical) {
    for (const auto& endpoint : endpoints) {
        if (endpoint->canonical == canonical) {
            return endpoint.get();
        }
    }
    return nullptr;
}

/// The wildcard address of a family.
port::Endpoint any_like(const port::Endpoint& example) {
    port::Endpoint any;
    any.ip.family = example.ip.family;
    return any;
}

/// Who owns the counters of a channel: nobody, since clients share it and it outlives who opened it.
constexpr std::int64_t kSharedOwner = 0;

Status too_many_endpoints() {
    return fail(ErrorCode::kGeneric,
        "the driver holds its maximum of " + std::to_string(kChannelEndpointsMax) + " channel endpoints");
}

}  // namespace

std::string Conductor::canonical_of(const PendingAdd& add, bool unique) const {
    const port::Endpoint local = add.local.valid() ? add.local : any_like(add.address);
    std::string canonical = "UDP-" + port::to_string(local) + "-" + port::to_string(add.address);
    if (unique) {
        canonical += "#" + std::to_string(add.correlation_id);
    }
    return canonical;
}

Result<Conductor::Step> Conductor::open_binding(PendingAdd& add, const port::BindRequest& bind) {
    auto task = std::make_unique<ResourceTask>();
    task->kind = ResourceTask::Kind::kOpenBinding;
    task->port = add.port;
    task->bind = bind;
    submit_for_add(add, std::move(task));
    return Step::kWait;
}

Status Conductor::check_shared_endpoint(const ChannelEndpoint& endpoint, const PendingAdd& add) const {
    const auto differs = [](const std::optional<std::int32_t>& asked, std::int32_t existing) {
        return asked && *asked != existing;
    };
    const auto message = [&](const char* key) {
        return fail(ErrorCode::kInvalidChannel,
            std::string("an open channel to the same address has a different ") + key);
    };
    if (differs(add.params.socket_sndbuf_length, endpoint.requested_sndbuf)) {
        return message("so-sndbuf");
    }
    if (differs(add.params.socket_rcvbuf_length, endpoint.requested_rcvbuf)) {
        return message("so-rcvbuf");
    }
    return Done{};
}

void Conductor::describe_socket_buffers(const ChannelEndpoint& endpoint, layout::LogMetadata& metadata) {
    metadata.socket_sndbuf_length = endpoint.requested_sndbuf;
    metadata.socket_rcvbuf_length = endpoint.requested_rcvbuf;
    metadata.os_default_socket_sndbuf_length = endpoint.binding->sndbuf_length_default();
    metadata.os_default_socket_rcvbuf_length = endpoint.binding->rcvbuf_length_default();
}

Status Conductor::add_endpoint_counters(ChannelEndpoint& endpoint, const PendingAdd& add) {
    const bool sends = endpoint.kind == EndpointKind::kSend;
    const std::string bound = port::to_string(endpoint.binding->local());
    const layout::CounterKey key = layout::channel_status_key(add.channel);
    const layout::CounterLabel label = layout::channel_status_label(
        sends ? layout::counter_name::kSendChannelStatus : layout::counter_name::kReceiveChannelStatus,
        add.channel, bound);
    endpoint.status = allocate_counter(
        {sends ? layout::counter_type::kSendChannelStatus : layout::counter_type::kReceiveChannelStatus,
            key.span(), label.view(), add.correlation_id, kSharedOwner, 0, layout::kChannelActive});
    const layout::CounterKey local_key = layout::local_sockaddr_key(endpoint.status.id(), bound);
    const layout::CounterLabel local_label = layout::local_sockaddr_label(
        sends ? layout::counter_name::kSendLocalSockaddr : layout::counter_name::kReceiveLocalSockaddr,
        endpoint.status.id(), bound);
    const observe::Counter local = allocate_counter({layout::counter_type::kLocalSockaddr, local_key.span(),
        local_label.view(), add.correlation_id, kSharedOwner, 0, layout::kChannelActive});
    endpoint.local_address_counter = local.id();
    if (endpoint.status.id() == layout::kNullCounterId || local.id() == layout::kNullCounterId) {
        std::vector<std::int32_t> ids{endpoint.status.id(), local.id()};
        free_counters(ids);
        return fail(ErrorCode::kGeneric, "the counters file is full");
    }
    return Done{};
}

Result<Conductor::Step> Conductor::ensure_send_endpoint(PendingAdd& add, SendChannelEndpoint*& out) {
    const std::string canonical = canonical_of(add, false);
    if (SendChannelEndpoint* known = find_by_canonical(send_endpoints_, canonical)) {
        if (known->closing) {
            return Step::kWait;
        }
        FULMAR_TRY_VOID(check_shared_endpoint(*known, add));
        out = known;
        return Step::kDone;
    }
    if (add.binding == nullptr) {
        if (send_endpoints_.size() >= kChannelEndpointsMax) {
            return Unexpected{too_many_endpoints().error()};
        }
        FULMAR_TRY(route, context_.ports.route(add.local.valid() ? add.local.ip : add.address.ip));
        add.port = route;
        port::BindRequest bind;
        bind.local = add.local.valid() ? add.local : any_like(add.address);
        if (options_.connect_sockets) {
            bind.remote = add.address;
        }
        bind.sndbuf_length = add.params.socket_sndbuf_length.value_or(options_.so_sndbuf);
        bind.rcvbuf_length = add.params.socket_rcvbuf_length.value_or(options_.so_rcvbuf);
        bind.ttl = add.params.ttl.value_or(options_.ttl);
        return open_binding(add, bind);
    }
    auto endpoint = std::make_unique<SendChannelEndpoint>();
    endpoint->canonical = canonical;
    endpoint->destination = add.address;
    endpoint->binding = std::move(add.binding);
    endpoint->binding->cookie = static_cast<ChannelEndpoint*>(endpoint.get());
    endpoint->queue = &add.port->queue(port::PacketPort::Role::kSender);
    endpoint->mtu_max = add.port->payload_max();
    endpoint->requested_sndbuf = add.params.socket_sndbuf_length.value_or(options_.so_sndbuf);
    endpoint->requested_rcvbuf = add.params.socket_rcvbuf_length.value_or(options_.so_rcvbuf);
    if (auto counted = add_endpoint_counters(*endpoint, add); !counted) {
        add.binding = std::move(endpoint->binding);
        return Unexpected{std::move(counted).error()};
    }
    out = endpoint.get();
    to_sender_.send({SenderCommand::Kind::kAddEndpoint, out, nullptr});
    send_endpoints_.push_back(std::move(endpoint));
    return Step::kDone;
}

Result<Conductor::Step> Conductor::ensure_receive_endpoint(PendingAdd& add, ReceiveChannelEndpoint*& out) {
    // Port 0 gives each subscription a port of its own.
    const std::string canonical = canonical_of(add, add.address.port == 0);
    if (ReceiveChannelEndpoint* known = find_by_canonical(receive_endpoints_, canonical)) {
        if (known->closing) {
            return Step::kWait;
        }
        FULMAR_TRY_VOID(check_shared_endpoint(*known, add));
        out = known;
        return Step::kDone;
    }
    if (add.binding == nullptr) {
        if (receive_endpoints_.size() >= kChannelEndpointsMax) {
            return Unexpected{too_many_endpoints().error()};
        }
        FULMAR_TRY(route, context_.ports.route(add.address.ip));
        add.port = route;
        port::BindRequest bind;
        bind.local = add.address;
        bind.sndbuf_length = add.params.socket_sndbuf_length.value_or(options_.so_sndbuf);
        bind.rcvbuf_length = add.params.socket_rcvbuf_length.value_or(options_.so_rcvbuf);
        bind.ttl = add.params.ttl.value_or(options_.ttl);
        return open_binding(add, bind);
    }
    auto endpoint = std::make_unique<ReceiveChannelEndpoint>();
    endpoint->canonical = canonical;
    endpoint->receiver_id = next_receiver_id_++;
    endpoint->binding = std::move(add.binding);
    endpoint->binding->cookie = static_cast<ChannelEndpoint*>(endpoint.get());
    endpoint->queue = &add.port->queue(port::PacketPort::Role::kReceiver);
    endpoint->mtu_max = add.port->payload_max();
    endpoint->requested_sndbuf = add.params.socket_sndbuf_length.value_or(options_.so_sndbuf);
    endpoint->requested_rcvbuf = add.params.socket_rcvbuf_length.value_or(options_.so_rcvbuf);
    if (auto counted = add_endpoint_counters(*endpoint, add); !counted) {
        add.binding = std::move(endpoint->binding);
        return Unexpected{std::move(counted).error()};
    }
    out = endpoint.get();
    ReceiverCommand command;
    command.kind = ReceiverCommand::Kind::kAddEndpoint;
    command.endpoint = out;
    to_receiver_.send(command);
    receive_endpoints_.push_back(std::move(endpoint));
    return Step::kDone;
}

void Conductor::begin_closing(SendChannelEndpoint& endpoint) {
    if (!endpoint.closing) {
        endpoint.closing = true;
        endpoint.status.set_release(layout::kChannelClosing);
        to_sender_.send({SenderCommand::Kind::kRemoveEndpoint, &endpoint, nullptr});
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

void Conductor::close_binding(ChannelEndpoint& endpoint) {
    std::vector<std::int32_t> ids{endpoint.status.id(), endpoint.local_address_counter};
    free_counters(ids);
    auto task = std::make_unique<ResourceTask>();
    task->kind = ResourceTask::Kind::kCloseBinding;
    task->binding = std::move(endpoint.binding);
    (void)resources_.submit(std::move(task));
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
            close_binding(endpoint);
            endpoints.erase(endpoints.begin() + static_cast<std::ptrdiff_t>(i));
            ++work;
        }
    }
    return work;
}

int Conductor::reap_endpoints() {
    return reap_endpoints_of(send_endpoints_, [] { return true; }) +
           // The receiver's last requests may still name the endpoint.
           reap_endpoints_of(
               receive_endpoints_, [this] { return context_.image_requests->size_approx() == 0; });
}

}  // namespace fulmar::agent
