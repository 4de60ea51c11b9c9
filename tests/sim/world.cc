#include "tests/sim/world.h"

#include <algorithm>

namespace fulmar::sim {

namespace {

constexpr Duration kCounterCheckInterval = milliseconds(4);
/// A receiver whose question for a setup got lost asks again after this; no option shortens it.
constexpr Duration kPendingSetup = seconds(1);
constexpr Duration kConditionInterval = microseconds(500);
/// A run that takes more than this has lost its way.
constexpr std::uint64_t kStepsMax = 20'000'000;

}  // namespace

namespace {

/// A spy hears what its own node publishes.
bool is_for(const Publisher& publisher, const Subscriber& subscriber) {
    const SubscriberPlan& plan = subscriber.plan();
    return plan.topic == publisher.plan().topic && plan.is_promised_all &&
           (!plan.is_spy() || plan.spy_node == publisher.stream()->node);
}

WireMonitor::Rules rules_of(const WorldPlan& plan) {
    WireMonitor::Rules rules;
    rules.nak_retry = plan.driver.nak_retry;
    rules.connection_timeout = plan.driver.publication_connection_timeout;
    for (const auto& topic : plan.topics) {
        if (topic->cast != Cast::kOne) {
            rules.casts[topic->stream_id] = topic->group;
        }
        if (topic->spies_simulate) {
            rules.simulated_streams.insert(topic->stream_id);
        }
    }
    return rules;
}

}  // namespace

World::World(WorldPlan plan, bool verbose)
    : plan_(std::move(plan)),
      verdict_(time_, verbose),
      ledger_(time_, plan_.timeouts.unblock),
      disturbances_(plan_.net.hosts, time_),
      workload_prng_(plan_.seed, 3),
      fault_prng_(plan_.seed, 4),
      net_(plan_.net, plan_.seed, time_, trace_, counts_),
      scheduler_(plan_.seed, time_, net_),
      workload_{time_, ledger_, verdict_, counts_, trace_, disturbances_, workload_prng_, plan_.timeouts},
      monitor_(rules_of(plan_), time_, ledger_, *this, verdict_, counts_) {
    workload_.final_messages = plan_.final_messages;
    net_.set_observer(&monitor_);
    const std::size_t nodes = plan_.nodes.size();
    restart_at_.assign(nodes, Instant::never());
    storage_back_at_.assign(nodes, Instant::never());
    for (std::size_t i = 0; i < nodes; ++i) {
        nodes_.push_back(std::make_unique<Node>(
            static_cast<int>(i), plan_.nodes[i], time_, scheduler_, net_, verdict_, counts_));
        nodes_.back()->memory().set_space_max(memory_per_node());
        nodes_.back()->start();
    }
    for (const AppPlan& app : plan_.apps) {
        apps_.push_back(std::make_unique<ClientApp>(workload_, node(app.node), app));
        app_ids_.push_back(scheduler_.add(*apps_.back(), app.pace));
    }
}

World::~World() {
    // The dead run no code, but their memory is freed: nobody watches that.
    net_.set_observer(nullptr);
}

RunResult World::run() {
    fault_phase();
    if (!verdict_.failed()) {
        heal_phase();
    }
    if (!verdict_.failed()) {
        end_phase();
    }
    RunResult result;
    result.hash = trace_.hash();
    result.steps = scheduler_.steps();
    result.counts = counts_;
    result.failure = verdict_.what();
    return result;
}

void World::advance(Instant until) {
    while (!verdict_.failed() && time_.now < until) {
        Instant stop = earlier(until, next_counter_check_);
        if (next_fault_ < plan_.faults.size()) {
            stop = earlier(stop, plan_.faults[next_fault_].at);
        }
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            stop = earlier(stop, earlier(restart_at_[i], storage_back_at_[i]));
        }
        while (!verdict_.failed() && scheduler_.step(stop)) {
            if (scheduler_.steps() > kStepsMax) {
                verdict_.fail("the run does not end");
            }
        }
        while (next_fault_ < plan_.faults.size() && plan_.faults[next_fault_].at <= time_.now) {
            apply(plan_.faults[next_fault_++]);
        }
        restart_drivers(false);
        if (time_.now >= next_counter_check_) {
            next_counter_check_ = time_.now + kCounterCheckInterval;
            for (const auto& each : nodes_) {
                each->check_counters();
            }
        }
    }
}

