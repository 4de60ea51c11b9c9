/// The sending side of one (session, stream) over a network channel: setup, data, heartbeats, retransmits,
/// flow control and end of stream for the sender; publisher limit, cleaning and life cycle for the
/// conductor.
///
/// threads: methods are grouped by the agent that may call them. What both touch are the position counters
/// and the atomics at the end, each with one writer.
/// source: Aeron network publication; spec of the sender.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/position.h"
#include "fulmar/time.h"
#include "layout/log_buffer.h"
#include "observe/counters.h"
#include "port/packet_port.h"
#include "transport/group_flow_control.h"
#include "transport/log_readers.h"
#include "transport/producer_watch.h"
#include "transport/receiver_liveness.h"
#include "transport/retransmit_handler.h"
#include "transport/system_counters.h"
#include "transport/transmit_batch.h"
#include "wire/frame.h"

namespace fulmar::transport {

struct NetworkPublicationOptions {
    std::int64_t registration_id = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int32_t initial_term_id = 0;
    std::int32_t mtu = 1408;
    std::int32_t ttl = 0;
    std::int64_t initial_position = 0;
    std::int32_t term_window_length = 0;  ///< how far producers may run ahead of the sender
    std::int32_t flow_window_max = 0;     ///< bound of one retransmit and of an accepted receiver window
    bool is_exclusive = false;
    bool signal_eos = true;
    bool group = false;
    /// Of a group that its slowest receiver holds back; nothing: the fastest decides.
    std::optional<GroupFlowControl::Options> group_flow_control;
    bool requests_response = false;  ///< its SETUP asks for a stream of answers
    bool is_response = false;        ///< answers: goes to whoever asks for its SETUP
    /// The subscription that waits for answers, or the image that is answered.
    std::int64_t response_correlation_id = -1;
    bool spies_simulate_connection = false;  ///< spies do for receivers where there are none
    Duration setup_interval = milliseconds(100);
    Duration heartbeat_interval = milliseconds(100);
    /// First heartbeat after data stops, doubling up to heartbeat_interval: a lost last packet is noticed
    /// now rather than after a whole interval.
    Duration tail_probe_delay = microseconds(500);
    Duration connection_timeout = seconds(5);
    Duration unblock_timeout = seconds(15);
    Duration linger_timeout = seconds(5);
    RetransmitHandler::Options retransmit{64, {}, microseconds(500)};
    std::size_t packets_per_send = 32;
    port::Binding* binding = nullptr;
    /// Of a multi-destination publication: the sender agent's to fill in. Of a response: learned.
    port::Endpoint destination;
};

struct NetworkPublicationCounters {
    observe::Counter publisher_limit;
    observe::Counter publisher_position;
    observe::Counter sender_position;
    observe::Counter sender_limit;
    observe::Counter sender_back_pressure;
    observe::Counter naks_received;
    observe::Counter group_receivers;  ///< only where flow control counts them
};

class NetworkPublication {
  public:
    enum class State : std::uint8_t { kActive, kDraining, kLinger, kDone };

    NetworkPublication(const NetworkPublicationOptions& options, layout::LogBuffer log,
        const NetworkPublicationCounters& counters, const SystemCounters& system);

    [[nodiscard]] std::int32_t session_id() const { return options_.session_id; }
    [[nodiscard]] std::int32_t stream_id() const { return options_.stream_id; }
    [[nodiscard]] std::int64_t registration_id() const { return options_.registration_id; }
    [[nodiscard]] const NetworkPublicationOptions& options() const { return options_; }
    [[nodiscard]] const layout::LogBuffer& log() const { return log_; }
    [[nodiscard]] const NetworkPublicationCounters& counters() const { return counters_; }

    // ---- sender agent ------------------------------------------------------------------------------

    /// Adds what is to be sent now: setup, retransmits, new data within the receiver's limit, or a
    /// heartbeat. The batch then goes out, and on_transmitted() hears how many were taken.
    void poll_transmit(Instant now, TransmitBatch& batch);
    void on_transmitted(Instant now, const TransmitBatch& batch, std::size_t taken);

    /// False: it cannot be one of this stream's.
    bool on_status_message(Instant now, const wire::StatusMessage& message, const port::Endpoint& source);
    [[nodiscard]] bool has_receivers() const { return !receivers_.empty(); }
    void on_nak(Instant now, const wire::Nak& nak);
    /// Adds the reply to a measurement that asks for one.
    void on_rtt_measurement(
        const wire::RttMeasurement& request, const port::Endpoint& source, TransmitBatch& batch);
    /// A receiver rejected the stream; true if it was a live one (the client is told).
    bool on_error(const wire::ErrorFrame& error);
    /// The sender's process stood still for that long: receivers were not silent, we did not listen.
    void on_sender_stall(Duration length) {
        receivers_.forgive(length);
        if (group_) {
            group_->forgive(length);
        }
    }

