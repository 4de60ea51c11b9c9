/// A stream that is never missed: replayed from its recording as long as there is something to catch up with,
/// received live when not, and replayed again when the live stream went away and left something behind. Two
/// subscriptions, and messages come whole, in order and once, whichever of them has them.
///
///     auto stream = PersistentSubscription::create(*archive, {.recording_id = id, .live_channel = channel,
///     ...}); for (;;) { idle.idle((*stream)->poll(handler, 10)); }
///
/// The stream goes on where it was when the recording does: a publication that continues it begins at the
/// position where the one before ended (see ArchiveClient::extend_recording).
/// threads: one, that of the ArchiveClient, which it polls.
/// errors: see error(); an archive that is gone ends it only when it is needed. source: Aeron's persistent
/// subscription.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "fulmar/archive_client.h"
#include "fulmar/fragment_assembler.h"

namespace fulmar {

/// Where a persistent subscription begins.
inline constexpr std::int64_t kFromStart = -1;  ///< with the recording
inline constexpr std::int64_t kFromLive = -2;   ///< with what comes from now on

struct PersistentSubscriptionOptions {
    std::int64_t recording_id = kNullRecordingId;
    /// kFromStart, kFromLive, or where a message begins.
    std::int64_t start_position = kFromStart;
    /// It carries one session at a time.
    std::string live_channel;
    std::int32_t live_stream_id = 0;
    /// Where the archive sends replays; a wildcard port is seen to.
    std::string replay_channel = "aeron:udp?endpoint=localhost:0";
    std::int32_t replay_stream_id = 0;
    std::function<void()> on_live_joined;
    std::function<void()> on_live_left;
};

class PersistentSubscription {
  public:
    enum class State : std::uint8_t {
        kDescribe,
        kStartReplay,
        kReplay,
        kSwitch,
        kAwaitLive,
        kLive,
        kFailed,
        kClosed
    };

    /// The archive outlives it.  errors: channels that are none.
    [[nodiscard]] static ArchiveResult<std::unique_ptr<PersistentSubscription>> create(
        ArchiveClient& archive, PersistentSubscriptionOptions options);
    ~PersistentSubscription() { close(); }
    PersistentSubscription(const PersistentSubscription&) = delete;
    PersistentSubscription& operator=(const PersistentSubscription&) = delete;

    /// Moves it on, and delivers whole messages of up to `fragment_limit` fragments:
    /// handler(std::span<const std::byte>, const Header&). Returns work done.
    template <class Handler>
    int poll(Handler&& handler, int fragment_limit) {
        const int work = do_work();
        if (Image* image = readable_image(); image != nullptr) {
            return work + image->controlled_poll(
                              [&](std::span<const std::byte> fragment, const Header& header) {
                                  deliver(handler, fragment, header);
                                  return has_reached_live() ? ControlledAction::kBreak
                                                            : ControlledAction::kContinue;
                              },
                              fragment_limit);
        }
        return work;
    }

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] bool is_live() const { return state_ == State::kLive; }
    [[nodiscard]] bool is_replaying() const { return state_ == State::kReplay || state_ == State::kSwitch; }
    [[nodiscard]] bool has_failed() const { return state_ == State::kFailed; }
    /// Why it failed.
    [[nodiscard]] const std::optional<ArchiveError>& error() const { return error_; }
    /// The end of the last message delivered: where another one would go on. Negative before the beginning is
    /// known.
    [[nodiscard]] std::int64_t position() const { return position_; }

    /// Idempotent.
    void close();

  private:
    PersistentSubscription(ArchiveClient& archive, PersistentSubscriptionOptions options);

    template <class Handler>
    void deliver(Handler& handler, std::span<const std::byte> fragment, const Header& header) {
        if (header.is_unfragmented()) {
            handler(fragment, header);
        } else if (header.is_begin()) {
            message_.begin(fragment, header);
            return;
        } else {
            if (!message_.is_begun() || !message_.append(fragment, header) || !header.is_end()) {
                return;
            }
            handler(message_.message(), message_.finish(header));
            message_.reset();
        }
        position_ = header.position();
    }
    /// While switching: the replay has delivered all up to where the live image begins, at a message's end.
    [[nodiscard]] bool has_reached_live() const {
        return state_ == State::kSwitch && replayed_position() >= live_join_position_ && !message_.is_begun();
    }
    /// Padding behind the last message counts.
    [[nodiscard]] std::int64_t replayed_position() const {
        return std::max(position_, replay_image_->position());
    }
    /// What messages are to be read from now, null for nothing.
    [[nodiscard]] Image* readable_image();

    int do_work();
    ArchiveResult<int> step();
    ArchiveResult<int> describe();
    ArchiveResult<int> start_replay();
    ArchiveStatus ask_for_replay(const std::string& channel);
    ArchiveStatus poll_replay_subscription(const std::string& channel);
    ArchiveResult<int> replay();
    ArchiveResult<int> switch_over();
    ArchiveResult<int> await_live();
    ArchiveResult<int> live();
    /// Asks how far the recording is, now and then; joins the live stream when it is close.
    ArchiveStatus approach_live();
    /// The live stream's image, null while there is none.
    ArchiveResult<Image*> poll_live_subscription();
    /// Nothing while the archive has not answered, or need not be asked yet.
    ArchiveResult<std::optional<std::int64_t>> poll_recorded_position();
    void go_back_to_recording();
    void go_live();
    void end_replay();
    void end_live();
    [[nodiscard]] Unexpected<ArchiveError> failure(ArchiveErrorCode code, std::string what) const;

    ArchiveClient& archive_;
    PersistentSubscriptionOptions options_;
    State state_ = State::kDescribe;
    std::optional<ArchiveError> error_;
    std::int64_t position_;
    client::MessageBuilders::Builder message_;
    std::int64_t request_ = -1;         ///< the archive is asked; -1: nothing
    std::int64_t driver_request_ = -1;  ///< the driver is asked for the replay's subscription
    std::int64_t live_request_ = -1;    ///< and for the live one
    std::optional<RecordingDescriptor> descriptor_;
    Instant next_ask_{};
    std::unique_ptr<Subscription> replay_;
    std::int64_t replay_session_id_ = -1;
    Image* replay_image_ = nullptr;
    Instant replay_deadline_{};
    std::unique_ptr<Subscription> live_;
    Image* live_image_ = nullptr;
    std::int64_t live_join_position_ = 0;
};

[[nodiscard]] std::string_view to_string(PersistentSubscription::State state);

}  // namespace fulmar
