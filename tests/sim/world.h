/// A virtual world: nodes with drivers, client processes with publishers and subscribers, a network between
/// them, and what goes wrong. Everything is drawn from one seed; scenarios build theirs by hand.
/// threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/prng.h"
#include "tests/sim/client_app.h"
#include "tests/sim/node.h"
#include "tests/sim/profiles.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/sim_net.h"
#include "tests/sim/wire_monitor.h"
#include "tests/sim/workload.h"

namespace fulmar::sim {

/// The smallest terms there are, so that logs wrap often.
inline constexpr std::int32_t kSimTermLength = 64 * 1024;

/// One thing that goes wrong, and when.
struct Fault {
    enum class Kind : std::uint8_t {
        kPauseAgent,    ///< node, which
        kPauseNode,     ///< node: all its processes
        kPauseClient,   ///< which
        kCut,           ///< node -> other
        kHold,          ///< node -> other
        kKillClient,    ///< which, point
        kKillAtPoint,   ///< which, point
        kKillHolding,   ///< which
        kCrashDriver,   ///< node, back after `length`
        kFlood,         ///< node
        kGarbage,       ///< node
        kStorageFull,   ///< node
        kNetworkShifts  ///< new loss, duplication and so on everywhere
    };
    Kind kind = Kind::kPauseAgent;
    Instant at;
    Duration length{};
    int node = 0;
    int other = 0;
    std::size_t which = 0;
    term::KillPoint point = term::KillPoint::kAfterTail;
};

struct WorldPlan {
    std::uint64_t seed = 0;
    SimNet::Options net;
    LinkFaults link_faults_max;  ///< each link draws below these
    agent::DriverOptions driver;
    WorldTimeouts timeouts;
    std::vector<NodeOptions> nodes;
    std::vector<std::unique_ptr<Topic>> topics;
    std::vector<std::unique_ptr<ConversationPlan>> conversations;
    std::vector<AppPlan> apps;
    std::vector<Fault> faults;  ///< by time
    Duration fault_phase = milliseconds(500);
    int final_messages = 20;
};

/// Time-outs a hundred times shorter than a driver's defaults, so that virtual seconds show all of them.
[[nodiscard]] WorldPlan base_plan(std::uint64_t seed);
/// Everything from the seed.
[[nodiscard]] WorldPlan draw_plan(std::uint64_t seed);
/// Adds streams to several receivers, by several ways, and back to whoever asked.
void draw_groups(WorldPlan& plan);
/// Bound of a node's shared memory.  units: bytes
[[nodiscard]] std::int64_t memory_per_node();

class World final : public WireMonitor::Arrivals {
  public:
    World(WorldPlan plan, bool verbose);
    ~World() override;
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    /// All phases, or up to the first failure.
    [[nodiscard]] RunResult run();

    // For scenarios.
    void run_for(Duration length);
    /// False when `done` did not come true in time.
    [[nodiscard]] bool run_until(const std::function<bool()>& done, Duration bound);
    [[nodiscard]] Node& node(int index) { return *nodes_[static_cast<std::size_t>(index)]; }
    [[nodiscard]] ClientApp& app(std::size_t index) { return *apps_[index]; }
    [[nodiscard]] std::size_t app_count() const { return apps_.size(); }
    [[nodiscard]] SimNet& net() { return net_; }
    [[nodiscard]] Ledger& ledger() { return ledger_; }
    [[nodiscard]] Verdict& verdict() { return verdict_; }
    [[nodiscard]] Counts& counts() { return counts_; }
    [[nodiscard]] WorkloadContext& workload() { return workload_; }
    [[nodiscard]] Instant now() const { return time_.now; }
    void pause_app(std::size_t index, Duration length);
    void pause_node(int index, Duration length);
    /// The driver's process alone.
    void pause_driver(int index, Duration length);
    /// Each open image's subscriber has read all that was promised to it.
    [[nodiscard]] bool all_messages_read(std::string& what_not);
    /// Closes everything, in order, and says what went wrong ever since; empty: nothing.
    [[nodiscard]] std::string finish();
    void apply(const Fault& fault);
    [[nodiscard]] bool everything_delivered(std::string& what_not);

    // WireMonitor::Arrivals
    void on_arrival(int host, port::PacketQueue& queue) override;
    [[nodiscard]] bool was_disturbed(int host) const override;

  private:
    /// Steps until then; due faults happen, counters are checked.
    void advance(Instant until);
    void fault_phase();
    void stop_faults();
    void heal_phase();
    void end_phase();
    void restart_drivers(bool all);
    void shift_network(bool healthy);
    void count_pause(Duration length);
    void disturb(int node, Instant until);
    void flood(const Fault& fault);
    void garbage(const Fault& fault);
    [[nodiscard]] bool everything_open(std::string& what_not);
    [[nodiscard]] bool everything_heard(std::string& what_not);
    [[nodiscard]] bool everybody_talks(std::string& what_not, bool (Requester::*is_done)() const);
    [[nodiscard]] bool everything_ended(std::string& what_not);
    [[nodiscard]] bool everything_released(std::string& what_not);
    void require(bool (World::*done)(std::string&), Duration bound, const char* what);

    WorldPlan plan_;
    WorldTime time_;
    Trace trace_;
    Counts counts_;
    Verdict verdict_;
    Ledger ledger_;
    Disturbances disturbances_;
    base::Prng workload_prng_;
    base::Prng fault_prng_;
    SimNet net_;
    Scheduler scheduler_;
    WorkloadContext workload_;
    WireMonitor monitor_;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::vector<Instant> restart_at_;  // by node; never(): it is up
    std::vector<std::unique_ptr<ClientApp>> apps_;
    std::vector<Scheduler::Id> app_ids_;
    std::size_t next_fault_ = 0;
    Instant next_counter_check_;
    std::vector<Instant> storage_back_at_;
};

}  // namespace fulmar::sim
