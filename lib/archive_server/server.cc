#include "archive_server/server.h"

namespace fulmar::archive {
namespace {

constexpr Duration kSpaceInterval = seconds(1);

std::uint64_t seed_of(const Client& client, port::Clock& clock) {
    return static_cast<std::uint64_t>(clock.epoch_ms()) << 20 ^
           static_cast<std::uint64_t>(client.client_id());
}

std::int64_t archive_id_of(const ServerOptions& options, const Client& client) {
    return options.archive_id != -1 ? options.archive_id : client.client_id();
}

}  // namespace

Recording ServerContext::recording_at(std::size_t index) const {
    Recording recording = catalog.catalog().at(index);
    if (const auto found = damaged.find(recording.id);
        found != damaged.end() && recording.stop_position == kNullValue) {
        recording.stop_position = found->second.stop_position;
    }
    return recording;
}

Server::Server(ServerOptions options, const ServerPorts& ports, StartUp& start_up)
    : options_(std::move(options)),
      catalog_(*ports.storage, start_up.catalog_file(), start_up.take_catalog(),
          options_.writer.sync != SyncPolicy::kNone),
      sessions_(options_, *ports.client, archive_id_of(options_, *ports.client),
          seed_of(*ports.client, *ports.clock)),
      events_(*ports.client, options_),
      context_{.options = options_,
          .client = *ports.client,
          .storage = *ports.storage,
          .catalog = catalog_,
          .sessions = sessions_,
          .events = events_,
          .clock = *ports.clock,
          .archive_id = archive_id_of(options_, *ports.client)},
      recorder_(*ports.recorder_storage),
      replayer_(*ports.replayer_storage),
      recordings_(context_, recorder_),
      replays_(context_, recordings_, replayer_, seed_of(*ports.client, *ports.clock)),
      segments_(context_, recordings_, replays_),
      replications_(context_, recordings_),
      requests_(context_, recordings_, replays_, segments_, replications_),
      counters_(*ports.client, options_, context_.archive_id) {
    (void)catalog_.commit();  // what recovery changed
    for (const DamagedRecording& damaged : start_up.damaged()) {
        context_.damaged.emplace(damaged.id, damaged);
    }
    replays_.refusal = [this](std::int64_t recording_id) {
        return std::string(segments_.is_busy(recording_id) ? "its segments are being deleted or moved" : "");
    };
    recordings_.refusal = [this](std::int64_t recording_id) {
        const auto damaged = context_.damaged.find(recording_id);
        return damaged != context_.damaged.end()
                   ? damaged->second.why + "; mend it with `fulmar archive repair`"
                   : replays_.refusal(recording_id);
    };
    subscribe(options_.local_control_channel, options_.local_control_stream_id);
    if (options_.control_enabled && !options_.control_channel.empty()) {
        subscribe(options_.control_channel, options_.control_stream_id);
    }
}

Server::~Server() = default;

void Server::subscribe(const std::string& channel, std::int32_t stream_id) {
    SubscriptionHandlers handlers;
    handlers.on_unavailable_image = [this](Image& image) {
        assembler_.remove_session(image.session_id());
        sessions_.on_image_gone(image.correlation_id());
    };
    auto request = context_.client.async_add_subscription(channel, stream_id, std::move(handlers));
    if (!request) {
        error_ = request.error();
        return;
    }
    streams_.push_back({*request, nullptr});
}

int Server::poll(Instant now) {
    return poll_conductor(now) + poll_recorder(now) + poll_replayer(now);
}

int Server::poll_conductor(Instant now) {
    context_.now = now;
    int work = context_.client.poll(now);
    work += context_.storage.poll(kCompletionsMax);
    work += catalog_.poll();
    work += poll_streams();
    work += sessions_.poll(now, [this](ControlSession& session) {
        replays_.forget_tokens(session.id());
        if (session.ended_abnormally()) {
            context_.report(ErrorCode::kGeneric, "control session " + std::to_string(session.id()) + " of " +
                                                     session.description() +
                                                     " ended: " + session.end_reason());
        }
    });
    work += recordings_.poll();
    work += replays_.poll();
    work += segments_.poll();
    work += replications_.poll();
    work += events_.poll();
    if (!space_.is_asked && now >= space_.next_time) {
        ask_for_space();
    }
    count(now);
    error_ = error_ ? error_ : events_.error();
    if (const auto& error = catalog_.error(); error && !error_) {
        error_ = error;
        context_.report(error->code, error->message);
    }
    if (const auto error = context_.client.terminal_error(); error && !error_) {
        error_ = error;
    }
    return work;
}

void Server::count(Instant now) {
    counters_.conductor.on_cycle(now, options_.cycle_threshold);
    counters_.errors.set(static_cast<std::int64_t>(context_.errors));
    counters_.control_sessions.set(static_cast<std::int64_t>(sessions_.size()));
    counters_.recording_sessions.set(static_cast<std::int64_t>(recordings_.active_count()));
    counters_.replay_sessions.set(static_cast<std::int64_t>(replays_.size()));
}

int Server::poll_streams() {
    int work = 0;
    bool all_there = space_.is_known;
    for (ControlStream& stream : streams_) {
        if (stream.subscription == nullptr) {
            auto found = context_.client.find_subscription(stream.request);
            if (!found) {
                error_ = error_ ? error_ : found.error();
                continue;
            }
            stream.subscription = *std::move(found);
        }
        if (stream.subscription == nullptr) {
            all_there = false;
            continue;
        }
        if (!is_closing_) {
            polled_ = stream.subscription.get();
            work += stream.subscription->poll(assembler_, kFragmentsMax);
        }
    }
    if (!has_counters_ && counters_.poll()) {
        has_counters_ = true;
        recorder_.set_counters(counters_, options_.cycle_threshold);
        replayer_.set_counters(counters_, options_.cycle_threshold);
    }
    is_ready_ =
        all_there && has_counters_ && events_.is_ready() && !error_ && (is_ready_ || catalog_.is_idle());
    return work;
}

void Server::on_message(std::span<const std::byte> message, const Header& header) {
    if (const Image* image = polled_->image_by_session_id(header.session_id())) {
        requests_.on_message(*image, message);
    }
}

void Server::ask_for_space() {
    port::StorageRequest request{.op = port::StorageRequest::Op::kFreeSpace};
    space_.is_asked = context_.storage.submit(space_, request);
    space_.next_time = context_.now + kSpaceInterval;
}

void Server::Space::on_storage(port::StorageCompletion& completion) {
    is_asked = false;
    is_known = true;
    if (completion.ok()) {
        server_.recordings_.set_free_space(completion.value);
    }
}

void Server::close() {
    is_closing_ = true;
    replications_.stop_all();
    recordings_.stop_all();
    replays_.stop_all_quietly(kNullValue);
}

bool Server::is_closed() const {
    return is_closing_ && recordings_.subscribers().empty() && replays_.size() == 0 && segments_.is_idle() &&
           replications_.is_idle() && catalog_.is_idle() && !space_.is_asked;
}

std::vector<std::string> Server::control_addresses() const {
    std::vector<std::string> addresses;
    for (const ControlStream& stream : streams_) {
        if (stream.subscription != nullptr) {
            for (std::string& address : stream.subscription->local_socket_addresses()) {
                addresses.push_back(std::move(address));
            }
        }
    }
    return addresses;
}

}  // namespace fulmar::archive
