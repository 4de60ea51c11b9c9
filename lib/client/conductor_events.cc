#include <algorithm>
#include <utility>

#include "client/conductor.h"
#include "client/conductor_scopes.h"

namespace fulmar::client {

namespace {

ErrorCode code_of(std::int32_t wire_code) {
    constexpr auto kLast = static_cast<std::int32_t>(ErrorCode::kPublicationRevoked);
    return wire_code >= 1 && wire_code <= kLast ? static_cast<ErrorCode>(wire_code) : ErrorCode::kUnknown;
}

std::string address_text(const layout::PublicationError& event) {
    const auto octet = [&](std::size_t i) { return std::to_integer<unsigned>(event.source_address[i]); };
    std::string text;
    if (event.address_type == layout::PublicationError::kAddressIpv4) {
        for (std::size_t i = 0; i < 4; ++i) {
            text.append(i == 0 ? "" : ".").append(std::to_string(octet(i)));
        }
    } else {
        constexpr char kDigits[] = "0123456789abcdef";
        for (std::size_t i = 0; i < event.source_address.size(); ++i) {
            text.append(i == 0 ? "[" : i % 2 == 0 ? ":" : "");
            text += kDigits[octet(i) >> 4];
            text += kDigits[octet(i) & 0xF];
        }
        text += ']';
    }
    return text.append(":").append(std::to_string(event.source_port));
}

}  // namespace

template <class Event, class Handle>
void Conductor::decode_and(std::span<const std::byte> body, Handle&& handle) {
    const auto event = Event::decode(body);
    if (event) {
        handle(*event);
    } else {
        report({ErrorCode::kGeneric,
            "ignored an event of the driver: " + std::string(layout::to_string(event.error()))});
    }
}

void Conductor::on_event(const ring::BroadcastMessage& message) {
    using layout::EventType;
    const auto body = message.body;
    switch (static_cast<EventType>(message.type)) {
        case EventType::kError:
            return decode_and<layout::ErrorEvent>(body, [this](const auto& e) { on_error(e); });
        case EventType::kAvailableImage:
            return decode_and<layout::AvailableImage>(body, [this](const auto& e) { on_available_image(e); });
        case EventType::kPublicationReady:
            return decode_and<layout::PublicationReady>(
                body, [this](const auto& e) { on_publication_ready(e, RequestKind::kPublication); });
        case EventType::kExclusivePublicationReady:
            return decode_and<layout::PublicationReady>(
                body, [this](const auto& e) { on_publication_ready(e, RequestKind::kExclusivePublication); });
        case EventType::kOperationSuccess:
            return decode_and<layout::OperationSuccess>(
                body, [this](const auto& e) { on_operation_success(e); });
        case EventType::kUnavailableImage:
            return decode_and<layout::UnavailableImage>(
                body, [this](const auto& e) { on_unavailable_image(e); });
        case EventType::kSubscriptionReady:
            return decode_and<layout::SubscriptionReady>(
                body, [this](const auto& e) { on_subscription_ready(e); });
        case EventType::kCounterReady:
            return decode_and<layout::CounterEvent>(body, [this](const auto& e) { on_counter_ready(e); });
        case EventType::kStaticCounter:
            return decode_and<layout::CounterEvent>(body, [this](const auto& e) { on_static_counter(e); });
        case EventType::kUnavailableCounter:
            return decode_and<layout::CounterEvent>(
                body, [this](const auto& e) { on_unavailable_counter(e); });
        case EventType::kClientTimeout:
            return decode_and<layout::ClientTimeout>(body, [this](const auto& e) { on_client_timeout(e); });
        case EventType::kPublicationError:
            return decode_and<layout::PublicationError>(
                body, [this](const auto& e) { on_publication_error(e); });
        case EventType::kNextAvailableSessionId:
            return decode_and<layout::NextAvailableSessionId>(
                body, [this](const auto& e) { on_next_session_id(e); });
    }
    // A later driver may have more to tell; what we did not ask for cannot be for us.
}

Pending* Conductor::waiting(std::int64_t correlation_id, RequestKind kind) {
    const auto at = pending_.find(correlation_id);
    const bool matches = at != pending_.end() && at->second.kind == kind && at->second.is_waiting();
    return matches ? &at->second : nullptr;
}

void Conductor::on_error(const layout::ErrorEvent& event) {
    const ErrorCode code = code_of(event.error_code);
    if (code == ErrorCode::kChannelEndpoint) {
        on_channel_error(
            static_cast<std::int32_t>(event.offending_correlation_id), std::string(event.message));
        return;
    }
    const auto at = pending_.find(event.offending_correlation_id);
    if (at != pending_.end() && at->second.is_waiting()) {
        at->second.outcome = Error{code, std::string(event.message)};
    }
    abandoned_.erase(event.offending_correlation_id);
}

void Conductor::on_channel_error(std::int32_t channel_status_id, const std::string& message) {
    std::vector<std::string> channels;
    for (const auto& [id, publication] : publications_) {
        if (publication->channel_status_id() == channel_status_id) {
            channels.push_back(publication->channel());
        }
    }
    for (const auto& [id, entry] : subscriptions_) {
        if (entry.subscription->channel_status_id() == channel_status_id) {
            channels.push_back(entry.subscription->channel());
        }
    }
    for (auto& channel : channels) {
        report({ErrorCode::kChannelEndpoint, channel.append(": ").append(message)});
    }
}

Result<PublicationInit> Conductor::publication_init(
    const layout::PublicationReady& event, const Pending& pending) {
    PublicationInit init;
    init.limit = link_.counter(event.publisher_limit_counter_id);
    if (init.limit.id() == layout::kNullCounterId) {
        return fail(ErrorCode::kGeneric, "the driver named a position limit counter that cannot be: " +
                                             std::to_string(event.publisher_limit_counter_id));
    }
    FULMAR_TRY(log, logs_.open(event.log_file_name));
    init.conductor = shared_from_this();
    init.mapping = std::move(log.mapping);
    init.log = log.log;
    init.channel = pending.channel;
    init.registration_id = event.correlation_id;
    init.original_registration_id = event.registration_id;
    init.session_id = event.session_id;
    init.stream_id = event.stream_id;
    init.channel_status_id = event.channel_status_counter_id;
    return init;
}

void Conductor::on_publication_ready(const layout::PublicationReady& event, RequestKind kind) {
    Pending* pending = waiting(event.correlation_id, kind);
    if (pending == nullptr) {
        undo_if_abandoned(event.correlation_id);
        return;
    }
    auto init = publication_init(event, *pending);
    if (!init) {
        pending->outcome = std::move(init).error();
        send_removal({layout::CommandType::kRemovePublication, event.correlation_id, 0});
    } else if (kind == RequestKind::kPublication) {
        auto publication = std::make_unique<Publication>(std::move(init).value());
        publications_.emplace(event.correlation_id, publication.get());
        pending->outcome = std::move(publication);
    } else {
        auto publication = std::make_unique<ExclusivePublication>(std::move(init).value());
        publications_.emplace(event.correlation_id, publication.get());
        pending->outcome = std::move(publication);
    }
}

void Conductor::on_subscription_ready(const layout::SubscriptionReady& event) {
    Pending* pending = waiting(event.correlation_id, RequestKind::kSubscription);
    if (pending == nullptr) {
        undo_if_abandoned(event.correlation_id);
        return;
    }
    auto subscription = std::make_unique<Subscription>(SubscriptionInit{shared_from_this(), pending->channel,
        event.correlation_id, pending->stream_id, event.channel_status_counter_id});
    subscriptions_.emplace(
        event.correlation_id, OpenSubscription{subscription.get(), std::move(pending->handlers)});
    pending->outcome = std::move(subscription);
}

Result<std::unique_ptr<Image>> Conductor::make_image(const layout::AvailableImage& event) {
    ImageInit init;
    init.position = link_.counter(event.subscriber_position_counter_id);
    if (init.position.id() == layout::kNullCounterId) {
        return fail(ErrorCode::kGeneric, "the driver named a subscriber position counter that cannot be: " +
                                             std::to_string(event.subscriber_position_counter_id));
    }
    FULMAR_TRY(log, logs_.open(event.log_file_name));
    init.join_position = init.position.get_acquire();
    if (!is_join_position_valid(init.join_position, log.log)) {
        return fail(ErrorCode::kGeneric,
            "the driver let an image begin where none can: " + std::to_string(init.join_position));
    }
    init.conductor = this;
    init.mapping = std::move(log.mapping);
    init.log = log.log;
    init.correlation_id = event.image_correlation_id;
    init.subscription_registration_id = event.subscription_registration_id;
    init.session_id = event.session_id;
    init.stream_id = event.stream_id;
    init.source_identity = std::string(event.source_identity);
    return std::make_unique<Image>(std::move(init));
}

void Conductor::on_available_image(const layout::AvailableImage& event) {
    const auto id = event.subscription_registration_id;
    const auto at = subscriptions_.find(id);
    if (at == subscriptions_.end() ||
        at->second.subscription->image_set().find(event.image_correlation_id) != nullptr) {
        return;
    }
    auto image = make_image(event);
    if (!image) {
        report({image.error().code,
            at->second.subscription->channel() + ": no image: " + image.error().message});
        return;
    }
    // The handler first, so that the application knows a session before its first fragment. It may close or
    // destroy the subscription: look again afterwards.
    const SubscriptionHandlers handlers = at->second.handlers;
    tell_available(handlers, **image);
    const auto still = subscriptions_.find(id);
    const Instant now = ports_.clock->now();
    if (still != subscriptions_.end()) {
        still->second.subscription->image_set().add(std::move(image).value(), now, options_.resource_linger);
        return;
    }
    (*image)->mark_closed();
    tell_unavailable(handlers, **image);
    Lingering kept;
    kept.images.push_back(std::move(image).value());
    kept.free_after = now + options_.resource_linger;
    lingering_.push_back(std::move(kept));
}

void Conductor::on_unavailable_image(const layout::UnavailableImage& event) {
    const auto at = subscriptions_.find(event.subscription_registration_id);
    if (at == subscriptions_.end()) {
        return;
    }
    Image* image = at->second.subscription->image_set().remove(
        event.image_correlation_id, ports_.clock->now(), options_.resource_linger);
    if (image != nullptr) {
        const SubscriptionHandlers handlers = at->second.handlers;
        tell_unavailable(handlers, *image);
    }
}

void Conductor::on_operation_success(const layout::OperationSuccess& event) {
    if (Pending* pending = waiting(event.correlation_id, RequestKind::kOperation)) {
        pending->outcome = Done{};
    }
}

void Conductor::on_counter_ready(const layout::CounterEvent& event) {
    if (Pending* pending = waiting(event.correlation_id, RequestKind::kCounter)) {
        const auto value = link_.counter(event.counter_id);
        if (value.id() == layout::kNullCounterId) {
            pending->outcome = Error{ErrorCode::kGeneric,
                "the driver named a counter that cannot be: " + std::to_string(event.counter_id)};
        } else {
            auto counter = std::make_unique<Counter>(
                Counter::Init{shared_from_this(), event.correlation_id, value, false});
            counters_.emplace(event.correlation_id, counter.get());
            pending->outcome = std::move(counter);
        }
    } else {
        undo_if_abandoned(event.correlation_id);
    }
    if (options_.on_available_counter) {
        const HandlerScope scope(*this);
        options_.on_available_counter(event.correlation_id, event.counter_id);
    }
}

void Conductor::on_static_counter(const layout::CounterEvent& event) {
    Pending* pending = waiting(event.correlation_id, RequestKind::kStaticCounter);
    if (pending == nullptr) {
        return;
    }
    const auto value = link_.counter(event.counter_id);
    if (value.id() == layout::kNullCounterId) {
        pending->outcome = Error{ErrorCode::kGeneric,
            "the driver named a counter that cannot be: " + std::to_string(event.counter_id)};
        return;
    }
    pending->outcome = std::make_unique<Counter>(
        Counter::Init{shared_from_this(), pending->static_registration_id, value, true});
}

void Conductor::on_unavailable_counter(const layout::CounterEvent& event) {
    const auto at = counters_.find(event.correlation_id);
    if (at != counters_.end()) {
        at->second->mark_closed();
    }
    if (options_.on_unavailable_counter) {
        const HandlerScope scope(*this);
        options_.on_unavailable_counter(event.correlation_id, event.counter_id);
    }
}

void Conductor::on_client_timeout(const layout::ClientTimeout& event) {
    if (event.client_id == client_id_) {
        terminate({ErrorCode::kGeneric, "the media driver timed this client out; connect again"});
    }
}

void Conductor::on_publication_error(const layout::PublicationError& event) {
    const bool ours = std::any_of(publications_.begin(), publications_.end(),
        [&](const auto& entry) { return entry.second->original_registration_id() == event.registration_id; });
    if (!ours || !options_.on_publication_error) {
        return;
    }
    PublicationErrorInfo info;
    info.registration_id = event.registration_id;
    info.destination_registration_id = event.destination_registration_id;
    info.session_id = event.session_id;
    info.stream_id = event.stream_id;
    info.receiver_id = event.receiver_id;
    info.group_tag = event.group_tag;
    info.source_address = address_text(event);
    info.error = {code_of(event.error_code), std::string(event.message)};
    const HandlerScope scope(*this);
    options_.on_publication_error(info);
}

void Conductor::on_next_session_id(const layout::NextAvailableSessionId& event) {
    if (Pending* pending = waiting(event.correlation_id, RequestKind::kSessionId)) {
        pending->outcome = event.session_id;
    }
}

}  // namespace fulmar::client
