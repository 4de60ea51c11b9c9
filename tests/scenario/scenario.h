/// Small worlds written down by hand: what a random world once found, told so that a reader can follow it.
/// threads: one.
#pragma once

#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "tests/sim/world.h"

namespace fulmar::scenario {

using namespace sim;

/// A perfect network, nodes with base_plan's time-outs, no faults but those a scenario brings.
class Stage {
  public:
    explicit Stage(int nodes) : plan_(base_plan(1)) {
        plan_.net.hosts = nodes;
        for (int i = 0; i < nodes; ++i) {
            NodeOptions node;
            node.driver = plan_.driver;
            node.clock_origin = seconds(1 + i);
            node.pace.idle_max = microseconds(200);
            node.seed = static_cast<std::uint64_t>(1000 * (i + 1));
            plan_.nodes.push_back(node);
        }
    }

    [[nodiscard]] agent::DriverOptions& driver(int node) {
        return plan_.nodes[static_cast<std::size_t>(node)].driver;
    }
    [[nodiscard]] WorldPlan& plan() { return plan_; }

    /// `node` is where it is subscribed.
    const Topic& udp_topic(int node, const std::string& more = "") {
        return topic(
            node, "aeron:udp?endpoint=" + port::to_string(SimNet::address_of(node)) + ":40001" + more, false);
    }
    const Topic& ipc_topic(int node, const std::string& more = "") {
        return topic(node, "aeron:ipc" + more, true);
    }

    /// Applications without a plan of their own: the scenario makes every offer and every poll.
    std::size_t app(int node) {
        AppPlan app;
        app.node = node;
        app.pace.idle_max = microseconds(200);
        plan_.apps.push_back(std::move(app));
        return plan_.apps.size() - 1;
    }
    void publishes(std::size_t app, const Topic& topic, bool exclusive = false) {
        PublisherPlan plan;
        plan.topic = &topic;
        plan.is_exclusive = exclusive;
        plan.bytes_max = 0;  // nothing by itself
        plan_.apps[app].publishers.push_back(plan);
    }
    /// It reads what comes, at most so many fragments in a cycle; 0: only what the scenario lets it read.
    void subscribes(std::size_t app, const Topic& topic, int fragment_limit = 10) {
        SubscriberPlan plan;
        plan.topic = &topic;
        plan.fragment_limit = fragment_limit;
        plan_.apps[app].subscribers.push_back(plan);
    }

    [[nodiscard]] std::unique_ptr<World> begin() {
        auto world = std::make_unique<World>(std::move(plan_), false);
        const bool connected = world->run_until([&] { return is_ready(*world); }, milliseconds(100));
        REQUIRE_MESSAGE(connected, world->verdict().what());
        return world;
    }

    /// Everything is open, and every publisher can write.
    static bool is_ready(World& world) {
        for (std::size_t i = 0; i < world.app_count(); ++i) {
            for (const Publisher& publisher : world.app(i).publishers()) {
                if (!publisher.is_open() || !publisher.has_room()) {
                    return false;
                }
            }
            for (const Subscriber& subscriber : world.app(i).subscribers()) {
                if (!subscriber.is_open()) {
                    return false;
                }
            }
        }
        return true;
    }

  private:
    const Topic& topic(int node, const std::string& channel, bool is_ipc) {
        auto topic = std::make_unique<Topic>();
        topic->index = static_cast<int>(plan_.topics.size());
        topic->node = node;
        topic->stream_id = 1001 + topic->index;
        topic->publication_channel = topic->subscription_channel = channel;
        topic->is_ipc = is_ipc;
        plan_.topics.push_back(std::move(topic));
        return *plan_.topics.back();
    }

    WorldPlan plan_;
};

/// Everything that was accepted is delivered, or the verdict says what is not.
inline void require_all_delivered(World& world, Duration bound) {
    std::string what_not;
    const bool delivered = world.run_until([&] { return world.all_messages_read(what_not); }, bound);
    CHECK_MESSAGE(delivered, what_not);
    CHECK_MESSAGE(!world.verdict().failed(), world.verdict().what());
}

/// Ends the world in good order: streams end, drivers keep nothing.
inline void require_clean_end(World& world) {
    const std::string failure = world.finish();
    CHECK_MESSAGE(failure.empty(), failure);
}

}  // namespace fulmar::scenario
