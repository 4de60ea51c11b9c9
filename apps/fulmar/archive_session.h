/// A session with a running archive, for the verbs that ask it for something.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/fulmar/command.h"
#include "fulmar/archive_client.h"

namespace fulmar::cli {

/// What each of these verbs takes.
struct ArchiveServer {
    Common common;
    std::string control_channel;
    std::int32_t control_stream = 10;
    std::string response_channel;
    double timeout_s = 10;
};

/// Adds --archive, --archive-stream, --response-channel, --timeout, --dir and --json.
void add_server_options(CLI::App& verb, ArchiveServer& server);

class ArchiveSession {
  public:
    /// errors: no driver, no archive, or an interruption while waiting for it.
    static Result<ArchiveSession> open(const ArchiveServer& server, std::string_view verb);

    ArchiveClient& operator*() { return *archive_; }
    ArchiveClient* operator->() { return archive_.get(); }
    [[nodiscard]] Client& client() { return *client_; }

    /// Takes in what the archive sends for about a millisecond.
    /// errors: an error that no request waits for, or the end of the session.
    [[nodiscard]] Status poll();
    /// Signals since the last call.
    [[nodiscard]] std::vector<RecordingSignalEvent> take_signals();
    /// Polls until the condition holds; false when time is up or a signal of the system came.
    template <class Condition>
    [[nodiscard]] Result<bool> poll_until(Condition&& condition, Duration limit) {
        for (const Instant end = client_->now() + limit; !condition();) {
            FULMAR_TRY_VOID(poll());
            if (client_->now() >= end || stop_requested()) {
                return condition();
            }
        }
        return true;
    }

  private:
    struct Heard {
        std::vector<RecordingSignalEvent> signals;
        std::optional<Error> error;
    };

    ArchiveSession() = default;

    std::unique_ptr<Client> client_;
    std::unique_ptr<Heard> heard_;
    std::unique_ptr<ArchiveClient> archive_;
};

/// Shows how far something is while it goes on: in place on a terminal, an object a second with --json, and
/// nothing in a file.
class Progress {
  public:
    explicit Progress(bool json);
    /// At most once a second; true when it is time to find out how far it is.
    [[nodiscard]] bool is_due(Instant now);
    void show(std::int64_t recording_id, std::int64_t position);
    /// Before other lines: takes what stands in place away.
    void clear();

  private:
    bool json_;
    bool is_terminal_;
    bool is_shown_ = false;
    Instant next_{};
};

}  // namespace fulmar::cli
