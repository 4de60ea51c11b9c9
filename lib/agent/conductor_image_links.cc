// Who reads which image: subscribers join and leave, and their clients hear of it.
#include <algorithm>

#include "agent/conductor.h"
#include "base/plant.h"

namespace fulmar::agent {

using transport::Image;

/// A newcomer starts with the slowest reader, but nowhere a reader's scribbled position could say.
std::int64_t Conductor::join_position(const ImageState& image) const {
    const std::int64_t newest = image.core->rebuild_position();
    const std::int64_t oldest = image.core->consumed_position();
    std::int64_t join = newest;
    for (const SubscriberLink& link : subscriber_links_) {
        if (link.image == &image && link.tether != SubscriberLink::Tether::kResting) {
            join = std::min(join, link.position.get_acquire());
        }
    }
    join = std::max(join, oldest);
    if (FULMAR_PLANTED(kJoinOffByOneFrame)) {
        join += wire::kFrameAlignment;
    }
    if (FULMAR_PLANTED(kJoinAtHighest)) {
        join = image.core->counters().receiver_hwm.get_acquire();
    }
    return join;
}

bool Conductor::link_image_subscriber(SubscriptionState& subscription, ImageState& image) {
    if (image.phase != ImageState::Phase::kActive || image.core->state() != Image::State::kActive) {
        return false;
    }
    const auto readers = std::count_if(subscriber_links_.begin(), subscriber_links_.end(),
        [&image](const SubscriberLink& link) { return link.image == &image; });
    if (static_cast<std::size_t>(readers) >= Image::kSubscribersMax) {
        log_error(ErrorCode::kGeneric, "an image takes no further subscriber: its limit is reached");
        return false;
    }
    const observe::Counter position = allocate_subscriber_position(
        subscription, image.correlation_id, image.session_id, join_position(image));
    if (position.id() == layout::kNullCounterId) {
        log_error(ErrorCode::kGeneric, "the counters file is full");
        return false;
    }
    const SubscriberLink link{&subscription, &image, nullptr, nullptr, position, subscription.tether};
    subscriber_links_.push_back(link);
    tell_receiver(ReceiverCommand::Kind::kAddSubscriber, link);
    announce_image(
        link, image.correlation_id, image.session_id, image.stream_id, image.log.path, image.source_identity);
    return true;
}

/// A command about one subscriber of an image.
void Conductor::tell_receiver(ReceiverCommand::Kind kind, const SubscriberLink& link) {
    ReceiverCommand command;
    command.kind = kind;
    command.endpoint = link.image->endpoint;
    command.image = link.image->core.get();
    command.position = link.position;
    to_receiver_.send(command);
}

void Conductor::announce_image(const SubscriberLink& link, std::int64_t image_id, std::int32_t session_id,
    std::int32_t stream_id, std::string_view path, std::string_view source) {
    events_.send(layout::EventType::kAvailableImage,
        layout::AvailableImage{image_id, session_id, stream_id, link.subscription->registration_id,
            link.position.id(), path, source});
}

void Conductor::announce_image_end(const SubscriberLink& link, std::int64_t image_id) {
    if (link.is_left_behind()) {
        return;  // It was told then.
    }
    events_.send(layout::EventType::kUnavailableImage,
        layout::UnavailableImage{image_id, link.subscription->registration_id, link.subscription->stream_id,
            link.subscription->channel});
}

void Conductor::unlink_image(const ImageState& image) {
    for (std::size_t i = subscriber_links_.size(); i-- > 0;) {
        if (subscriber_links_[i].image == &image) {
            announce_image_end(subscriber_links_[i], image.correlation_id);
            unlink_subscriber(i);
        }
    }
}

}  // namespace fulmar::agent
