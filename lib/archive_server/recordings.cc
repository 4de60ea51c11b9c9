#include "archive_server/recordings.h"

#include <algorithm>

#include "archive_server/channels.h"
#include "base/assert.h"
#include "config/channel_uri.h"

namespace fulmar::archive {

Recordings::Recordings(ServerContext& context, Recorder& recorder) : context_(context), recorder_(recorder) {}

Recordings::~Recordings() {
    // Their images leave through forget(), which goes over all that is here.
    for (Subscriber& subscriber : subscribers_) {
        subscriber.subscription.reset();
    }
}

ArchiveStatus Recordings::may_start(const StartRequest& request) const {
    const auto count = static_cast<std::size_t>(context_.options.max_concurrent_recordings);
    if (subscribers_.size() >= count) {
        return fail(
            ArchiveErrorCode::kMaxRecordings, "max concurrent recordings reached " + std::to_string(count));
    }
    if (const auto& error = context_.catalog.error()) {
        return fail(ArchiveErrorCode::kGeneric, error->message);
    }
    if (request.extends >= 0) {
        if (ArchiveStatus status = may_extend(request); !status) {
            return status;
        }
    }
    const auto threshold = static_cast<std::uint64_t>(context_.options.low_storage_space_threshold);
    if (free_space_ <= threshold) {
        return fail(ArchiveErrorCode::kStorageSpace,
            "insufficient usable storage space: " + std::to_string(free_space_) +
                " bytes are left, threshold=" + std::to_string(threshold) + "; purge recordings or segments");
    }
    return Done{};
}

ArchiveStatus Recordings::may_extend(const StartRequest& request) const {
    const Catalog& catalog = context_.catalog.catalog();
    const std::size_t index = catalog.find(request.extends);
    const std::string id = std::to_string(request.extends);
    if (index == catalog.size()) {
        return fail(ArchiveErrorCode::kUnknownRecording, "unknown recording id: " + id);
    }
    const Recording recording = context_.recording_at(index);
    if (recording.stream_id != request.stream_id) {
        return fail(ArchiveErrorCode::kUnknownRecording,
            "cannot extend recording " + id + " with streamId=" + std::to_string(request.stream_id) +
                ", it has streamId=" + std::to_string(recording.stream_id));
    }
    if (is_active(request.extends)) {
        return fail(ArchiveErrorCode::kActiveRecording, "cannot extend active recording " + id);
    }
    if (const std::string why = refusal(request.extends); !why.empty()) {
        return fail(ArchiveErrorCode::kGeneric, "cannot extend recording " + id + ": " + why);
    }
    return Done{};
}

void Recordings::start(Asker asker, const StartRequest& request) {
    const auto begun = begin(asker, request, false);
    if (!begun) {
        context_.sessions.error(asker, begun.error().archive_code, begun.error().message);
    }
}

ArchiveResult<std::int64_t> Recordings::start_quietly(Asker asker, const StartRequest& request) {
    return begin(asker, request, true);
}

ArchiveResult<std::int64_t> Recordings::begin(Asker asker, const StartRequest& request, bool is_quiet) {
    FULMAR_TRY_VOID(may_start(request));
    auto channel = recording_channel(request.channel, request.stream_id, request.source);
    if (!channel) {
        return fail(ArchiveErrorCode::kGeneric, channel.error().message);
    }
    for (const Subscriber& other : subscribers_) {
        if (other.key == channel->key) {
            return fail(ArchiveErrorCode::kActiveSubscription,
                "recording exists for streamId=" + std::to_string(request.stream_id) +
                    " channel=" + std::string(request.channel));
        }
    }
    Subscriber& subscriber = subscribers_.emplace_back();
    subscriber.asker = asker;
    subscriber.key = std::move(channel->key);
    subscriber.stripped = std::move(channel->stripped);
    subscriber.original = std::string(request.channel);
    subscriber.stream_id = request.stream_id;
    subscriber.auto_stop = request.auto_stop;
    subscriber.extends = request.extends;
    subscriber.is_quiet = is_quiet;
    SubscriptionHandlers handlers;
    handlers.on_available_image = [this, &subscriber](Image& image) {
        arrivals_.push_back({&subscriber, &image});
    };
    handlers.on_unavailable_image = [this](Image& image) { forget(image); };
    auto id =
        context_.client.async_add_subscription(channel->subscribed, request.stream_id, std::move(handlers));
    if (!id) {
        subscribers_.pop_back();
        return fail(ArchiveErrorCode::kGeneric, id.error().message);
    }
    subscriber.id = *id;
    return *id;
}

void Recordings::forget(const Image& image) {
    std::erase_if(arrivals_, [&](const Arrival& arrival) { return arrival.image == &image; });
    for (Subscriber& subscriber : subscribers_) {
        std::erase(subscriber.let_pass, &image);
    }
    for (auto& [id, active] : active_) {
        if (active->image == &image) {
            active->image = nullptr;
        }
        if (active->init.image == &image) {
            active->init.image = nullptr;  // it has not run yet: it will end where it began
        }
    }
}

Recordings::Subscriber* Recordings::find_subscriber(std::int64_t id) {
    for (Subscriber& subscriber : subscribers_) {
        if (subscriber.id == id && !subscriber.is_stopping) {
            return &subscriber;
        }
    }
    return nullptr;
}

void Recordings::stop(Asker asker, std::string_view channel, std::int32_t stream_id) {
    auto named = recording_channel(channel, stream_id, SourceLocation::kRemote);
    if (!named) {
        context_.sessions.error(asker, ArchiveErrorCode::kGeneric, named.error().message);
        return;
    }
    for (Subscriber& subscriber : subscribers_) {
        if (subscriber.key == named->key && !subscriber.is_stopping) {
            subscriber.stop_askers.push_back(asker);
            subscriber.stop_answers.push_back(0);
            stop(subscriber);
            return;
        }
    }
    context_.sessions.error(asker, ArchiveErrorCode::kUnknownSubscription,
        "no recording found for streamId=" + std::to_string(stream_id) + " channel=" + std::string(channel));
}

void Recordings::stop_subscription(Asker asker, std::int64_t subscription_id) {
    Subscriber* subscriber = find_subscriber(subscription_id);
    if (subscriber == nullptr) {
        context_.sessions.error(asker, ArchiveErrorCode::kUnknownSubscription,
            "no recording subscription found for subscriptionId=" + std::to_string(subscription_id));
        return;
    }
    subscriber->stop_askers.push_back(asker);
    subscriber->stop_answers.push_back(0);
    stop(*subscriber);
}

void Recordings::stop_recording(Asker asker, std::int64_t recording_id) {
    const Catalog& catalog = context_.catalog.catalog();
    if (catalog.find(recording_id) == catalog.size()) {
        context_.sessions.unknown_recording(asker, recording_id);
        return;
    }
    const auto found = active_.find(recording_id);
    if (found == active_.end() || found->second->subscriber->is_stopping) {
        context_.sessions.ok(asker, 0);
        return;
    }
    Subscriber& subscriber = *found->second->subscriber;
    subscriber.stop_askers.push_back(asker);
    subscriber.stop_answers.push_back(1);
    stop(subscriber);
}

bool Recordings::stop_quietly(std::int64_t subscription_id) {
    Subscriber* subscriber = find_subscriber(subscription_id);
    if (subscriber == nullptr) {
        return false;
    }
    stop(*subscriber);
    return true;
}

void Recordings::stop_all() {
    for (Subscriber& subscriber : subscribers_) {
        stop(subscriber);
    }
}

void Recordings::stop(Subscriber& subscriber) {
    subscriber.is_stopping = true;
    std::erase_if(arrivals_, [&](const Arrival& arrival) { return arrival.subscriber == &subscriber; });
    for (auto& [id, active] : active_) {
        if (active->subscriber == &subscriber) {
            stop(*active);
        }
    }
}

void Recordings::stop(Active& active) {
    active.is_stopping = true;
    if (active.state == Active::State::kRunning) {
        recorder_.commands.send({RecorderCommand::Kind::kStop, active.session.get()});
    }
}

int Recordings::poll() {
    // A subscription's answer goes before what comes of its images.
    int work = recorder_.commands.flush() + poll_subscribers();
    while (!arrivals_.empty() && arrivals_.front().subscriber->subscription != nullptr) {
        const Arrival arrival = arrivals_.front();
        arrivals_.pop_front();
        on_image(arrival);
        ++work;
    }
    RecordingSession* ended = nullptr;
    while (recorder_.ended.receive(ended)) {
        on_ended(*ended);
        ++work;
    }
    gone_.clear();
    for (auto& [id, active] : active_) {
        work += poll_active(*active);
    }
    for (const std::int64_t id : gone_) {
        active_.erase(id);
    }
    return work;
}

int Recordings::let_pass(Subscriber& subscriber) {
    int blocks = 0;
    for (Image* image : subscriber.let_pass) {
        while (image->block_poll([](std::span<const std::byte>, const BlockInfo&) {}, image->term_length()) >
               0) {
            ++blocks;
        }
    }
    return blocks;
}

int Recordings::poll_subscribers() {
    int work = 0;
    for (auto it = subscribers_.begin(); it != subscribers_.end();) {
        Subscriber& subscriber = *it;
        if (subscriber.subscription == nullptr) {
            auto found = context_.client.find_subscription(subscriber.id);
            if (!found) {
                context_.sessions.error(subscriber.asker, ArchiveErrorCode::kGeneric, found.error().message);
                context_.report(found.error().code, found.error().message);
                it = subscribers_.erase(it);
                ++work;
                continue;
            }
            if (*found == nullptr) {
                ++it;
                continue;
            }
            subscriber.subscription = *std::move(found);
            if (!subscriber.is_quiet) {
                context_.sessions.ok(subscriber.asker, subscriber.id);
            }
            ++work;
        }
        work += let_pass(subscriber);
        if (!subscriber.is_stopping || subscriber.active > 0) {
            ++it;
            continue;
        }
        for (std::size_t i = 0; i < subscriber.stop_askers.size(); ++i) {
            context_.sessions.ok(subscriber.stop_askers[i], subscriber.stop_answers[i]);
        }
        for (const Signal& signal : subscriber.held_signals) {
            context_.sessions.signal(subscriber.asker, signal);
        }
        it = subscribers_.erase(it);
        ++work;
    }
    return work;
}

std::shared_ptr<const LivePosition> Recordings::progress(std::int64_t recording_id) const {
    const auto found = active_.find(recording_id);
    return found != active_.end() ? found->second->progress : nullptr;
}

}  // namespace fulmar::archive
