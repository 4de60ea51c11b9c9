// Drawing what several receivers hear, or one hears by several ways, what is answered, and who is left
// behind. From random numbers of their own, so that the rest of a world is what it would be without them.
#include <algorithm>

#include "tests/sim/world.h"

namespace fulmar::sim {

namespace {

constexpr std::int32_t kFirstStream = 2001;
constexpr std::uint16_t kFirstPort = 41000;
constexpr std::uint16_t kPortsPerTopic = 4;
constexpr std::int64_t kTag = 7;
constexpr double kInWorld = 0.3;  ///< probability of each kind of topic

class GroupDrawer {
  public:
    explicit GroupDrawer(WorldPlan& plan) : prng_(plan.seed, 8), plan_(plan) {}

    void draw() {
        for (const Cast cast : {Cast::kDynamic, Cast::kManual, Cast::kMerged}) {
            if (prng_.chance(kInWorld)) {
                draw_topic(cast);
            }
        }
        if (prng_.chance(kInWorld)) {
            draw_conversation();
        }
        for (const auto& topic : plan_.topics) {
            if (topic->cast == Cast::kOne && !topic->is_spied_alone && prng_.chance(kInWorld)) {
                draw_untethered(*topic);
            }
        }
    }

  private:
    int below(int bound) { return static_cast<int>(prng_.below(static_cast<std::uint64_t>(bound))); }
    int node() { return below(plan_.net.hosts); }

    AppPlan& app_on(int node) {
        std::vector<AppPlan*> there;
        for (AppPlan& app : plan_.apps) {
            if (app.node == node) {
                there.push_back(&app);
            }
        }
        return *there[prng_.below(there.size())];
    }

    [[nodiscard]] static std::string address(int node, std::uint16_t udp_port) {
        return port::to_string(SimNet::address_of(node)) + ":" + std::to_string(udp_port);
    }
    std::uint16_t take_ports() { return static_cast<std::uint16_t>(kFirstPort + kPortsPerTopic * taken_++); }

    /// Some nodes, each once.
    std::vector<int> draw_receivers(int most) {
        std::vector<int> nodes;
        for (int i = 0; i < plan_.net.hosts; ++i) {
            nodes.push_back(i);
        }
        for (std::size_t i = nodes.size(); i > 1; --i) {
            std::swap(nodes[i - 1], nodes[prng_.below(i)]);
        }
        const auto count = static_cast<std::size_t>(1 + below(std::min(most, plan_.net.hosts)));
        nodes.resize(count);
        return nodes;
    }

    void draw_topic(Cast cast) {
        auto owned = std::make_unique<Topic>();
        Topic& topic = *owned;
        const std::vector<int> receivers = draw_receivers(cast == Cast::kMerged ? 1 : plan_.net.hosts);
        topic.index = static_cast<int>(plan_.topics.size());
        topic.cast = cast;
        topic.node = receivers.front();
        topic.stream_id = kFirstStream + topic.index;
        topic.udp_port = take_ports();
        std::string more = "|term-length=64k";
        draw_flow_control(topic, receivers.size(), more);
        const int source = node();
        const std::uint16_t control = static_cast<std::uint16_t>(topic.udp_port + 1);
        topic.publication_channel = cast == Cast::kDynamic
                                        ? "aeron:udp?control-mode=dynamic|control=" + address(source, control)
                                        : "aeron:udp?control-mode=manual";
        topic.publication_channel += more;
        const bool has_tag = topic.group && topic.group->tag;
        for (std::size_t i = 0; i < receivers.size(); ++i) {
            SubscriberPlan plan = draw_subscriber(topic, receivers[i]);
            plan.own_channel = "aeron:udp?endpoint=" + address(receivers[i], topic.udp_port);
            if (cast == Cast::kDynamic) {
                plan.own_channel += "|control=" + address(source, control);
            }
            // Where some are waited for by name, the others take their chances; so do all where none is.
            plan.is_promised_all =
                cast == Cast::kMerged || receivers.size() == 1 || (topic.group && (!has_tag || i == 0));
            if (has_tag) {
                plan.own_channel += "|gtag=" + std::to_string(i == 0 ? kTag : kTag + 1);
                plan.is_promised_all = i == 0;
            }
            if (cast == Cast::kMerged) {
                plan.own_channel = "aeron:udp?control-mode=manual";
                plan.destinations = draw_ways(receivers[i], topic.udp_port);
                plan.move = prng_.unit() * 0.02;
            }
            app_on(receivers[i]).subscribers.push_back(std::move(plan));
        }
        const int publishers = 1 + below(2);
        for (int i = 0; i < publishers; ++i) {
            PublisherPlan plan = draw_publisher(topic);
            if (cast == Cast::kManual) {
                for (const int receiver : receivers) {
                    plan.destinations.push_back({"aeron:udp?endpoint=" + address(receiver, topic.udp_port),
                        receiver, topic.udp_port});
                }
                plan.move = prng_.chance(0.6) ? prng_.unit() * 0.003 : 0;
            } else if (cast == Cast::kMerged) {
                plan.destinations = draw_ways(receivers.front(), topic.udp_port);
            }
            app_on(cast == Cast::kDynamic ? source : node()).publishers.push_back(std::move(plan));
        }
        plan_.topics.push_back(std::move(owned));
    }

