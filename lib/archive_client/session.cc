#include "archive_client/session.h"

#include <algorithm>

#include "archive_client/texts.h"
#include "fulmar/sbe/dispatch.h"

namespace fulmar::archive_client {

namespace {

constexpr std::int64_t kNoErrand = -1;

/// What an archive sends to its clients over the response stream.
using Received = sbe::Messages<archive::ControlResponse, archive::RecordingDescriptor,
    archive::RecordingSubscriptionDescriptor, archive::RecordingSignalEvent, archive::Ping>;

RecordingDescriptor descriptor_of(const sbe::Decoder<archive::RecordingDescriptor>& from) {
    RecordingDescriptor to;
    to.control_session_id = from.get<"controlSessionId">();
    to.correlation_id = from.get<"correlationId">();
    to.recording_id = from.get<"recordingId">();
    to.start_timestamp = from.get<"startTimestamp">();
    to.stop_timestamp = from.get<"stopTimestamp">();
    to.start_position = from.get<"startPosition">();
    to.stop_position = from.get<"stopPosition">();
    to.initial_term_id = from.get<"initialTermId">();
    to.segment_file_length = from.get<"segmentFileLength">();
    to.term_buffer_length = from.get<"termBufferLength">();
    to.mtu_length = from.get<"mtuLength">();
    to.session_id = from.get<"sessionId">();
    to.stream_id = from.get<"streamId">();
    to.stripped_channel = from.data<"strippedChannel">();
    to.original_channel = from.data<"originalChannel">();
    to.source_identity = from.data<"sourceIdentity">();
    return to;
}

/// True while a handler runs; it may ask, but neither wait nor poll.
class HandlerScope {
  public:
    explicit HandlerScope(bool& flag) : flag_(flag) { flag_ = true; }
    ~HandlerScope() { flag_ = false; }
    HandlerScope(const HandlerScope&) = delete;
    HandlerScope& operator=(const HandlerScope&) = delete;

  private:
    bool& flag_;
};

}  // namespace

struct Session::Receiver {
    Session* session;

