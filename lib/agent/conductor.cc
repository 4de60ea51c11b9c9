// The conductor's duty cycle and timers.
#include "agent/conductor.h"

#include <algorithm>
#include <utility>

namespace fulmar::agent {
namespace {

/// Commands are cheap to leave in the ring for the next cycle; limits and images are not to wait long.
constexpr int kCommandsPerPoll = 8;
constexpr int kAgentEventsPerPoll = 16;
/// How often states are looked at that other agents or clients change.
constexpr Duration kLifeCycleInterval = milliseconds(1);

}  // namespace

Conductor::Conductor(ConductorContext context)
    : context_(std::move(context)),
      options_(*context_.options),
      events_(context_.events),
      resources_(context_.to_resource, context_.from_resource),
      to_sender_(context_.to_sender, context_.system[layout::SystemCounter::kSenderProxyFails]),
      to_receiver_(context_.to_receiver, context_.system[layout::SystemCounter::kReceiverProxyFails]),
      prng_(context_.seed, 1),
      session_ids_(static_cast<std::int32_t>(prng_.next()), options_.reserved_session_low,
          options_.reserved_session_high),
      next_receiver_id_(static_cast<std::int64_t>(prng_.next())) {
    log_root_ = options_.log_dir.empty() ? options_.dir : options_.log_dir;
    record_.reserve(context_.commands.message_length_max());
}

Conductor::~Conductor() = default;

int Conductor::poll(Instant now) {
    check_for_stall(now);
    int work = events_.flush(now);
    work += poll_resource(now);
    work += to_sender_.flush() + to_receiver_.flush();
    if (!events_.backlogged() || shutting_down_) {
        work += poll_agent_events(now);
        work += poll_commands(now);
    }
    work += update_limits();
    if (now >= next_life_cycle_) {
        next_life_cycle_ = now + kLifeCycleInterval;
        work += poll_life_cycles(now);
    }
    if (now >= next_timer_) {
        next_timer_ = now + options_.timer_interval;
        on_timer(now);
        ++work;
    }
    return work;
}

void Conductor::check_for_stall(Instant now) {
    if (started_ && now - last_poll_ > options_.stall_threshold) {
        // We did not run, so we cannot say who else did not: everybody gets a whole time-out from now.
        liveness_floor_ms_ = epoch_ms();
        ring_progress_ = now;
        for (const auto& publication : publications_) {
            publication->core->on_conductor_stall();
        }
        for (const auto& publication : ipc_publications_) {
            publication->core->on_conductor_stall();
        }
        context_.stalls.increment_relaxed();
        log_error(ErrorCode::kGeneric, "the driver itself stood still, liveness deadlines were re-based");
    }
    started_ = true;
    last_poll_ = now;
}

int Conductor::poll_resource(Instant now) {
    int work = 0;
    while (auto task = resources_.next_result()) {
        ++work;
        if (task->space_is_low && task->check_space) {
            log_error(ErrorCode::kStorageSpace, "space for logs is running low in " + log_root_);
        }
        if (add_ && add_->task_id == task->id) {
            on_add_result(now, std::move(task));
            continue;
        }
        if (on_destination_resolved(*task)) {
            continue;
        }
        const auto pending = std::find_if(pending_images_.begin(), pending_images_.end(),
            [&](const PendingImage& image) { return image.task_id == task->id; });
        if (pending != pending_images_.end()) {
            on_image_log(now, static_cast<std::size_t>(pending - pending_images_.begin()), std::move(task));
        } else if (task->error) {
            context_.system[layout::SystemCounter::kFreeFails].increment_relaxed();
            log_error(task->error->code, task->error->message);
        }
    }
    return work;
}

int Conductor::poll_commands(Instant now) {
    if (add_) {
        if (add_->task_id == 0) {
            advance_add(now);
        }
        return 0;
    }
    int work = 0;
    while (work < kCommandsPerPoll && !shutting_down_ && !add_ && !events_.backlogged()) {
        std::int32_t type = 0;
        // Clients could still write into the ring: what is decoded is our own copy.
        const std::size_t count = context_.commands.read(
            [&](std::int32_t message_type, std::span<const std::byte> body) {
                type = message_type;
                record_.assign(body.begin(), body.end());
            },
            1);
        if (count == 0) {
            break;
        }
        ++work;
        ++commands_read_;
        on_command(now, type, record_);
    }
    return work;
}

int Conductor::poll_agent_events(Instant now) {
    int work = 0;
    ImageRequest request;
    while (work < kAgentEventsPerPoll && context_.image_requests->try_pop(request)) {
        ++work;
        on_create_image(now, request);
    }
    work += static_cast<int>(context_.sender_events->poll(
        [this](std::int32_t type, std::span<const std::byte> record) { on_sender_event(type, record); },
        kAgentEventsPerPoll));
    return work;
}

int Conductor::update_limits() {
    int work = 0;
    for (const auto& publication : publications_) {
        work += publication->core->update_publisher_limit();
    }
    for (const auto& publication : ipc_publications_) {
        work += publication->core->update_publisher_limit();
    }
    return work;
}

int Conductor::poll_life_cycles(Instant now) {
    drain_losses();
    int work = 0;
    for (std::size_t i = clients_.size(); i-- > 0;) {
        if (clients_[i]->closed && !events_.backlogged()) {
            release_client(now, *clients_[i]);
            clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(i));
            ++work;
        }
    }
    work += reap_network_publications(now);
    work += reap_ipc_publications(now);
    work += reap_images(now);
    work += reap_endpoints();
    return work;
}

