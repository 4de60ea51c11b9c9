// Untethered subscriptions: one that lags behind for too long is told that its image is over; a while later
// it holds nobody back any more; and after a rest it comes back where the others are.
#include <algorithm>

#include "agent/conductor.h"

namespace fulmar::agent {

using Tether = SubscriberLink::Tether;

namespace {

/// Whoever has not read beyond here keeps the sender to a last quarter of its window. source: Aeron.
constexpr std::int64_t lag_limit(std::int64_t furthest, std::int32_t window) {
    return furthest - window + window / 4;
}

}  // namespace

UntetheredTimeouts Conductor::untethered_timeouts(const config::ChannelParams& params) const {
    UntetheredTimeouts timeouts;
    timeouts.window_limit =
        params.untethered_window_limit_timeout.value_or(options_.untethered_window_limit_timeout);
    timeouts.linger = params.untethered_linger_timeout.value_or(
        options_.untethered_linger_timeout.value_or(timeouts.window_limit));
    timeouts.resting = params.untethered_resting_timeout.value_or(options_.untethered_resting_timeout);
    return timeouts;
}

/// What a link reads: how it ends, and what may lag behind it.
struct Conductor::ReadStream {
    bool is_active = false;
    std::int64_t id = 0;
    std::int64_t lag_limit = 0;
    UntetheredTimeouts timeouts;
};

Conductor::ReadStream Conductor::stream_of(const SubscriberLink& link) const {
    if (link.ipc != nullptr) {
        const transport::IpcPublication& core = *link.ipc->core;
        return {core.state() == transport::IpcPublication::State::kActive, link.ipc->registration_id,
            lag_limit(core.furthest_position(), core.options().term_window_length),
            untethered_timeouts(link.ipc->params)};
    }
    if (link.spied != nullptr) {
        const transport::NetworkPublication& core = *link.spied->core;
        return {core.state() == transport::NetworkPublication::State::kActive, link.spied->registration_id,
            lag_limit(core.sender_position(), core.options().term_window_length),
            untethered_timeouts(link.spied->params)};
    }
    const ImageState& image = *link.image;
    std::int64_t furthest = image.core->consumed_position();
    for (const SubscriberLink& other : subscriber_links_) {
        if (other.image == &image && other.tether != Tether::kResting) {
            furthest =
                std::max(furthest, std::min(other.position.get_acquire(), image.core->rebuild_position()));
        }
    }
    return {
        image.phase == ImageState::Phase::kActive && image.core->state() == transport::Image::State::kActive,
        image.correlation_id, lag_limit(furthest, image.core->options().window_length), image.untethered};
}

void Conductor::check_untethered(Instant now) {
    for (std::size_t i = subscriber_links_.size(); i-- > 0;) {
        SubscriberLink& link = subscriber_links_[i];
        if (link.tether == Tether::kTethered) {
            continue;
        }
        const ReadStream stream = stream_of(link);
        const auto is_over = [&](Duration timeout) { return now - link.tether_since >= timeout; };
        switch (link.tether) {
            case Tether::kTethered: break;
            case Tether::kActive:
                if (!link.is_watched || link.position.get_acquire() > stream.lag_limit) {
                    link.is_watched = true;
                    link.tether_since = now;
                } else if (is_over(stream.timeouts.window_limit)) {
                    announce_image_end(link, stream.id);
                    link.tether = Tether::kLinger;
                    link.tether_since = now;
                }
                break;
            case Tether::kLinger:
                if (!is_over(stream.timeouts.linger)) {
                    break;
                }
                if (!link.subscription->rejoin) {
                    unlink_subscriber(i);
                    break;
                }
                rest(link);
                link.tether = Tether::kResting;
                link.tether_since = now;
                break;
            case Tether::kResting:
                // A stream that ends takes nobody back, but gets rid of who lags as before.
                if (stream.is_active && is_over(stream.timeouts.resting) && come_back(link)) {
                    link.tether = Tether::kActive;
                    link.tether_since = now;
                }
                break;
        }
    }
}

/// Its position counts for nothing from here on.
void Conductor::rest(const SubscriberLink& link) {
    if (link.ipc != nullptr) {
        link.ipc->core->remove_subscriber(link.position.id());
    } else if (link.spied != nullptr) {
        link.spied->core->remove_spy(link.position.id());
    } else {
        tell_receiver(ReceiverCommand::Kind::kRestSubscriber, link);
    }
}

/// Where the others are, but not where it has been before. False: there is no room for it at the moment.
bool Conductor::come_back(const SubscriberLink& link) {
    const auto set_position = [&link](std::int64_t join, std::int64_t furthest) {
        link.position.set_release(std::clamp(link.position.get_acquire(), join, std::max(join, furthest)));
    };
    if (link.ipc != nullptr) {
        IpcPublicationState& publication = *link.ipc;
        set_position(publication.core->join_position(), publication.core->furthest_position());
        if (!publication.core->add_subscriber(link.position)) {
            return false;
        }
        announce_image(link, publication.registration_id, publication.session_id, publication.stream_id,
            publication.log.path, kLocalSourceIdentity);
    } else if (link.spied != nullptr) {
        NetworkPublicationState& publication = *link.spied;
        link.position.set_release(publication.core->sender_position());
        if (!publication.core->add_spy(link.position)) {
            return false;
        }
        announce_image(link, publication.registration_id, publication.session_id, publication.stream_id,
            publication.log.path, kLocalSourceIdentity);
    } else {
        const ImageState& image = *link.image;
        set_position(join_position(image), image.core->rebuild_position());
        tell_receiver(ReceiverCommand::Kind::kAddSubscriber, link);
        announce_image(link, image.correlation_id, image.session_id, image.stream_id, image.log.path,
            image.source_identity);
    }
    return true;
}

}  // namespace fulmar::agent
