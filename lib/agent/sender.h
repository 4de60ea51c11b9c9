/// The sender agent: transmits publications in turn and handles what receivers send back.
/// threads: one; commands arrive over `commands`.
#pragma once

#include <cstdint>
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
    RejectionQueue* rejections = nullptr;    ///< to the conductor
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
    void check_for_stall(Instant now);
    int drain_commands();
    int poll_queues(Instant now);
    int transmit(Instant now);
    void execute(const SenderCommand& command);
    void report_rejection(const transport::NetworkPublication& publication, const wire::ErrorFrame& error,
        const port::Endpoint& source);

    SenderContext context_;
    std::vector<transport::NetworkPublication*> publications_;
    std::size_t round_robin_ = 0;
    bool started_ = false;
    Instant last_poll_;
    SenderCommand command_;  // a member: on the stack it would be initialised at each poll
    transport::TransmitBatch batch_;
    transport::TransmitBatch replies_;
    std::vector<port::RxPacket> received_;
};

}  // namespace fulmar::agent