    void draw_flow_control(Topic& topic, std::size_t receivers, std::string& more) {
        const int choice = below(10);
        if (choice < 2) {
            return;  // The fastest decides.
        }
        GroupRule rule;
        rule.receiver_timeout = plan_.driver.flow_control_receiver_timeout;
        if (choice < 4) {
            rule.tag = kTag;
            more += "|fc=tagged,g:" + std::to_string(kTag);
        } else if (choice < 7) {
            more += "|fc=min";
        } else {
            rule.size_min = 1 + below(static_cast<int>(receivers));
            more += "|fc=min,g:/" + std::to_string(rule.size_min);
        }
        topic.group = rule;
    }

    /// Two ways into one subscription.
    [[nodiscard]] static std::vector<DestinationPlan> draw_ways(int node, std::uint16_t udp_port) {
        std::vector<DestinationPlan> ways;
        for (const int i : {0, 1}) {
            const auto way = static_cast<std::uint16_t>(udp_port + 2 * i);
            ways.push_back({"aeron:udp?endpoint=" + address(node, way), node, way});
        }
        return ways;
    }

    PublisherPlan draw_publisher(const Topic& topic) {
        PublisherPlan plan;
        plan.topic = &topic;
        plan.is_exclusive = prng_.chance(0.5);
        plan.burst_max = 1 + below(12);
        plan.gap_max = microseconds(prng_.between(20, 1000));
        plan.small_max = static_cast<std::int32_t>(prng_.between(0, 1000));
        plan.large = prng_.chance(0.5) ? 0 : 0.1;
        plan.claim = prng_.chance(0.5) ? 0 : 0.2;
        plan.claim_hold_max = microseconds(20);
        plan.close = prng_.chance(0.3) ? prng_.unit() * 0.002 : 0.0;
        plan.bytes_max = prng_.between(100'000, 600'000);
        return plan;
    }

    SubscriberPlan draw_subscriber(const Topic& topic, int node) {
        SubscriberPlan plan;
        plan.topic = &topic;
        plan.at_node = node;
        plan.fragment_limit = 1 + below(30);
        plan.is_slow = prng_.chance(0.3);
        plan.gap_max = microseconds(prng_.between(0, plan.is_slow ? 3000 : 50));
        plan.close = prng_.chance(0.25) ? prng_.unit() * 0.001 : 0.0;
        return plan;
    }

    /// One that is left behind when it lags. What it gets between two ends of an image is whole all the same.
    void draw_untethered(const Topic& topic) {
        SubscriberPlan plan = draw_subscriber(topic, topic.node);
        plan.own_channel = topic.subscription_channel + (topic.is_ipc ? "?" : "|") + "tether=false";
        plan.is_untethered = true;
        plan.is_promised_all = false;
        plan.fragment_limit = 1 + below(4);
        plan.gap_max = milliseconds(prng_.between(0, 30));
        app_on(topic.node).subscribers.push_back(std::move(plan));
    }

    void draw_conversation() {
        auto owned = std::make_unique<ConversationPlan>();
        ConversationPlan& about = *owned;
        about.node = node();
        about.request_stream = kFirstStream + 500;
        about.answer_stream = about.request_stream + 1;
        const std::uint16_t udp_port = take_ports();
        about.listen_channel = "aeron:udp?endpoint=" + address(about.node, udp_port);
        about.request_channel = about.listen_channel + "|term-length=64k";
        about.answer_channel = "aeron:udp?control-mode=response|control=" +
                               address(about.node, static_cast<std::uint16_t>(udp_port + 1)) +
                               "|term-length=64k";
        app_on(about.node).answers.push_back(&about);
        const int requesters = 1 + below(3);
        for (int i = 0; i < requesters; ++i) {
            const int from = node();
            RequesterPlan plan;
            plan.about = &about;
            plan.node = from;
            plan.gap_max = microseconds(prng_.between(20, 1000));
            plan.close = prng_.chance(0.5) ? prng_.unit() * 0.002 : 0.0;
            app_on(from).requesters.push_back(plan);
        }
        plan_.conversations.push_back(std::move(owned));
    }

    base::Prng prng_;
    WorldPlan& plan_;
    int taken_ = 0;
};

}  // namespace

void draw_groups(WorldPlan& plan) {
    GroupDrawer(plan).draw();
}

}  // namespace fulmar::sim
