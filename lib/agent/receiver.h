/// The receiver agent: polls receive endpoints, keeps each endpoint's interest and session states, inserts
/// into images, and sends their status messages and NAKs.
/// threads: one; commands arrive over `commands`.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "agent/agent_commands.h"
#include "agent/channel_endpoint.h"
#include "fulmar/time.h"
#include "port/packet_port.h"
#include "transport/system_counters.h"
#include "transport/transmit_batch.h"

namespace fulmar::agent {

class Sender;

/// Sessions remembered per stream without an image; beyond it unknown sessions are ignored and counted, so
/// that a flood costs a bounded table.
inline constexpr std::size_t kPendingSessionsMax = 1024;

struct ReceiverContext {
    ReceiverQueue* commands = nullptr;
    ImageRequestQueue* requests = nullptr;
    std::vector<port::PacketQueue*> queues;
    /// Set when sender and receiver share queues and thread: its datagrams go there.
    Sender* sender = nullptr;
    transport::SystemCounters system;
    std::int32_t stream_session_limit = 0x7FFFFFFF;
    /// Not polled for longer than this: deadlines that others keep are re-based.
    Duration stall_threshold = seconds(1);
};

class Receiver {
  public:
    explicit Receiver(ReceiverContext context);

    int poll(Instant now);

    void on_datagram(Instant now, ReceiveTransport& transport, const port::RxPacket& packet);

  private:
    void check_for_stall(Instant now);
    int drain_commands(Instant now);
    int poll_queues(Instant now);
    int transmit(Instant now);
    void execute(Instant now, const ReceiverCommand& command);
    std::size_t send(Instant now, std::span<const port::TxPacket> packets);
    void on_data(Instant now, ReceiveTransport& transport, const port::RxPacket& packet);
    void on_setup(Instant now, ReceiveTransport& transport, const port::RxPacket& packet);
    void on_rtt_measurement(Instant now, ReceiveTransport& transport, const port::RxPacket& packet);
    void elicit_setup(Instant now, ReceiveTransport& transport, std::int32_t session_id,
        std::int32_t stream_id, const port::Endpoint& to);
    void request_setups(Instant now);
    void request_setup(Instant now, const ReceiverCommand& command);
    void add_transport(Instant now, ReceiveTransport& transport);
    void remove_transport(ReceiveTransport& transport);
    void remove_endpoint(ReceiveChannelEndpoint& endpoint);
    void add_interest(Instant now, const ReceiverCommand& command);
    static void remove_interest(const ReceiverCommand& command);
    static void endpoint_forget(ReceiveChannelEndpoint& endpoint, std::int32_t stream_id);
    void add_image(ReceiveChannelEndpoint& endpoint, transport::Image& image);
    void remove_image(ReceiveChannelEndpoint& endpoint, transport::Image& image);
    void expire_pending(Instant now);

    ReceiverContext context_;
    std::vector<ReceiveChannelEndpoint*> endpoints_;
    std::vector<transport::Image*> images_;
    ReceiverCommand command_;  // a member: on the stack it would be initialised at each poll
    transport::TransmitBatch batch_;
    std::vector<port::RxPacket> received_;
    Instant next_pending_check_;
    std::size_t controls_ = 0;  ///< transports that ask for setups by themselves
    bool started_ = false;
    Instant last_poll_;
};

}  // namespace fulmar::agent
