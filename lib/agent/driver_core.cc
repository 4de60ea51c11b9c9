#include "agent/driver_core.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "config/duration.h"
#include "layout/counter_keys.h"

namespace fulmar::agent {

using layout::SystemCounter;

namespace {

/// Our own driver-wide counters follow the protocol's system counters.
constexpr std::int32_t kStallsCounterType = layout::counter_type::kFulmarFirst;
/// Closing takes a few cycles of each agent; this bounds it should one of them never answer.
constexpr int kCloseCyclesMax = 100'000;
/// Inline: limits, commands and files can wait a few microseconds, and longer while packets come; packets
/// cannot.
constexpr Duration kConductorInterval = microseconds(2);
constexpr Duration kConductorIntervalBusy = microseconds(10);

}  // namespace

Result<std::unique_ptr<DriverCore>> DriverCore::create(DriverParts parts) {
    const std::int64_t now_ms = parts.clock->epoch_ms();
    FULMAR_TRY_VOID(prepare_directory(*parts.memory, parts.options, now_ms));
    FULMAR_TRY(files, create_shared_files(*parts.memory, parts.options, now_ms));
    parts.options.log_dir = log_root(parts.options);
    std::unique_ptr<DriverCore> core(new DriverCore(std::move(parts), std::move(files)));
    FULMAR_TRY_VOID(core->start());
    return core;
}

DriverCore::DriverCore(DriverParts parts, SharedFiles files)
    : parts_(std::move(parts)),
      files_(std::move(files)),
      needs_one_network_thread_(PortTable(parts_.ports).needs_one_network_thread()),
      counters_(files_.cnc.counter_metadata(), files_.cnc.counter_values(),
          parts_.options.counter_reuse_timeout.ns / milliseconds(1).ns),
      error_log_(files_.cnc.error_log()),
      loss_report_(files_.loss_report->bytes()) {}

DriverCore::~DriverCore() {
    if (conductor_ != nullptr) {
        close(parts_.clock->now());
    }
}

Status DriverCore::start() {
    if (parts_.ports.size() > PortTable::kPortsMax) {
        return fail(
            ErrorCode::kGeneric, "at most " + std::to_string(PortTable::kPortsMax) + " ports can be open");
    }
    FULMAR_TRY(commands, ring::ShmMpscRing::attach(files_.cnc.to_driver()));
    FULMAR_TRY(events, ring::BroadcastTransmitter::attach(files_.cnc.to_clients()));
    commands_ = commands;
    register_system_counters();
    create_network_agents();
    resource_ = std::make_unique<Resource>(
        ResourceContext{&to_resource_, &from_resource_, parts_.memory, parts_.resolver});

    ConductorContext context;
    context.options = &parts_.options;
    context.clock = parts_.clock;
    context.ports = PortTable(parts_.ports);
    context.port_counters = &port_counters_;
    context.commands = commands;
    context.events = events;
    context.counters = &counters_;
    context.system = system_;
    context.stalls = stalls_;
    context.errors = errors_.get();
    context.loss_report = &loss_report_;
    context.losses = &losses_;
    context.to_sender = &to_sender_;
    context.to_receiver = &to_receiver_;
    context.sender_events = &sender_events_;
    context.image_requests = &image_requests_;
    context.to_resource = &to_resource_;
    context.from_resource = &from_resource_;
    context.seed = parts_.seed;
    conductor_ = std::make_unique<Conductor>(std::move(context));

    // Id 0 is never a client's, so that zeroed memory cannot be mistaken for one.
    (void)commands_.next_correlation_id();
    commands_.set_consumer_heartbeat_ms(parts_.clock->epoch_ms());
    files_.cnc.mark_ready();
    return Done{};
}

void DriverCore::register_system_counters() {
    const std::int64_t now_ms = parts_.clock->epoch_ms();
    for (std::int32_t id = 0; id < static_cast<std::int32_t>(SystemCounter::kCount); ++id) {
        const auto which = static_cast<SystemCounter>(id);
        const layout::CounterKey key = layout::system_counter_key(id);
        const observe::Counter counter = counters_.allocate(
            {layout::counter_type::kSystem, key.span(), layout::system_counter_label(which), id, -1}, now_ms);
        FULMAR_ASSERT(counter.id() == id, "clients and tools index system counters by id");
        system_.set(which, counter);
    }
    const std::string version = ": version=" + parts_.options.version;
    counters_.append_to_label(static_cast<std::int32_t>(SystemCounter::kErrors), version);
    counters_.append_to_label(static_cast<std::int32_t>(SystemCounter::kAeronVersion), version);
    counters_.append_to_label(static_cast<std::int32_t>(SystemCounter::kResolutionChanges), ": driverName=");
    label_cycle_counters();
    system_[SystemCounter::kAeronVersion].set_release(parts_.options.version_number);
    system_[SystemCounter::kControlProtocolVersion].set_release(layout::kControlProtocolVersion);
    stalls_ =
        counters_.allocate({kStallsCounterType, {}, "Times the driver itself stood still", 0, -1}, now_ms);
    port_counters_ = PortCounters(parts_.ports, counters_, now_ms, parts_.options.timer_interval);
    const auto& options = parts_.options;
    conductor_cycle_ = {system_[SystemCounter::kConductorMaxCycleTime],
        system_[SystemCounter::kConductorCycleTimeThresholdExceeded], options.conductor_cycle_threshold};
    sender_cycle_ = {system_[SystemCounter::kSenderMaxCycleTime],
        system_[SystemCounter::kSenderCycleTimeThresholdExceeded], options.sender_cycle_threshold};
    receiver_cycle_ = {system_[SystemCounter::kReceiverMaxCycleTime],
        system_[SystemCounter::kReceiverCycleTimeThresholdExceeded], options.receiver_cycle_threshold};
    errors_ =
        std::make_unique<DriverErrors>(&error_log_, system_[SystemCounter::kErrors], parts_.error_listener);
}

/// Tools read from these labels which agents share a thread and what counts as slow.
void DriverCore::label_cycle_counters() {
    const DriverOptions& options = parts_.options;
    const auto label = [&](SystemCounter longest, SystemCounter exceeded, Duration threshold) {
        counters_.append_to_label(static_cast<std::int32_t>(longest), ": " + options.threading);
        counters_.append_to_label(static_cast<std::int32_t>(exceeded),
            ": threshold=" + config::format_duration(threshold) + " " + options.threading);
    };
    label(SystemCounter::kConductorMaxCycleTime, SystemCounter::kConductorCycleTimeThresholdExceeded,
        options.conductor_cycle_threshold);
    label(SystemCounter::kSenderMaxCycleTime, SystemCounter::kSenderCycleTimeThresholdExceeded,
        options.sender_cycle_threshold);
    label(SystemCounter::kReceiverMaxCycleTime, SystemCounter::kReceiverCycleTimeThresholdExceeded,
        options.receiver_cycle_threshold);
}

void DriverCore::create_network_agents() {
    SenderContext sender;
    sender.commands = &to_sender_;
    sender.events = &sender_events_;
    sender.system = system_;
    sender.stall_threshold = parts_.options.stall_threshold;
    ReceiverContext receiver;
    receiver.commands = &to_receiver_;
    receiver.requests = &image_requests_;
    receiver.system = system_;
    receiver.stall_threshold = parts_.options.stall_threshold;
    receiver.stream_session_limit = parts_.options.stream_session_limit;
    for (port::PacketPort* port : parts_.ports) {
        port::PacketQueue* receives = &port->queue(port::PacketPort::Role::kReceiver);
        port::PacketQueue* sends = &port->queue(port::PacketPort::Role::kSender);
        receiver.queues.push_back(receives);
        if (sends != receives) {
            sender.queues.push_back(sends);
        }
    }
    sender_ = std::make_unique<Sender>(std::move(sender));
    receiver.sender = needs_one_network_thread_ ? sender_.get() : nullptr;
    receiver_ = std::make_unique<Receiver>(std::move(receiver));
}

int DriverCore::poll_conductor(Instant now) {
    conductor_cycle_.on_cycle(now);
    port_counters_.poll(now);
    return conductor_->poll(now);
}

int DriverCore::poll_sender(Instant now) {
    sender_cycle_.on_cycle(now);
    return sender_->poll(now);
}

int DriverCore::poll_receiver(Instant now) {
    receiver_cycle_.on_cycle(now);
    return receiver_->poll(now);
}

int DriverCore::poll_resource(Instant now) {
    return resource_->poll(now);
}

int DriverCore::poll_network(Instant now) {
    return poll_sender(now) + poll_receiver(now);
}

int DriverCore::poll_inline(Instant now) {
    int work = poll_network(now);
    if (now - conductor_polled_ >= (work == 0 ? kConductorInterval : kConductorIntervalBusy)) {
        conductor_polled_ = now;
        work += poll_conductor(now) + poll_resource(now);
    }
    return work;
}

void DriverCore::close(Instant now) {
    if (closed_) {
        return;
    }
    closed_ = true;
    conductor_->shut_down();
    for (int cycle = 0; cycle < kCloseCyclesMax && !conductor_->is_shut_down(); ++cycle) {
        // Time moves on by itself here, also where the clock is virtual: life cycles are looked at per
        // millisecond.
        now = now + milliseconds(1);
        (void)poll_inline(now);
    }
    port_counters_.update();
    commands_.set_consumer_heartbeat_ms(-1);
    if (parts_.options.dir_delete_on_shutdown) {
        DriverOptions options = parts_.options;
        (void)parts_.memory->remove_directory(options.log_dir);
        (void)parts_.memory->remove_directory(options.dir);
    }
}

}  // namespace fulmar::agent
