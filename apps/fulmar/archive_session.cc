#include "apps/fulmar/archive_session.h"

#include <cstdio>
#include <cstdlib>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <unistd.h>
#include <utility>

#include "apps/fulmar/stream_options.h"

namespace fulmar::cli {

namespace {

constexpr Duration kProgressInterval = seconds(1);
/// Between looks for what the archive sent; a person waits.
constexpr double kPause_s = 0.001;

}  // namespace

void add_server_options(CLI::App& verb, ArchiveServer& server) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here changes the environment
    const char* named = std::getenv("AERON_ARCHIVE_CONTROL_CHANNEL");
    server.control_channel = named != nullptr ? named : "aeron:ipc";
    add_common(verb, server.common);
    verb.add_option("--archive", server.control_channel,
            "where the archive takes requests (AERON_ARCHIVE_CONTROL_CHANNEL)")
        ->capture_default_str();
    verb.add_option("--archive-stream", server.control_stream, "its stream")->capture_default_str();
    verb.add_option("--response-channel", server.response_channel,
        "where it sends responses [aeron:ipc, or a free port of localhost]");
    verb.add_option("--timeout", server.timeout_s, "seconds to wait for the archive's answers")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
}

Result<ArchiveSession> ArchiveSession::open(const ArchiveServer& server, std::string_view verb) {
    ArchiveSession session;
    FULMAR_TRY(client, connect(server.common, verb));
    session.client_ = std::move(client);
    session.heard_ = std::make_unique<Heard>();
    ArchiveClientOptions options;
    options.control_request_channel = server.control_channel;
    options.control_request_stream_id = server.control_stream;
    options.control_response_channel = server.response_channel;
    options.message_timeout = nanoseconds(static_cast<std::int64_t>(server.timeout_s * 1e9));
    options.client_name = fmt::format("fulmar-{}", verb);
    options.on_signal = [heard = session.heard_.get()](
                            const RecordingSignalEvent& event) { heard->signals.push_back(event); };
    options.on_error = [heard = session.heard_.get()](const ArchiveError& error) {
        if (!heard->error) {
            heard->error = error;
        }
    };
    FULMAR_TRY(connecting, ArchiveClient::async_connect(*session.client_, std::move(options)));
    while (session.archive_ == nullptr) {
        FULMAR_TRY(archive, connecting->poll());
        session.archive_ = std::move(archive);
        if (session.archive_ == nullptr && !wait_seconds(kPause_s)) {
            return fail(
                ErrorCode::kGeneric, fmt::format("interrupted while waiting for {}", connecting->step()));
        }
    }
    return session;
}

Status ArchiveSession::poll() {
    if (archive_->poll() == 0) {
        (void)wait_seconds(kPause_s);
    }
    FULMAR_TRY_VOID(check_client(*client_));
    if (heard_->error) {
        return Unexpected{*std::exchange(heard_->error, std::nullopt)};
    }
    return Done{};
}

std::vector<RecordingSignalEvent> ArchiveSession::take_signals() {
    return std::exchange(heard_->signals, {});
}

Progress::Progress(bool json) : json_(json), is_terminal_(::isatty(STDOUT_FILENO) != 0) {}

bool Progress::is_due(Instant now) {
    if ((!json_ && !is_terminal_) || now < next_) {
        return false;
    }
    next_ = now + kProgressInterval;
    return true;
}

void Progress::show(std::int64_t recording_id, std::int64_t position) {
    if (json_) {
        print_json({{"event", "progress"}, {"recording_id", recording_id}, {"position", position}});
        return;
    }
    fmt::print("\rrecording {}: at {}", recording_id, position);
    std::fflush(stdout);
    is_shown_ = true;
}

void Progress::clear() {
    if (std::exchange(is_shown_, false)) {
        fmt::print("\r\033[K");
    }
}

}  // namespace fulmar::cli
