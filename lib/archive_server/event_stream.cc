#include "archive_server/event_stream.h"

#include "archive/recording_events.h"
#include "fulmar/sbe/encoder.h"

namespace fulmar::archive {
namespace {

/// A channel and an identity, each as long as they may be.
constexpr std::size_t kMessageMax = 16 * 1024;

}  // namespace

EventStream::EventStream(Client& client, const ServerOptions& options) : client_(client) {
    if (options.events_channel.empty() || !options.events_enabled.value_or(true)) {
        return;
    }
    buffer_.resize(kMessageMax);
    auto request = client.async_add_exclusive_publication(options.events_channel, options.events_stream_id);
    if (!request) {
        error_ = request.error();
        return;
    }
    request_ = *request;
}

int EventStream::poll() {
    if (request_ != -1) {
        auto found = client_.find_exclusive_publication(request_);
        if (!found) {
            error_ = found.error();
            request_ = -1;
            return 1;
        }
        if (*found == nullptr) {
            return 0;
        }
        publication_ = *std::move(found);
        request_ = -1;
    }
    int work = 0;
    while (!waiting_.empty() && offer(waiting_.front()) != Outcome::kLater) {
        waiting_.pop_front();
        ++work;
    }
    return work;
}

EventStream::Outcome EventStream::offer(std::span<const std::byte> message) {
    OfferResult result = publication_->offer(message);
    if (result.is_admin_action()) {
        result = publication_->offer(message);
    }
    if (result.is_ok()) {
        return Outcome::kTold;
    }
    return result.is_back_pressured() || result.is_admin_action() ? Outcome::kLater : Outcome::kNobodyListens;
}

template <class M, class Fill>
std::span<const std::byte> EventStream::encode(Fill&& fill) {
    sbe::Encoder<M> encoder(buffer_);
    fill(encoder);
    const auto encoded = encoder.finish();
    return encoded ? *encoded : std::span<const std::byte>();
}

void EventStream::post(std::span<const std::byte> message) {
    if (message.empty() || (waiting_.empty() && offer(message) != Outcome::kLater)) {
        return;
    }
    if (waiting_.size() == kWaitingMax) {
        waiting_.pop_front();
    }
    waiting_.emplace_back(message.begin(), message.end());
}

void EventStream::started(const Recording& recording, std::int64_t from) {
    if (publication_ == nullptr) {
        return;
    }
    post(encode<RecordingStarted>([&](auto& event) {
        event.template set<"recordingId">(recording.id)
            .template set<"startPosition">(from)
            .template set<"sessionId">(recording.session_id)
            .template set<"streamId">(recording.stream_id);
        event.template data<"channel">(recording.original_channel);
        event.template data<"sourceIdentity">(recording.source_identity);
    }));
}

bool EventStream::progress(std::int64_t recording_id, std::int64_t from, std::int64_t position) {
    if (publication_ == nullptr || !waiting_.empty()) {
        return false;
    }
    return offer(encode<RecordingProgress>([&](auto& event) {
        event.template set<"recordingId">(recording_id)
            .template set<"startPosition">(from)
            .template set<"position">(position);
    })) == Outcome::kTold;
}

void EventStream::stopped(std::int64_t recording_id, std::int64_t from, std::int64_t position) {
    if (publication_ == nullptr) {
        return;
    }
    post(encode<RecordingStopped>([&](auto& event) {
        event.template set<"recordingId">(recording_id)
            .template set<"startPosition">(from)
            .template set<"stopPosition">(position);
    }));
}

}  // namespace fulmar::archive