    template <class M>
    [[nodiscard]] bool is_ours(const sbe::Decoder<M>& message) const {
        return message.template get<"controlSessionId">() == session->init_.control_session_id;
    }
    void operator()(const sbe::Decoder<archive::ControlResponse>& response) const {
        if (is_ours(response)) {
            session->on_response(response);
        }
    }
    void operator()(const sbe::Decoder<archive::RecordingDescriptor>& listed) const {
        if (is_ours(listed)) {
            session->on_listed<RecordingHandler>(listed.get<"correlationId">(), descriptor_of(listed));
        }
    }
    void operator()(const sbe::Decoder<archive::RecordingSubscriptionDescriptor>& listed) const {
        if (is_ours(listed)) {
            session->on_listed<RecordingSubscriptionHandler>(listed.get<"correlationId">(),
                RecordingSubscription{listed.get<"subscriptionId">(), listed.get<"streamId">(),
                    std::string(listed.data<"strippedChannel">())});
        }
    }
    void operator()(const sbe::Decoder<archive::RecordingSignalEvent>& event) const {
        if (is_ours(event) && session->init_.options.on_signal) {
            const HandlerScope scope(session->is_in_handler_);
            session->init_.options.on_signal(
                RecordingSignalEvent{event.get<"correlationId">(), event.get<"recordingId">(),
                    event.get<"subscriptionId">(), event.get<"position">(), event.get<"signal">()});
        }
    }
    /// Having read it is the answer: the archive looks at whether its response stream is connected.
    void operator()(const sbe::Decoder<archive::Ping>&) const {}
};

Session::Session(SessionInit init) : init_(std::move(init)) {}

int Session::poll() {
    if (ended_ || is_in_handler_) {
        return 0;
    }
    const auto sent = init_.writer.flush();
    if (!sent) {
        end(sent.error());
        return 1;
    }
    const int received = init_.responses->poll(assembler_, kFragmentsPerPoll);
    if (ended_) {
        return received;
    }
    if (received == 0 && !init_.responses->is_connected()) {
        end({ArchiveErrorCode::kNotConnected,
            "the archive's response stream " + init_.responses->channel() +
                " has ended: the archive was stopped, ended the session, or cannot be reached any more"});
        return 1;
    }
    const int ran = errands_.empty() ? 0 : run_errands();
    // The clock is read only when somebody waits.
    if (next_timeout_ != Instant::never()) {
        time_out(init_.client->now());
    }
    return *sent + received + ran;
}

ArchiveResult<std::optional<std::int64_t>> Session::find(std::int64_t correlation_id) {
    const auto at = pending_.find(correlation_id);
    if (at == pending_.end()) {
        return fail(ArchiveErrorCode::kClient,
            "no request of correlation id " + std::to_string(correlation_id) + " is open in this session",
            correlation_id);
    }
    if (!at->second.outcome) {
        return std::optional<std::int64_t>();
    }
    const ArchiveResult<std::int64_t> outcome = std::move(*at->second.outcome);
    pending_.erase(at);
    if (!outcome) {
        return Unexpected{outcome.error()};
    }
    return std::optional<std::int64_t>(*outcome);
}

void Session::cancel(std::int64_t correlation_id) {
    pending_.erase(correlation_id);
}

ArchiveStatus Session::run(
    std::string_view what, std::int64_t correlation_id, std::unique_ptr<Errand> errand) {
    FULMAR_TRY_VOID(check_may_ask(what));
    add_pending(correlation_id, what, {});
    pending_.at(correlation_id).errand = std::move(errand);
    errands_.push_back(correlation_id);
    return Done{};
}

int Session::run_errands() {
    int work = 0;
    // By index: an errand may begin another one.
    for (std::size_t i = 0; i < errands_.size() && !ended_; ++i) {
        const auto at = pending_.find(errands_[i]);
        if (at == pending_.end() || at->second.outcome) {
            if (at != pending_.end()) {
                at->second.errand.reset();
            }
            errands_[i] = kNoErrand;
            continue;
        }
        auto polled = at->second.errand->poll(*this);
        if (!polled) {
            at->second.outcome = Unexpected{std::move(polled.error())};
        } else {
            work += *polled;
        }
    }
    std::erase(errands_, kNoErrand);
    return work;
}

void Session::close() {
    if (!ended_) {
        (void)tell<archive::CloseSessionRequest>([](auto&) {});
        end({ArchiveErrorCode::kNotConnected, "the session with the archive was closed"});
    }
    init_.writer.publication().close();
    init_.responses->close();
}

ArchiveStatus Session::check_may_wait() {
    if (is_in_handler_) {
        return fail(ArchiveErrorCode::kClient, "a handler must not wait; use the async_ form");
    }
    FULMAR_TRY_VOID(init_.client->check_may_wait());
    return Done{};
}

void Session::wait_step() {
    const int work = poll();
    if (!init_.client->wait_step()) {
        idle_.idle(work);
    }
}

ArchiveStatus Session::check_connected() const {
    if (ended_) {
        return Unexpected{*ended_};
    }
    return Done{};
}

ArchiveStatus Session::check_may_ask(std::string_view what) const {
    FULMAR_TRY_VOID(check_connected());
    if (pending_.size() >= kPendingMax) {
        return Unexpected{ArchiveError({ErrorCode::kResourceTemporarilyUnavailable,
            std::string(what) + ": " + std::to_string(kPendingMax) +
                " requests are open in this session already; fetch their outcomes"})};
    }
    return Done{};
}

ArchiveStatus Session::checked(ArchiveStatus status) {
    if (!status && status.error().archive_code == ArchiveErrorCode::kNotConnected) {
        end(status.error());
    }
    return status;
}

void Session::add_pending(std::int64_t id, std::string_view what, Listing listing) {
    Pending pending;
    pending.what = what;
    pending.deadline = deadline();
    pending.listing = std::move(listing);
    next_timeout_ = earlier(next_timeout_, pending.deadline);
    pending_.insert_or_assign(id, std::move(pending));
}

Session::Pending* Session::waiting(std::int64_t correlation_id) {
    const auto at = pending_.find(correlation_id);
    return at == pending_.end() || at->second.outcome ? nullptr : &at->second;
}

void Session::on_message(std::span<const std::byte> message) {
    if (ended_) {
        return;
    }
    const sbe::Error error = sbe::dispatch<Received>(message, Receiver{this});
    // Later versions may send what we do not know; the rest has to be right.
    if (error && error.fault != sbe::Fault::kWrongTemplate) {
        report({ArchiveErrorCode::kBadResponse,
            "the archive sent what is no message of its protocol: " + text_of(error)});
    }
}

void Session::on_response(const sbe::Decoder<archive::ControlResponse>& response) {
    using Code = archive::ControlResponseCode;
    Pending* pending = waiting(response.get<"correlationId">());
    switch (response.get<"code">()) {
        case Code::kOk:
            if (pending != nullptr && pending->is_listing()) {
                on_failure(response, ArchiveErrorCode::kBadResponse);
            } else if (pending != nullptr) {
                pending->outcome = response.get<"relevantId">();
            }
            return;
        case Code::kError: return on_failure(response, error_code_of(response.get<"relevantId">()));
        case Code::kRecordingUnknown:
            if (pending != nullptr && pending->lists<RecordingHandler>()) {
                pending->outcome = pending->listed;
                return;
            }
            return on_failure(response, ArchiveErrorCode::kUnknownRecording);
        case Code::kSubscriptionUnknown:
            if (pending != nullptr && pending->lists<RecordingSubscriptionHandler>()) {
                pending->outcome = pending->listed;
                return;
            }
            return on_failure(response, ArchiveErrorCode::kUnknownSubscription);
    }
    on_failure(response, ArchiveErrorCode::kBadResponse);
}

void Session::on_failure(const sbe::Decoder<archive::ControlResponse>& response, ArchiveErrorCode code) {
    const std::int64_t id = response.get<"correlationId">();
    Pending* pending = waiting(id);
    ArchiveError error = error_of(pending != nullptr ? pending->what : "archive", response, code);
    if (pending != nullptr) {
        pending->outcome = Unexpected{std::move(error)};
    } else if (response.get<"code">() == archive::ControlResponseCode::kError) {
        report(error);
    }
}

template <class Handler, class Item>
void Session::on_listed(std::int64_t correlation_id, const Item& item) {
    Pending* pending = waiting(correlation_id);
    if (pending == nullptr || !pending->lists<Handler>()) {
        return;
    }
    // Out of the table while it runs: it may cancel its own request.
    Handler handler = std::move(std::get<Handler>(pending->listing.handler));
    if (handler) {
        const HandlerScope scope(is_in_handler_);
        handler(item);
    }
    pending = waiting(correlation_id);
    if (pending == nullptr) {
        return;
    }
    pending->listing.handler = std::move(handler);
    pending->deadline = deadline();
    if (++pending->listed >= pending->listing.limit) {
        pending->outcome = pending->listed;
    }
}

void Session::time_out(Instant now) {
    if (now < next_timeout_) {
        return;
    }
    next_timeout_ = Instant::never();
    for (auto& [id, pending] : pending_) {
        if (pending.outcome) {
            continue;
        }
        if (now < pending.deadline) {
            next_timeout_ = earlier(next_timeout_, pending.deadline);
            continue;
        }
        const std::string_view step = pending.errand != nullptr ? pending.errand->step() : "";
        pending.outcome = fail(ArchiveErrorCode::kTimeout,
            std::string(pending.what) + ": no answer from the archive within " +
                std::to_string(init_.options.message_timeout.ns / 1'000'000) + " ms" +
                (step.empty() ? "" : ", waiting for " + std::string(step)) +
                (init_.writer.is_flushed() ? "" : "; requests wait for room in the control stream"),
            id);
    }
}

void Session::end(ArchiveError why) {
    if (ended_) {
        return;
    }
    ended_ = std::move(why);
    for (auto& [id, pending] : pending_) {
        pending.errand.reset();
        if (!pending.outcome) {
            pending.outcome =
                fail(ended_->archive_code, std::string(pending.what) + ": " + ended_->message, id);
        }
    }
    report(*ended_);
}

void Session::report(const ArchiveError& error) {
    if (init_.options.on_error) {
        const HandlerScope scope(is_in_handler_);
        init_.options.on_error(error);
    }
}

}  // namespace fulmar::archive_client
