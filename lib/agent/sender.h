/// The sender agent: transmits publications in turn and handles what receivers send back.
/// threads: one; commands arrive over `commands`.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "agent/agent_commands.h"
#include "agent/channel_endpoint.h"
#include "fulmar/time.h"
#include "port/packet_port.h"
#include "transport/system_counters.h"
#include "transport/transmit_batch.h"

namespace fulmar::agent {

struct SenderContext {
    SenderQueue* commands = nullptr;         ///< from the conductor
    SenderEventQueue* events = nullptr;      ///< to the conductor
    std::vector<port::PacketQueue*> queues;  ///< polled by this agent; empty when the receiver polls for it
    transport::SystemCounters system;
    /// Not polled for longer than this: deadlines that others keep are re-based.
    Duration stall_threshold = seconds(1);
};

class Sender {
  public:
    explicit Sender(SenderContext context);

    /// One duty cycle; returns work done.
    int poll(Instant now);

    /// A datagram for one of our endpoints; also called by the receiver when both share a queue (and thread).
    void on_datagram(Instant now, SendChannelEndpoint& endpoint, const port::RxPacket& packet);

  private:
    struct Outgoing {
        transport::NetworkPublication* publication = nullptr;
        SendChannelEndpoint* endpoint = nullptr;
    };

    void check_for_stall(Instant now);
    int drain_commands(Instant now);
    int poll_queues(Instant now);
    int transmit(Instant now);
    std::size_t send_to_all(
        Instant now, SendChannelEndpoint& endpoint, std::span<const port::TxPacket> packets);
    void check_destinations(Instant now);
    void execute(Instant now, const SenderCommand& command);
    template <class Event>
    bool report(SenderEvent type, const Event& event, std::string_view text = {});
    bool on_status_message(Instant now, transport::NetworkPublication& publication,
        const wire::StatusMessage& message, const port::Endpoint& source);
    void report_rejection(const SendChannelEndpoint& endpoint,
        const transport::NetworkPublication& publication, const wire::ErrorFrame& error,
        const port::Endpoint& source);

    SenderContext context_;
    std::vector<Outgoing> publications_;
    std::vector<SendChannelEndpoint*> multi_destination_;  ///< endpoints
    std::size_t round_robin_ = 0;
    std::size_t destination_turn_ = 0;
    Instant next_destination_check_;
    bool started_ = false;
    Instant last_poll_;
    SenderCommand command_;  // a member: on the stack it would be initialised at each poll
    transport::TransmitBatch batch_;
    transport::TransmitBatch replies_;
    std::vector<port::TxPacket> copies_;  ///< of one burst
    std::vector<port::RxPacket> received_;
};

}  // namespace fulmar::agent
