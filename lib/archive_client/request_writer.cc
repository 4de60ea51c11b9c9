#include "archive_client/request_writer.h"

namespace fulmar::archive_client {

ArchiveResult<int> RequestWriter::flush() {
    int sent = 0;
    while (!waiting_.empty()) {
        FULMAR_TRY(taken, offer(waiting_.front()));
        if (!taken) {
            break;
        }
        waiting_.pop_front();
        ++sent;
    }
    return sent;
}

ArchiveStatus RequestWriter::submit(std::span<const std::byte> message) {
    if (waiting_.empty()) {
        FULMAR_TRY(taken, offer(message));
        if (taken) {
            return Done{};
        }
    }
    if (waiting_.size() >= kWaitingMax) {
        return Unexpected{ArchiveError({ErrorCode::kResourceTemporarilyUnavailable,
            std::to_string(kWaitingMax) + " requests wait for room in the control stream already"})};
    }
    waiting_.emplace_back(message.begin(), message.end());
    return Done{};
}

ArchiveResult<bool> RequestWriter::offer(std::span<const std::byte> message) {
    // The end of a term is an admin action; the next try begins the next one.
    OfferResult result = publication_->offer(message);
    if (result.is_admin_action()) {
        result = publication_->offer(message);
    }
    if (result.is_ok()) {
        return true;
    }
    if (result.is_worth_retrying()) {
        return false;
    }
    if (result.is_bad_length()) {
        return too_long();
    }
    return fail(ArchiveErrorCode::kNotConnected,
        "the archive cannot be reached any more: the request stream " + publication_->channel() + " is " +
            std::string(result.to_string()));
}

Unexpected<ArchiveError> RequestWriter::too_long() const {
    return {ArchiveError({ErrorCode::kGeneric,
        "the request is longer than the " + std::to_string(publication_->max_message_length()) +
            " bytes that a control stream of this term length takes; raise control_term_length"})};
}

}  // namespace fulmar::archive_client