void World::run_for(Duration length) {
    advance(time_.now + length);
}

bool World::run_until(const std::function<bool()>& done, Duration bound) {
    const Instant deadline = time_.now + bound;
    while (!verdict_.failed()) {
        if (done()) {
            return true;
        }
        if (time_.now >= deadline) {
            return false;
        }
        advance(time_.now + kConditionInterval);
    }
    return false;
}

void World::require(bool (World::*done)(std::string&), Duration bound, const char* what) {
    std::string what_not;
    const bool came = run_until([&] { return (this->*done)(what_not); }, bound);
    if (!came && !verdict_.failed()) {
        verdict_.fail(std::string(what) + ": " + what_not);
    }
}

void World::fault_phase() {
    shift_network(false);
    advance(Instant{} + plan_.fault_phase);
}

void World::stop_faults() {
    next_fault_ = plan_.faults.size();
    shift_network(true);
    restart_drivers(true);
    for (const auto& each : nodes_) {
        for (const Scheduler::Id id : each->agents()) {
            scheduler_.resume(id);
        }
        disturb(each->index(), time_.now);
    }
    for (const Scheduler::Id id : app_ids_) {
        scheduler_.resume(id);
    }
}

void World::heal_phase() {
    verdict_.note("faults stop");
    stop_faults();
    workload_.phase = Phase::kSettle;
    // Long enough for every time-out that a fault may have started, one after the other.
    const Duration bound = plan_.timeouts.aftermath * 2 + plan_.timeouts.driver + kPendingSetup;
    require(&World::everything_open, bound, "liveness: not everything came back");
    // What is still on its way into a time-out gets there before anything final is said.
    run_for(plan_.timeouts.aftermath + plan_.timeouts.unblock);
    require(&World::everything_open, bound, "liveness: not everything stayed");
    verdict_.note("last messages");
    workload_.phase = Phase::kFinal;
    require(&World::everything_delivered, milliseconds(400), "liveness: not everything was delivered");
}

void World::end_phase() {
    verdict_.note("publishers close");
    workload_.phase = Phase::kEnd;
    require(&World::everything_ended, plan_.timeouts.aftermath * 2, "liveness: a stream did not end");
    verdict_.note("clients close");
    workload_.phase = Phase::kGone;
    require(&World::everything_released, plan_.timeouts.aftermath * 2, "a driver keeps what nobody uses");
    for (const auto& each : nodes_) {
        if (!verdict_.failed()) {
            each->close();
        }
    }
}

bool World::everything_open(std::string& what_not) {
    for (const auto& app : apps_) {
        for (Publisher& publisher : app->publishers()) {
            if (!publisher.is_open() || !publisher.is_connected()) {
                what_not = "a publisher of topic " + std::to_string(publisher.plan().topic->index) +
                           " at node " + std::to_string(app->node().index()) +
                           (publisher.is_open() ? " is not connected with " + publisher.stream()->name()
                                                : std::string(" is not open")) +
                           " (last answer: " + publisher.last_refusal() +
                           "; log: " + publisher.describe_log() + ")";
                return false;
            }
        }
        for (Subscriber& subscriber : app->subscribers()) {
            if (!subscriber.is_open()) {
                what_not = "a subscriber of topic " + std::to_string(subscriber.plan().topic->index) +
                           " is not open (last answer: " + subscriber.last_refusal() + ")";
                return false;
            }
        }
    }
    return everything_heard(what_not) && everybody_talks(what_not, &Requester::is_talking);
}

bool World::everybody_talks(std::string& what_not, bool (Requester::*is_done)() const) {
    for (const auto& app : apps_) {
        for (const Requester& requester : app->requesters()) {
            if (!(requester.*is_done)()) {
                what_not = "questions are not answered: " + requester.describe();
                return false;
            }
        }
    }
    return true;
}

/// Whoever is to hear a publisher has an image of it: spies may keep one connected that others do not hear.
bool World::everything_heard(std::string& what_not) {
    for (const auto& app : apps_) {
        for (Publisher& publisher : app->publishers()) {
            for (const auto& other : apps_) {
                for (Subscriber& subscriber : other->subscribers()) {
                    if (is_for(publisher, subscriber) &&
                        subscriber.reader(publisher.stream()->session_id) == nullptr) {
                        what_not = "a subscriber of topic " + std::to_string(subscriber.plan().topic->index) +
                                   (subscriber.plan().is_spy() ? ", a spy" : "") + " at node " +
                                   std::to_string(other->node().index()) + " has no image of " +
                                   publisher.stream()->name();
                        return false;
                    }
                }
            }
        }
    }
    return true;
}

