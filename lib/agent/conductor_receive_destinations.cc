// Receive destinations: the transports, IPC streams and spied publications that a multi-destination
// subscription listens to, added and removed while it lives.
#include <algorithm>
#include <utility>

#include "agent/conductor.h"

namespace fulmar::agent {

using config::ControlMode;

namespace {

/// Per subscription; each costs a binding. More than an image remembers paths would be asked for nothing.
constexpr std::size_t kReceiveDestinationsMax = transport::ImagePaths::kPathsMax;

/// A destination is found again by what its channel says, since a port may have been chosen for it and a
/// name may mean another address by then.
std::string key_of(const config::ChannelParams& params) {
    std::string key = params.endpoint ? params.endpoint->text() : "";
    key += params.control ? "|" + params.control->text() : "|";
    if (params.network_interface) {
        key += "|" + params.network_interface->host + ":" + std::to_string(params.network_interface->port);
    }
    return key;
}

}  // namespace

Result<SubscriptionState*> Conductor::multi_destination_subscription(std::int64_t registration_id) {
    for (const auto& subscription : subscriptions_) {
        if (subscription->registration_id != registration_id || subscription->destination_id >= 0) {
            continue;
        }
        if (subscription->endpoint == nullptr ||
            subscription->endpoint->identity.mode != ControlMode::kManual) {
            return fail(ErrorCode::kInvalidChannel,
                "the subscription takes no destinations: its channel needs control-mode=manual");
        }
        return subscription.get();
    }
    return fail(ErrorCode::kUnknownSubscription,
        "no subscription has the registration id " + std::to_string(registration_id));
}

Result<Conductor::Step> Conductor::step_receive_destination(PendingAdd& add) {
    FULMAR_TRY(subscription, multi_destination_subscription(add.target_id));
    FULMAR_TRY_VOID(config::check_destination(add.params));
    if (add.params.is_ipc() && add.params.is_spy) {
        return fail(ErrorCode::kInvalidChannel, "aeron-spy: listens to aeron:udp publications");
    }
    FULMAR_TRY(resolved, resolve_addresses(add));
    if (!resolved) {
        return Step::kWait;
    }
    if (add.params.is_ipc() || add.params.is_spy) {
        add_local_destination(add, *subscription);
        return Step::kDone;
    }
    if (add.has_no_address()) {
        return fail(ErrorCode::kInvalidChannel, "a destination needs an endpoint or a control address");
    }
    if (add.params.control && add.control.port == 0) {
        return fail(ErrorCode::kInvalidChannel, "a receiver's control address needs a port other than 0");
    }
    ReceiveChannelEndpoint& endpoint = *subscription->endpoint;
    if (add.binding == nullptr) {
        if (endpoint.transports.size() >= kReceiveDestinationsMax) {
            return fail(ErrorCode::kGeneric, "the subscription has its maximum of " +
                                                 std::to_string(kReceiveDestinationsMax) + " destinations");
        }
        return open_receive_binding(add, endpoint.requested_sndbuf, endpoint.requested_rcvbuf);
    }
    auto transport = std::make_unique<ReceiveTransport>(endpoint);
    transport->key = key_of(add.params);
    FULMAR_TRY_VOID(add_local_address(*transport, *add.binding, add.target_id));
    start_transport(*transport, add);
    endpoint.transports.push_back(std::move(transport));
    events_.operation_success(add.correlation_id);
    return Step::kDone;
}

void Conductor::add_local_destination(const PendingAdd& add, const SubscriptionState& subscription) {
    SubscriptionState& destination = keep_subscription(add, nullptr);
    destination.registration_id = subscription.registration_id;
    destination.client_id = subscription.client_id;
    destination.stream_id = subscription.stream_id;
    destination.destination_id = add.correlation_id;
    events_.operation_success(add.correlation_id);
    link_local(destination);
}

void Conductor::on_remove_receive_destination(const layout::DestinationCommand& command) {
    const auto params = config::parse_channel(command.channel);
    if (!params) {
        refuse(command.correlation_id, params.error());
        return;
    }
    if (params->is_ipc() || params->is_spy) {
        remove_local_destination(command);
        return;
    }
    auto subscription = multi_destination_subscription(command.registration_id);
    if (!subscription) {
        refuse(command.correlation_id, subscription.error());
        return;
    }
    const std::string key = key_of(*params);
    for (const auto& transport : (*subscription)->endpoint->transports) {
        if (transport->key == key && !transport->removing) {
            begin_removing(*transport);
            break;
        }
    }
    events_.operation_success(command.correlation_id);  // Also if it is gone already. source: Aeron.
}

void Conductor::remove_local_destination(const layout::DestinationCommand& command) {
    for (std::size_t i = 0; i < subscriptions_.size(); ++i) {
        const SubscriptionState& destination = *subscriptions_[i];
        if (destination.registration_id == command.registration_id && destination.destination_id >= 0 &&
            destination.channel == command.channel) {
            events_.operation_success(command.correlation_id);
            end_local_destination(i);
            return;
        }
    }
    refuse(command.correlation_id, ErrorCode::kUnknownSubscription,
        "remove destination: the subscription has none such: " + std::string(command.channel));
}

/// The subscription lives on, so its client is told which images are over.
void Conductor::end_local_destination(std::size_t index) {
    for (const SubscriberLink& link : subscriber_links_) {
        if (link.subscription == subscriptions_[index].get()) {
            announce_image_end(
                link, link.ipc != nullptr ? link.ipc->registration_id : link.spied->registration_id);
        }
    }
    remove_subscription(index);
}

void Conductor::remove_receive_destination_by_id(
    const SubscriptionState& subscription, const layout::RemoveDestinationById& command) {
    for (const auto& transport : subscription.endpoint->transports) {
        if (transport->registration_id == command.destination_registration_id) {
            begin_removing(*transport);
        }
    }
    events_.operation_success(command.correlation_id);
    for (std::size_t i = subscriptions_.size(); i-- > 0;) {
        if (subscriptions_[i]->destination_id == command.destination_registration_id &&
            subscriptions_[i]->registration_id == command.resource_registration_id) {
            end_local_destination(i);
        }
    }
}

}  // namespace fulmar::agent
