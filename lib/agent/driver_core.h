/// A whole driver without threads, clocks or sockets of its own: directory, counters, agents and the queues
/// between them. Who calls the agents' poll functions, and how often, is the caller's affair: pinned
/// threads, one thread, the application itself, or a simulator.
/// threads: each poll_* from one thread at a time; poll_inline and close from one when no other polls.
#pragma once

#include <memory>
#include <vector>

#include "agent/conductor.h"
#include "agent/cycle_monitor.h"
#include "agent/driver_directory.h"
#include "agent/driver_errors.h"
#include "agent/driver_options.h"
#include "agent/loss_bridge.h"
#include "agent/port_counters.h"
#include "agent/receiver.h"
#include "agent/resource.h"
#include "agent/sender.h"
#include "observe/distinct_error_log.h"
#include "observe/loss_report.h"
#include "port/clock.h"
#include "port/memory_map.h"
#include "port/packet_port.h"
#include "port/resolver.h"

namespace fulmar::agent {

/// What a driver is built from; all but the options must outlive it.
struct DriverParts {
    DriverOptions options;
    std::vector<port::PacketPort*> ports;  ///< none: IPC only
    port::MemoryMap* memory = nullptr;
    port::Clock* clock = nullptr;
    port::Resolver* resolver = nullptr;
    ErrorListener* error_listener = nullptr;
    std::uint64_t seed = 0;  ///< session ids, term ids, receiver ids
};

class DriverCore {
  public:
    /// errors: kGeneric when another driver is active in the directory, or what creating its files met.
    static Result<std::unique_ptr<DriverCore>> create(DriverParts parts);
    ~DriverCore();
    DriverCore(const DriverCore&) = delete;
    DriverCore& operator=(const DriverCore&) = delete;

    int poll_conductor(Instant now);
    int poll_sender(Instant now);
    int poll_receiver(Instant now);
    int poll_resource(Instant now);
    /// Sender and receiver on one thread.
    int poll_network(Instant now);
    /// Everything on the caller's thread, what latency depends on first.
    int poll_inline(Instant now);

    /// True when a port has one queue for both directions: then only poll_network and poll_inline serve it.
    [[nodiscard]] bool needs_one_network_thread() const { return needs_one_network_thread_; }
    [[nodiscard]] bool terminate_requested() const { return conductor_->terminate_requested(); }

    /// Ends what is open, tells clients by the heartbeat, and deletes the directory if asked to. Nobody else
    /// may poll any more. Idempotent.
    void close(Instant now);

    [[nodiscard]] const DriverOptions& options() const { return parts_.options; }
    [[nodiscard]] const layout::CncFile& cnc() const { return files_.cnc; }
    [[nodiscard]] const Conductor& conductor() const { return *conductor_; }
    [[nodiscard]] const transport::SystemCounters& system_counters() const { return system_; }

  private:
    DriverCore(DriverParts parts, SharedFiles files);
    Status start();
    void register_system_counters();
    void label_cycle_counters();
    void create_network_agents();

    DriverParts parts_;
    SharedFiles files_;
    bool needs_one_network_thread_;
    bool closed_ = false;

    observe::CountersManager counters_;
    transport::SystemCounters system_;
    observe::Counter stalls_;
    observe::DistinctErrorLog error_log_;
    std::unique_ptr<DriverErrors> errors_;
    PortCounters port_counters_;
    observe::LossReport loss_report_;
    LossBridge losses_;

    Instant conductor_polled_;  ///< by poll_inline

    SenderQueue to_sender_{kAgentQueueCapacity};
    ReceiverQueue to_receiver_{kAgentQueueCapacity};
    SenderEventQueue sender_events_{kSenderEventQueueBytes};
    ImageRequestQueue image_requests_{kAgentQueueCapacity};
    ResourceQueue to_resource_{kResourceQueueCapacity};
    ResourceQueue from_resource_{kResourceQueueCapacity};

    ring::ShmMpscRing commands_;
    std::unique_ptr<Resource> resource_;
    std::unique_ptr<Sender> sender_;
    std::unique_ptr<Receiver> receiver_;
    std::unique_ptr<Conductor> conductor_;

    // Each is written by its agent's thread.
    alignas(base::kCacheLineBytes) CycleMonitor conductor_cycle_;
    alignas(base::kCacheLineBytes) CycleMonitor sender_cycle_;
    alignas(base::kCacheLineBytes) CycleMonitor receiver_cycle_;
};

}  // namespace fulmar::agent
