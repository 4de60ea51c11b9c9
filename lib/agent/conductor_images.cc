// Images: created on a SETUP, linked to subscriptions, and let go when the receiver is done with them.
#include <algorithm>
#include <utility>

#include "agent/conductor.h"
#include "base/plant.h"
#include "base/position.h"
#include "layout/counter_keys.h"
#include "layout/log_buffer.h"

namespace fulmar::agent {

using transport::Image;

namespace {

/// How a channel's nak-delay stretches to repeats. source: Aeron's unicast retry ratio.
constexpr std::int64_t kNakRetryRatio = 100;
constexpr Duration kNakDelayMin = microseconds(1);

/// Receive windows where nobody chose one. A socket's buffer bounds what may be under way, as Aeron's
/// default says; behind a device there is none, and half of a small term or this is right.
constexpr std::int32_t kSocketWindow = 128 * 1024;
constexpr std::int32_t kDeviceWindow = 2 * 1024 * 1024;

}  // namespace

const SubscriptionState* Conductor::matching_subscription(
    const ReceiveChannelEndpoint& endpoint, std::int32_t stream_id, std::int32_t session_id) const {
    for (const auto& subscription : subscriptions_) {
        if (subscription->endpoint == &endpoint && subscription->stream_id == stream_id &&
            subscription->wants_session(session_id)) {
            return subscription.get();
        }
    }
    return nullptr;
}

void Conductor::fail_image(ReceiveChannelEndpoint& endpoint, const wire::Setup& setup) {
    ReceiverCommand command;
    command.kind = ReceiverCommand::Kind::kImageFailed;
    command.endpoint = &endpoint;
    command.stream_id = setup.stream_id;
    command.session_id = setup.session_id;
    to_receiver_.send(command);
}

Status Conductor::check_image(const ImageRequest& request, std::int32_t& window) const {
    const wire::Setup& setup = request.setup;
    const SubscriptionState* subscription =
        matching_subscription(receive_endpoint_of(*request.transport), setup.stream_id, setup.session_id);
    if (subscription == nullptr) {
        return fail(ErrorCode::kNone, {});  // It was removed meanwhile; nothing is wrong.
    }
    if (images_.size() >= kImagesMax || pending_images_.size() >= kPendingImagesMax) {
        return fail(ErrorCode::kGeneric, "the driver holds its maximum of " + std::to_string(kImagesMax) +
                                             " images, or of " + std::to_string(kPendingImagesMax) +
                                             " in the making");
    }
    const auto& asked = subscription->params.receiver_window_length;
    const std::int32_t buffer = request.transport->binding->rcvbuf_length();
    const std::int32_t by_port = buffer > 0 ? kSocketWindow : kDeviceWindow;
    const std::int32_t usual = options_.initial_window > 0 ? options_.initial_window : by_port;
    window = std::min(asked.value_or(usual), setup.term_length / 2);
    if (buffer > 0 && window > buffer) {
        if (asked) {
            return fail(ErrorCode::kInvalidChannel,
                "rcv-wnd=" + std::to_string(window) + " is more than the socket's receive buffer of " +
                    std::to_string(buffer) + ": raise so-rcvbuf and net.core.rmem_max");
        }
        window = buffer;
    }
    if (setup.mtu > window) {
        return fail(ErrorCode::kInvalidChannel, "mtu=" + std::to_string(setup.mtu) +
                                                    " of a sender is more than the receiver window of " +
                                                    std::to_string(window));
    }
    return Done{};
}

/// The receiver forgets a stream when its last subscription goes, and asks again for the next one, although
/// the session's image is on its way.
bool Conductor::has_image(const ReceiveChannelEndpoint& endpoint, const wire::Setup& setup) const {
    const bool is_made = std::any_of(images_.begin(), images_.end(), [&](const auto& image) {
        return image->phase == ImageState::Phase::kActive && image->endpoint == &endpoint &&
               image->stream_id == setup.stream_id && image->session_id == setup.session_id;
    });
    return is_made ||
           std::any_of(pending_images_.begin(), pending_images_.end(), [&](const PendingImage& pending) {
               return pending.endpoint == &endpoint && pending.setup.stream_id == setup.stream_id &&
                      pending.setup.session_id == setup.session_id;
           });
}

void Conductor::on_create_image(Instant, const ImageRequest& request) {
    ReceiveChannelEndpoint& endpoint = receive_endpoint_of(*request.transport);
    if (endpoint.closing || shutting_down_ || has_image(endpoint, request.setup)) {
        return;
    }
    if (request.transport->removing) {
        fail_image(endpoint, request.setup);  // Another destination may ask for it.
        return;
    }
    std::int32_t window = 0;
    if (auto checked = check_image(request, window); !checked) {
        if (checked.error().code != ErrorCode::kNone) {
            log_error(checked.error().code, checked.error().message);
        }
        fail_image(endpoint, request.setup);
        return;
    }
    PendingImage pending;
    pending.correlation_id = context_.commands.next_correlation_id();
    pending.transport = request.transport;
    pending.endpoint = &endpoint;
    pending.setup = request.setup;
    pending.source = request.source;
    pending.window_length = window;
    auto task = std::make_unique<ResourceTask>();
    task->kind = ResourceTask::Kind::kCreateLog;
    task->path = log_path("images", pending.correlation_id);
    task->length = layout::log_file_length(request.setup.term_length, options_.log_page_size);
    task->check_space = options_.check_storage;
    task->low_space = options_.low_storage_warning;
    task->reserve = !options_.sparse_terms;
    pending.task_id = resources_.submit(std::move(task));
    ++endpoint.references;
    pending_images_.push_back(pending);
}

void Conductor::on_image_log(Instant now, std::size_t index, std::unique_ptr<ResourceTask> task) {
    const PendingImage pending = pending_images_[index];
    pending_images_.erase(pending_images_.begin() + static_cast<std::ptrdiff_t>(index));
    ReceiveChannelEndpoint& endpoint = *pending.endpoint;
    LogFile log;
    log.path = std::move(task->path);
    log.mapping = std::move(task->mapping);
    const bool wanted =
        !shutting_down_ && !pending.transport->removing &&
        matching_subscription(endpoint, pending.setup.stream_id, pending.setup.session_id) != nullptr;
    if (task->error || !wanted) {
        if (task->error) {
            log_error(task->error->code, task->error->message);
            log.path.clear();
        }
        delete_log(log);
        fail_image(endpoint, pending.setup);
        --endpoint.references;
        return;
    }
    create_image(now, pending, std::move(log));
}

void Conductor::create_image(Instant now, const PendingImage& pending, LogFile log_file) {
    const wire::Setup& setup = pending.setup;
    ReceiveChannelEndpoint& endpoint = *pending.endpoint;
    const SubscriptionState& subscription =
        *matching_subscription(endpoint, setup.stream_id, setup.session_id);
    auto owned = std::make_unique<ImageState>();
    ImageState& image = *owned;
    image.correlation_id = pending.correlation_id;
    image.session_id = setup.session_id;
    image.stream_id = setup.stream_id;
    image.channel = subscription.channel;
    image.client_id = subscription.client_id;
    image.source_identity = port::to_string(pending.source);
    image.endpoint = &endpoint;  // takes over the reference of the pending one
    image.log = std::move(log_file);
    image.rejoin = subscription.rejoin;
    image.requests_response = (setup.flags & wire::flag::kSendResponse) != 0;

    layout::LogMetadata metadata;
    metadata.correlation_id = image.correlation_id;
    metadata.initial_term_id = setup.initial_term_id;
    metadata.mtu = setup.mtu;
    metadata.term_length = setup.term_length;
    metadata.page_size = options_.log_page_size;
    metadata.receiver_window_length = pending.window_length;
    describe_socket_buffers(endpoint, *pending.transport->binding, metadata);
    metadata.session_id = setup.session_id;
    metadata.stream_id = setup.stream_id;
    metadata.group = pending.transport->is_multicast() || (setup.flags & wire::flag::kGroup) != 0;
    metadata.entity_tag = 0;  // What only publications are asked about is 0 in an image's log.
    metadata.response_correlation_id = 0;
    metadata.signal_eos = false;
    const config::ChannelParams& asked = subscription.params;
    image.untethered = untethered_timeouts(asked);
    metadata.untethered_window_limit_timeout_ns = image.untethered.window_limit.ns;
    metadata.untethered_linger_timeout_ns = image.untethered.linger.ns;
    metadata.untethered_resting_timeout_ns = image.untethered.resting.ns;
    metadata.tether = subscription.tether == SubscriberLink::Tether::kTethered;
    metadata.is_response = asked.is_response();
    metadata.reliable = subscription.reliable;
    metadata.rejoin = subscription.rejoin;
    metadata.sparse = options_.sparse_terms;
    metadata.type = layout::LogType::kImage;
    const auto log = layout::LogBuffer::create(image.log.mapping->bytes(), metadata);

    transport::ImageOptions options;
    options.correlation_id = image.correlation_id;
    options.session_id = setup.session_id;
    options.stream_id = setup.stream_id;
    options.initial_term_id = setup.initial_term_id;
    options.initial_position =
        base::compute_position(setup.active_term_id, setup.term_offset, log.shift(), setup.initial_term_id);
    options.mtu = setup.mtu;
    options.window_length = pending.window_length;
    options.receiver_id = endpoint.receiver_id;
    options.group_tag = endpoint.group_tag;
    options.reliable = subscription.reliable;
    options.nak_delay = subscription.params.nak_delay.value_or(options_.nak_delay);
    options.nak_retry =
        asked.nak_delay ? std::max(*asked.nak_delay, kNakDelayMin) * kNakRetryRatio : options_.nak_retry;
    if (asked.group.value_or(metadata.group)) {
        options.nak_backoff = {options_.nak_group_backoff, options_.nak_group_size, prng_.next()};
    }
    options.status_message_timeout = options_.status_message_timeout;
    options.liveness_timeout = options_.image_liveness_timeout;
    options.created = now;
    options.binding = pending.transport->binding.get();
    options.control = pending.transport->control.valid() ? pending.transport->control : pending.source;

    transport::ImageCounters counters;
    if (!allocate_image_counters(image, options.initial_position, counters)) {
        log_error(ErrorCode::kGeneric, "the counters file is full");
        delete_log(image.log);
        fail_image(endpoint, setup);
        --endpoint.references;
        return;
    }
    image.core = std::make_unique<Image>(options, log, counters, context_.system, context_.losses);
    count_mapped(image.log);
    ReceiverCommand command;
    command.kind = ReceiverCommand::Kind::kAddImage;
    command.endpoint = &endpoint;
    command.image = image.core.get();
    to_receiver_.send(command);
    images_.push_back(std::move(owned));
    for (const auto& each : subscriptions_) {
        if (each->endpoint == &endpoint && each->stream_id == setup.stream_id &&
            each->wants_session(setup.session_id)) {
            (void)link_image_subscriber(*each, image);
        }
    }
}

bool Conductor::allocate_image_counters(
    ImageState& image, std::int64_t position, transport::ImageCounters& counters) {
    const auto allocate = [&](std::int32_t type_id, std::string_view name, std::int64_t value) {
        const layout::CounterKey key = layout::stream_counter_key(
            image.correlation_id, image.session_id, image.stream_id, image.channel);
        const layout::CounterLabel label = layout::stream_counter_label(
            name, image.correlation_id, image.session_id, image.stream_id, image.channel);
        const observe::Counter counter = allocate_counter(
            {type_id, key.span(), label.view(), image.correlation_id, image.client_id, 0, value});
        image.counter_ids.push_back(counter.id());
        return counter;
    };
    counters.receiver_hwm =
        allocate(layout::counter_type::kReceiverHwm, layout::counter_name::kReceiverHwm, position);
    counters.receiver_position =
        allocate(layout::counter_type::kReceiverPosition, layout::counter_name::kReceiverPosition, position);
    counters.naks_sent =
        allocate(layout::counter_type::kReceiverNaksSent, layout::counter_name::kReceiverNaksSent, 0);
    const auto& ids = image.counter_ids;
    if (std::find(ids.begin(), ids.end(), layout::kNullCounterId) == ids.end()) {
        return true;
    }
    free_counters(image.counter_ids);
    return false;
}

void Conductor::release_image(ImageState& image) {
    image.phase = ImageState::Phase::kReleasing;
    ReceiverCommand command;
    command.kind = ReceiverCommand::Kind::kRemoveImage;
    command.endpoint = image.endpoint;
    command.image = image.core.get();
    to_receiver_.send(command);
}

/// True when the image is over and its memory can go.
bool Conductor::advance_image(Instant now, ImageState& image) {
    switch (image.phase) {
        case ImageState::Phase::kActive:
            if (image.core->state() == Image::State::kLinger) {
                release_image(image);
                unlink_image(image);
            }
            return false;
        case ImageState::Phase::kReleasing:
            // SYNC(image.released): acquire; pairs with the receiver's release after removal.
            if (image.core->released_by_receiver.load(std::memory_order_acquire)) {
                image.phase = ImageState::Phase::kLinger;
                image.linger_deadline = now + options_.image_liveness_timeout;
                if (image.rejoin && !shutting_down_ && !FULMAR_PLANTED(kNeverRejoins)) {
                    ReceiverCommand command;
                    command.kind = ReceiverCommand::Kind::kEndCoolDown;
                    command.endpoint = image.endpoint;
                    command.stream_id = image.stream_id;
                    command.session_id = image.session_id;
                    to_receiver_.send(command);
                }
                --image.endpoint->references;
                image.endpoint = nullptr;
            }
            return false;
        case ImageState::Phase::kLinger: return shutting_down_ || now >= image.linger_deadline;
    }
    return false;
}

int Conductor::reap_images(Instant now) {
    int work = 0;
    for (std::size_t i = images_.size(); i-- > 0;) {
        ImageState& image = *images_[i];
        if (!advance_image(now, image)) {
            continue;
        }
        std::erase_if(
            losses_, [&](const ImageLoss& loss) { return loss.correlation_id == image.correlation_id; });
        free_counters(image.counter_ids);
        delete_log(image.log);
        images_.erase(images_.begin() + static_cast<std::ptrdiff_t>(i));
        ++work;
    }
    return work;
}

}  // namespace fulmar::agent
