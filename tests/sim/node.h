/// One machine of the virtual world: a clock, memory, a port, and a driver that can crash and come back.
/// threads: one.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "agent/driver_core.h"
#include "drivers/memory_map/heap_memory_map.h"
#include "tests/sim/counts.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_net.h"
#include "tests/sim/verdict.h"

namespace fulmar::sim {

/// How a node's agents share threads.
enum class Threading : std::uint8_t { kDedicated, kSharedNetwork, kShared };

struct NodeOptions {
    agent::DriverOptions driver;
    Threading threading = Threading::kDedicated;
    Duration clock_origin{};
    std::int64_t clock_drift_ppm = 0;
    Scheduler::Pace pace;
    std::uint64_t seed = 0;
};

class Node {
  public:
    Node(int index, NodeOptions options, const WorldTime& time, Scheduler& scheduler, SimNet& net,
        Verdict& verdict, Counts& counts);
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    /// Starts the driver in a directory of its own.
    void start();
    /// The process is gone: nothing is told to anybody, its memory stays to who mapped it.
    void crash();
    /// An orderly end. False, and the verdict says so, when something was left behind.
    void close();
    [[nodiscard]] bool is_up() const { return running_ != nullptr; }

    [[nodiscard]] int index() const { return index_; }
    /// Of the driver; each start has the next one.
    [[nodiscard]] int incarnation() const { return incarnation_; }
    [[nodiscard]] const std::string& dir() const { return dir_; }
    [[nodiscard]] SimClock& clock() { return clock_; }
    [[nodiscard]] drivers::HeapMemoryMap& memory() { return memory_; }
    [[nodiscard]] const NodeOptions& options() const { return options_; }
    [[nodiscard]] agent::DriverCore& driver() { return *running_->core; }
    [[nodiscard]] const std::vector<Scheduler::Id>& agents() const { return agents_; }
    /// Lets the agent that polls `queue` run soon.
    void wake(const port::PacketQueue& queue);

    /// Positions in the counters file agree with each other and never move back. Cheap enough to be called
    /// every few virtual milliseconds.
    void check_counters();

  private:
    enum class Role : std::uint8_t { kConductor, kSender, kReceiver, kResource, kNetwork, kEverything };
    class Agent final : public Actor {
      public:
        Agent(Node& node, Role role) : node_(node), role_(role) {}
        int poll() override;
        [[nodiscard]] Role role() const { return role_; }

      private:
        Node& node_;
        Role role_;
    };
    /// A driver process; it outlives its crash, since who dies does not clean up.
    struct Process {
        std::unique_ptr<SimPort> port;
        std::unique_ptr<agent::DriverCore> core;
        std::vector<std::unique_ptr<Agent>> agents;
    };
    void add_counts();

    int index_;
    NodeOptions options_;
    Scheduler& scheduler_;
    SimNet& net_;
    Verdict& verdict_;
    Counts& counts_;
    SimClock clock_;
    drivers::HeapMemoryMap memory_;
    int incarnation_ = 0;
    std::string dir_;
    std::unique_ptr<Process> running_;
    std::vector<std::unique_ptr<Process>> dead_;
    std::vector<Scheduler::Id> agents_;
    struct Seen {
        std::int64_t registration_id = 0;
        std::int64_t reference_id = 0;
        std::int32_t type_id = -1;
        std::int64_t value = 0;
    };
    std::vector<Seen> seen_;  // by counter id
};

}  // namespace fulmar::sim
