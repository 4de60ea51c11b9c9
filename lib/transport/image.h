/// The receiving side of one (session, stream): validates and inserts packets, tracks gaps, asks for what is
/// missing, reports consumption back, and ends with its stream.
///
/// Rebuild, loss detection and status messages all run in the receiver agent, where the packets
/// arrive: no hand-over to the conductor stands between a loss and its NAK.
/// threads: methods are grouped by agent; the conductor reads state through atomics.
/// source: Aeron publication image; spec of the receiver.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

#include "fulmar/time.h"
#include "layout/log_buffer.h"
#include "observe/counters.h"
#include "port/packet_port.h"
#include "transport/gap_list.h"
#include "transport/image_paths.h"
#include "transport/nak_backoff.h"
#include "transport/system_counters.h"
#include "transport/transmit_batch.h"
#include "wire/frame.h"

namespace fulmar::transport {

struct ImageOptions {
    std::int64_t correlation_id = 0;
    std::int32_t session_id = 0;
    std::int32_t stream_id = 0;
    std::int32_t initial_term_id = 0;
    std::int64_t initial_position = 0;
    std::int32_t mtu = 0;
    std::int32_t window_length = 0;  ///< advertised; at most half a term
    std::int64_t receiver_id = 0;
    std::optional<std::int64_t> group_tag;  ///< shown in status messages
    bool reliable = true;
    Duration nak_delay = microseconds(1);
    Duration nak_retry = microseconds(100);
    std::optional<NakBackoff::Options>
        nak_backoff;  ///< of a group, whose receivers wait for random times instead
    Duration status_message_timeout = milliseconds(200);
    /// First repeat of a status message that moved the window, in case it was lost; then ever later.
    Duration status_message_probe_delay = microseconds(500);
    Duration liveness_timeout = seconds(10);
    Instant created;
    port::Binding* binding = nullptr;  ///< where its setup came in
    port::Endpoint control;            ///< where control frames go that way
};

struct ImageCounters {
    observe::Counter receiver_hwm;
    observe::Counter receiver_position;
    observe::Counter naks_sent;
};

/// Called when bytes are first seen missing; for the loss report.
class LossObserver {
  public:
    virtual ~LossObserver() = default;
    virtual void on_loss(std::int64_t correlation_id, std::int64_t bytes) = 0;
};

class Image {
  public:
    static constexpr std::size_t kSubscribersMax = 64;
    static constexpr std::size_t kNaksPerPass = 16;

    /// Receiver's view of the life cycle; kLinger means it left the receiver.
    enum class State : std::uint8_t { kActive, kDraining, kLinger };

    Image(const ImageOptions& options, layout::LogBuffer log, const ImageCounters& counters,
        const SystemCounters& system, LossObserver* loss);

    [[nodiscard]] std::int64_t correlation_id() const { return options_.correlation_id; }
    [[nodiscard]] std::int32_t session_id() const { return options_.session_id; }
    [[nodiscard]] std::int32_t stream_id() const { return options_.stream_id; }
    [[nodiscard]] const ImageOptions& options() const { return options_; }
    [[nodiscard]] const layout::LogBuffer& log() const { return log_; }
    [[nodiscard]] const ImageCounters& counters() const { return counters_; }

    // ---- receiver agent ----------------------------------------------------------------------------

    /// A DATA, PAD or heartbeat datagram whose envelope was checked. Anything wrong inside is counted.
    void on_data(Instant now, const PacketOrigin& origin, const std::byte* packet, std::int32_t length);
    /// A further SETUP of the same stream: its sender is one too.
    void on_setup(Instant now, const PacketOrigin& origin);
    /// That binding is going: nothing may be sent by it any more.
    void remove_path(const port::Binding* binding);
    /// Status messages, NAKs, and gap filling when unreliable; also moves the window.
    void poll_transmit(Instant now, TransmitBatch& batch);
    /// Packets of the batch from `taken` on were not sent: what they carried is due again.
    void on_transmitted(const TransmitBatch& batch, std::size_t taken);
    /// The conductor's commands, executed on the receiver. False: kSubscribersMax reached.
    bool add_subscriber(const observe::Counter& position);
    void remove_subscriber(std::int32_t counter_id);
    /// It is not waited for until it is added again, but keeps the image from being deserted.
    void rest_subscriber(std::int32_t counter_id);
    /// From now on tells the sender which session answers it, until that one is heard.
    void respond(std::int32_t response_session_id);
    void stop_responding() { is_responding_ = false; }
    /// From now on answers with ERR instead of status messages.
    void reject(std::string_view reason);
    void on_rtt_measurement(
        const wire::RttMeasurement& request, const PacketOrigin& origin, TransmitBatch& batch);
    /// The receiver's process stood still for that long: the sender was not silent, we did not listen.
    void on_receiver_stall(Duration length) {
        last_packet_ = last_packet_ + length;
        paths_.forgive(length);
    }
    /// Draining on end of stream, silence or no subscribers; then linger. Call once per duty cycle.
    void on_timer(Instant now);

