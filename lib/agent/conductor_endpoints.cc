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

void identify(ChannelEndpoint& endpoint, const PendingAdd& add, std::string canonical) {
    endpoint.canonical = std::move(canonical);
    endpoint.identity = {channel_tag(add), add.params.control_mode, add.address, add.control};
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
    const port::Endpoint local = add.control.valid() ? add.control
                                 : add.local.valid() ? add.local
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
    identify(*endpoint, add, canonical_of(add));
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
    FULMAR_TRY(known, find_endpoint(receive_endpoints_, add));
    if (known != nullptr) {
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
    identify(*endpoint, add, canonical_of(add));
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
