/// One replay: frames read from segments in large pieces and offered to a publication as they are, with its
/// session and stream id.
///
/// It never passes the recording's recorded position, nor a counter where one bounds it; at the end of what a
/// live recording has, it waits for more. Memory: two pieces, whatever the recording's length.
/// threads: the replayer's, between being handed over and its end; the conductor's before and after.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "archive/segment.h"
#include "archive/storage_hub.h"
#include "archive_server/recording_session.h"
#include "archive_server/server_counters.h"
#include "fulmar/archive/codes.h"
#include "fulmar/counters_reader.h"
#include "fulmar/exclusive_publication.h"
#include "fulmar/time.h"
#include "wire/frame.h"

namespace fulmar::archive {

class ReplaySession final : public StorageUser {
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
    [[nodiscard]] const IoTotals& reads() const { return reads_; }

    void on_storage(port::StorageCompletion& completion) override;

  private:
    /// Bytes of the stream in memory: [begin, end) of `memory`, the first of them at `position`.
    struct Piece {
        enum class State : std::uint8_t { kFree, kReading, kReady };
        State state = State::kFree;
        std::vector<std::byte> memory;
        std::int64_t position = 0;
        std::size_t begin = 0;
        std::size_t end = 0;
        Instant asked;
        bool is_counted = true;
    };
    /// In front of each piece, for the beginning of a frame that the piece before it held.
    static constexpr std::size_t kHeadroom = 64 * 1024;

    [[nodiscard]] std::int64_t limit();
    int read_ahead(Instant now);
    bool open_segment();
    int offer();
    /// What a piece begins with.
    struct Run {
        std::size_t length = 0;    ///< whole data frames that fit the window, with the publication's ids now
        std::int64_t padding = 0;  ///< or one padding frame of this length
        bool is_cut = false;       ///< or a frame that goes on in the next piece
        bool is_damaged = false;   ///< or no frame at all
    };
    [[nodiscard]] Run next_run(Piece& piece, std::int64_t window);
    // Each of these: whether there was progress.
    [[nodiscard]] bool offer_from(Piece& piece);
    [[nodiscard]] bool offer_padding();
    [[nodiscard]] bool carry_over(Piece& from, Piece& to);
    template <class Send>
    [[nodiscard]] bool has_gone(Send&& send);
    [[nodiscard]] bool is_frame(const wire::DataHeader& header, std::int64_t position) const;
    [[nodiscard]] std::int32_t term_id_at(std::int64_t position) const;
    void fail(ArchiveErrorCode code, std::string why);
    void end(Outcome outcome);
    void count_reads(Instant now);
    [[nodiscard]] bool is_busy() const;

    Init init_;
    StorageHub& storage_;
    State state_ = State::kOpening;
    Outcome outcome_ = Outcome::kStopped;
    ArchiveErrorCode error_code_ = ArchiveErrorCode::kGeneric;
    std::string error_;
    bool is_stopping_ = false;
    Instant deadline_;

    std::array<Piece, 2> pieces_;
    std::size_t offering_ = 0;       // the piece that is offered, or will be
    std::int64_t read_position_;     // up to here reads are under way or done
    std::int64_t position_;          // up to here it is offered
    std::int64_t padding_end_ = -1;  // beyond position_: padding to be offered up to there
    std::atomic<std::int64_t> position_told_;

    port::FileHandle file_ = port::FileHandle::kNone;
    std::int64_t segment_base_ = -1;  // of file_
    bool is_opening_ = false;
    bool is_closing_ = false;
    IoTotals reads_;
};

}  // namespace fulmar::archive
