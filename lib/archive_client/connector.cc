#include "archive_client/connector.h"

#include "archive_client/channels.h"
#include "archive_client/texts.h"
#include "client/heartbeat.h"
#include "fulmar/sbe/dispatch.h"

namespace fulmar::archive_client {

namespace {

constexpr std::int32_t kVersionWithArchiveId = 1 << 16 | 11 << 8;
constexpr std::size_t kNameMax = 100;

using Received = sbe::Messages<archive::ControlResponse, archive::Challenge>;

/// The driver may ask to try again, which is what the next poll does.
template <class T>
bool is_worth_asking_again(const Result<T>& result) {
    return !result && result.error().code == ErrorCode::kResourceTemporarilyUnavailable;
}

ArchiveResult<config::ChannelUri> parse(std::string_view what, const std::string& channel) {
    auto parsed = config::ChannelUri::parse(channel);
    if (!parsed) {
        return Unexpected{
            ArchiveError({parsed.error().code, std::string(what) + ": " + parsed.error().message})};
    }
    if (parsed->is_spy()) {
        return Unexpected{ArchiveError({ErrorCode::kInvalidChannel, std::string(what) + " cannot be a spy"})};
    }
    return std::move(*parsed);
}

}  // namespace

/// Answers to the request that waits; the archive repeats them, and other sessions may share the stream.
struct Connector::Receiver {
    Connector* connector;

