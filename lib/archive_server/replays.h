/// Replays, from request to end: what may be replayed, the publication it goes to, its session.
/// threads: the conductor's.  source: Aeron 1.53, archive control protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "archive_server/catalog_file.h"
#include "archive_server/context.h"
#include "archive_server/control_sessions.h"
#include "archive_server/recordings.h"
#include "archive_server/replayer.h"
#include "base/prng.h"

namespace fulmar::archive {

class Replays {
  public:
    struct Request {
        std::int64_t recording_id = -1;
        std::int64_t position = -1;
        std::int64_t length = -1;
        std::int32_t file_io_max_length = -1;
        std::int32_t stream_id = 0;
        std::int32_t limit_counter_id = kNullCounterId;
        std::string_view channel;
        /// Of the image that the request came by, for replays over a response channel.
        std::int64_t image_correlation_id = -1;
    };

    Replays(ServerContext& context, Recordings& recordings, Replayer& replayer, std::uint64_t seed);

    void start(Asker asker, const Request& request);
    void stop(Asker asker, std::int64_t replay_session_id);
    /// recording_id -1: of all recordings.
    void stop_all(Asker asker, std::int64_t recording_id);
    void stop_all_quietly(std::int64_t recording_id);

    /// A token for a replay of this recording by a second request stream.
    void give_token(Asker asker, std::int64_t recording_id);
    /// Who asked for this token; nothing where it is unknown, too old, or of another recording.
    [[nodiscard]] bool take_token(std::int64_t token, std::int64_t recording_id, std::int64_t* session_id);
    void forget_tokens(std::int64_t control_session_id);

    int poll();

    [[nodiscard]] std::size_t size() const { return replays_.size(); }
    [[nodiscard]] bool is_replaying(std::int64_t recording_id) const;
    /// Lowest position that some replay of a recording reads; INT64_MAX where there is none.
    [[nodiscard]] std::int64_t lowest_position(std::int64_t recording_id) const;
    /// Set by who changes files: why a replay of this recording may not begin now; empty: it may.
    std::function<std::string(std::int64_t recording_id)> refusal = [](std::int64_t) {
        return std::string();
    };

  private:
    struct Replay {
        Asker asker;
        std::int64_t publication_request = -1;
        std::int64_t id = -1;
        std::unique_ptr<ExclusivePublication> publication;
        ReplaySession::Init init;
        std::unique_ptr<ReplaySession> session;
        bool is_stopping = false;
        bool is_over = false;
    };
    struct Token {
        std::int64_t token = 0;
        std::int64_t recording_id = 0;
        std::int64_t control_session_id = 0;
        Instant until;
    };

    void stop(Replay& replay);
    [[nodiscard]] bool set_range(
        Asker asker, const Request& request, const Recording& recording, ReplaySession::Init& init);
    void begin(Replay& replay);
    void on_event(const ReplayerEvent& event);

    ServerContext& context_;
    Recordings& recordings_;
    Replayer& replayer_;
    std::vector<std::unique_ptr<Replay>> replays_;
    std::vector<Token> tokens_;
    base::Prng draws_;
    std::int64_t next_id_ = 1;
};

}  // namespace fulmar::archive
