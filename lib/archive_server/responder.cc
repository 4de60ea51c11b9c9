#include "archive_server/responder.h"

namespace fulmar::archive {

void Responder::response(std::int64_t correlation_id, ControlResponseCode code, std::int64_t relevant_id,
    std::string_view message, Instant now) {
    send<ControlResponse>(
        [&](auto& encoder) {
            encoder.template set<"correlationId">(correlation_id)
                .template set<"relevantId">(relevant_id)
                .template set<"code">(code)
                .template set<"version">(kControlProtocolVersion);
            encoder.template data<"errorMessage">(message.substr(0, kTextMax));
        },
        now);
}

void Responder::post(std::span<const std::byte> message, Instant now) {
    if (waiting_.empty() && try_post(message)) {
        return;
    }
    if (is_broken_) {
        return;
    }
    if (waiting_.empty()) {
        waiting_since_ = now;
    }
    waiting_.emplace_back(message.begin(), message.end());
}

bool Responder::try_post(std::span<const std::byte> message) {
    return waiting_.empty() && offer(message);
}

bool Responder::offer(std::span<const std::byte> message) {
    if (publication_ == nullptr) {
        return false;
    }
    OfferResult result = publication_->offer(message);
    if (result.is_admin_action()) {
        result = publication_->offer(message);
    }
    is_broken_ = is_broken_ || result.is_bad_length() || result.is_max_position_exceeded();
    return result.is_ok();
}

int Responder::flush(Instant now) {
    int work = 0;
    while (!waiting_.empty() && offer(waiting_.front())) {
        waiting_.pop_front();
        waiting_since_ = now;
        ++work;
    }
    return work;
}

}  // namespace fulmar::archive
