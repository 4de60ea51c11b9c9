#include "archive_server/control_sessions.h"

#include <algorithm>

#include "archive_server/channels.h"
#include "base/prng.h"

namespace fulmar::archive {
namespace {

constexpr std::size_t kClientInfoMax = 120;
constexpr std::size_t kCredentialsMax = 64 * 1024;

std::string version_text(std::int32_t version) {
    return std::to_string(version >> 16 & 0xff) + "." + std::to_string(version >> 8 & 0xff) + "." +
           std::to_string(version & 0xff);
}

}  // namespace

ControlSessions::ControlSessions(
    const ServerOptions& options, Client& client, std::int64_t archive_id, std::uint64_t seed)
    : options_(options), client_(client), archive_id_(archive_id) {
    // Ids of an earlier life of the archive must not be taken for ids of this one.
    base::Prng draws(seed);
    next_id_ = static_cast<std::int64_t>(draws.next() & 0x7fffffff);
}

ControlSessions::~ControlSessions() = default;

Status ControlSessions::connect(
    const Image& image, const sbe::Decoder<AuthConnectRequest>& request, Instant now) {
    now_ = now;
    const std::string_view info = request.data<"clientInfo">();
    const std::string who = std::string(info.substr(0, kClientInfoMax)) + (info.empty() ? "" : " ") +
                            "sourceIdentity=" + image.source_identity() +
                            " sessionId=" + std::to_string(image.session_id());
    if (sessions_.size() >= kSessionsMax) {
        return fail(ErrorCode::kGeneric, "refused a control session of " + who + ": there are " +
                                             std::to_string(sessions_.size()) + " already");
    }
    const auto pending = std::count_if(sessions_.begin(), sessions_.end(), [&](const auto& entry) {
        const ControlSession& session = *entry.second;
        return session.image_correlation_id() == image.correlation_id() &&
               session.state() != ControlSession::State::kActive;
    });
    if (static_cast<std::size_t>(pending) >= kPendingMax) {
        return fail(ErrorCode::kGeneric,
            "refused a control session of sourceIdentity=" + image.source_identity() + ": " +
                std::to_string(pending) + " on its stream wait for their clients");
    }
    auto channel = response_channel(request.data<"responseChannel">(), image.correlation_id(), options_);
    if (!channel) {
        return fail(channel.error().code,
            "refused a control session of " + who + ": its response channel: " + channel.error().message);
    }
    auto publication = client_.async_add_exclusive_publication(*channel, request.get<"responseStreamId">());
    if (!publication) {
        return fail(publication.error().code,
            "refused a control session of " + who + ": " + publication.error().message);
    }
    const auto credentials = request.data<"encodedCredentials">();
    ControlSession::Init init;
    init.id = next_id();
    init.counter = control_session_counter(client_, init.id, who, archive_id_);
    init.connect_correlation_id = request.get<"correlationId">();
    init.publication_request = *publication;
    init.image_correlation_id = image.correlation_id();
    init.image_session_id = image.session_id();
    init.description = who;
    const std::int32_t version = request.get<"version">().value_or(0);
    if (version >> 16 != kControlProtocolVersion >> 16) {
        init.rejection = "invalid client version " + version_text(version) + ", archive is " +
                         version_text(kControlProtocolVersion);
    } else if (credentials.size() > kCredentialsMax) {
        init.rejection = "credentials of " + std::to_string(credentials.size()) + " bytes are too long";
    } else {
        init.credentials.assign(credentials.begin(), credentials.end());
    }
    init.now = now;
    const std::int64_t id = init.id;
    sessions_.emplace(id, std::make_unique<ControlSession>(std::move(init), client_, options_));
    return Done{};
}

ControlSession* ControlSessions::find(std::int64_t id) {
    const auto found = sessions_.find(id);
    return found != sessions_.end() ? found->second.get() : nullptr;
}

void ControlSessions::on_image_gone(std::int64_t image_correlation_id) {
    for (auto& [id, session] : sessions_) {
        if (session->image_correlation_id() == image_correlation_id) {
            session->end("its request stream ended", false);
        }
    }
}

void ControlSessions::ok(Asker asker, std::int64_t relevant_id) {
    if (ControlSession* session = find(asker.control_session_id)) {
        session->responder().ok(asker.correlation_id, relevant_id, now_);
    }
}

void ControlSessions::error(Asker asker, ArchiveErrorCode code, std::string_view message) {
    if (ControlSession* session = find(asker.control_session_id)) {
        session->responder().error(asker.correlation_id, code, message, now_);
    }
}

void ControlSessions::unknown_recording(Asker asker, std::int64_t recording_id) {
    error(
        asker, ArchiveErrorCode::kUnknownRecording, "unknown recording id: " + std::to_string(recording_id));
}

void ControlSessions::signal(Asker asker, const Signal& signal) {
    if (ControlSession* session = find(asker.control_session_id)) {
        session->responder().send<RecordingSignalEvent>(
            [&](auto& encoder) {
                encoder.template set<"correlationId">(asker.correlation_id)
                    .template set<"recordingId">(signal.recording_id)
                    .template set<"subscriptionId">(signal.subscription_id)
                    .template set<"position">(signal.position)
                    .template set<"signal">(signal.signal);
            },
            now_);
    }
}

}  // namespace fulmar::archive
