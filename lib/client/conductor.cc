#include "client/conductor.h"

#include <algorithm>
#include <utility>

#include "client/conductor_scopes.h"

namespace fulmar::client {

namespace {

constexpr std::size_t kNameMax = 100;
/// What ImageSet needs so that a poller's mark is surely visible; far beyond any store buffer.
constexpr Duration kLingerMin = milliseconds(1);

ClientOptions checked(ClientOptions options) {
    options.resource_linger = std::max(options.resource_linger, kLingerMin);
    return options;
}

}  // namespace

Result<std::shared_ptr<Conductor>> Conductor::connect(ClientOptions options, ClientPorts ports) {
    const LivenessCheck check{ports.clock->epoch_ms(), options.driver_timeout};
    FULMAR_TRY(link, DriverLink::open(options.dir, *ports.memory_map, check));
    return std::make_shared<Conductor>(std::move(options), ports, std::move(link));
}

Result<std::shared_ptr<Conductor>> Conductor::await_driver(const ClientOptions& options, ClientPorts ports) {
    const Instant deadline = ports.clock->now() + options.driver_timeout;
    for (;;) {
        auto conductor = connect(options, ports);
        if (conductor || conductor.error().code != ErrorCode::kResourceTemporarilyUnavailable) {
            return conductor;
        }
        if (ports.clock->now() >= deadline) {
            return fail(ErrorCode::kGeneric, conductor.error().message);
        }
        if (options.on_wait) {
            options.on_wait();
        }
    }
}

Conductor::Conductor(ClientOptions options, ClientPorts ports, DriverLink link)
    : options_(checked(std::move(options))),
      ports_(ports),
      link_(std::move(link)),
      logs_(*ports.memory_map, options_.pre_touch),
      client_id_(link_.next_correlation_id()),
      heartbeat_(client_id_, options_.name.substr(0, kNameMax)),
      last_poll_(ports.clock->now()),
      next_timer_(last_poll_ + options_.keepalive_interval) {}

Conductor::~Conductor() = default;

int Conductor::poll(Instant now) {
    if (is_closed()) {
        return 0;
    }
    const Guard guard(*this);
    if (is_closed() || handler_depth_ > 0) {
        return 0;
    }
    // Once the driver has given up on us it may hand our counters to others: better end than write there.
    const Duration silence = now - last_poll_;
    if (heartbeat_.is_established() && silence > link_.client_liveness_timeout()) {
        terminate(
            {ErrorCode::kGeneric, "this client was not polled for " + std::to_string(silence.ns / 1'000'000) +
                                      " ms, so that the driver has timed it out; connect again"});
        return 1;
    }
    last_poll_ = now;
    const int work = receive_events();
    if (now >= next_timer_ && !is_closed()) {
        on_timer(now);
    }
    return work;
}

int Conductor::receive_events() {
    int events = 0;
    while (events < kEventsPerPollMax && !is_closed()) {
        const auto message = link_.receive_next();
        if (message.status == ring::Reception::kNothing) {
            break;
        }
        ++events;
        if (message.status == ring::Reception::kMessage) {
            on_event(message);
        } else {
            // What got lost may have been the end of an image or our own time-out: nothing can be trusted.
            terminate({ErrorCode::kGeneric,
                message.status == ring::Reception::kLapped
                    ? "this client fell behind the driver's events and lost some; poll it more often"
                    : "the driver's event buffer is damaged; restart the driver"});
        }
    }
    if (events > 0) {
        signal_progress();
    }
    return events;
}

void Conductor::on_timer(Instant now) {
    next_timer_ = now + options_.keepalive_interval;
    const std::int64_t epoch_ms = ports_.clock->epoch_ms();
    if (auto alive = link_.check_driver({epoch_ms, options_.driver_timeout}); !alive) {
        terminate(std::move(alive).error());
        return;
    }
    if (auto beaten = heartbeat_.beat(link_, epoch_ms); !beaten) {
        terminate(std::move(beaten).error());
        return;
    }
    retry_removals();
    if (time_out_requests(now) > 0) {
        signal_progress();
    }
    reclaim(now);
}

int Conductor::time_out_requests(Instant now) {
    int timed_out = 0;
    for (auto& [id, pending] : pending_) {
        if (!pending.is_waiting() || now < pending.deadline) {
            continue;
        }
        ++timed_out;
        const std::string what = pending.channel.empty() ? "" : " for " + pending.channel;
        pending.outcome = Error{
            ErrorCode::kGeneric, "no answer from the media driver within " +
                                     std::to_string(options_.driver_timeout.ns / 1'000'000) + " ms" + what};
        abandon(id, pending.kind);
    }
    return timed_out;
}

void Conductor::reclaim(Instant now) {
    for (auto& [id, entry] : subscriptions_) {
        entry.subscription->image_set().reclaim(now);
    }
    std::erase_if(lingering_, [now](const Lingering& kept) { return kept.free_after <= now; });
    logs_.sweep();
}

void Conductor::close() {
    const Guard guard(*this);
    if (is_closed()) {
        return;
    }
    // The driver frees all we had; if its ring is full it will find our heartbeat silent instead.
    (void)link_.send(
        layout::CommandType::kClientClose, layout::ClientCommand{client_id_, link_.next_correlation_id()});
    close_all();
}

void Conductor::terminate(Error error) {
    if (is_closed()) {
        return;
    }
    terminal_error_ = std::move(error);
    close_all();
    report(*terminal_error_);
}

void Conductor::close_all() {
    closed_.store(true, std::memory_order_release);
    for (auto& [id, publication] : publications_) {
        publication->mark_closed();
    }
    for (auto& [id, counter] : counters_) {
        counter->mark_closed();
    }
    const Instant now = ports_.clock->now();
    std::vector<std::int64_t> ids;
    for (auto& [id, entry] : subscriptions_) {
        entry.subscription->mark_closed();
        ids.push_back(id);
    }
    for (const auto id : ids) {
        close_images(id, now);
    }
    // Handles nobody fetched hold on to us: letting them go breaks that circle.
    const auto unfetched = std::exchange(pending_, {});
    abandoned_.clear();
    unsent_removals_.clear();
    if (options_.on_close) {
        const HandlerScope scope(*this);
        options_.on_close();
    }
    signal_progress();
}

// A handler may close, even destroy, any subscription: everything is looked up again after each call.
void Conductor::close_images(std::int64_t subscription_registration_id, Instant now) {
    for (;;) {
        const auto at = subscriptions_.find(subscription_registration_id);
        if (at == subscriptions_.end()) {
            return;
        }
        auto& images = at->second.subscription->image_set();
        if (images.owned().empty()) {
            return;
        }
        const std::int64_t image_id = images.owned().front()->correlation_id();
        Image* image = images.remove(image_id, now, options_.resource_linger);
        const SubscriptionHandlers handlers = at->second.handlers;
        tell_unavailable(handlers, *image);
    }
}

std::optional<Error> Conductor::terminal_error() {
    const Guard guard(*this);
    return terminal_error_;
}

void Conductor::report(const Error& error) {
    if (options_.on_error) {
        const HandlerScope scope(*this);
        options_.on_error(error);
    }
}

void Conductor::tell_available(const SubscriptionHandlers& handlers, Image& image) {
    const auto& handler =
        handlers.on_available_image ? handlers.on_available_image : options_.on_available_image;
    if (handler) {
        const HandlerScope scope(*this);
        handler(image);
    }
}

void Conductor::tell_unavailable(const SubscriptionHandlers& handlers, Image& image) {
    const auto& handler =
        handlers.on_unavailable_image ? handlers.on_unavailable_image : options_.on_unavailable_image;
    if (handler) {
        const HandlerScope scope(*this);
        handler(image);
    }
}

void Conductor::signal_progress() {
    progress_.fetch_add(1, std::memory_order_release);
    progress_.notify_all();
}

std::int64_t Conductor::channel_status(std::int32_t counter_id) const {
    // IPC has no channel that could fail.
    return counter_id == layout::kNullCounterId ? layout::kChannelActive : counters().value(counter_id);
}

std::vector<std::string> Conductor::local_socket_addresses(std::int32_t channel_status_id) const {
    std::vector<std::string> addresses;
    const auto collect = [&](const observe::CounterView& counter) {
        constexpr std::size_t kTextOffset = 8;
        const bool is_address = counter.type_id == layout::counter_type::kLocalSockaddr &&
                                counter.value == layout::kChannelActive && counter.key.size() > kTextOffset;
        if (!is_address || base::load_le<std::int32_t>(counter.key.data(), 0) != channel_status_id) {
            return;
        }
        const auto claimed = base::load_le<std::int32_t>(counter.key.data(), sizeof(std::int32_t));
        const auto room = static_cast<std::int32_t>(counter.key.size() - kTextOffset);
        const auto length = static_cast<std::size_t>(std::clamp(claimed, 0, room));
        addresses.emplace_back(reinterpret_cast<const char*>(counter.key.data()) + kTextOffset, length);
    };
    counters().for_each(collect);
    return addresses;
}

}  // namespace fulmar::client
