// Clients, their liveness and their counters; and the allocation of counters and logs for everybody.
#include <algorithm>
#include <utility>

#include "agent/conductor.h"
#include "base/plant.h"
#include "layout/counter_keys.h"

namespace fulmar::agent {

// ---- clients ---------------------------------------------------------------------------------------

ClientState* Conductor::find_client(std::int64_t client_id) {
    for (const auto& client : clients_) {
        if (client->id == client_id && !client->closed) {
            return client.get();
        }
    }
    return nullptr;
}

Result<ClientState*> Conductor::client_for(std::int64_t client_id) {
    if (ClientState* known = find_client(client_id)) {
        return known;
    }
    if (clients_.size() >= kClientsMax) {
        return fail(ErrorCode::kGeneric,
            "the driver holds its maximum of " + std::to_string(kClientsMax) + " clients");
    }
    const layout::CounterKey key = layout::client_heartbeat_key(client_id);
    const layout::CounterLabel label = layout::client_heartbeat_label(client_id);
    const observe::Counter heartbeat = allocate_counter({layout::counter_type::kClientHeartbeat, key.span(),
        label.view(), client_id, client_id, 0, epoch_ms()});
    if (heartbeat.id() == layout::kNullCounterId) {
        return fail(ErrorCode::kGeneric, "the counters file is full");
    }
    auto client = std::make_unique<ClientState>();
    client->id = client_id;
    client->heartbeat = heartbeat;
    clients_.push_back(std::move(client));
    events_.send(layout::EventType::kCounterReady, layout::CounterEvent{client_id, heartbeat.id()});
    return clients_.back().get();
}

void Conductor::on_keepalive(std::int64_t client_id) {
    if (ClientState* client = find_client(client_id)) {
        client->heartbeat.set_release(epoch_ms());
    }
}

void Conductor::on_client_close(std::int64_t client_id) {
    if (ClientState* client = find_client(client_id)) {
        client->heartbeat.set_release(0);
        client->closed = true;
    }
}

void Conductor::check_clients(Instant now) {
    const std::int64_t now_ms = epoch_ms();
    const std::int64_t timeout_ms = options_.client_liveness_timeout.ns / milliseconds(1).ns;
    for (std::size_t i = clients_.size(); i-- > 0;) {
        ClientState& client = *clients_[i];
        // The heartbeat is the client's to write, so it may be any number.
        const std::int64_t heard_ms = std::clamp(
            client.heartbeat.get_acquire(), liveness_floor_ms_, std::max(now_ms, liveness_floor_ms_));
        const bool busy = add_ && add_->client_id == client.id;
        if (client.closed || busy || now_ms - heard_ms <= timeout_ms ||
            FULMAR_PLANTED(kClientNeverTimesOut)) {
            continue;
        }
        context_.system[layout::SystemCounter::kClientTimeouts].increment_relaxed();
        events_.send(layout::EventType::kClientTimeout, layout::ClientTimeout{client.id});
        release_client(now, client);
        clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

void Conductor::release_client(Instant now, ClientState& client) {
    for (std::size_t i = publication_links_.size(); i-- > 0;) {
        if (publication_links_[i].client_id == client.id) {
            const PublicationLink link = publication_links_[i];
            publication_links_.erase(publication_links_.begin() + static_cast<std::ptrdiff_t>(i));
            unlink_publication(now, link, false);
        }
    }
    for (std::size_t i = subscriptions_.size(); i-- > 0;) {
        if (subscriptions_[i]->client_id == client.id) {
            remove_subscription(i);
        }
    }
    for (std::size_t i = counters_.size(); i-- > 0;) {
        if (counters_[i].client_id == client.id) {
            context_.counters->free(counters_[i].counter_id, epoch_ms());
            events_.unavailable_counter(counters_[i].registration_id, counters_[i].counter_id);
            counters_.erase(counters_.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    context_.counters->free(client.heartbeat.id(), epoch_ms());
    events_.unavailable_counter(client.id, client.heartbeat.id());
}

// ---- clients' counters -----------------------------------------------------------------------------

void Conductor::on_add_counter(const layout::AddCounter& command) {
    auto client = client_for(command.client_id);
    if (!client) {
        refuse(command.correlation_id, client.error());
        return;
    }
    if (counters_.size() >= kClientCountersMax) {
        refuse(command.correlation_id, ErrorCode::kGeneric,
            "the driver holds its maximum of " + std::to_string(kClientCountersMax) + " client counters");
        return;
    }
    const observe::Counter counter = allocate_counter(
        {command.type_id, command.key, command.label, command.correlation_id, command.client_id, 0, 0});
    if (counter.id() == layout::kNullCounterId) {
        refuse(command.correlation_id, ErrorCode::kGeneric, "the counters file is full");
        return;
    }
    counters_.push_back({command.correlation_id, command.client_id, counter.id(), command.type_id});
    events_.send(
        layout::EventType::kCounterReady, layout::CounterEvent{command.correlation_id, counter.id()});
}

void Conductor::on_add_static_counter(const layout::AddStaticCounter& command) {
    auto client = client_for(command.client_id);
    if (!client) {
        refuse(command.correlation_id, client.error());
        return;
    }
    const auto announce = [&](std::int32_t counter_id) {
        events_.send(
            layout::EventType::kStaticCounter, layout::CounterEvent{command.correlation_id, counter_id});
    };
    for (const CounterState& known : counters_) {
        if (known.type_id != command.type_id || known.registration_id != command.registration_id) {
            continue;
        }
        if (known.client_id != kNullClientId) {
            refuse(command.correlation_id, ErrorCode::kGeneric,
                "a counter that belongs to a client exists with the same type and registration id");
            return;
        }
        announce(known.counter_id);
        return;
    }
    const bool room = counters_.size() < kClientCountersMax;
    const observe::Counter counter = room ? allocate_counter({command.type_id, command.key, command.label,
                                                command.registration_id, kNullClientId, 0, 0})
                                          : observe::Counter();
    if (counter.id() == layout::kNullCounterId) {
        refuse(command.correlation_id, ErrorCode::kGeneric, "the counters file or the counter table is full");
        return;
    }
    counters_.push_back({command.registration_id, kNullClientId, counter.id(), command.type_id});
    announce(counter.id());
}

void Conductor::on_remove_counter(const layout::RemoveResource& command) {
    const auto counter = std::find_if(counters_.begin(), counters_.end(), [&](const CounterState& candidate) {
        return candidate.registration_id == command.registration_id &&
               candidate.client_id == command.client_id;
    });
    if (counter == counters_.end()) {
        refuse(command.correlation_id, ErrorCode::kUnknownCounter,
            "remove counter: this client has no counter of that registration id");
        return;
    }
    events_.operation_success(command.correlation_id);
    context_.counters->free(counter->counter_id, epoch_ms());
    events_.unavailable_counter(counter->registration_id, counter->counter_id);
    counters_.erase(counter);
}

// ---- for everybody ---------------------------------------------------------------------------------

observe::Counter Conductor::allocate_counter(const observe::CountersManager::Spec& spec) {
    return context_.counters->allocate(spec, epoch_ms());
}

void Conductor::free_counters(std::vector<std::int32_t>& ids) {
    for (const std::int32_t id : ids) {
        if (id != layout::kNullCounterId) {
            context_.counters->free(id, epoch_ms());
        }
    }
    ids.clear();
}

std::string Conductor::log_path(std::string_view folder, std::int64_t id) const {
    std::string path = log_root_;
    path += '/';
    path += folder;
    path += '/';
    path += std::to_string(id);
    path += ".logbuffer";
    return path;
}

void Conductor::delete_log(LogFile& log) {
    if (log.path.empty()) {
        return;
    }
    if (log.is_counted) {
        context_.system[layout::SystemCounter::kBytesCurrentlyMapped].increment_relaxed(
            -static_cast<std::int64_t>(log.mapping->bytes().size()));
    }
    auto task = std::make_unique<ResourceTask>();
    task->kind = ResourceTask::Kind::kDeleteLog;
    task->path = std::move(log.path);
    task->mapping = std::move(log.mapping);
    log.path.clear();
    (void)resources_.submit(std::move(task));
}

void Conductor::count_mapped(LogFile& log) {
    context_.system[layout::SystemCounter::kBytesCurrentlyMapped].increment_relaxed(
        static_cast<std::int64_t>(log.mapping->bytes().size()));
    log.is_counted = true;
}

}  // namespace fulmar::agent
