// What both kinds of publication share.
#include <algorithm>

#include "agent/conductor.h"
#include "base/position.h"
#include "layout/counter_keys.h"
#include "layout/log_buffer.h"

namespace fulmar::agent {

using transport::NetworkPublication;

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
    const UntetheredTimeouts untethered = untethered_timeouts(add.params);
    metadata.untethered_window_limit_timeout_ns = untethered.window_limit.ns;
    metadata.untethered_linger_timeout_ns = untethered.linger.ns;
    metadata.untethered_resting_timeout_ns = untethered.resting.ns;
    metadata.sparse = add.params.sparse.value_or(options_.sparse_terms);
    metadata.signal_eos = add.params.eos.value_or(true);
    metadata.spies_simulate_connection = spies_simulate_connection(add);
    metadata.response_correlation_id = add.params.response_correlation_id.value_or(-1);
    metadata.is_response = add.params.is_response() && !add.params.is_ipc();
    if (add.params.tags && add.params.tags->entity) {
        metadata.entity_tag = *add.params.tags->entity;
    }
    if (endpoint != nullptr) {
        metadata.group = endpoint->has_group();
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

}  // namespace fulmar::agent