    void operator()(const sbe::Decoder<archive::ControlResponse>& response) const {
        if (response.get<"correlationId">() != connector->correlation_id_) {
            return;
        }
        Answer answer;
        answer.control_session_id = response.get<"controlSessionId">();
        answer.relevant_id = response.get<"relevantId">();
        answer.version = response.get<"version">().value_or(0);
        if (response.get<"code">() != archive::ControlResponseCode::kOk) {
            const bool has_code = response.get<"code">() == archive::ControlResponseCode::kError;
            answer.error = error_of("connect", response,
                has_code ? error_code_of(answer.relevant_id) : ArchiveErrorCode::kBadResponse);
        }
        connector->answer_ = std::move(answer);
    }
    void operator()(const sbe::Decoder<archive::Challenge>& challenge) const {
        if (challenge.get<"correlationId">() != connector->correlation_id_) {
            return;
        }
        Answer answer;
        answer.is_challenge = true;
        answer.control_session_id = challenge.get<"controlSessionId">();
        answer.version = challenge.get<"version">().value_or(0);
        const auto bytes = challenge.data<"encodedChallenge">();
        answer.challenge.assign(bytes.begin(), bytes.end());
        connector->answer_ = std::move(answer);
    }
};

ArchiveResult<std::unique_ptr<Connector>> Connector::create(Client& client, ArchiveClientOptions options) {
    if (options.client_name.size() > kNameMax) {
        return Unexpected{ArchiveError(
            {ErrorCode::kGeneric, "client_name has " + std::to_string(options.client_name.size()) +
                                      " characters, at most " + std::to_string(kNameMax) + " are allowed"})};
    }
    FULMAR_TRY(request, parse("control_request_channel", options.control_request_channel));
    if (options.control_response_channel.empty()) {
        options.control_response_channel =
            request.media() == config::Media::kIpc ? "aeron:ipc" : "aeron:udp?endpoint=localhost:0";
    }
    FULMAR_TRY(response, parse("control_response_channel", options.control_response_channel));
    apply_control_defaults(request, options);
    apply_control_defaults(response, options);
    return std::make_unique<Connector>(client, std::move(options), std::move(request), std::move(response));
}

Connector::Connector(Client& client, ArchiveClientOptions options, config::ChannelUri request_channel,
    config::ChannelUri response_channel)
    : client_(client),
      options_(std::move(options)),
      request_channel_(std::move(request_channel)),
      response_channel_(std::move(response_channel)),
      deadline_(client.now() + options_.message_timeout) {}

Connector::~Connector() {
    if (driver_request_ != -1) {
        client_.cancel(driver_request_);
    }
    close_session();
}

ArchiveResult<std::unique_ptr<Session>> Connector::poll() {
    if (ended_) {
        return Unexpected{*ended_};
    }
    auto session = poll_steps();
    if (!session) {
        ended_ = session.error();
    } else if (*session != nullptr) {
        ended_ = ArchiveError(ArchiveErrorCode::kClient, "connect: the session was handed out before");
    }
    return session;
}

ArchiveResult<std::unique_ptr<Session>> Connector::poll_steps() {
    for (;;) {
        FULMAR_TRY(advanced, advance());
        if (step_ == Step::kDone) {
            return finish();
        }
        if (!advanced) {
            break;
        }
    }
    if (client_.now() >= deadline_) {
        return Unexpected{timeout_error()};
    }
    return std::unique_ptr<Session>();
}

std::string_view Connector::step() const {
    switch (step_) {
        case Step::kSessionId: return "a session id from the media driver";
        case Step::kSubscription: return "the subscription to the response channel";
        case Step::kPublication: return "the publication to the request channel";
        case Step::kPublicationConnected: return "an archive at the request channel";
        case Step::kResponsePort: return "the port of the response channel";
        case Step::kSubscriptionConnected: return "the archive's response stream";
        case Step::kConnectResponse: return "the response to the connect request";
        case Step::kChallengeResponse: return "the response to the answered challenge";
        case Step::kArchiveIdResponse: return "the archive's id";
        case Step::kDone: return "nothing";
    }
    return "nothing";
}

ArchiveResult<bool> Connector::advance() {
    switch (step_) {
        case Step::kSessionId: return await_session_id();
        case Step::kSubscription: return await_subscription();
        case Step::kPublication: return await_publication();
        case Step::kPublicationConnected:
            if (!writer_->publication().is_connected()) {
                return false;
            }
            step_ = Step::kResponsePort;
            return true;
        case Step::kResponsePort: return send_connect();
        case Step::kSubscriptionConnected:
            FULMAR_TRY_VOID(writer_->flush());
            if (!responses_->is_connected()) {
                return false;
            }
            step_ = Step::kConnectResponse;
            return true;
        case Step::kConnectResponse:
        case Step::kChallengeResponse:
        case Step::kArchiveIdResponse: return await_response();
        case Step::kDone: return false;
    }
    return false;
}

// One session id on both channels keeps the streams of several clients apart that share a channel and stream.
// It takes the place of one in the channels: they may be those that another session was opened with, as
// clients hand them to an archive that is to replicate.
ArchiveResult<bool> Connector::await_session_id() {
    if (is_response_mode(response_channel_)) {
        step_ = Step::kSubscription;
        return true;
    }
    if (driver_request_ == -1) {
        FULMAR_TRY(id, client_.async_next_available_session_id(options_.control_request_stream_id));
        driver_request_ = id;
    }
    const auto found = client_.find_session_id(driver_request_);
    if (!found || *found) {
        driver_request_ = -1;
    }
    if (is_worth_asking_again(found)) {
        return false;
    }
    FULMAR_TRY(session_id, found);
    if (!session_id) {
        return false;
    }
    for (config::ChannelUri* channel : {&request_channel_, &response_channel_}) {
        set_number(*channel, "session-id", *session_id);
    }
    step_ = Step::kSubscription;
    return true;
}

ArchiveResult<bool> Connector::await_subscription() {
    if (driver_request_ == -1) {
        FULMAR_TRY(id,
            client_.async_add_subscription(response_channel_.text(), options_.control_response_stream_id));
        driver_request_ = id;
    }
    auto found = client_.find_subscription(driver_request_);
    if (!found || *found != nullptr) {
        driver_request_ = -1;
    }
    if (is_worth_asking_again(found)) {
        return false;
    }
    FULMAR_TRY(subscription, std::move(found));
    if (subscription == nullptr) {
        return false;
    }
    responses_ = std::move(subscription);
    if (is_response_mode(response_channel_)) {
        set_number(request_channel_, "response-correlation-id", responses_->registration_id());
    }
    step_ = Step::kPublication;
    return true;
}

ArchiveResult<bool> Connector::await_publication() {
    if (driver_request_ == -1) {
        FULMAR_TRY(id, client_.async_add_exclusive_publication(
                           request_channel_.text(), options_.control_request_stream_id));
        driver_request_ = id;
    }
    auto found = client_.find_exclusive_publication(driver_request_);
    if (!found || *found != nullptr) {
        driver_request_ = -1;
    }
    if (is_worth_asking_again(found)) {
        return false;
    }
    FULMAR_TRY(publication, std::move(found));
    if (publication == nullptr) {
        return false;
    }
    writer_.emplace(std::move(publication));
    step_ = Step::kPublicationConnected;
    return true;
}

ArchiveResult<bool> Connector::send_connect() {
    const auto resolved = resolve_port(response_channel_, *responses_);
    if (!resolved) {
        return false;
    }
    resolved_response_channel_ = *resolved;
    correlation_id_ = client_.next_correlation_id();
    const std::vector<std::byte> credentials =
        options_.credentials.initial ? options_.credentials.initial() : std::vector<std::byte>();
    const std::string info = "name=" + options_.client_name + " " + client::version_text();
    FULMAR_TRY_VOID(writer_->write<archive::AuthConnectRequest>([&](auto& request) {
        request.template set<"correlationId">(correlation_id_);
        request.template set<"responseStreamId">(options_.control_response_stream_id);
        request.template set<"version">(archive::kControlProtocolVersion);
        request.template data<"responseChannel">(resolved_response_channel_);
        request.template data<"encodedCredentials">(std::span<const std::byte>(credentials));
        request.template data<"clientInfo">(info);
    }));
    step_ = Step::kSubscriptionConnected;
    return true;
}

ArchiveResult<bool> Connector::await_response() {
    FULMAR_TRY_VOID(writer_->flush());
    const int received = responses_->controlled_poll(assembler_, 1);
    if (!answer_) {
        if (received == 0 && !responses_->is_connected()) {
            return fail(ArchiveErrorCode::kNotConnected,
                "connect: the archive ended its response stream while this client waited for " +
                    std::string(step()));
        }
        return received > 0;
    }
    const Answer answer = *std::exchange(answer_, std::nullopt);
    control_session_id_ = answer.control_session_id;
    if (answer.error) {
        return Unexpected{*answer.error};
    }
    if (answer.is_challenge) {
        FULMAR_TRY_VOID(answer_challenge(answer));
        return true;
    }
    return on_accepted(answer);
}

void Connector::on_message(std::span<const std::byte> message) {
    // What is no answer to us is not ours to judge: the stream may carry other sessions.
    (void)sbe::dispatch<Received>(message, Receiver{this});
}

ArchiveResult<bool> Connector::on_accepted(const Answer& answer) {
    if (step_ == Step::kArchiveIdResponse) {
        archive_id_ = answer.relevant_id;
        step_ = Step::kDone;
        return true;
    }
    protocol_version_ = answer.version;
    if (answer.version >> 16 != archive::kControlProtocolVersion >> 16) {
        return fail(ArchiveErrorCode::kBadResponse,
            "connect: the archive speaks version " + version_text(answer.version) +
                " of the control protocol, this client " + version_text(archive::kControlProtocolVersion));
    }
    if (answer.version < kVersionWithArchiveId) {
        step_ = Step::kDone;
        return true;
    }
    FULMAR_TRY_VOID(ask_archive_id());
    return true;
}

ArchiveStatus Connector::answer_challenge(const Answer& answer) {
    if (!options_.credentials.on_challenge) {
        return fail(ArchiveErrorCode::kAuthenticationRejected,
            "connect: the archive asks for more credentials, and there is no credentials.on_challenge",
            correlation_id_);
    }
    const std::vector<std::byte> credentials = options_.credentials.on_challenge(answer.challenge);
    correlation_id_ = client_.next_correlation_id();
    step_ = Step::kChallengeResponse;
    return writer_->write<archive::ChallengeResponse>([&](auto& response) {
        response.template set<"controlSessionId">(control_session_id_);
        response.template set<"correlationId">(correlation_id_);
        response.template data<"encodedCredentials">(std::span<const std::byte>(credentials));
    });
}

ArchiveStatus Connector::ask_archive_id() {
    correlation_id_ = client_.next_correlation_id();
    step_ = Step::kArchiveIdResponse;
    return writer_->write<archive::ArchiveIdRequest>([&](auto& request) {
        request.template set<"controlSessionId">(control_session_id_);
        request.template set<"correlationId">(correlation_id_);
    });
}

ArchiveError Connector::timeout_error() const {
    std::string text = "connect: waited " + std::to_string(options_.message_timeout.ns / 1'000'000) +
                       " ms for " + std::string(step());
    if (step_ == Step::kPublicationConnected) {
        text += ": nobody takes requests on " + options_.control_request_channel + " stream " +
                std::to_string(options_.control_request_stream_id) + "; is an archive running there?";
    } else if (step_ == Step::kSubscriptionConnected) {
        text += ": nothing came to " + resolved_response_channel_ + "; can the archive reach that address?";
    }
    return {ArchiveErrorCode::kTimeout, std::move(text), correlation_id_};
}

std::unique_ptr<Session> Connector::finish() {
    SessionInit init{&client_, std::move(options_), std::move(*writer_), std::move(responses_),
        std::exchange(control_session_id_, -1), archive_id_, protocol_version_};
    writer_.reset();
    return std::make_unique<Session>(std::move(init));
}

void Connector::close_session() {
    if (control_session_id_ == -1 || !writer_) {
        return;
    }
    (void)writer_->write<archive::CloseSessionRequest>(
        [&](auto& request) { request.template set<"controlSessionId">(control_session_id_); });
}

}  // namespace fulmar::archive_client
