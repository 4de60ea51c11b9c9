// Drawing a world from a seed: which faults there are at all is drawn first, so that some worlds see much of
// one thing and others a little of everything.
#include <algorithm>

#include "base/position.h"
#include "tests/sim/world.h"

namespace fulmar::sim {

namespace {

constexpr std::int64_t kMemoryPerNode = 256 * 1024 * 1024;  // a SETUP of 1 GiB terms does not fit

void small_files(agent::DriverOptions& driver) {
    driver.cnc_lengths.to_driver = 16 * 1024 + layout::kRingTrailerLength;
    driver.cnc_lengths.to_clients = 64 * 1024 + layout::kBroadcastTrailerLength;
    driver.cnc_lengths.counter_values = 512 * 1024;
    driver.cnc_lengths.counter_metadata = driver.cnc_lengths.counter_values * layout::kCounterMetadataRatio;
    driver.cnc_lengths.error_log = 64 * 1024;
    driver.loss_report_length = 64 * 1024;
}

}  // namespace

WorldPlan base_plan(std::uint64_t seed) {
    WorldPlan plan;
    plan.seed = seed;
    agent::DriverOptions& driver = plan.driver;
    small_files(driver);
    driver.version = "simulated";
    driver.term_length = kSimTermLength;
    driver.ipc_term_length = kSimTermLength;
    driver.sparse_terms = true;
    driver.low_storage_warning = 0;
    driver.client_liveness_timeout = milliseconds(120);
    driver.image_liveness_timeout = milliseconds(100);
    driver.publication_linger_timeout = milliseconds(60);
    driver.publication_unblock_timeout = milliseconds(80);
    driver.publication_connection_timeout = milliseconds(60);
    driver.status_message_timeout = milliseconds(4);
    driver.setup_interval = milliseconds(3);
    driver.heartbeat_interval = milliseconds(3);
    driver.nak_delay = microseconds(5);
    driver.nak_retry = microseconds(400);
    driver.nak_group_backoff = milliseconds(2);
    driver.retransmit_linger = microseconds(200);
    driver.flow_control_receiver_timeout = milliseconds(50);
    driver.untethered_window_limit_timeout = milliseconds(20);
    driver.untethered_linger_timeout = milliseconds(10);
    driver.untethered_resting_timeout = milliseconds(20);
    driver.timer_interval = milliseconds(5);
    driver.driver_timeout = milliseconds(200);
    driver.counter_reuse_timeout = milliseconds(40);
    driver.stall_threshold = milliseconds(50);
    plan.timeouts.unblock = driver.publication_unblock_timeout;
    plan.timeouts.client_liveness = driver.client_liveness_timeout;
    plan.timeouts.image_liveness = driver.image_liveness_timeout;
    plan.timeouts.driver = driver.driver_timeout;
    plan.timeouts.aftermath = driver.client_liveness_timeout + driver.image_liveness_timeout +
                              driver.publication_linger_timeout + milliseconds(40);
    return plan;
}

namespace {

class PlanDrawer {
  public:
    explicit PlanDrawer(std::uint64_t seed) : prng_(seed, 7), plan_(base_plan(seed)) {}

    WorldPlan draw() {
        draw_net();
        draw_nodes();
        draw_topics();
        draw_apps();
        draw_faults();
        draw_groups(plan_);
        return std::move(plan_);
    }

  private:
    int below(int bound) { return static_cast<int>(prng_.below(static_cast<std::uint64_t>(bound))); }
    Duration up_to(Duration longest) {
        return Duration{static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(longest.ns) + 1))};
    }
    /// Zero in many worlds, up to `most` in the others.
    double some(double most) { return prng_.chance(0.4) ? 0.0 : prng_.unit() * most; }

    void draw_net() {
        SimNet::Options& net = plan_.net;
        net.hosts = 2 + below(3);
        constexpr std::int32_t kPayloads[] = {544, 1472, 1472, 8192};
        net.payload_max = kPayloads[below(4)];
        net.queue_capacity = prng_.chance(0.2) ? 48 : 2048;
        net.separate_queues = prng_.chance(0.7);
        net.short_send = some(0.05);
        net.delay = microseconds(prng_.between(2, 100));
        net.jitter = microseconds(prng_.between(1, 40));
        LinkFaults& faults = plan_.link_faults_max;
        faults.loss = some(prng_.chance(0.1) ? 0.3 : 0.08);
        faults.duplicate = some(0.05);
        faults.reorder = some(0.08);
        faults.corrupt = some(0.03);
        faults.spike = some(0.01);
        faults.spike_max = up_to(milliseconds(8));
    }

