#include <utility>

#include "client/conductor.h"
#include "client/conductor_scopes.h"

namespace fulmar::client {

namespace {

layout::CommandType removal_of(RequestKind kind) {
    switch (kind) {
        case RequestKind::kSubscription: return layout::CommandType::kRemoveSubscription;
        case RequestKind::kCounter: return layout::CommandType::kRemoveCounter;
        default: return layout::CommandType::kRemovePublication;
    }
}

/// A static counter, a session id or a destination needs no undoing, or must not be undone.
bool leaves_something_behind(RequestKind kind) {
    return kind == RequestKind::kPublication || kind == RequestKind::kExclusivePublication ||
           kind == RequestKind::kSubscription || kind == RequestKind::kCounter;
}

Pending pending_stream(RequestKind kind, const std::string& channel, std::int32_t stream_id) {
    Pending pending;
    pending.kind = kind;
    pending.channel = channel;
    pending.stream_id = stream_id;
    return pending;
}

/// Both kinds of counter are found as a counter.
bool is_found_as(RequestKind asked, RequestKind actual) {
    return asked == actual || (asked == RequestKind::kCounter && actual == RequestKind::kStaticCounter);
}

Pending pending_of(RequestKind kind) {
    Pending pending;
    pending.kind = kind;
    return pending;
}

}  // namespace

Status Conductor::check_may_request(std::string_view channel) const {
    if (is_closed()) {
        return fail(ErrorCode::kGeneric, terminal_error_
                                             ? "this client has ended: " + terminal_error_->message
                                             : std::string("this client is closed"));
    }
    if (pending_.size() >= kPendingMax) {
        return fail(ErrorCode::kResourceTemporarilyUnavailable,
            "this client has " + std::to_string(pending_.size()) +
                " requests whose outcome was not fetched; fetch or cancel them");
    }
    if (channel.size() > layout::kChannelMax) {
        return fail(ErrorCode::kInvalidChannel, "channel of " + std::to_string(channel.size()) +
                                                    " characters, at most " +
                                                    std::to_string(layout::kChannelMax) + " are allowed");
    }
    return Done{};
}

template <class Command>
Result<std::int64_t> Conductor::request(layout::CommandType type, Command command, Pending pending) {
    const Guard guard(*this);
    FULMAR_TRY_VOID(check_may_request(pending.channel));
    const std::int64_t id = link_.next_correlation_id();
    command.client_id = client_id_;
    command.correlation_id = id;
    FULMAR_TRY_VOID(link_.send(type, command));
    pending.deadline = ports_.clock->now() + options_.driver_timeout;
    pending_.emplace(id, std::move(pending));
    return id;
}

Result<std::int64_t> Conductor::add_publication(
    const std::string& channel, std::int32_t stream_id, RequestKind kind) {
    layout::AddPublication command;
    command.stream_id = stream_id;
    command.channel = channel;
    return request(kind == RequestKind::kExclusivePublication ? layout::CommandType::kAddExclusivePublication
                                                              : layout::CommandType::kAddPublication,
        command, pending_stream(kind, channel, stream_id));
}

Result<std::int64_t> Conductor::add_subscription(
    const std::string& channel, std::int32_t stream_id, SubscriptionHandlers handlers) {
    layout::AddSubscription command;
    command.stream_id = stream_id;
    command.channel = channel;
    auto pending = pending_stream(RequestKind::kSubscription, channel, stream_id);
    pending.handlers = std::move(handlers);
    return request(layout::CommandType::kAddSubscription, command, std::move(pending));
}

Result<std::int64_t> Conductor::add_counter(const CounterSpec& spec) {
    layout::AddCounter command;
    command.type_id = spec.type_id;
    command.key = spec.key;
    command.label = spec.label;
    return request(layout::CommandType::kAddCounter, command, pending_of(RequestKind::kCounter));
}

Result<std::int64_t> Conductor::add_static_counter(const CounterSpec& spec, std::int64_t registration_id) {
    layout::AddStaticCounter command;
    command.registration_id = registration_id;
    command.type_id = spec.type_id;
    command.key = spec.key;
    command.label = spec.label;
    auto pending = pending_of(RequestKind::kStaticCounter);
    pending.static_registration_id = registration_id;
    return request(layout::CommandType::kAddStaticCounter, command, std::move(pending));
}

Result<std::int64_t> Conductor::request_session_id(std::int32_t stream_id) {
    layout::GetNextAvailableSessionId command;
    command.stream_id = stream_id;
    return request(
        layout::CommandType::kGetNextAvailableSessionId, command, pending_of(RequestKind::kSessionId));
}

Result<std::int64_t> Conductor::send_destination(
    layout::CommandType type, std::int64_t resource_id, const std::string& channel) {
    layout::DestinationCommand command;
    command.registration_id = resource_id;
    command.channel = channel;
    auto pending = pending_of(RequestKind::kOperation);
    pending.channel = channel;
    return request(type, command, std::move(pending));
}

Result<std::int64_t> Conductor::remove_destination_by_id(
    std::int64_t resource_id, std::int64_t destination_id) {
    layout::RemoveDestinationById command;
    command.resource_registration_id = resource_id;
    command.destination_registration_id = destination_id;
    return request(layout::CommandType::kRemoveDestinationById, command, pending_of(RequestKind::kOperation));
}

Status Conductor::reject_image(const Image& image, std::string_view reason) {
    const Guard guard(*this);
    FULMAR_TRY_VOID(check_may_request({}));
    if (image.is_closed()) {
        return fail(ErrorCode::kGeneric, "the image has already ended");
    }
    layout::RejectImage command;
    command.client_id = client_id_;
    command.correlation_id = link_.next_correlation_id();
    command.image_correlation_id = image.correlation_id();
    command.position = image.position();
    command.reason = reason.substr(0, layout::kReasonTextMax);
    return link_.send(layout::CommandType::kRejectImage, command);
}

Result<Outcome> Conductor::take(std::int64_t id, RequestKind kind) {
    const Guard guard(*this);
    const auto at = pending_.find(id);
    if (at == pending_.end() || !is_found_as(kind, at->second.kind)) {
        FULMAR_TRY_VOID(check_may_request({}));
        return fail(ErrorCode::kGeneric, "there is no such request with id " + std::to_string(id));
    }
    if (at->second.is_waiting()) {
        return Outcome{};
    }
    Outcome outcome = std::move(at->second.outcome);
    pending_.erase(at);
    if (auto* error = std::get_if<Error>(&outcome)) {
        return Unexpected{std::move(*error)};
    }
    return outcome;
}

Status Conductor::check_may_wait() {
    const Guard guard(*this);
    if (handler_depth_ > 0) {
        return fail(
            ErrorCode::kGeneric, "a handler may not wait for the client it runs in; use the async form");
    }
    return Done{};
}

Result<Outcome> Conductor::await(std::int64_t id, RequestKind kind) {
    for (;;) {
        // SYNC(client.progress): acquire, before looking: what comes after our look wakes us.
        const auto seen = progress_.load(std::memory_order_acquire);
        auto outcome = take(id, kind);
        if (!outcome || outcome->index() != 0) {
            return outcome;
        }
        if (!wait_step()) {
            progress_.wait(seen, std::memory_order_acquire);
        }
    }
}

bool Conductor::wait_step() {
    if (options_.own_thread) {
        return false;
    }
    if (poll() == 0 && options_.on_wait) {
        options_.on_wait();
    }
    return true;
}

void Conductor::cancel(std::int64_t id) {
    const Guard guard(*this);
    const auto at = pending_.find(id);
    if (at == pending_.end()) {
        return;
    }
    if (at->second.is_waiting()) {
        abandon(id, at->second.kind);
    }
    const Pending cancelled = std::move(at->second);
    pending_.erase(at);  // first: destroying a handle comes back here
}

void Conductor::abandon(std::int64_t id, RequestKind kind) {
    if (!leaves_something_behind(kind)) {
        return;
    }
    if (abandoned_.size() >= kAbandonedMax) {
        abandoned_.erase(abandoned_.begin());  // the oldest: ids grow
    }
    abandoned_.emplace(id, kind);
}

void Conductor::undo_if_abandoned(std::int64_t correlation_id) {
    const auto at = abandoned_.find(correlation_id);
    if (at != abandoned_.end()) {
        const auto kind = at->second;
        abandoned_.erase(at);
        send_removal({removal_of(kind), correlation_id, 0});
    }
}

void Conductor::send_removal(const Removal& removal) {
    const std::int64_t id = link_.next_correlation_id();
    const auto sent =
        removal.type == layout::CommandType::kRemovePublication
            ? link_.send(removal.type,
                  layout::RemovePublication{client_id_, id, removal.registration_id, removal.flags})
            : link_.send(removal.type, layout::RemoveResource{client_id_, id, removal.registration_id});
    if (!sent) {
        unsent_removals_.push_back(removal);  // bounded by what was open
    }
}

void Conductor::retry_removals() {
    const auto removals = std::exchange(unsent_removals_, {});
    for (const auto& removal : removals) {
        send_removal(removal);
    }
}

bool Conductor::forget(PublicationBase& publication) {
    publication.mark_closed();
    return publications_.erase(publication.registration_id()) > 0;
}

bool Conductor::forget(Subscription& subscription) {
    const std::int64_t id = subscription.registration_id();
    if (!subscriptions_.contains(id)) {
        return false;
    }
    subscription.mark_closed();
    const Instant now = ports_.clock->now();
    close_images(id, now);
    const auto at = subscriptions_.find(id);
    if (at == subscriptions_.end()) {
        return false;  // an unavailable image handler has closed it meanwhile
    }
    auto images = subscription.image_set().release_images();
    if (!images.empty()) {
        lingering_.push_back({std::move(images), now + options_.resource_linger});
    }
    subscriptions_.erase(at);
    return true;
}

void Conductor::remove_publication(PublicationBase& publication, std::uint64_t flags) {
    const Guard guard(*this);
    if (forget(publication) && !is_closed()) {
        send_removal({layout::CommandType::kRemovePublication, publication.registration_id(), flags});
    }
}

void Conductor::remove_subscription(Subscription& subscription) {
    const Guard guard(*this);
    const std::int64_t id = subscription.registration_id();
    if (forget(subscription) && !is_closed()) {
        send_removal({layout::CommandType::kRemoveSubscription, id, 0});
    }
}

Result<std::int64_t> Conductor::remove_publication_tracked(PublicationBase& publication) {
    const Guard guard(*this);
    FULMAR_TRY_VOID(check_may_request({}));
    if (!forget(publication)) {
        return fail(ErrorCode::kUnknownPublication, "this publication was closed before");
    }
    layout::RemovePublication command;
    command.registration_id = publication.registration_id();
    auto id = request(layout::CommandType::kRemovePublication, command, pending_of(RequestKind::kOperation));
    if (!id) {
        unsent_removals_.push_back({layout::CommandType::kRemovePublication, command.registration_id, 0});
    }
    return id;
}

Result<std::int64_t> Conductor::remove_subscription_tracked(Subscription& subscription) {
    const Guard guard(*this);
    FULMAR_TRY_VOID(check_may_request({}));
    layout::RemoveResource command;
    command.registration_id = subscription.registration_id();
    if (!forget(subscription)) {
        return fail(ErrorCode::kUnknownSubscription, "this subscription was closed before");
    }
    auto id = request(layout::CommandType::kRemoveSubscription, command, pending_of(RequestKind::kOperation));
    if (!id) {
        unsent_removals_.push_back({layout::CommandType::kRemoveSubscription, command.registration_id, 0});
    }
    return id;
}

void Conductor::remove_counter(Counter& counter) {
    const Guard guard(*this);
    counter.mark_closed();
    const bool was_open = counters_.erase(counter.registration_id()) > 0;
    if (was_open && !is_closed()) {
        send_removal({layout::CommandType::kRemoveCounter, counter.registration_id(), 0});
    }
}

}  // namespace fulmar::client