bool World::everything_delivered(std::string& what_not) {
    for (const auto& app : apps_) {
        for (Publisher& publisher : app->publishers()) {
            if (!publisher.is_finished()) {
                what_not = "a publisher of topic " + std::to_string(publisher.plan().topic->index) +
                           " at node " + std::to_string(app->node().index()) +
                           " cannot send (last answer: " + publisher.last_refusal() +
                           "; log: " + publisher.describe_log() + ")";
                return false;
            }
        }
    }
    for (const auto& app : apps_) {
        for (Publisher& publisher : app->publishers()) {
            const Topic* topic = publisher.plan().topic;
            for (const auto& other : apps_) {
                for (Subscriber& subscriber : other->subscribers()) {
                    if (!is_for(publisher, subscriber)) {
                        continue;
                    }
                    Reader* reader = subscriber.reader(publisher.stream()->session_id);
                    const bool lossy = !topic->is_reliable;
                    const Entry* missing = reader == nullptr ? nullptr : reader->missing(ledger_);
                    if (reader == nullptr || (missing != nullptr && !lossy)) {
                        what_not = "a subscriber of topic " + std::to_string(topic->index) +
                                   (reader == nullptr ? " has no image of "
                                                      : " lacks the message that ends at " +
                                                            std::to_string(missing->end) + ", has " +
                                                            std::to_string(reader->position()) + " of ") +
                                   publisher.stream()->name();
                        return false;
                    }
                }
            }
        }
    }
    return everybody_talks(what_not, &Requester::is_finished);
}

bool World::all_messages_read(std::string& what_not) {
    for (const auto& app : apps_) {
        for (Subscriber& subscriber : app->subscribers()) {
            for (const auto& stream : ledger_.streams()) {
                Reader* reader = subscriber.reader(stream->session_id);
                const Entry* missing = reader == nullptr ? nullptr : reader->missing(ledger_);
                if (missing != nullptr) {
                    what_not = "the message that ends at " + std::to_string(missing->end) +
                               " is missing, at " + std::to_string(reader->position()) + " of " +
                               stream->name();
                    return false;
                }
            }
        }
    }
    return true;
}

std::string World::finish() {
    if (!verdict_.failed()) {
        end_phase();
    }
    return verdict_.what();
}

bool World::everything_ended(std::string& what_not) {
    for (const auto& app : apps_) {
        for (Publisher& publisher : app->publishers()) {
            if (!publisher.is_gone()) {
                what_not = "a publisher did not close";
                return false;
            }
        }
        for (Subscriber& subscriber : app->subscribers()) {
            if (subscriber.image_count() != 0) {
                what_not = "a subscriber of topic " + std::to_string(subscriber.plan().topic->index) +
                           " still has " + std::to_string(subscriber.image_count()) + " images";
                return false;
            }
        }
    }
    return true;
}

bool World::everything_released(std::string& what_not) {
    for (const auto& app : apps_) {
        if (!app->is_gone()) {
            what_not = "a client did not close";
            return false;
        }
    }
    for (const auto& each : nodes_) {
        const agent::Conductor& conductor = each->driver().conductor();
        const auto count = conductor.client_count() + conductor.network_publication_count() +
                           conductor.ipc_publication_count() + conductor.subscription_count() +
                           conductor.image_count() + conductor.endpoint_count();
        if (count != 0) {
            what_not = "driver " + std::to_string(each->index()) + ": clients " +
                       std::to_string(conductor.client_count()) + ", network publications " +
                       std::to_string(conductor.network_publication_count()) + ", IPC publications " +
                       std::to_string(conductor.ipc_publication_count()) + ", subscriptions " +
                       std::to_string(conductor.subscription_count()) + ", images " +
                       std::to_string(conductor.image_count()) + ", endpoints " +
                       std::to_string(conductor.endpoint_count());
            return false;
        }
    }
    return true;
}

void World::on_arrival(int host, port::PacketQueue& queue) {
    node(host).wake(queue);
}

bool World::was_disturbed(int host) const {
    return disturbances_.recent(host, host, plan_.timeouts.aftermath);
}

}  // namespace fulmar::sim
