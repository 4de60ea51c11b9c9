// Network publications: sharing, creating and ending them.
#include <algorithm>
#include <utility>

#include "agent/conductor.h"
#include "base/position.h"
#include "layout/counter_keys.h"
#include "layout/log_buffer.h"

namespace fulmar::agent {

using transport::NetworkPublication;

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
    if (!endpoint.has_group() || !is_held_back) {
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
    options.ttl = endpoint.ttl;
    options.group = endpoint.has_group();
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
