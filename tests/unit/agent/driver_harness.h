/// Drivers on heap memory, a virtual clock and a switch in the process, polled by hand; and a client that
/// speaks raw commands and reads raw events.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "agent/driver_core.h"
#include "drivers/memory_map/heap_memory_map.h"
#include "drivers/packet_loop/loop_network.h"
#include "layout/commands.h"
#include "layout/counters.h"
#include "layout/error_log.h"
#include "layout/events.h"
#include "layout/log_buffer.h"

namespace fulmar::agent {

class FakeClock final : public port::Clock {
  public:
    [[nodiscard]] Instant now() override { return now_; }
    [[nodiscard]] std::int64_t epoch_ms() override { return 1'700'000'000'000 + now_.ns / 1'000'000; }
    void advance(Duration by) { now_ = now_ + by; }

  private:
    Instant now_{1'000'000'000};
};

/// Knows one name and one interface.
class FakeResolver final : public port::Resolver {
  public:
    [[nodiscard]] Result<port::IpAddress> resolve(const std::string& host) override {
        if (host == "second.test") {
            return second;
        }
        return fail(ErrorCode::kUnknownHost, "unknown host " + host);
    }
    [[nodiscard]] Result<port::IpAddress> find_interface(const port::InterfaceQuery& query) override {
        if (query.name == "first") {
            return first;
        }
        return fail(ErrorCode::kInvalidChannel, "no interface " + query.name);
    }
    port::IpAddress first = port::IpAddress::v4(10, 77, 0, 1);
    port::IpAddress second = port::IpAddress::v4(10, 77, 0, 2);
};

inline DriverOptions small_options(const std::string& dir) {
    DriverOptions options;
    options.dir = dir;
    options.version = "0.1.0";
    options.version_number = 1 << 8;
    options.cnc_lengths.to_driver = 64 * 1024 + layout::kRingTrailerLength;
    options.cnc_lengths.to_clients = 64 * 1024 + layout::kBroadcastTrailerLength;
    options.cnc_lengths.counter_values = 64 * 1024;
    options.cnc_lengths.counter_metadata = 64 * 1024 * layout::kCounterMetadataRatio;
    options.cnc_lengths.error_log = 64 * 1024;
    options.loss_report_length = 64 * 1024;
    options.term_length = 64 * 1024;
    options.ipc_term_length = 64 * 1024;
    return options;
}

struct World {
    explicit World(const drivers::LoopNetwork::Options& options = {}) : network(options) {}

    std::unique_ptr<DriverCore> make_driver(int port, DriverOptions options) {
        DriverParts parts;
        parts.options = std::move(options);
        parts.ports = {&network.port(port)};
        parts.memory = &memory;
        parts.clock = &clock;
        parts.resolver = &resolver;
        parts.seed = static_cast<std::uint64_t>(port) + 1;
        auto created = DriverCore::create(std::move(parts));
        REQUIRE_MESSAGE(created, (created ? "" : created.error().message));
        return std::move(created).value();
    }
    std::unique_ptr<DriverCore> make_driver(int port = 0) {
        return make_driver(port, small_options("/driver" + std::to_string(port)));
    }

    /// Polls every driver given once per step of the clock.
    void run(const std::vector<DriverCore*>& drivers, Duration duration, Duration step = milliseconds(1)) {
        for (Instant end = clock.now() + duration; clock.now() < end;) {
            clock.advance(step);
            for (DriverCore* driver : drivers) {
                driver->poll_inline(clock.now());
            }
        }
    }

    FakeClock clock;
    FakeResolver resolver;
    drivers::HeapMemoryMap memory;
    drivers::LoopNetwork network;
};

struct RawEvent {
    layout::EventType type;
    std::vector<std::byte> body;

    template <class T>
    [[nodiscard]] T as() const {
        auto decoded = T::decode(body);
        REQUIRE(decoded);
        return *decoded;
    }
};

class RawClient {
  public:
    RawClient(World& world, DriverCore& driver) : world_(world), driver_(driver) {
        auto ring = ring::ShmMpscRing::attach(driver.cnc().to_driver());
        auto events = ring::BroadcastReceiver::attach(driver.cnc().to_clients());
        REQUIRE(ring);
        REQUIRE(events);
        ring_ = *ring;
        receiver_ = std::move(events).value();
        id_ = ring_.next_correlation_id();
    }

    [[nodiscard]] std::int64_t id() const { return id_; }
    [[nodiscard]] std::int64_t next_id() { return ring_.next_correlation_id(); }
    [[nodiscard]] ring::ShmMpscRing& ring() { return ring_; }

    template <class Command>
    void send(layout::CommandType type, const Command& command) {
        std::vector<std::byte> bytes(command.encoded_length());
        REQUIRE(command.encode(bytes) == bytes.size());
        send_raw(static_cast<std::int32_t>(type), bytes);
    }
    void send_raw(std::int32_t type, std::span<const std::byte> bytes) {
        REQUIRE(ring_.try_write(type, bytes) == ring::ShmWriteResult::kWritten);
    }