    void draw_nodes() {
        plan_.driver.mtu = (plan_.net.payload_max / 32) * 32;
        if (prng_.chance(0.3)) {
            plan_.driver.mtu = std::min(plan_.driver.mtu, 288 + 32 * below(40));
        }
        plan_.driver.ipc_mtu = prng_.chance(0.5) ? plan_.driver.mtu : 1408;
        plan_.driver.packets_per_send = 1 + below(32);
        plan_.driver.nak_retry = microseconds(prng_.between(100, 2000));
        plan_.driver.retransmits_max = prng_.chance(0.2) ? 1 : 64;
        for (int i = 0; i < plan_.net.hosts; ++i) {
            NodeOptions node;
            node.driver = plan_.driver;
            constexpr Threading kThreadings[] = {
                Threading::kDedicated, Threading::kDedicated, Threading::kSharedNetwork, Threading::kShared};
            node.threading = kThreadings[below(4)];
            node.clock_origin = milliseconds(prng_.between(1'000, 1'000'000));
            node.clock_drift_ppm = prng_.between(-100, 100);
            node.pace.busy = nanoseconds(prng_.between(300, 3000));
            node.pace.idle_max = microseconds(prng_.between(100, 800));
            node.seed = prng_.next();
            plan_.nodes.push_back(node);
        }
    }

    void draw_topics() {
        const int count = 3 + below(3);
        for (int i = 0; i < count; ++i) {
            auto topic = std::make_unique<Topic>();
            topic->index = i;
            topic->node = below(plan_.net.hosts);
            topic->stream_id = 1001 + i;
            topic->is_ipc = prng_.chance(0.3);
            if (topic->is_ipc) {
                topic->publication_channel = "aeron:ipc?" + draw_start() + draw_publication_window();
                topic->subscription_channel = "aeron:ipc";
            } else {
                topic->is_reliable = !prng_.chance(0.15);
                // Some topics share a socket.
                topic->udp_port = static_cast<std::uint16_t>(40000 + below(2));
                const std::string endpoint =
                    "aeron:udp?endpoint=" + port::to_string(SimNet::address_of(topic->node)) + ":" +
                    std::to_string(topic->udp_port);
                topic->publication_channel = endpoint + "|" + draw_start() + draw_publication_window();
                topic->spy_channel = "aeron-spy:" + endpoint;
                if (prng_.chance(0.3)) {
                    topic->publication_channel += "|ssc=true";
                    topic->spies_simulate = true;
                    topic->is_spied_alone = prng_.chance(0.5);
                }
                topic->subscription_channel = endpoint + (topic->is_reliable ? "" : "|reliable=false");
                if (prng_.chance(0.2)) {
                    topic->subscription_channel +=
                        "|rcv-wnd=" + std::to_string(prng_.between(plan_.driver.mtu, kSimTermLength / 2));
                }
            }
            plan_.topics.push_back(std::move(topic));
        }
    }

    /// Where a stream begins: also where term ids wrap, and in the middle of a term.
    std::string draw_start() {
        if (prng_.chance(0.6)) {
            return "term-length=64k";
        }
        constexpr std::int32_t kInitial[] = {0x7FFFFFFF, 0x7FFFFFFE, -1, 0, -0x7FFFFFFF};
        const std::int32_t initial = kInitial[below(5)];
        const std::int32_t term = base::wrapping_add(initial, below(7));
        return "term-length=64k|init-term-id=" + std::to_string(initial) +
               "|term-id=" + std::to_string(term) +
               "|term-offset=" + std::to_string(below(kSimTermLength / 32) * 32);
    }

    std::string draw_publication_window() {
        if (prng_.chance(0.8)) {
            return "";
        }
        const std::int32_t least = std::max(plan_.driver.mtu, plan_.driver.ipc_mtu);
        return "|pub-wnd=" + std::to_string(prng_.between(least, kSimTermLength / 2));
    }

    void draw_apps() {
        for (int node = 0; node < plan_.net.hosts; ++node) {
            const int count = 1 + below(3);
            for (int i = 0; i < count; ++i) {
                AppPlan app;
                app.node = node;
                app.pace.busy = nanoseconds(prng_.between(500, 20'000));
                app.pace.idle_max = microseconds(prng_.between(100, 1000));
                plan_.apps.push_back(app);
            }
        }
        for (const auto& topic : plan_.topics) {
            const int publishers = 1 + below(3);
            const bool is_spied = topic->is_spied_alone || (!topic->is_ipc && prng_.chance(0.3));
            for (int i = 0; i < publishers; ++i) {
                AppPlan& app = app_on(topic->is_ipc ? topic->node : -1);
                app.publishers.push_back(draw_publisher(*topic));
                if (is_spied) {
                    app_on(app.node).subscribers.push_back(draw_spy(*topic, app.node));
                }
            }
            const int subscribers = topic->is_spied_alone ? 0 : 1 + below(3);
            for (int i = 0; i < subscribers; ++i) {
                app_on(topic->node).subscribers.push_back(draw_subscriber(*topic));
            }
        }
    }

    AppPlan& app_on(int node) {
        for (;;) {
            AppPlan& app = plan_.apps[static_cast<std::size_t>(below(static_cast<int>(plan_.apps.size())))];
            if (node < 0 || app.node == node) {
                return app;
            }
        }
    }

    PublisherPlan draw_publisher(const Topic& topic) {
        PublisherPlan plan;
        plan.topic = &topic;
        plan.is_exclusive = prng_.chance(0.4);
        plan.burst_max = 1 + below(12);
        plan.gap_max = microseconds(prng_.between(20, 2000));
        plan.small_max = static_cast<std::int32_t>(prng_.between(0, 1500));
        plan.large = some(0.3);
        plan.claim = some(0.5);
        plan.abort = some(0.5);
        plan.claim_hold_max = prng_.chance(0.3) ? milliseconds(2) : microseconds(20);
        plan.close = prng_.chance(0.3) ? prng_.unit() * 0.003 : 0.0;
        plan.revoke = prng_.chance(0.3) ? 0.5 : 0.0;
        plan.bytes_max = prng_.between(100'000, 900'000);
        return plan;
    }

    SubscriberPlan draw_subscriber(const Topic& topic) {
        SubscriberPlan plan;
        plan.topic = &topic;
        plan.fragment_limit = 1 + below(30);
        plan.is_slow = prng_.chance(0.2);
        plan.gap_max = plan.is_slow ? up_to(milliseconds(3)) : up_to(microseconds(50));
        plan.close = prng_.chance(0.25) ? prng_.unit() * 0.002 : 0.0;
        plan.reject = prng_.chance(0.05) && !topic.is_ipc ? 0.001 : 0.0;
        return plan;
    }

    SubscriberPlan draw_spy(const Topic& topic, int node) {
        SubscriberPlan plan = draw_subscriber(topic);
        plan.spy_node = node;
        plan.reject = 0;
        return plan;
    }

    void draw_faults() {
        plan_.fault_phase = milliseconds(prng_.between(150, 600));
        using Kind = Fault::Kind;
        struct Choice {
            Kind kind;
            double in_world;  ///< probability that a world has any
            int most;
        };
        constexpr Choice kChoices[] = {
            {Kind::kPauseAgent, 0.6, 6},
            {Kind::kPauseNode, 0.4, 3},
            {Kind::kPauseClient, 0.6, 6},
            {Kind::kCut, 0.5, 5},
            {Kind::kHold, 0.5, 5},
            {Kind::kKillClient, 0.3, 2},
            {Kind::kKillAtPoint, 0.6, 4},
            {Kind::kKillHolding, 0.3, 2},
            {Kind::kCrashDriver, 0.25, 2},
            {Kind::kFlood, 0.3, 3},
            {Kind::kGarbage, 0.3, 3},
            {Kind::kStorageFull, 0.25, 2},
            {Kind::kNetworkShifts, 0.5, 4},
        };
        for (const Choice& choice : kChoices) {
            if (!prng_.chance(choice.in_world)) {
                continue;
            }
            const int count = 1 + below(choice.most);
            for (int i = 0; i < count; ++i) {
                plan_.faults.push_back(draw_fault(choice.kind));
            }
        }
        std::stable_sort(plan_.faults.begin(), plan_.faults.end(),
            [](const Fault& a, const Fault& b) { return a.at < b.at; });
    }

    Fault draw_fault(Fault::Kind kind) {
        Fault fault;
        fault.kind = kind;
        fault.at = Instant{} + up_to(plan_.fault_phase);
        fault.node = below(plan_.net.hosts);
        fault.other = (fault.node + 1 + below(plan_.net.hosts - 1)) % plan_.net.hosts;
        fault.which = static_cast<std::size_t>(below(64));
        fault.point = static_cast<term::KillPoint>(below(4));
        // Most are short enough to be survived, some outlast every time-out, a few a whole second.
        const double how_long = prng_.unit();
        fault.length = how_long < 0.6    ? up_to(milliseconds(20))
                       : how_long < 0.96 ? up_to(milliseconds(250))
                                         : milliseconds(prng_.between(1001, 1300));
        return fault;
    }

    base::Prng prng_;
    WorldPlan plan_;
};

}  // namespace

WorldPlan draw_plan(std::uint64_t seed) {
    return PlanDrawer(seed).draw();
}

std::int64_t memory_per_node() {
    return kMemoryPerNode;
}

}  // namespace fulmar::sim