    // ---- conductor agent ---------------------------------------------------------------------------

    /// Moves the publisher limit and cleans behind it; call every duty cycle. Returns work done.
    int update_publisher_limit();
    /// Life cycle, connection state, unblocking; call every timer interval or sooner.
    void on_timer(Instant now);
    /// The last client reference is gone: drain, then linger.
    void close(Instant now);
    /// Ends the stream without delivering what is unsent.
    void revoke(Instant now);
    /// The conductor's process stood still, and producers may have with it: none is blocked since before.
    void on_conductor_stall() { producer_watch_.reset(); }
    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] bool is_connected() const { return connected_.load(std::memory_order_acquire); }
    [[nodiscard]] std::int64_t producer_position() const { return log_.producer_position(); }
    /// End of what was sent; where a spy joins.
    [[nodiscard]] std::int64_t sender_position() const { return counters_.sender_position.get_acquire(); }

    /// Spies read the log itself, ahead of the sender or behind it, and hold the publisher limit as the
    /// sender does. False: LogReaders::kReadersMax reached. The counter must already hold the sender's
    /// position.
    [[nodiscard]] bool add_spy(const observe::Counter& position);
    void remove_spy(std::int32_t counter_id);
    /// Whoever joins finds something to read: not so when all is sent and only lingers.
    [[nodiscard]] bool takes_spies() const {
        return state_ == State::kActive || (state_ == State::kDraining && !is_drained());
    }

    /// The sender no longer knows this publication; the conductor may free it.
    /// SYNC(publication.released): release by sender; pairs with acquire by conductor.
    std::atomic<bool> released_by_sender{false};

  private:
    void add_setup(Instant now, TransmitBatch& batch);
    void add_retransmits(Instant now, TransmitBatch& batch);
    void add_data(Instant now, TransmitBatch& batch);
    void add_heartbeat(Instant now, TransmitBatch& batch);
    void expire_receivers(Instant now);
    void restart_heartbeats(Instant now);
    [[nodiscard]] std::int64_t oldest_unconsumed() const;
    [[nodiscard]] std::int64_t retransmit_floor() const;
    [[nodiscard]] bool is_frame_at(const std::byte* frame, std::int64_t position) const;
    void follow_spies();
    void update_connected();
    void set_connected(bool connected);
    void set_sender_limit(std::int64_t limit);
    [[nodiscard]] bool has_required_receivers() const {
        return !receivers_.empty() && (!group_ || group_->has_required_receivers());
    }
    /// What is unsent when the stream ends has somebody to wait for, or not: a group that fell apart takes
    /// nothing more. source: Aeron.
    void show_receivers() { has_receivers_.store(has_required_receivers(), std::memory_order_release); }
    LogReaders::Span read_spies();
    void announce_end();
    void check_for_blocked_producer(Instant now);
    [[nodiscard]] bool is_drained() const;
    int clean_to(std::int64_t position);
    [[nodiscard]] std::int64_t claim_overshoot() const;
    int raise_limit(std::int64_t wanted, std::int64_t consumed);

    const NetworkPublicationOptions options_;
    const layout::LogBuffer log_;
    const NetworkPublicationCounters counters_;
    const SystemCounters system_;

    // sender writes
    alignas(base::kCacheLineBytes) std::int64_t sender_position_;
    std::int64_t sender_limit_;
    Instant last_setup_;
    Instant next_heartbeat_ = Instant::never();
    Duration heartbeat_delay_;
    Instant next_expiry_check_;
    port::Endpoint destination_;
    bool eos_announced_ = false;
    bool setup_sent_ = false;
    bool has_initial_connection_ = false;
    bool setup_elicited_ = false;
    bool flow_limited_ = false;
    ReceiverLiveness receivers_;
    std::optional<GroupFlowControl> group_;
    RetransmitHandler retransmits_;

    // sender writes, conductor reads
    alignas(base::kCacheLineBytes) std::atomic<bool> connected_{false};
    std::atomic<bool> receiver_saw_eos_{false};
    std::atomic<bool> has_receivers_{false};

    // conductor writes, sender reads
    alignas(base::kCacheLineBytes) std::atomic<bool> end_of_stream_{false};
    std::atomic<bool> revoked_{false};
    /// How far the furthest spy has read; kNullPosition without one, or where spies simulate nothing.
    std::atomic<std::int64_t> spied_position_{base::kNullPosition};

    // conductor only
    State state_ = State::kActive;
    std::int64_t clean_position_;
    std::int64_t last_limit_ = 0;
    ProducerWatch producer_watch_;
    Instant linger_since_;
    LogReaders spies_;
};

}  // namespace fulmar::transport
