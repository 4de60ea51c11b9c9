// Network publications, and what both kinds of publication share.
#include <algorithm>
#include <utility>

#include "agent/conductor.h"
#include "base/position.h"
#include "layout/counter_keys.h"
#include "layout/log_buffer.h"

namespace fulmar::agent {

using transport::NetworkPublication;

// ---- both kinds ------------------------------------------------------------------------------------

bool Conductor::session_in_use(
    const SendChannelEndpoint* endpoint, std::int32_t stream_id, std::int32_t session_id) const {
    const auto same = [&](const PublicationState& publication) {
        return publication.stream_id == stream_id && publication.session_id == session_id;
    };
    if (endpoint == nullptr) {
        // One that lingers has no readers left to confuse.
        const auto is_open = [](const transport::IpcPublication& core) {
            return core.state() == transport::IpcPublication::State::kActive ||
                   core.state() == transport::IpcPublication::State::kDraining;
        };
        return std::any_of(ipc_publications_.begin(), ipc_publications_.end(),
            [&](const auto& publication) { return same(*publication) && is_open(*publication->core); });
    }
    return std::any_of(publications_.begin(), publications_.end(),
        [&](const auto& publication) { return publication->endpoint == endpoint && same(*publication); });
}

Status Conductor::choose_session(PendingAdd& add, const SendChannelEndpoint* endpoint) {
    if (add.session_chosen) {
        return Done{};
    }
    const auto in_use = [&](std::int32_t id) { return session_in_use(endpoint, add.stream_id, id); };
    if (!add.params.session_id) {
        add.session_id = session_ids_.take(in_use);
    } else if (in_use(*add.params.session_id)) {
        return fail(
            ErrorCode::kInvalidChannel, "session-id=" + std::to_string(*add.params.session_id) +
                                            " is in use by a publication on the same channel and stream");
    } else {
        add.session_id = *add.params.session_id;
    }
    add.session_chosen = true;
    return Done{};
}

Status Conductor::check_match(
    const PublicationState& publication, const PendingAdd& add, std::int32_t term_length) {
    const auto differs = [](const char* key, std::int64_t existing, std::int64_t requested) {
        return fail(ErrorCode::kInvalidChannel, std::string("existing publication has different '") + key +
                                                    "': existing=" + std::to_string(existing) +
                                                    " requested=" + std::to_string(requested));
    };
    const config::ChannelParams& asked = add.params;
    if (asked.session_id && *asked.session_id != publication.session_id) {
        return differs("session-id", publication.session_id, *asked.session_id);
    }
    if (asked.mtu && *asked.mtu != publication.mtu) {
        return differs("mtu", publication.mtu, *asked.mtu);
    }
    if (asked.term_length && *asked.term_length != term_length) {
        return differs("term-length", term_length, *asked.term_length);
    }
    if (!asked.initial_position) {
        return Done{};
    }
    const int shift = base::term_length_shift(term_length);
    if (asked.initial_position->initial_term_id != publication.initial_term_id) {
        return differs("init-term-id", publication.initial_term_id, asked.initial_position->initial_term_id);
    }
    const std::int64_t position = base::compute_position(asked.initial_position->term_id,
        asked.initial_position->term_offset, shift, publication.initial_term_id);
    if (position != publication.initial_position) {
        return differs("term-id/term-offset", publication.initial_position, position);
    }
    return Done{};
}

void Conductor::describe_publication(PublicationState& publication, const PendingAdd& add) {
    publication.channel = add.channel;
    publication.params = add.params;
    publication.registration_id = add.correlation_id;
    publication.client_id = add.client_id;
    publication.stream_id = add.stream_id;
    publication.session_id = add.session_id;
    publication.is_exclusive = add.is_exclusive();
    publication.initial_term_id = add.params.initial_position ? add.params.initial_position->initial_term_id
                                                              : static_cast<std::int32_t>(prng_.next());
}

layout::LogBuffer Conductor::create_log(PublicationState& publication, const PendingAdd& add,
    std::int32_t term_length, std::int32_t window, const SendChannelEndpoint* endpoint) const {
    layout::LogMetadata metadata;
    metadata.correlation_id = publication.registration_id;
    metadata.initial_term_id = publication.initial_term_id;
    metadata.mtu = publication.mtu;
    metadata.term_length = term_length;
    metadata.page_size = options_.log_page_size;
    metadata.publication_window_length = window;
    metadata.session_id = publication.session_id;
    metadata.stream_id = publication.stream_id;
    // What only readers are asked about is off in a publication's log.
    metadata.rejoin = false;
    metadata.reliable = false;
    metadata.tether = false;
    metadata.max_resend = add.params.max_resend.value_or(options_.retransmits_max);
    metadata.linger_timeout_ns = add.params.linger.value_or(options_.publication_linger_timeout).ns;
    const Duration untethered =
        add.params.untethered_window_limit_timeout.value_or(options_.untethered_window_limit_timeout);
    metadata.untethered_window_limit_timeout_ns = untethered.ns;
    metadata.untethered_linger_timeout_ns =
        add.params.untethered_linger_timeout.value_or(options_.untethered_linger_timeout).ns;
    metadata.untethered_resting_timeout_ns =
        add.params.untethered_resting_timeout.value_or(options_.untethered_resting_timeout).ns;
    metadata.sparse = add.params.sparse.value_or(options_.sparse_terms);
    metadata.signal_eos = add.params.eos.value_or(true);
    metadata.spies_simulate_connection = spies_simulate_connection(add);
    metadata.response_correlation_id = add.params.response_correlation_id.value_or(-1);
    metadata.is_response = add.params.is_response() && !add.params.is_ipc();
    if (add.params.tags && add.params.tags->entity) {
        metadata.entity_tag = *add.params.tags->entity;
    }
    if (endpoint != nullptr) {
        metadata.group = endpoint->destinations != nullptr;
        describe_socket_buffers(*endpoint, *endpoint->transport.binding, metadata);
    }
    metadata.type = publication.is_exclusive ? layout::LogType::kExclusivePublication
                                             : layout::LogType::kConcurrentPublication;
    auto log = layout::LogBuffer::create(publication.log.mapping->bytes(), metadata);
    const auto& start = add.params.initial_position;
    const std::int32_t term_id = start ? start->term_id : publication.initial_term_id;
    const std::int32_t offset = start ? start->term_offset : 0;
    log.init_tails(term_id, offset);
    publication.initial_position =
        base::compute_position(term_id, offset, log.shift(), publication.initial_term_id);
    return log;
}

observe::Counter Conductor::allocate_stream_counter(std::int32_t type_id, std::string_view name,
    const PublicationState& publication, std::int64_t initial_value) {
    const layout::CounterKey key = layout::stream_counter_key(
        publication.registration_id, publication.session_id, publication.stream_id, publication.channel);
    const layout::CounterLabel label = layout::stream_counter_label(name, publication.registration_id,
        publication.session_id, publication.stream_id, publication.channel);
    return allocate_counter({type_id, key.span(), label.view(), publication.registration_id,
        publication.client_id, 0, initial_value});
}

void Conductor::link_publication(
    const PendingAdd& add, NetworkPublicationState* network, IpcPublicationState* ipc) {
    const PublicationLink link{add.correlation_id, add.client_id, network, ipc};
    publication_links_.push_back(link);
    if (network != nullptr) {
        ++network->references;
        announce_publication(
            link, *network, network->core->counters().publisher_limit.id(), network->endpoint->status.id());
    } else {
        ++ipc->references;
        announce_publication(link, *ipc, ipc->core->counters().publisher_limit.id(), layout::kNullCounterId);
    }
}

void Conductor::announce_publication(const PublicationLink& link, const PublicationState& publication,
    std::int32_t limit_counter_id, std::int32_t channel_status_id) {
    events_.send(publication.is_exclusive ? layout::EventType::kExclusivePublicationReady
                                          : layout::EventType::kPublicationReady,
        layout::PublicationReady{link.registration_id, publication.registration_id, publication.session_id,
            publication.stream_id, limit_counter_id, channel_status_id, publication.log.path});
}

void Conductor::on_remove_publication(Instant now, const layout::RemovePublication& command) {
    const auto link = std::find_if(
        publication_links_.begin(), publication_links_.end(), [&](const PublicationLink& candidate) {
            return candidate.registration_id == command.registration_id &&
                   candidate.client_id == command.client_id;
        });
    if (link == publication_links_.end()) {
        refuse(command.correlation_id, ErrorCode::kUnknownPublication,
            "remove publication: this client has no publication of that registration id");
        return;
    }
    const PublicationLink removed = *link;
    publication_links_.erase(link);
    events_.operation_success(command.correlation_id);
    unlink_publication(now, removed, (command.flags & layout::kRemovePublicationFlagRevoke) != 0);
}

void Conductor::unlink_publication(Instant now, const PublicationLink& link, bool revoke) {
    const auto release = [&](auto& publication) {
        if (--publication.references > 0) {
            return;
        }
        if (revoke && publication.is_exclusive) {
            publication.core->revoke(now);
        } else {
            publication.core->close(now);
        }
    };
    if (link.network != nullptr) {
        release(*link.network);
    } else {
        release(*link.ipc);
    }
}

// ---- network ---------------------------------------------------------------------------------------

bool Conductor::is_shareable(const PublicationState& publication, const PendingAdd& add) {
    return publication.stream_id == add.stream_id && !publication.is_exclusive &&
           publication.params.response_correlation_id == add.params.response_correlation_id;
}

NetworkPublicationState* Conductor::find_shareable(
    const SendChannelEndpoint& endpoint, const PendingAdd& add) {
    for (const auto& publication : publications_) {
        if (publication->endpoint == &endpoint && is_shareable(*publication, add) &&
            publication->core->state() == NetworkPublication::State::kActive) {
            return publication.get();
        }
    }
    return nullptr;
}

bool Conductor::spies_simulate_connection(const PendingAdd& add) const {
    return add.params.spies_simulate_connection.value_or(options_.spies_simulate_connection);
}

Status Conductor::check_simulation(const NetworkPublicationState& shared, const PendingAdd& add) const {
    const bool existing = shared.core->options().spies_simulate_connection;
    if (existing == spies_simulate_connection(add)) {
        return Done{};
    }
    return fail(ErrorCode::kInvalidChannel,
        std::string("existing publication has different 'ssc': existing=") + (existing ? "true" : "false"));
}

/// A prototype only holds a place, for those that answer images from the same address.
std::int32_t Conductor::network_term_length(const PendingAdd& add) const {
    const bool is_prototype = add.params.is_response() &&
                              add.params.response_correlation_id == config::ChannelParams::kResponsePrototype;
    return is_prototype ? wire::kTermLengthMin : add.params.term_length.value_or(options_.term_length);
}

Status Conductor::allocate_network_counters(NetworkPublicationState& publication,
    transport::NetworkPublicationCounters& counters, bool has_group_flow_control) {
    namespace type = layout::counter_type;
    namespace name = layout::counter_name;
    const std::int64_t start = publication.initial_position;
    const auto allocate = [&](std::int32_t type_id, std::string_view text, std::int64_t value) {
        const observe::Counter counter = allocate_stream_counter(type_id, text, publication, value);
        publication.counter_ids.push_back(counter.id());
        return counter;
    };
    counters.publisher_position = allocate(type::kPublisherPosition,
        publication.is_exclusive ? name::kPublisherPositionExclusive : name::kPublisherPositionConcurrent,
        start);
    counters.publisher_limit = allocate(type::kPublisherLimit, name::kPublisherLimit, start);
    counters.sender_position = allocate(type::kSenderPosition, name::kSenderPosition, start);
    counters.sender_limit = allocate(type::kSenderLimit, name::kSenderLimit, start);
    counters.sender_back_pressure = allocate(type::kSenderBackPressure, name::kSenderBackPressure, 0);
    counters.naks_received = allocate(type::kSenderNaksReceived, name::kSenderNaksReceived, 0);
    if (has_group_flow_control) {
        counters.group_receivers = allocate(type::kFlowControlReceivers, name::kFlowControlReceivers, 0);
    }
    const auto& ids = publication.counter_ids;
    if (std::find(ids.begin(), ids.end(), layout::kNullCounterId) != ids.end()) {
        free_counters(publication.counter_ids);
        return fail(ErrorCode::kGeneric, "the counters file is full");
    }
    return Done{};
}

std::optional<transport::GroupFlowControl::Options> Conductor::group_flow_control(
    const PendingAdd& add, const SendChannelEndpoint& endpoint) const {
    const config::FlowControl& asked = add.params.flow_control;
    const bool is_held_back =
        asked.kind == config::FlowControlKind::kMin || asked.kind == config::FlowControlKind::kTagged;
    if (endpoint.destinations == nullptr || !is_held_back) {
        return std::nullopt;  // one receiver decides for itself
    }
    transport::GroupFlowControl::Options options;
    if (asked.kind == config::FlowControlKind::kTagged) {
        options.tag = asked.group_tag.value_or(-1);
    }
    options.size_min = asked.group_min_size.value_or(0);
    options.receiver_timeout = asked.receiver_timeout.value_or(options_.flow_control_receiver_timeout);
    return options;
}

Status Conductor::create_network_publication(Instant now, PendingAdd& add, SendChannelEndpoint& endpoint) {
    const std::int32_t term_length = network_term_length(add);
    const std::int32_t mtu = add.params.mtu.value_or(options_.mtu);
    if (mtu > endpoint.mtu_max) {
        return fail(ErrorCode::kInvalidChannel,
            "mtu=" + std::to_string(mtu) + " exceeds what the port carries: at most " +
                std::to_string(endpoint.mtu_max / wire::kFrameAlignment * wire::kFrameAlignment));
    }
    const std::int32_t asked_window =
        add.params.publication_window_length.value_or(options_.publication_window);
    const std::int32_t window = asked_window > 0 ? std::min(asked_window, term_length / 2) : term_length / 2;
    if (window < mtu) {
        return fail(ErrorCode::kInvalidChannel,
            "pub-wnd=" + std::to_string(window) + " is less than mtu=" + std::to_string(mtu));
    }
    auto publication = std::make_unique<NetworkPublicationState>();
    describe_publication(*publication, add);
    publication->mtu = mtu;
    publication->endpoint = &endpoint;
    publication->log = std::move(add.log);
    const layout::LogBuffer log = create_log(*publication, add, term_length, window, &endpoint);

    auto group = group_flow_control(add, endpoint);
    transport::NetworkPublicationCounters counters;
    if (auto allocated = allocate_network_counters(*publication, counters, group.has_value()); !allocated) {
        add.log = std::move(publication->log);
        return allocated;
    }
    transport::NetworkPublicationOptions options;
    options.registration_id = publication->registration_id;
    options.session_id = publication->session_id;
    options.stream_id = publication->stream_id;
    options.initial_term_id = publication->initial_term_id;
    options.mtu = mtu;
    options.ttl = 0;
    options.group = endpoint.destinations != nullptr;
    if (group) {
        group->receivers = counters.group_receivers;
        options.group_flow_control = group;
    }
    options.is_response = add.params.is_response();
    options.response_correlation_id = add.params.response_correlation_id.value_or(-1);
    options.requests_response = !options.is_response && add.params.response_correlation_id.has_value();
    options.initial_position = publication->initial_position;
    options.term_window_length = window;
    options.flow_window_max = term_length / 2;
    options.is_exclusive = publication->is_exclusive;
    options.signal_eos = add.params.eos.value_or(true);
    options.spies_simulate_connection = spies_simulate_connection(add);
    options.setup_interval = options_.setup_interval;
    options.heartbeat_interval = options_.heartbeat_interval;
    options.connection_timeout = options_.publication_connection_timeout;
    options.unblock_timeout = options_.publication_unblock_timeout;
    options.linger_timeout = add.params.linger.value_or(options_.publication_linger_timeout);
    options.retransmit.slots =
        static_cast<std::size_t>(add.params.max_resend.value_or(options_.retransmits_max));
    options.retransmit.delay = options_.retransmit_delay;
    options.retransmit.linger = options_.retransmit_linger;
    options.packets_per_send = static_cast<std::size_t>(options_.packets_per_send);
    options.binding = endpoint.transport.binding.get();
    options.destination = endpoint.destination;
    publication->core = std::make_unique<NetworkPublication>(options, log, counters, context_.system);
    count_mapped(publication->log);
    ++endpoint.references;
    SenderCommand command;
    command.kind = SenderCommand::Kind::kAddPublication;
    command.endpoint = &endpoint;
    command.publication = publication->core.get();
    to_sender_.send(command);
    link_publication(add, publication.get(), nullptr);
    answer_image(*publication);
    for (const auto& subscription : subscriptions_) {
        link_spy(*subscription, *publication);
    }
    publications_.push_back(std::move(publication));
    (void)now;
    return Done{};
}

void Conductor::remove_from_sender(NetworkPublicationState& publication) {
    publication.removing = true;
    SenderCommand command;
    command.kind = SenderCommand::Kind::kRemovePublication;
    command.endpoint = publication.endpoint;
    command.publication = publication.core.get();
    to_sender_.send(command);
}

int Conductor::reap_network_publications(Instant now) {
    int work = 0;
    for (std::size_t i = publications_.size(); i-- > 0;) {
        NetworkPublicationState& publication = *publications_[i];
        publication.core->on_timer(now);
        const auto state = publication.core->state();
        if (!publication.announced_end &&
            (state == NetworkPublication::State::kLinger || state == NetworkPublication::State::kDone)) {
            publication.announced_end = true;
            end_spies(publication);
            ++work;
        }
        if (state == NetworkPublication::State::kDone && !publication.removing) {
            remove_from_sender(publication);
            ++work;
        }
        // SYNC(publication.released): acquire; pairs with the sender's release after removal.
        if (!publication.removing || !publication.core->released_by_sender.load(std::memory_order_acquire)) {
            continue;
        }
        free_counters(publication.counter_ids);
        delete_log(publication.log);
        --publication.endpoint->references;
        publications_.erase(publications_.begin() + static_cast<std::ptrdiff_t>(i));
        ++work;
    }
    return work;
}

}  // namespace fulmar::agent
