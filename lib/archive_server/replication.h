/// One recording being copied from another archive: its descriptor, then its bytes by a replay that is
/// recorded here, then, where asked, the live stream in place of the replay.
///
/// Whatever ends it early, what was recorded stays, and a later request goes on from there.
/// threads: the conductor's.  source: Aeron 1.53, archive control protocol.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive_server/catalog_file.h"
#include "archive_server/context.h"
#include "archive_server/control_sessions.h"
#include "archive_server/recordings.h"
#include "fulmar/archive_client.h"

namespace fulmar::archive {

class Replication {
  public:
    struct Request {
        std::int64_t id = -1;
        Asker asker;  ///< correlation id: of the replication, as its signals have it
        std::int64_t source_id = -1;
        std::int64_t destination_id = -1;  ///< -1: to be made
        std::int64_t stop_position = -1;
        std::optional<std::int64_t> channel_tag;
        std::optional<std::int64_t> subscription_tag;
        std::int32_t source_control_stream_id = 0;
        std::int32_t file_io_max_length = -1;
        std::optional<std::int32_t> session_id;
        std::string source_control_channel;
        std::string source_response_channel;
        std::string live_destination;
        std::string channel;  ///< where the replay is received
        std::vector<std::byte> credentials;
    };

    Replication(Request request, ServerContext& context, Recordings& recordings);
    ~Replication();
    Replication(const Replication&) = delete;
    Replication& operator=(const Replication&) = delete;

    int poll();
    void stop() { end(); }
    [[nodiscard]] bool is_done() const { return state_ == State::kDone; }
    [[nodiscard]] std::int64_t id() const { return request_.id; }
    /// -1 before it is known.
    [[nodiscard]] std::int64_t destination_id() const { return request_.destination_id; }

  private:
    enum class State : std::uint8_t {
        kConnecting,
        kDescribing,   ///< asks for the source's descriptor
        kPersisting,   ///< the entry here is on its way to disk
        kLocating,     ///< asks how far the source is
        kSubscribing,  ///< the recording subscription here is being made
        kResolving,    ///< its port is not known yet
        kReplaying,    ///< asks for the replay
        kAwaitingImage,
        kCopying,
        kCatchingUp,
        kJoining,   ///< asks how far the source is, and joins the live stream when it is near
        kStopping,  ///< the recording here ends
        kDone,
    };

    void enter(State state);
    void fail(ArchiveErrorCode code, std::string why);
    void end();
    /// The outcome of what was asked last; nothing while there is none.
    [[nodiscard]] std::optional<std::int64_t> answer();
    void ask(ArchiveResult<std::int64_t> asked);

    int connect();
    int describe();
    void on_descriptor(const fulmar::RecordingDescriptor& descriptor);
    void adopt(const fulmar::RecordingDescriptor& descriptor);
    int locate();
    void subscribe();
    int await_subscription();
    int resolve();
    int await_replay();
    int await_image();
    int copy();
    int catch_up();
    int join();
    int await_stop();

    [[nodiscard]] bool is_merging() const { return !request_.live_destination.empty(); }
    [[nodiscard]] bool has_destinations() const {
        return is_merging() || request_.channel_tag.has_value() || request_.subscription_tag.has_value();
    }
    [[nodiscard]] std::optional<std::string> replay_channel();
    [[nodiscard]] Image* image();
    void signal(RecordingSignal what, std::int64_t position);

    Request request_;
    ServerContext& context_;
    Recordings& recordings_;
    State state_ = State::kConnecting;
    Instant deadline_;
    std::unique_ptr<AsyncArchiveConnect> connecting_;
    std::unique_ptr<ArchiveClient> source_;
    std::int64_t asked_ = -1;
    std::optional<fulmar::RecordingDescriptor> descriptor_;
    CatalogFile::Ticket ticket_ = 0;
    std::int64_t position_ = 0;  ///< to begin at
    std::int64_t source_stop_ = -1;
    std::int64_t source_position_ = -1;
    std::int32_t replay_session_ = 0;
    std::int64_t source_replay_ = -1;
    std::int64_t subscription_ = -1;
    std::string replay_destination_;
    bool is_live_added_ = false;
    bool has_image_ = false;
    bool keeps_recording_ = false;
};

}  // namespace fulmar::archive
