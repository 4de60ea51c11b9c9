// IPC publications: the log is shared between clients, the driver only links subscribers and keeps house.
#include <algorithm>
#include <utility>

#include "agent/conductor.h"
#include "layout/counter_keys.h"

namespace fulmar::agent {

using transport::IpcPublication;

IpcPublicationState* Conductor::find_shareable_ipc(const PendingAdd& add) {
    for (const auto& publication : ipc_publications_) {
        if (is_shareable(*publication, add) && publication->core->state() == IpcPublication::State::kActive) {
            return publication.get();
        }
    }
    return nullptr;
}

Status Conductor::create_ipc_publication(PendingAdd& add) {
    const std::int32_t term_length = add.params.term_length.value_or(options_.ipc_term_length);
    const std::int32_t asked_window =
        add.params.publication_window_length.value_or(options_.ipc_publication_window);
    const std::int32_t window = asked_window > 0 ? std::min(asked_window, term_length / 2) : term_length / 2;
    auto publication = std::make_unique<IpcPublicationState>();
    describe_publication(*publication, add);
    publication->mtu = add.params.mtu.value_or(options_.ipc_mtu);
    if (window < publication->mtu) {
        return fail(ErrorCode::kInvalidChannel,
            "pub-wnd=" + std::to_string(window) + " is less than mtu=" + std::to_string(publication->mtu));
    }
    publication->log = std::move(add.log);
    const layout::LogBuffer log = create_log(*publication, add, term_length, window, nullptr);

    transport::IpcPublicationCounters counters;
    counters.publisher_position = allocate_stream_counter(layout::counter_type::kPublisherPosition,
        publication->is_exclusive ? layout::counter_name::kPublisherPositionExclusive
                                  : layout::counter_name::kPublisherPositionConcurrent,
        *publication, publication->initial_position);
    counters.publisher_limit = allocate_stream_counter(layout::counter_type::kPublisherLimit,
        layout::counter_name::kPublisherLimit, *publication, publication->initial_position);
    publication->counter_ids = {counters.publisher_position.id(), counters.publisher_limit.id()};
    if (counters.publisher_limit.id() == layout::kNullCounterId) {
        free_counters(publication->counter_ids);
        add.log = std::move(publication->log);
        return fail(ErrorCode::kGeneric, "the counters file is full");
    }
    transport::IpcPublicationOptions options;
    options.registration_id = publication->registration_id;
    options.session_id = publication->session_id;
    options.stream_id = publication->stream_id;
    options.initial_position = publication->initial_position;
    options.term_window_length = window;
    options.is_exclusive = publication->is_exclusive;
    options.unblock_timeout = options_.publication_unblock_timeout;
    options.linger_timeout = add.params.linger.value_or(options_.publication_linger_timeout);
    publication->core = std::make_unique<IpcPublication>(options, log, counters, context_.system);
    count_mapped(publication->log);
    link_publication(add, nullptr, publication.get());
    answer_ipc(*publication);
    for (const auto& subscription : subscriptions_) {
        link_ipc_subscriber(*subscription, *publication);
    }
    ipc_publications_.push_back(std::move(publication));
    return Done{};
}

void Conductor::link_ipc_subscriber(SubscriptionState& subscription, IpcPublicationState& publication) {
    if (!subscription.params.is_ipc() || subscription.stream_id != publication.stream_id ||
        !subscription.wants_session(publication.session_id) ||
        publication.core->state() != IpcPublication::State::kActive || publication.is_rejected) {
        return;
    }
    const std::int64_t join = publication.core->join_position();
    const observe::Counter position =
        allocate_subscriber_position(subscription, publication.registration_id, publication.session_id, join);
    if (position.id() == layout::kNullCounterId || !publication.core->add_subscriber(position)) {
        std::vector<std::int32_t> ids{position.id()};
        free_counters(ids);
        log_error(ErrorCode::kGeneric,
            "an IPC publication takes no further subscriber: its limit or the counters file is full");
        return;
    }
    const SubscriberLink link{&subscription, nullptr, &publication, nullptr, position, subscription.tether};
    subscriber_links_.push_back(link);
    announce_image(link, publication.registration_id, publication.session_id, publication.stream_id,
        publication.log.path, kLocalSourceIdentity);
}

void Conductor::end_ipc_publication(IpcPublicationState& publication) {
    for (std::size_t i = subscriber_links_.size(); i-- > 0;) {
        if (subscriber_links_[i].ipc == &publication) {
            announce_image_end(subscriber_links_[i], publication.registration_id);
            unlink_subscriber(i);
        }
    }
}

int Conductor::reap_ipc_publications(Instant now) {
    int work = 0;
    for (std::size_t i = ipc_publications_.size(); i-- > 0;) {
        IpcPublicationState& publication = *ipc_publications_[i];
        publication.core->on_timer(now);
        if (publication.is_rejected && now >= publication.rejected_until) {
            publication.is_rejected = false;
            for (const auto& subscription : subscriptions_) {
                if (subscription->rejoin) {
                    link_ipc_subscriber(*subscription, publication);
                }
            }
            ++work;
        }
        const auto state = publication.core->state();
        if (!publication.announced_end &&
            (state == IpcPublication::State::kLinger || state == IpcPublication::State::kDone)) {
            publication.announced_end = true;
            end_ipc_publication(publication);
            ++work;
        }
        if (state == IpcPublication::State::kDone && publication.references == 0) {
            free_counters(publication.counter_ids);
            delete_log(publication.log);
            ipc_publications_.erase(ipc_publications_.begin() + static_cast<std::ptrdiff_t>(i));
            ++work;
        }
    }
    return work;
}

bool Conductor::reject_ipc(Instant now, const layout::RejectImage& command) {
    for (const auto& publication : ipc_publications_) {
        if (publication->registration_id != command.image_correlation_id) {
            continue;
        }
        layout::PublicationError error;
        error.registration_id = publication->registration_id;
        error.session_id = publication->session_id;
        error.stream_id = publication->stream_id;
        error.receiver_id = -1;  // There is none between processes of one host.
        error.source_address[0] = std::byte{127};
        error.source_address[3] = std::byte{1};
        error.error_code = static_cast<std::int32_t>(ErrorCode::kImageRejected);
        error.message = command.reason;
        events_.send(layout::EventType::kPublicationError, error);
        publication->is_rejected = true;
        publication->rejected_until = now + options_.image_liveness_timeout;
        end_ipc_publication(*publication);
        return true;
    }
    return false;
}

}  // namespace fulmar::agent
