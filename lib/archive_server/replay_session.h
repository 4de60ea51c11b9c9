/// One replay: frames read from segments in large pieces and offered to a publication as they are, with its
/// session and stream id. ReplayReader says what of it is checked; at what is not as it was recorded, the
/// replay ends with an error.
///
/// It never passes the recording's recorded position, nor a counter where one bounds it; at the end of what a
/// live recording has, it waits for more. Memory: two pieces, whatever the recording's length.
/// threads: the replayer's, between being handed over and its end; the conductor's before and after.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "archive/segment.h"
#include "archive/storage_hub.h"
#include "archive_server/recording_session.h"
#include "archive_server/replay_reader.h"
#include "archive_server/server_counters.h"
#include "fulmar/archive/codes.h"
#include "fulmar/counters_reader.h"
#include "fulmar/exclusive_publication.h"
#include "fulmar/time.h"
#include "wire/frame.h"

namespace fulmar::archive {

class ReplaySession {
  public:
    enum class State : std::uint8_t {
        kOpening,   ///< reading the first piece
        kAwaiting,  ///< ready; nobody subscribes yet
        kReplaying,
        kEnding,  ///< waits for reads under way
        kEnded,
    };
    enum class Outcome : std::uint8_t {
        kCompleted,  ///< all was offered: the publication closes in order
        kStopped,    ///< by request, or its subscriber left
        kFailed,     ///< error() says why
    };
    struct Init {
        std::int64_t recording_id = 0;
        SegmentShape shape;
        std::int32_t session_id = 0;      ///< of the recording
        std::int64_t start_position = 0;  ///< of the recording
        std::int64_t position = 0;        ///< where the replay begins
        std::int64_t end = 0;             ///< where it ends at the latest
        /// Of a recording that is stopped; ignored where `live` is there.
        std::int64_t stop_position = 0;
        std::shared_ptr<const LivePosition> live;
        CountersReader counters;
        std::int32_t limit_counter_id = kNullCounterId;
        std::int64_t limit_registration_id = 0;
        std::int64_t limit = 0;                       ///< the counter's value when the replay was asked for
        ExclusivePublication* publication = nullptr;  ///< outlives the session
        std::int32_t read_length = 0;                 ///< of a piece
        bool checks_frames = false;                   ///< by Aeron's checksum, what no sidecar covers
        Duration connect_timeout;
        Instant now;
    };

    ReplaySession(Init init, StorageHub& storage);

    int poll(Instant now);
    void stop() { is_stopping_ = true; }

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] std::int64_t recording_id() const { return init_.recording_id; }
    /// Lowest position that it still reads.
    [[nodiscard]] std::int64_t position() const { return position_told_.load(std::memory_order_relaxed); }
    [[nodiscard]] Outcome outcome() const { return outcome_; }
    [[nodiscard]] ArchiveErrorCode error_code() const { return error_code_; }
    [[nodiscard]] const std::string& error() const { return error_; }
    /// It failed since the disk gave something else than was recorded.
    [[nodiscard]] bool found_damage() const { return found_damage_; }
    [[nodiscard]] const IoTotals& reads() const { return reader_.reads(); }

  private:
    using Piece = ReplayReader::Piece;

    [[nodiscard]] std::int64_t limit();
    int read_ahead(Instant now);
    void look_at_first(Instant now);
    int offer();
    /// What a piece begins with.
    struct Run {
        std::size_t length = 0;    ///< whole data frames that fit the window, with the publication's ids now
        std::int64_t padding = 0;  ///< or one padding frame of this length
        bool is_cut = false;       ///< or a frame that goes on in the next piece
        bool is_damaged = false;   ///< or no frame at all
        bool is_spoilt = false;    ///< or one with a wrong checksum
    };
    [[nodiscard]] Run next_run(Piece& piece, std::int64_t window);
    // Each of these: whether there was progress.
    [[nodiscard]] bool offer_from(Piece& piece);
    [[nodiscard]] bool offer_padding();
    [[nodiscard]] bool carry_over();
    template <class Send>
    [[nodiscard]] bool has_gone(Send&& send);
    [[nodiscard]] bool is_frame(const wire::DataHeader& header, std::int64_t position) const;
    [[nodiscard]] std::int32_t term_id_at(std::int64_t position) const;
    [[nodiscard]] bool stamp(Piece& piece, std::size_t at, std::size_t length);
    void fail(ArchiveErrorCode code, const std::string& why);
    void fail_damaged(const std::string& why);
    void end(Outcome outcome);

    Init init_;
    ReplayReader reader_;
    State state_ = State::kOpening;
    Outcome outcome_ = Outcome::kStopped;
    ArchiveErrorCode error_code_ = ArchiveErrorCode::kGeneric;
    std::string error_;
    bool found_damage_ = false;
    bool is_stopping_ = false;
    Instant deadline_;

    std::int64_t position_;          // up to here it is offered
    std::int64_t padding_end_ = -1;  // beyond position_: padding to be offered up to there
    std::int64_t recorded_;          // as limit() saw it
    bool may_grow_ = false;
    std::atomic<std::int64_t> position_told_;
};

}  // namespace fulmar::archive
