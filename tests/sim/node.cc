#include "tests/sim/node.h"

#include <algorithm>

#include "layout/counters.h"
#include "tests/sim/sim_port.h"

namespace fulmar::sim {

namespace {
namespace type = layout::counter_type;

/// Positions that only grow while their counter is the same.
constexpr bool only_grows(std::int32_t type_id) {
    return type_id == type::kSenderPosition || type_id == type::kReceiverHwm ||
           type_id == type::kSubscriberPosition || type_id == type::kReceiverPosition ||
           type_id == type::kSenderLimit || type_id == type::kPublisherPosition;
}

constexpr std::int32_t kStallsCounterType = type::kFulmarFirst;
}  // namespace

Node::Node(int index, NodeOptions options, const WorldTime& time, Scheduler& scheduler, SimNet& net,
    Verdict& verdict, Counts& counts)
    : index_(index),
      options_(std::move(options)),
      scheduler_(scheduler),
      net_(net),
      verdict_(verdict),
      counts_(counts),
      clock_(time, options_.clock_origin, options_.clock_drift_ppm) {}

Node::~Node() {
    if (running_ != nullptr) {
        crash();
    }
}

void Node::start() {
    ++incarnation_;
    dir_ = "/node" + std::to_string(index_) + "/" + std::to_string(incarnation_);
    running_ = std::make_unique<Process>();
    running_->port = std::make_unique<SimPort>(net_, index_);
    agent::DriverParts parts;
    parts.options = options_.driver;
    parts.options.dir = dir_;
    parts.ports = {running_->port.get()};
    parts.memory = &memory_;
    parts.clock = &clock_;
    parts.seed = options_.seed + static_cast<std::uint64_t>(incarnation_);
    auto core = agent::DriverCore::create(std::move(parts));
    if (!core) {
        verdict_.fail("a driver did not start: " + core.error().message);
        running_.reset();
        return;
    }
    running_->core = std::move(core).value();
    net_.bring_up(index_, *running_->port);
    std::vector<Role> roles{Role::kEverything};
    if (options_.threading == Threading::kDedicated && !running_->core->needs_one_network_thread()) {
        roles = {Role::kConductor, Role::kSender, Role::kReceiver, Role::kResource};
    } else if (options_.threading != Threading::kShared) {
        roles = {Role::kConductor, Role::kNetwork, Role::kResource};
    }
    agents_.clear();
    for (const Role role : roles) {
        running_->agents.push_back(std::make_unique<Agent>(*this, role));
        agents_.push_back(scheduler_.add(*running_->agents.back(), options_.pace));
    }
    seen_.clear();
}

int Node::Agent::poll() {
    agent::DriverCore& core = *node_.running_->core;
    const Instant now = node_.clock_.now();
    switch (role_) {
        case Role::kConductor: return core.poll_conductor(now);
        case Role::kSender: return core.poll_sender(now);
        case Role::kReceiver: return core.poll_receiver(now);
        case Role::kResource: return core.poll_resource(now);
        case Role::kNetwork: return core.poll_network(now);
        case Role::kEverything: return core.poll_inline(now);
    }
    return 0;
}

void Node::wake(const port::PacketQueue& queue) {
    if (running_ == nullptr) {
        return;
    }
    const bool sends = &queue == &running_->port->queue(port::PacketPort::Role::kSender);
    const bool receives = &queue == &running_->port->queue(port::PacketPort::Role::kReceiver);
    for (std::size_t i = 0; i < agents_.size(); ++i) {
        const Role role = running_->agents[i]->role();
        const bool polls = role == Role::kNetwork || role == Role::kEverything ||
                           (role == Role::kSender && sends) || (role == Role::kReceiver && receives);
        if (polls) {
            scheduler_.wake(agents_[i]);
        }
    }
}

void Node::add_counts() {
    using layout::SystemCounter;
    const auto& system = running_->core->system_counters();
    const auto add = [&](Count count, SystemCounter id) {
        counts_[count] += static_cast<std::uint64_t>(system[id].get_acquire());
    };
    add(Count::unblock, SystemCounter::kUnblockedPublications);
    add(Count::gap_fill, SystemCounter::kLossGapFills);
    add(Count::client_timeout, SystemCounter::kClientTimeouts);
    add(Count::flow_limited, SystemCounter::kSenderFlowControlLimits);
    const auto& cnc = running_->core->cnc();
    observe::for_each_counter(
        cnc.counter_metadata(), cnc.counter_values(), [&](const observe::CounterView& counter) {
            if (counter.type_id == kStallsCounterType) {
                counts_[Count::driver_stall_rebased] += static_cast<std::uint64_t>(counter.value);
            }
        });
}

void Node::crash() {
    add_counts();
    net_.bring_down(index_);
    for (const Scheduler::Id id : agents_) {
        scheduler_.remove(id);
    }
    agents_.clear();
    dead_.push_back(std::move(running_));
}

void Node::close() {
    const agent::Conductor& conductor = running_->core->conductor();
    const auto left = [&](const char* what, std::size_t count) {
        if (count != 0) {
            verdict_.fail("driver " + std::to_string(index_) + " keeps " + std::to_string(count) + " " +
                          what + " that nobody uses");
        }
    };
    left("clients", conductor.client_count());
    left("network publications", conductor.network_publication_count());
    left("IPC publications", conductor.ipc_publication_count());
    left("subscriptions", conductor.subscription_count());
    left("images", conductor.image_count());
    left("endpoints", conductor.endpoint_count());
    const std::int64_t mapped =
        running_->core->system_counters()[layout::SystemCounter::kBytesCurrentlyMapped].get_acquire();
    left("mapped bytes", static_cast<std::size_t>(mapped));
    add_counts();
    running_->core->close(clock_.now());
    for (const Scheduler::Id id : agents_) {
        scheduler_.remove(id);
    }
    agents_.clear();
    running_->core.reset();
    net_.bring_down(index_);
    running_.reset();
}

void Node::check_counters() {
    if (running_ == nullptr) {
        return;
    }
    const auto& cnc = running_->core->cnc();
    const auto metadata = cnc.counter_metadata();
    const auto values = cnc.counter_values();
    struct Group {
        std::int64_t key;
        std::int32_t type_id;
        std::int64_t value;
    };
    std::vector<Group> groups;
    const std::size_t capacity = values.size() / layout::kCounterValueLength;
    for (std::size_t id = 0; id < capacity; ++id) {
        const std::byte* about = metadata.data() + id * layout::kCounterMetadataLength;
        const auto state = base::load_le<std::int32_t>(about, layout::counter_metadata_field::kState);
        if (state == layout::kCounterUnused) {
            break;
        }
        const auto type_id = base::load_le<std::int32_t>(about, layout::counter_metadata_field::kTypeId);
        if (state != layout::kCounterAllocated || type_id == type::kSystem ||
            type_id > type::kPublisherPosition) {
            continue;
        }
        const std::byte* record = values.data() + id * layout::kCounterValueLength;
        const auto value = base::load_le<std::int64_t>(record, layout::counter_value_field::kValue);
        const auto registration =
            base::load_le<std::int64_t>(record, layout::counter_value_field::kRegistrationId);
        const auto reference = base::load_le<std::int64_t>(record, layout::counter_value_field::kReferenceId);
        if (seen_.size() <= id) {
            seen_.resize(capacity);
        }
        Seen& before = seen_[id];
        const bool same = before.type_id == type_id && before.registration_id == registration &&
                          before.reference_id == reference;
        if (same && only_grows(type_id) && value < before.value) {
            verdict_.fail("a position moved back: counter type " + std::to_string(type_id) + " from " +
                          std::to_string(before.value) + " to " + std::to_string(value) + " at driver " +
                          std::to_string(index_));
        }
        before = {registration, reference, type_id, value};
        groups.push_back({type_id == type::kSubscriberPosition ? reference : registration, type_id, value});
    }
    const auto value_of = [&](std::int64_t key, std::int32_t type_id) -> const std::int64_t* {
        for (const Group& group : groups) {
            if (group.key == key && group.type_id == type_id) {
                return &group.value;
            }
        }
        return nullptr;
    };
    const auto expect = [&](const Group& low, std::int32_t high_type, std::int64_t slack) {
        const std::int64_t* high = value_of(low.key, high_type);
        if (high != nullptr && low.value > *high + slack) {
            verdict_.fail("counters disagree: type " + std::to_string(low.type_id) + " is " +
                          std::to_string(low.value) + ", type " + std::to_string(high_type) + " is " +
                          std::to_string(*high) + " at driver " + std::to_string(index_));
        }
    };
    for (const Group& group : groups) {
        switch (group.type_id) {
            case type::kReceiverPosition: expect(group, type::kReceiverHwm, 0); break;
            case type::kSubscriberPosition: expect(group, type::kReceiverPosition, 0); break;
            case type::kPublisherLimit:
                // When a publication closes, its limit becomes what was offered last, one message more.
                expect(group, type::kSenderPosition, options_.driver.term_length / 4 * 3);
                break;
            default: break;
        }
    }
}

}  // namespace fulmar::sim