    std::int64_t add_publication(std::string_view channel, std::int32_t stream_id, bool exclusive = false) {
        const std::int64_t correlation_id = next_id();
        send(exclusive ? layout::CommandType::kAddExclusivePublication : layout::CommandType::kAddPublication,
            layout::AddPublication{id_, correlation_id, stream_id, channel});
        return correlation_id;
    }
    std::int64_t add_subscription(std::string_view channel, std::int32_t stream_id) {
        const std::int64_t correlation_id = next_id();
        send(layout::CommandType::kAddSubscription,
            layout::AddSubscription{id_, correlation_id, -1, stream_id, channel});
        return correlation_id;
    }
    std::int64_t remove_publication(std::int64_t registration_id, std::uint64_t flags = 0) {
        const std::int64_t correlation_id = next_id();
        send(layout::CommandType::kRemovePublication,
            layout::RemovePublication{id_, correlation_id, registration_id, flags});
        return correlation_id;
    }
    std::int64_t remove(layout::CommandType type, std::int64_t registration_id) {
        const std::int64_t correlation_id = next_id();
        send(type, layout::RemoveResource{id_, correlation_id, registration_id});
        return correlation_id;
    }
    void keepalive() { send(layout::CommandType::kClientKeepalive, layout::ClientCommand{id_, 0}); }

    /// Polls the driver and reads events until one of the type has come.
    RawEvent await(layout::EventType type, const std::vector<DriverCore*>& others = {}) {
        for (int i = 0; i < kStepsMax; ++i) {
            if (i % 1000 == 999) {
                keepalive();
            }
            for (auto event = seen_.begin(); event != seen_.end(); ++event) {
                if (event->type == type) {
                    RawEvent found = std::move(*event);
                    seen_.erase(event);
                    return found;
                }
            }
            step(others, i < 1000 ? microseconds(100) : milliseconds(1));
        }
        FAIL("no event of type ", static_cast<int>(type));
        return {type, {}};
    }
    template <class Event>
    Event await_as(layout::EventType type, const std::vector<DriverCore*>& others = {}) {
        last_ = await(type, others);
        return last_.as<Event>();
    }
    layout::PublicationReady await_publication(bool exclusive = false) {
        return await_as<layout::PublicationReady>(
            exclusive ? layout::EventType::kExclusivePublicationReady : layout::EventType::kPublicationReady);
    }
    layout::ErrorEvent await_error() { return await_as<layout::ErrorEvent>(layout::EventType::kError); }

    /// How many events of a type have come and were not awaited.
    [[nodiscard]] std::size_t count(layout::EventType type) {
        drain();
        std::size_t count = 0;
        for (const RawEvent& event : seen_) {
            count += event.type == type ? 1 : 0;
        }
        return count;
    }
    void forget() {
        drain();
        seen_.clear();
    }

  private:
    static constexpr int kStepsMax = 16'000;  ///< 15 s, longer than any time-out

    void step(const std::vector<DriverCore*>& others, Duration by) {
        world_.clock.advance(by);
        driver_.poll_inline(world_.clock.now());
        for (DriverCore* other : others) {
            if (other != &driver_) {
                other->poll_inline(world_.clock.now());
            }
        }
        drain();
    }
    void drain() {
        for (;;) {
            const auto message = receiver_.receive_next();
            if (message.status == ring::Reception::kNothing) {
                return;
            }
            REQUIRE(message.status == ring::Reception::kMessage);
            seen_.push_back(
                {static_cast<layout::EventType>(message.type), {message.body.begin(), message.body.end()}});
        }
    }

    World& world_;
    DriverCore& driver_;
    ring::ShmMpscRing ring_;
    ring::BroadcastReceiver receiver_;
    std::int64_t id_ = 0;
    std::deque<RawEvent> seen_;
    RawEvent last_{};
};

/// A log as a client maps it.
struct ClientLog {
    std::unique_ptr<port::Mapping> mapping;
    layout::LogBuffer log;

    static ClientLog open(World& world, std::string_view path) {
        auto mapping = world.memory.open(std::string(path), true);
        REQUIRE(mapping);
        auto log = layout::LogBuffer::open((*mapping)->bytes());
        REQUIRE(log);
        return {std::move(mapping).value(), *log};
    }
};

inline observe::Counter counter_at(const DriverCore& driver, std::int32_t id) {
    return {id,
        driver.cnc().counter_values().data() + static_cast<std::size_t>(id) * layout::kCounterValueLength};
}

inline std::optional<observe::CounterView> find_counter(
    const DriverCore& driver, std::int32_t type_id, std::int64_t registration_id) {
    std::optional<observe::CounterView> found;
    observe::for_each_counter(driver.cnc().counter_metadata(), driver.cnc().counter_values(),
        [&](const observe::CounterView& view) {
            if (view.type_id == type_id && view.registration_id == registration_id) {
                found = view;
            }
        });
    return found;
}

}  // namespace fulmar::agent
