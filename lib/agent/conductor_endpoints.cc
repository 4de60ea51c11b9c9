// Channel endpoints: opening, sharing, and closing them when nobody uses them.
#include <algorithm>
#include <utility>

#include "agent/conductor.h"
#include "layout/counter_keys.h"

namespace fulmar::agent {
namespace {

using config::ControlMode;

/// The wildcard address of a family; IPv4 where nothing says which.
port::Endpoint any_like(const port::Endpoint& example) {
    port::Endpoint any;
    any.ip.family = example.valid() ? example.ip.family : port::IpAddress::Family::kV4;
    return any;
}

std::optional<std::int64_t> channel_tag(const PendingAdd& add) {
    return add.params.tags ? add.params.tags->channel : std::nullopt;
}

/// A channel that carries a known tag may leave the rest out, but not say something else.
Status check_tag_use(const ChannelIdentity& known, const PendingAdd& add) {
    const auto refuse = [&](const char* what) {
        return fail(ErrorCode::kInvalidChannel,
            "tag " + std::to_string(*known.tag) + " belongs to an open channel with a different " + what);
    };
    if (add.params.control_mode != ControlMode::kNone && add.params.control_mode != known.mode) {
        return refuse("control-mode");
    }
    if (!add.has_no_address() && (add.address != known.address || add.control != known.control)) {
        return refuse("endpoint or control");
    }
    return Done{};
}

/// Who owns the counters of a channel: nobody, since clients share it and it outlives who opened it.
constexpr std::int64_t kSharedOwner = 0;

Status counters_full() {
    return fail(ErrorCode::kGeneric, "the counters file is full");
}

Status too_many_endpoints() {
    return fail(ErrorCode::kGeneric,
        "the driver holds its maximum of " + std::to_string(kChannelEndpointsMax) + " channel endpoints");
}

}  // namespace

/// Equal for channels that share a socket. One without addresses, or whose port the system chooses, is like
/// no other.
std::string Conductor::canonical_of(const PendingAdd& add) {
    const port::Endpoint remote = add.address.valid() ? add.address : any_like(add.control);
    const port::Endpoint local = add.control.valid() && !add.is_multicast() ? add.control
                                 : add.local.valid()                        ? add.local
                                                                            : any_like(remote);
    const bool is_unique = add.has_no_address() || (add.params.endpoint && add.address.port == 0) ||
                           (add.params.control && add.control.port == 0);
    std::string canonical = "UDP-" + port::to_string(local) + "-" + port::to_string(remote);
    if (is_unique) {
        canonical += "#" + std::to_string(add.correlation_id);
    }
    return canonical;
}

template <class Endpoint>
Result<Endpoint*> Conductor::find_endpoint(
    const std::vector<std::unique_ptr<Endpoint>>& endpoints, const PendingAdd& add) {
    const auto tag = channel_tag(add);
    if (tag) {
        for (const auto& endpoint : endpoints) {
            if (endpoint->identity.tag == tag) {
                FULMAR_TRY_VOID(check_tag_use(endpoint->identity, add));
                return endpoint.get();
            }
        }
        if (add.has_no_address() && add.params.control_mode == ControlMode::kNone) {
            return fail(ErrorCode::kInvalidChannel,
                "no open channel has the tag " + std::to_string(*tag) +
                    ": whoever comes first gives an endpoint, a control address or control-mode=manual too");
        }
    }
    const std::string canonical = canonical_of(add);
    for (const auto& endpoint : endpoints) {
        const bool differs_by_tag = tag && endpoint->identity.tag && endpoint->identity.tag != tag;
        if (endpoint->canonical == canonical && !differs_by_tag) {
            return endpoint.get();
        }
    }
    return static_cast<Endpoint*>(nullptr);
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

void Conductor::describe_socket_buffers(
    const ChannelEndpoint& endpoint, const port::Binding& binding, layout::LogMetadata& metadata) {
    metadata.socket_sndbuf_length = endpoint.requested_sndbuf;
    metadata.socket_rcvbuf_length = endpoint.requested_rcvbuf;
    metadata.os_default_socket_sndbuf_length = binding.sndbuf_length_default();
    metadata.os_default_socket_rcvbuf_length = binding.rcvbuf_length_default();
}

Status Conductor::add_channel_status(
    ChannelEndpoint& endpoint, EndpointKind kind, const PendingAdd& add, std::string_view bound) {
    const bool sends = kind == EndpointKind::kSend;
    const layout::CounterKey key = layout::channel_status_key(add.channel);
    const layout::CounterLabel label = layout::channel_status_label(
        sends ? layout::counter_name::kSendChannelStatus : layout::counter_name::kReceiveChannelStatus,
        add.channel, bound);
    endpoint.status = allocate_counter(
        {sends ? layout::counter_type::kSendChannelStatus : layout::counter_type::kReceiveChannelStatus,
            key.span(), label.view(), add.correlation_id, kSharedOwner, 0, layout::kChannelActive});
    if (endpoint.status.id() == layout::kNullCounterId) {
        return counters_full();
    }
    return Done{};
}

Status Conductor::add_local_address(
    Transport& transport, const port::Binding& binding, std::int64_t registration_id) {
    const bool sends = transport.kind == EndpointKind::kSend;
    const std::int32_t status_id = transport.endpoint.status.id();
    const std::string bound = port::to_string(binding.local());
    const layout::CounterKey key = layout::local_sockaddr_key(status_id, bound);
    const layout::CounterLabel label = layout::local_sockaddr_label(
        sends ? layout::counter_name::kSendLocalSockaddr : layout::counter_name::kReceiveLocalSockaddr,
        status_id, bound);
    transport.local_address_counter =
        allocate_counter({layout::counter_type::kLocalSockaddr, key.span(), label.view(), registration_id,
                             kSharedOwner, 0, layout::kChannelActive})
            .id();
    if (transport.local_address_counter == layout::kNullCounterId) {
        return counters_full();
    }
    return Done{};
}

/// All the counters of an endpoint with one address, or none.
Status Conductor::add_endpoint_counters(
    Transport& transport, const port::Binding& binding, const PendingAdd& add) {
    ChannelEndpoint& endpoint = transport.endpoint;
    FULMAR_TRY_VOID(add_channel_status(endpoint, transport.kind, add, port::to_string(binding.local())));
    auto added = add_local_address(transport, binding, add.correlation_id);
    if (!added) {
        std::vector<std::int32_t> ids{endpoint.status.id()};
        free_counters(ids);
    }
    return added;
}

/// What an endpoint is from its first channel on.
void Conductor::describe_endpoint(ChannelEndpoint& endpoint, const PendingAdd& add) const {
    endpoint.canonical = canonical_of(add);
    endpoint.identity = {channel_tag(add), add.params.control_mode, add.address, add.control};
    endpoint.mtu_max = add.port != nullptr ? add.port->payload_max() : 0;
    endpoint.requested_sndbuf = add.params.socket_sndbuf_length.value_or(options_.so_sndbuf);
    endpoint.requested_rcvbuf = add.params.socket_rcvbuf_length.value_or(options_.so_rcvbuf);
}

/// The setting is of multicast alone.
std::int32_t Conductor::ttl_of(const PendingAdd& add) const {
    return add.params.ttl.value_or(add.is_multicast() ? options_.multicast_ttl : 0);
}

Result<Conductor::Step> Conductor::ensure_send_endpoint(PendingAdd& add, SendChannelEndpoint*& out) {
    FULMAR_TRY(known, find_endpoint(send_endpoints_, add));
    if (known != nullptr) {
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
        return open_send_binding(add);
    }
    auto endpoint = std::make_unique<SendChannelEndpoint>();
    describe_endpoint(*endpoint, add);
    if (!add.params.is_response()) {
        endpoint->destination = add.address;
    }
    endpoint->ttl = add.is_multicast() ? ttl_of(add) : 0;
    endpoint->port = add.port;
    FULMAR_TRY_VOID(add_endpoint_counters(endpoint->transport, *add.binding, add));
    if (add.params.is_multi_destination()) {
        FULMAR_TRY_VOID(add_destination_tracker(*endpoint, add));
    }
    endpoint->transport.attach(std::move(add.binding), add.port->queue(port::PacketPort::Role::kSender));
    out = endpoint.get();
    SenderCommand command;
    command.kind = SenderCommand::Kind::kAddEndpoint;
    command.endpoint = out;
    to_sender_.send(command);
    send_endpoints_.push_back(std::move(endpoint));
    return Step::kDone;
}

Result<Conductor::Step> Conductor::open_send_binding(PendingAdd& add) {
    port::BindRequest bind;
    bind.local = add.control.valid() ? add.control : add.local.valid() ? add.local : any_like(add.address);
    const bool names_port = !bind.local.ip.is_any() || !add.address.valid();
    FULMAR_TRY(route, context_.ports.route(add.is_multicast() ? add.local.ip
                                           : names_port       ? bind.local.ip
                                                              : add.address.ip));
    add.port = route;
    const bool has_one_peer =
        !add.is_multicast() && !add.params.is_multi_destination() && !add.params.is_response();
    if (options_.connect_sockets && has_one_peer) {
        bind.remote = add.address;
    }
    bind.interface = add.local.ip;
    bind.sndbuf_length = add.params.socket_sndbuf_length.value_or(options_.so_sndbuf);
    bind.rcvbuf_length = add.params.socket_rcvbuf_length.value_or(options_.so_rcvbuf);
    bind.ttl = ttl_of(add);
    return open_binding(add, bind);
}

Status Conductor::add_destination_tracker(SendChannelEndpoint& endpoint, const PendingAdd& add) {
    using transport::DestinationTracker;
    const layout::CounterKey key = layout::channel_status_key(add.channel);
    const layout::CounterLabel label =
        layout::channel_status_label(layout::counter_name::kMdcDestinations, add.channel);
    endpoint.destination_count = allocate_counter({layout::counter_type::kMdcDestinations, key.span(),
        label.view(), add.correlation_id, kSharedOwner, 0, 0});
    if (endpoint.destination_count.id() == layout::kNullCounterId) {
        std::vector<std::int32_t> ids{endpoint.status.id(), endpoint.transport.local_address_counter};
        free_counters(ids);
        return counters_full();
    }
    endpoint.destinations = std::make_unique<DestinationTracker>(
        add.params.control_mode == ControlMode::kManual ? DestinationTracker::Mode::kManual
                                                        : DestinationTracker::Mode::kDynamic,
        endpoint.destination_count);
    return Done{};
}

Result<Conductor::Step> Conductor::ensure_receive_endpoint(PendingAdd& add, ReceiveChannelEndpoint*& out) {
    FULMAR_TRY(known, find_endpoint(receive_endpoints_, add));
    if (known != nullptr) {
        if (known->closing) {
            return Step::kWait;
        }
        FULMAR_TRY_VOID(check_shared_endpoint(*known, add));
        out = known;
        return Step::kDone;
    }
    const bool has_transport = add.params.control_mode != ControlMode::kManual;
    if (has_transport && add.binding == nullptr) {
        if (receive_endpoints_.size() >= kChannelEndpointsMax) {
            return Unexpected{too_many_endpoints().error()};
        }
        return open_receive_binding(add, add.params.socket_sndbuf_length.value_or(options_.so_sndbuf),
            add.params.socket_rcvbuf_length.value_or(options_.so_rcvbuf));
    }
    auto endpoint = std::make_unique<ReceiveChannelEndpoint>();
    describe_endpoint(*endpoint, add);
    endpoint->receiver_id = next_receiver_id_++;
    endpoint->group_tag = add.params.group_tag;
    if (has_transport) {
        auto transport = std::make_unique<ReceiveTransport>(*endpoint);
        FULMAR_TRY_VOID(add_endpoint_counters(*transport, *add.binding, add));
        endpoint->transports.push_back(std::move(transport));
    } else {
        FULMAR_TRY_VOID(add_channel_status(*endpoint, EndpointKind::kReceive, add, {}));
    }
    out = endpoint.get();
    ReceiverCommand command;
    command.kind = ReceiverCommand::Kind::kAddEndpoint;
    command.endpoint = out;
    to_receiver_.send(command);
    if (has_transport) {
        start_transport(*out->transports.front(), add);
    }
    receive_endpoints_.push_back(std::move(endpoint));
    return Step::kDone;
}

/// Of a subscription, or of one of its destinations.
Result<Conductor::Step> Conductor::open_receive_binding(
    PendingAdd& add, std::int32_t sndbuf, std::int32_t rcvbuf) {
    FULMAR_TRY(route, context_.ports.route(add.is_multicast()    ? add.local.ip
                                           : add.address.valid() ? add.address.ip
                                                                 : add.control.ip));
    add.port = route;
    port::BindRequest bind;
    bind.local = add.address.valid() ? add.address : any_like(add.control);
    bind.interface = add.local.ip;
    bind.sndbuf_length = sndbuf;
    bind.rcvbuf_length = rcvbuf;
    bind.ttl = ttl_of(add);
    return open_binding(add, bind);
}

void Conductor::start_transport(ReceiveTransport& transport, PendingAdd& add) {
    transport.attach(std::move(add.binding), add.port->queue(port::PacketPort::Role::kReceiver));
    transport.control = add.control;
    transport.ttl = add.is_multicast() ? ttl_of(add) : 0;
    transport.registration_id = add.correlation_id;
    ReceiverCommand command;
    command.kind = ReceiverCommand::Kind::kAddTransport;
    command.transport = &transport;
    to_receiver_.send(command);
}

}  // namespace fulmar::agent
