/// A publication whose log clients share directly: the driver only moves the publisher limit behind the
/// subscribers, cleans what they have consumed, unblocks dead producers and ends the stream.
/// threads: the conductor; producers and subscribers meet it in the log and the counters.
/// source: Aeron IPC publication.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/position.h"
#include "fulmar/time.h"
#include "layout/log_buffer.h"
#include "observe/counters.h"
#include "transport/log_readers.h"
#include "transport/producer_watch.h"
#include "transport/system_counters.h"

namespace fulmar::transport {

struct IpcPublicationOptions {
    std::int64_t registration_id = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int64_t initial_position = 0;
    std::int32_t term_window_length = 0;  ///< how far producers may run ahead of the slowest subscriber
    bool is_exclusive = false;
    Duration unblock_timeout = seconds(15);
    Duration linger_timeout = seconds(5);
};

struct IpcPublicationCounters {
    observe::Counter publisher_limit;
    observe::Counter publisher_position;
};

class IpcPublication {
  public:
    /// Bytes zeroed per cycle: little enough that it stays short, enough to keep pace with any producer.
    static constexpr std::int32_t kCleanBytesMax = 256 * 1024;

    enum class State : std::uint8_t {
        kActive,
        kDraining,  ///< no references; subscribers read on
        kLinger,    ///< subscribers were told; late readers keep their mapping
        kDone,
    };

    IpcPublication(const IpcPublicationOptions& options, layout::LogBuffer log,
        const IpcPublicationCounters& counters, const SystemCounters& system);

    [[nodiscard]] std::int64_t registration_id() const { return options_.registration_id; }
    [[nodiscard]] std::int32_t session_id() const { return options_.session_id; }
    [[nodiscard]] std::int32_t stream_id() const { return options_.stream_id; }
    [[nodiscard]] const IpcPublicationOptions& options() const { return options_; }
    [[nodiscard]] const layout::LogBuffer& log() const { return log_; }
    [[nodiscard]] const IpcPublicationCounters& counters() const { return counters_; }
    [[nodiscard]] State state() const { return state_; }

    /// Where a new subscriber starts: nothing before it is guaranteed to be there still.
    [[nodiscard]] std::int64_t join_position() const;
    /// False: LogReaders::kReadersMax reached. The counter must already hold the position it joins at.
    [[nodiscard]] bool add_subscriber(const observe::Counter& position);
    void remove_subscriber(std::int32_t counter_id);
    /// What some subscriber has read.
    [[nodiscard]] std::int64_t furthest_position() const { return consumer_position_; }
    [[nodiscard]] std::size_t subscriber_count() const { return subscribers_.size(); }

    /// Moves the publisher limit and cleans behind it; call every duty cycle. Returns work done.
    int update_publisher_limit();
    /// Connection state, unblocking and life cycle; call every timer interval or sooner.
    void on_timer(Instant now);
    /// Our process stood still, and producers may have with it: none is blocked since before.
    void on_conductor_stall() { producer_watch_.reset(); }
    /// The last client reference is gone: let subscribers drain, then linger.
    void close(Instant now);
    /// Ends the stream where it stands; what subscribers have not read is lost to them.
    void revoke(Instant now);

  private:
    LogReaders::Span read_positions(std::int64_t producer_position);
    [[nodiscard]] bool is_drained() const;
    int propose_limit(std::int64_t min_position);
    int clean_to(std::int64_t position);
    void check_for_blocked_producer(Instant now);
    void enter_linger(Instant now);

    const IpcPublicationOptions options_;
    const layout::LogBuffer log_;
    const IpcPublicationCounters counters_;
    const SystemCounters system_;
    const std::int32_t trip_gain_;  ///< the limit moves in steps, so that producers' cache lines rest

    State state_ = State::kActive;
    std::int64_t limit_;
    std::int64_t trip_limit_;
    std::int64_t clean_position_;
    bool cleaning_ = false;
    std::int64_t consumer_position_;
    std::int64_t last_producer_position_;
    ProducerWatch producer_watch_;
    Instant linger_since_;
    LogReaders subscribers_;
};

}  // namespace fulmar::transport
