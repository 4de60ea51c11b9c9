// Spies: subscriptions that read the log of a network publication of this driver, without the network.
#include <algorithm>
#include <utility>

#include "agent/conductor.h"

namespace fulmar::agent {

Result<Conductor::Step> Conductor::step_spy(PendingAdd& add) {
    if (add.params.is_ipc()) {
        return fail(ErrorCode::kInvalidChannel,
            "aeron-spy: listens to aeron:udp publications; aeron:ipc is subscribed without it");
    }
    FULMAR_TRY(resolved, resolve_addresses(add));
    if (!resolved) {
        return Step::kWait;
    }
    create_subscription(add, nullptr);
    return Step::kDone;
}

void Conductor::link_spy(SubscriptionState& subscription, NetworkPublicationState& publication) {
    const auto& tags = subscription.params.tags;
    const ChannelEndpoint& endpoint = *publication.endpoint;
    const bool is_meant = (tags && tags->channel && tags->channel == endpoint.identity.tag) ||
                          subscription.spied_channel == endpoint.canonical;
    if (!subscription.params.is_spy || !is_meant || subscription.stream_id != publication.stream_id ||
        !subscription.wants_session(publication.session_id) || !publication.core->takes_spies()) {
        return;
    }
    const std::int64_t join = publication.core->sender_position();
    const observe::Counter position =
        allocate_subscriber_position(subscription, publication.registration_id, publication.session_id, join);
    if (position.id() == layout::kNullCounterId || !publication.core->add_spy(position)) {
        std::vector<std::int32_t> ids{position.id()};
        free_counters(ids);
        log_error(ErrorCode::kGeneric,
            "a publication takes no further spy: its limit is reached or the counters file is full");
        return;
    }
    const SubscriberLink link{&subscription, nullptr, nullptr, &publication, position, subscription.tether};
    subscriber_links_.push_back(link);
    announce_image(link, publication.registration_id, publication.session_id, publication.stream_id,
        publication.log.path, kLocalSourceIdentity);
}

void Conductor::end_spies(NetworkPublicationState& publication) {
    for (std::size_t i = subscriber_links_.size(); i-- > 0;) {
        if (subscriber_links_[i].spied == &publication) {
            announce_image_end(subscriber_links_[i], publication.registration_id);
            unlink_subscriber(i);
        }
    }
}

}  // namespace fulmar::agent