void Conductor::on_timer(Instant now) {
    context_.commands.set_consumer_heartbeat_ms(epoch_ms());
    check_clients(now);
    check_untethered(now);
    check_for_blocked_command(now);
    if (context_.commands.corruptions() != ring_corruptions_) {
        ring_corruptions_ = context_.commands.corruptions();
        log_error(ErrorCode::kMalformedCommand, "impossible records in the command ring were skipped");
    }
}

void Conductor::check_for_blocked_command(Instant now) {
    const bool waiting = context_.commands.producer_position() > context_.commands.consumer_position();
    if (!waiting || add_ || events_.backlogged() || commands_read_ != commands_read_before_) {
        commands_read_before_ = commands_read_;
        ring_progress_ = now;
        return;
    }
    if (now - ring_progress_ >= options_.client_liveness_timeout) {
        ring_progress_ = now;
        if (context_.commands.unblock()) {
            context_.system[layout::SystemCounter::kUnblockedCommands].increment_relaxed();
        }
    }
}

void Conductor::drain_losses() {
    context_.losses->drain([this](const LossBridge::Loss& loss) {
        for (const ImageLoss& known : losses_) {
            if (known.correlation_id == loss.correlation_id) {
                known.entry.record(loss.bytes, epoch_ms());
                return;
            }
        }
        for (const auto& image : images_) {
            if (image->correlation_id == loss.correlation_id) {
                const observe::LossSource source{
                    image->session_id, image->stream_id, image->channel, image->source_identity};
                losses_.push_back(
                    {loss.correlation_id, context_.loss_report->create(source, loss.bytes, epoch_ms())});
                return;
            }
        }
    });
}

void Conductor::on_sender_event(std::int32_t type, std::span<const std::byte> record) {
    const auto take = [&record]<class Event>(Event event) {
        std::memcpy(&event, record.data(), sizeof event);
        record = record.subspan(sizeof event);
        return event;
    };
    switch (static_cast<SenderEvent>(type)) {
        case SenderEvent::kRejection: {
            const Rejection rejection = take(Rejection{});
            on_rejection(rejection, {reinterpret_cast<const char*>(record.data()), record.size()});
            break;
        }
        case SenderEvent::kSilentDestination: on_silent_destination(take(SilentDestination{})); break;
        case SenderEvent::kResponseNamed: on_response_named(take(ResponseNamed{})); break;
        case SenderEvent::kResponseConnected: on_response_connected(take(ResponseConnected{})); break;
    }
}

void Conductor::on_rejection(const Rejection& rejection, std::string_view reason) {
    for (const auto& publication : publications_) {
        if (publication->registration_id != rejection.registration_id) {
            continue;
        }
        layout::PublicationError error;
        error.registration_id = rejection.registration_id;
        error.destination_registration_id = rejection.destination_id;
        error.session_id = publication->session_id;
        error.stream_id = publication->stream_id;
        error.receiver_id = rejection.receiver_id;
        error.group_tag = rejection.group_tag;
        error.address_type = rejection.source.ip.is_v4() ? layout::PublicationError::kAddressIpv4
                                                         : layout::PublicationError::kAddressIpv6;
        error.source_port = rejection.source.port;
        std::memcpy(
            error.source_address.data(), rejection.source.ip.bytes.data(), error.source_address.size());
        error.error_code = rejection.error_code;
        error.message = reason;
        events_.send(layout::EventType::kPublicationError, error);
        return;
    }
}

void Conductor::shut_down() {
    shutting_down_ = true;
    publication_links_.clear();
    subscriber_links_.clear();
    subscriptions_.clear();
    for (const auto& image : images_) {
        if (image->phase == ImageState::Phase::kActive) {
            release_image(*image);
        }
    }
    for (const auto& publication : publications_) {
        if (!publication->removing) {
            remove_from_sender(*publication);
        }
    }
    for (const auto& publication : ipc_publications_) {
        delete_log(publication->log);
    }
    ipc_publications_.clear();
    // Endpoints lost their subscriptions; what publications and images hold goes with them.
    for (const auto& endpoint : receive_endpoints_) {
        endpoint->references = 0;
    }
    for (const auto& image : images_) {
        if (image->endpoint != nullptr) {
            ++image->endpoint->references;
        }
    }
    for (const PendingImage& pending : pending_images_) {
        ++pending.endpoint->references;
    }
}

bool Conductor::is_shut_down() const {
    return shutting_down_ && !add_ && pending_images_.empty() && images_.empty() && publications_.empty() &&
           send_endpoints_.empty() && receive_endpoints_.empty() && resources_.outstanding() == 0;
}

}  // namespace fulmar::agent