    // ---- conductor agent ---------------------------------------------------------------------------

    /// SYNC(image.state): acquire; pairs with the receiver's release in on_timer.
    [[nodiscard]] State state() const { return state_.load(std::memory_order_acquire); }
    [[nodiscard]] std::int64_t rebuild_position() const { return counters_.receiver_position.get_acquire(); }
    /// Up to here every subscriber has read, as of the receiver's last cycle: always between two frames.
    [[nodiscard]] std::int64_t consumed_position() const { return consumed_.load(std::memory_order_acquire); }
    [[nodiscard]] bool is_end_of_stream() const { return end_of_stream_.load(std::memory_order_acquire); }

    /// The receiver no longer knows this image; the conductor may free it.
    /// SYNC(image.released): release by receiver; pairs with acquire by conductor.
    std::atomic<bool> released_by_receiver{false};

  private:
    void heard(Instant now, const PacketOrigin& origin);
    void show_paths();
    void on_heartbeat(Instant now, const PacketOrigin& origin, std::int64_t position, std::uint8_t flags);
    void insert_frames(Instant now, std::int64_t position, const std::byte* packet, std::int32_t length);
    [[nodiscard]] bool packet_extent(
        const std::byte* packet, std::int32_t length, std::int64_t& extent) const;
    void stop_readers_at(std::int64_t position);
    void publish_positions();
    /// The furthest that anything we ever sent invites.
    [[nodiscard]] std::int64_t window_end() const { return last_sm_position_ + log_.term_length() / 2; }
    void move_window();
    void send_status_message(Instant now, TransmitBatch& batch, std::uint8_t flags);
    void send_response_setup(TransmitBatch& batch);
    void send_error(Instant now, TransmitBatch& batch);
    void start_draining(Instant now);
    [[nodiscard]] bool is_rejected() const { return reject_frame_length_ > 0; }
    void draw_nak_delay();
    [[nodiscard]] std::size_t find_subscriber(std::int32_t counter_id) const;
    [[nodiscard]] bool subscribers_at(std::int64_t position) const;
    void add_naks(Instant now, TransmitBatch& batch);
    void fill_gaps(Instant now);
    void report_loss(std::int64_t bytes);
    [[nodiscard]] std::int64_t min_subscriber_position() const;

    const ImageOptions options_;
    const layout::LogBuffer log_;
    const ImageCounters counters_;
    const SystemCounters system_;
    LossObserver* const loss_;

    GapList gaps_;
    ImagePaths paths_;
    std::int64_t last_sm_position_;
    std::int64_t consumed_position_;  ///< what every subscriber has consumed, clamped to what can be true
    Instant sm_deadline_;
    Duration sm_interval_;
    Instant last_packet_;
    Instant drain_started_;
    bool had_subscriber_ = false;
    bool sm_due_ = true;
    bool revoked_ = false;
    bool is_responding_ = false;
    std::int32_t response_session_id_ = 0;
    std::int64_t end_position_ = -1;        ///< from an EOS heartbeat
    std::int32_t reject_frame_length_ = 0;  ///< 0: not rejected
    std::array<std::byte, wire::kErrorHeaderLength + wire::kErrorTextMax> reject_frame_{};
    Duration nak_delay_;  ///< of the next gap
    std::optional<NakBackoff> nak_backoff_;
    std::size_t subscriber_count_ = 0;  ///< all of them
    std::size_t reader_count_ = 0;      ///< those that are waited for, which come first
    std::array<observe::Counter, kSubscribersMax> subscribers_;

    std::atomic<State> state_{State::kActive};
    std::atomic<std::int64_t> consumed_;
    std::atomic<bool> end_of_stream_{false};
};

}  // namespace fulmar::transport
