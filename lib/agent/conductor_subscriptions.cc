// Subscriptions and their positions on what they read.
#include <algorithm>
#include <utility>

#include "agent/conductor.h"
#include "layout/counter_keys.h"

namespace fulmar::agent {

Status Conductor::check_subscription(const PendingAdd& add, const ReceiveChannelEndpoint& endpoint) const {
    const bool reliable = add.params.reliable.value_or(options_.reliable);
    const bool rejoin = add.params.rejoin.value_or(options_.rejoin);
    for (const auto& other : subscriptions_) {
        if (other->endpoint != &endpoint || other->stream_id != add.stream_id) {
            continue;
        }
        // One image serves both, so it cannot be repaired for one and not for the other.
        if (other->reliable != reliable) {
            return fail(ErrorCode::kInvalidChannel,
                "existing subscription on the channel and stream has a different 'reliable'");
        }
        if (other->rejoin != rejoin) {
            return fail(ErrorCode::kInvalidChannel,
                "existing subscription on the channel and stream has a different 'rejoin'");
        }
    }
    return Done{};
}

SubscriptionState& Conductor::keep_subscription(const PendingAdd& add, ReceiveChannelEndpoint* endpoint) {
    auto owned = std::make_unique<SubscriptionState>();
    SubscriptionState& subscription = *owned;
    subscription.channel = add.channel;
    subscription.params = add.params;
    subscription.registration_id = add.correlation_id;
    subscription.client_id = add.client_id;
    subscription.stream_id = add.stream_id;
    subscription.endpoint = endpoint;
    subscription.reliable = add.params.reliable.value_or(options_.reliable);
    subscription.rejoin = add.params.rejoin.value_or(options_.rejoin);
    subscription.tether = add.params.tether.value_or(options_.tether) ? SubscriberLink::Tether::kTethered
                                                                      : SubscriberLink::Tether::kActive;
    subscription.awaits_response = add.params.is_response() && !add.params.session_id;
    if (add.params.is_spy) {
        subscription.spied_channel = canonical_of(add);
    }
    subscriptions_.push_back(std::move(owned));
    return subscription;
}

/// Links what needs no network: IPC publications, or as a spy those to the network.
void Conductor::link_local(SubscriptionState& subscription) {
    for (const auto& publication : ipc_publications_) {
        link_ipc_subscriber(subscription, *publication);
    }
    for (const auto& publication : publications_) {
        link_spy(subscription, *publication);
    }
}

void Conductor::create_subscription(PendingAdd& add, ReceiveChannelEndpoint* endpoint) {
    SubscriptionState& subscription = keep_subscription(add, endpoint);
    events_.send(layout::EventType::kSubscriptionReady,
        layout::SubscriptionReady{
            add.correlation_id, endpoint == nullptr ? layout::kNullCounterId : endpoint->status.id()});
    if (endpoint == nullptr) {
        link_local(subscription);
        return;
    }
    ++endpoint->references;
    if (!subscription.awaits_response) {
        add_interest(subscription);
    }
    for (const auto& image : images_) {
        if (image->endpoint == endpoint && image->stream_id == add.stream_id &&
            subscription.wants_session(image->session_id)) {
            (void)link_image_subscriber(subscription, *image);
        }
    }
}

void Conductor::add_interest(const SubscriptionState& subscription) {
    ReceiverCommand command;
    command.kind = ReceiverCommand::Kind::kAddSubscription;
    command.endpoint = subscription.endpoint;
    command.stream_id = subscription.stream_id;
    command.has_session = subscription.params.session_id.has_value();
    command.session_id = subscription.params.session_id.value_or(0);
    to_receiver_.send(command);
}

void Conductor::on_remove_subscription(const layout::RemoveResource& command) {
    bool is_known = false;
    for (std::size_t i = subscriptions_.size(); i-- > 0;) {
        // With its local destinations.
        if (subscriptions_[i]->registration_id == command.registration_id &&
            subscriptions_[i]->client_id == command.client_id) {
            remove_subscription(i);
            is_known = true;
        }
    }
    if (is_known) {
        events_.operation_success(command.correlation_id);
        return;
    }
    refuse(command.correlation_id, ErrorCode::kUnknownSubscription,
        "remove subscription: this client has no subscription of that registration id");
}

void Conductor::remove_subscription(std::size_t index) {
    SubscriptionState& subscription = *subscriptions_[index];
    for (std::size_t i = subscriber_links_.size(); i-- > 0;) {
        if (subscriber_links_[i].subscription == &subscription) {
            unlink_subscriber(i);
        }
    }
    if (ReceiveChannelEndpoint* endpoint = subscription.endpoint) {
        if (!subscription.awaits_response) {
            ReceiverCommand command;
            command.kind = ReceiverCommand::Kind::kRemoveSubscription;
            command.endpoint = endpoint;
            command.stream_id = subscription.stream_id;
            command.has_session = subscription.params.session_id.has_value();
            command.session_id = subscription.params.session_id.value_or(0);
            to_receiver_.send(command);
        }
        --endpoint->references;
    }
    subscriptions_.erase(subscriptions_.begin() + static_cast<std::ptrdiff_t>(index));
}

void Conductor::unlink_subscriber(std::size_t index) {
    const SubscriberLink link = subscriber_links_[index];
    subscriber_links_.erase(subscriber_links_.begin() + static_cast<std::ptrdiff_t>(index));
    if (link.ipc != nullptr) {
        link.ipc->core->remove_subscriber(link.position.id());
    } else if (link.spied != nullptr) {
        link.spied->core->remove_spy(link.position.id());
    } else if (link.image->phase == ImageState::Phase::kActive) {
        tell_receiver(ReceiverCommand::Kind::kRemoveSubscriber, link);
    }
    // The receiver may read the value once more; the id rests long enough before it is used again.
    std::vector<std::int32_t> ids{link.position.id()};
    free_counters(ids);
}

observe::Counter Conductor::allocate_subscriber_position(const SubscriptionState& subscription,
    std::int64_t image_id, std::int32_t session_id, std::int64_t join_position) {
    const layout::CounterKey key = layout::stream_counter_key(
        subscription.registration_id, session_id, subscription.stream_id, subscription.channel);
    const layout::CounterLabel label = layout::subscriber_position_label(subscription.registration_id,
        session_id, subscription.stream_id, subscription.channel, join_position);
    return allocate_counter({layout::counter_type::kSubscriberPosition, key.span(), label.view(),
        subscription.registration_id, subscription.client_id, image_id, join_position});
}

}  // namespace fulmar::agent
