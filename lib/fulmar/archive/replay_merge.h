/// Catching up with a live stream from its recording, and then going on with the live stream, in one image
/// and without a gap: a replay is received until it is close behind, then the live stream too, and the
/// replay goes when both have met.
///
///     auto subscription = client->add_subscription("aeron:udp?control-mode=manual|session-id=7", stream_id);
///     auto merge = ReplayMerge::create(*archive, **subscription, {...});
///     while (!(*merge)->is_merged()) { idle.idle((*merge)->poll(handler, 10)); }
///     // from here on the subscription may be polled as any other
///
/// The recording and the live stream must be of one session, and the stream still be recorded.
/// threads: one, that of the ArchiveClient, which it polls. source: Aeron's replay merge.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "fulmar/archive_client.h"

namespace fulmar {

struct ReplayMergeOptions {
    std::int64_t recording_id = kNullRecordingId;
    std::int64_t start_position = 0;
    /// What the archive publishes to, without endpoint: `aeron:udp?session-id=7`; the destination's is put
    /// in.
    std::string replay_channel = "aeron:udp";
    /// Where the replay is received: `aeron:udp?endpoint=localhost:0`, as the archive can reach it.
    std::string replay_destination = "aeron:udp?endpoint=localhost:0";
    /// Where the live stream is received.
    std::string live_destination;
    /// How long nothing may move before it is given up.
    Duration progress_timeout = seconds(5);
};

class ReplayMerge {
  public:
    enum class State : std::uint8_t {
        kResolveReplayPort,
        kGetRecordingPosition,
        kReplay,
        kCatchup,
        kAttemptLiveJoin,
        kMerged,
        kFailed,
        kClosed,
    };

    /// Subscription and archive outlive it. The subscription has `control-mode=manual` and no destination
    /// yet. errors: channels that cannot be merged.
    [[nodiscard]] static ArchiveResult<std::unique_ptr<ReplayMerge>> create(
        ArchiveClient& archive, Subscription& subscription, ReplayMergeOptions options);
    ~ReplayMerge() { close(); }
    ReplayMerge(const ReplayMerge&) = delete;
    ReplayMerge& operator=(const ReplayMerge&) = delete;

    /// Moves the merge on; for who polls the image himself. Returns work done.
    int do_work();
    /// do_work, then fragments of the merged stream.
    template <class Handler>
    int poll(Handler&& handler, int fragment_limit) {
        const int work = do_work();
        return image_ == nullptr ? work : work + image_->poll(handler, fragment_limit);
    }

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] bool is_merged() const { return state_ == State::kMerged; }
    [[nodiscard]] bool has_failed() const { return state_ == State::kFailed; }
    /// Why it failed.
    [[nodiscard]] const std::optional<ArchiveError>& error() const { return error_; }
    [[nodiscard]] bool is_live_added() const { return is_live_added_; }
    /// The merged stream; null before the replay has come.
    [[nodiscard]] Image* image() const { return image_; }

    /// Gives it up if it is not merged: the replay is stopped and its destination removed. A live destination
    /// that was added stays. Idempotent.
    void close();

  private:
    ReplayMerge(ArchiveClient& archive, Subscription& subscription, ReplayMergeOptions options);

    ArchiveStatus begin();
    ArchiveResult<int> step(Instant now);
    ArchiveResult<int> resolve_replay_port(Instant now);
    ArchiveResult<int> get_recording_position(Instant now);
    ArchiveResult<int> start_replay(Instant now);
    ArchiveResult<int> catch_up(Instant now);
    ArchiveResult<int> attempt_live_join(Instant now);
    ArchiveStatus join_or_merge(Instant now, std::int64_t position);
    /// Whether max_recorded_position is known anew, in target_position_; asks for it when it is time to.
    ArchiveResult<bool> poll_recorded_position(Instant now);
    ArchiveStatus check_destinations();
    ArchiveStatus check_progress(Instant now) const;
    void progressed(Instant now) { last_progress_ = now; }
    void enter(State state);
    void remove_replay();

    ArchiveClient& archive_;
    Subscription& subscription_;
    ReplayMergeOptions options_;
    State state_ = State::kResolveReplayPort;
    std::optional<ArchiveError> error_;
    std::string replay_channel_;
    std::int64_t replay_destination_request_ = -1;  ///< the driver is adding it; -1: it has
    std::int64_t live_destination_request_ = -1;
    std::int64_t request_ = -1;  ///< the archive is asked; -1: nothing
    std::int64_t replay_session_id_ = -1;
    bool is_replay_active_ = false;
    bool is_live_added_ = false;
    std::int64_t target_position_ = kNullPosition;
    std::int64_t last_position_ = kNullPosition;
    Instant last_progress_;
    Instant next_ask_;
    Duration ask_pause_;
    Image* image_ = nullptr;
};

[[nodiscard]] std::string_view to_string(ReplayMerge::State state);

}  // namespace fulmar
