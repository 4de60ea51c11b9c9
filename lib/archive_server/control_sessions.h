/// All clients of the archive, and answers to them by who asked: an answer to somebody who has left goes
/// nowhere. threads: the conductor's.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "archive_server/context.h"
#include "archive_server/control_session.h"
#include "fulmar/image.h"
#include "fulmar/sbe/decoder.h"

namespace fulmar::archive {

/// What a RecordingSignalEvent says besides who asked.
struct Signal {
    RecordingSignal signal = RecordingSignal::kStart;
    std::int64_t recording_id = -1;
    std::int64_t subscription_id = -1;
    std::int64_t position = -1;
};

class ControlSessions {
  public:
    /// A server takes no more clients than this at a time.
    static constexpr std::size_t kSessionsMax = 1024;
    /// Nor more than this on one request stream that have not become active: nobody opens them all alone.
    static constexpr std::size_t kPendingMax = 16;

    ControlSessions(
        const ServerOptions& options, Client& client, std::int64_t archive_id, std::uint64_t seed);
    ~ControlSessions();

    /// A client wants a session; it will be told how that went on its response channel.
    /// errors: what makes an answer impossible, for the archive's own error log.
    [[nodiscard]] Status connect(
        const Image& image, const sbe::Decoder<AuthConnectRequest>& request, Instant now);
    [[nodiscard]] ControlSession* find(std::int64_t id);
    /// The next of the numbers that sessions and replications are known by.
    [[nodiscard]] std::int64_t next_id() { return next_id_++; }

    /// `ended(ControlSession&)` sees each session before it goes.
    template <class Ended>
    int poll(Instant now, Ended&& ended) {
        now_ = now;
        int work = 0;
        done_.clear();
        for (auto& [id, session] : sessions_) {
            work += session->poll(now);
            if (session->is_done()) {
                done_.push_back(id);
            }
        }
        for (const std::int64_t id : done_) {
            ended(*sessions_.at(id));
            sessions_.erase(id);
            ++work;
        }
        return work;
    }
    /// The request stream of some sessions ended.
    void on_image_gone(std::int64_t image_correlation_id);

    void ok(Asker asker, std::int64_t relevant_id = 0);
    void error(Asker asker, ArchiveErrorCode code, std::string_view message);
    void unknown_recording(Asker asker, std::int64_t recording_id);
    void signal(Asker asker, const Signal& signal);

    [[nodiscard]] std::size_t size() const { return sessions_.size(); }

  private:
    const ServerOptions& options_;
    Client& client_;
    const std::int64_t archive_id_;
    std::unordered_map<std::int64_t, std::unique_ptr<ControlSession>> sessions_;
    std::vector<std::int64_t> done_;
    std::int64_t next_id_;
    Instant now_;
};

}  // namespace fulmar::archive
