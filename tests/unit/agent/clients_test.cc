// Clients come, keep alive, close or fall silent; and the counters they own.
#include "driver_harness.h"

namespace fulmar::agent {
namespace {

const std::string kUdp = "aeron:udp?endpoint=10.77.0.2:40123";

std::int64_t system_counter(const DriverCore& driver, layout::SystemCounter id) {
    return driver.system_counters()[id].get_relaxed();
}

}  // namespace

TEST_CASE("agent: a client is known by its first command and shown by a heartbeat counter") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    CHECK(driver->conductor().client_count() == 0);
    client.add_publication("aeron:ipc", 1);
    const auto counter = client.await_as<layout::CounterEvent>(layout::EventType::kCounterReady);
    CHECK(counter.correlation_id == client.id());
    const auto heartbeat = find_counter(*driver, layout::counter_type::kClientHeartbeat, client.id());
    REQUIRE(heartbeat);
    CHECK(heartbeat->id == counter.counter_id);
    CHECK(heartbeat->label == "client-heartbeat: id=" + std::to_string(client.id()));
    CHECK(base::load_le<std::int64_t>(heartbeat->key.data(), 0) == client.id());
}

TEST_CASE("agent: a silent client is told, and all it had is given back") {
    World world;
    auto driver = world.make_driver();
    RawClient silent(world, *driver);
    RawClient other(world, *driver);
    silent.add_publication(kUdp, 1001);
    (void)silent.await_publication();
    silent.add_publication("aeron:ipc", 1001);
    (void)silent.await_publication();
    silent.add_subscription("aeron:udp?endpoint=10.77.0.1:40124", 1001);
    (void)silent.await(layout::EventType::kSubscriptionReady);
    silent.send(layout::CommandType::kAddCounter,
        layout::AddCounter{silent.id(), silent.next_id(), 1101, {}, "mine"});
    other.add_publication("aeron:ipc", 2002);
    (void)other.await_publication();
    other.forget();
    for (int second = 0; second < 9; ++second) {
        other.keepalive();
        world.run({driver.get()}, seconds(1), milliseconds(100));
        CHECK(other.count(layout::EventType::kClientTimeout) == 0);
    }
    for (int second = 0; second < 10; ++second) {
        other.keepalive();
        world.run({driver.get()}, seconds(1), milliseconds(100));
    }
    CHECK(other.await_as<layout::ClientTimeout>(layout::EventType::kClientTimeout).client_id == silent.id());
    CHECK(other.count(layout::EventType::kUnavailableCounter) == 2);  // its own and its heartbeat
    CHECK(system_counter(*driver, layout::SystemCounter::kClientTimeouts) == 1);
    const auto& conductor = driver->conductor();
    CHECK(conductor.client_count() == 1);
    CHECK(conductor.network_publication_count() == 0);
    CHECK(conductor.ipc_publication_count() == 1);
    CHECK(conductor.subscription_count() == 0);
    CHECK(conductor.endpoint_count() == 0);
    CHECK_FALSE(find_counter(*driver, layout::counter_type::kClientHeartbeat, silent.id()));
}

TEST_CASE("agent: a client that closes goes without a time-out") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    client.add_subscription("aeron:ipc", 1001);
    (void)client.await(layout::EventType::kSubscriptionReady);
    client.send(layout::CommandType::kClientClose, layout::ClientCommand{client.id(), -1});
    world.run({driver.get()}, milliseconds(10));
    CHECK(client.count(layout::EventType::kClientTimeout) == 0);
    const auto gone = client.await_as<layout::CounterEvent>(layout::EventType::kUnavailableCounter);
    CHECK(gone.correlation_id == client.id());
    CHECK(driver->conductor().client_count() == 0);
    CHECK(driver->conductor().subscription_count() == 0);
}

TEST_CASE("agent: a heartbeat of nonsense does not save or kill anybody else") {
    World world;
    auto driver = world.make_driver();
    RawClient liar(world, *driver);
    liar.add_publication("aeron:ipc", 1001);
    const auto counter = liar.await_as<layout::CounterEvent>(layout::EventType::kCounterReady);
    counter_at(*driver, counter.counter_id).set_release(INT64_MIN);
    world.run({driver.get()}, seconds(2), milliseconds(100));
    CHECK(liar.count(layout::EventType::kClientTimeout) == 1);
    liar.forget();
    liar.add_publication("aeron:ipc", 1001);
    const auto again = liar.await_as<layout::CounterEvent>(layout::EventType::kCounterReady);
    counter_at(*driver, again.counter_id).set_release(INT64_MAX);
    world.run({driver.get()}, seconds(2), milliseconds(100));
    CHECK(liar.count(layout::EventType::kClientTimeout) == 0);
}

TEST_CASE("agent: after the driver itself stood still, everybody gets a whole time-out") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    client.add_publication("aeron:ipc", 1001);
    (void)client.await_publication();
    world.run({driver.get()}, seconds(2), milliseconds(100));
    world.clock.advance(seconds(30));  // a SIGSTOP, a paused machine
    world.run({driver.get()}, seconds(9), milliseconds(100));
    CHECK(client.count(layout::EventType::kClientTimeout) == 0);
    const auto stalls = find_counter(*driver, layout::counter_type::kFulmarFirst, 0);
    REQUIRE(stalls);
    CHECK(stalls->value == 1);
    world.run({driver.get()}, seconds(3), milliseconds(100));
    CHECK(client.count(layout::EventType::kClientTimeout) == 1);
}

TEST_CASE("agent: counters of clients are added, found by tools, and removed") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    const std::array<std::byte, 4> key{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
    const std::int64_t id = client.next_id();
    client.send(layout::CommandType::kAddCounter, layout::AddCounter{client.id(), id, 1101, key, "label"});
    (void)client.await(layout::EventType::kCounterReady);  // the heartbeat
    const auto ready = client.await_as<layout::CounterEvent>(layout::EventType::kCounterReady);
    CHECK(ready.correlation_id == id);
    const auto counter = find_counter(*driver, 1101, id);
    REQUIRE(counter);
    CHECK(counter->id == ready.counter_id);
    CHECK(counter->label == "label");
    CHECK(counter->owner_id == client.id());
    CHECK(std::equal(key.begin(), key.end(), counter->key.begin()));

    const std::int64_t removal = client.remove(layout::CommandType::kRemoveCounter, id);
    const auto done = client.await_as<layout::OperationSuccess>(layout::EventType::kOperationSuccess);
    CHECK(done.correlation_id == removal);
    const auto gone = client.await_as<layout::CounterEvent>(layout::EventType::kUnavailableCounter);
    CHECK(gone.correlation_id == id);
    CHECK_FALSE(find_counter(*driver, 1101, id));
}

TEST_CASE("agent: a static counter outlives its client and is found again") {
    World world;
    auto driver = world.make_driver();
    RawClient first(world, *driver);
    first.send(layout::CommandType::kAddStaticCounter,
        layout::AddStaticCounter{first.id(), first.next_id(), 4242, 1102, {}, "static"});
    const auto made = first.await_as<layout::CounterEvent>(layout::EventType::kStaticCounter);
    first.send(layout::CommandType::kClientClose, layout::ClientCommand{first.id(), -1});
    world.run({driver.get()}, milliseconds(10));
    CHECK(driver->conductor().client_count() == 0);

    RawClient second(world, *driver);
    second.send(layout::CommandType::kAddStaticCounter,
        layout::AddStaticCounter{second.id(), second.next_id(), 4242, 1102, {}, "static"});
    CHECK(second.await_as<layout::CounterEvent>(layout::EventType::kStaticCounter).counter_id ==
          made.counter_id);

    // The same identity as somebody's own counter is a conflict.
    const std::int64_t own = second.next_id();
    second.send(layout::CommandType::kAddCounter, layout::AddCounter{second.id(), own, 1103, {}, "own"});
    world.run({driver.get()}, milliseconds(2));
    second.send(layout::CommandType::kAddStaticCounter,
        layout::AddStaticCounter{second.id(), second.next_id(), own, 1103, {}, "static"});
    CHECK(second.await_error().error_code == static_cast<std::int32_t>(ErrorCode::kGeneric));
}

TEST_CASE("agent: a burst of events never laps a client that polls ten times a second") {
    World world;
    DriverOptions options = small_options("/bursty");
    options.cnc_lengths.counter_values = 512 * 1024;
    options.cnc_lengths.counter_metadata = options.cnc_lengths.counter_values * 4;
    auto driver = world.make_driver(0, options);
    RawClient owner(world, *driver);
    RawClient watcher(world, *driver);
    constexpr int kCounters = 3000;  // their removal makes 96 KiB of events, the broadcast holds 64
    for (int i = 0; i < kCounters; ++i) {
        owner.send(layout::CommandType::kAddCounter,
            layout::AddCounter{owner.id(), owner.next_id(), 1101, {}, "one of many"});
        (void)owner.await(layout::EventType::kCounterReady);
        watcher.forget();
    }
    owner.send(layout::CommandType::kClientClose, layout::ClientCommand{owner.id(), -1});
    std::size_t seen = 0;
    for (int tenth = 0; tenth < 50; ++tenth) {
        world.run({driver.get()}, milliseconds(100));
        seen += watcher.count(layout::EventType::kUnavailableCounter);  // fails if lapped
        watcher.forget();
    }
    CHECK(seen == kCounters + 1);
}

TEST_CASE("agent: two drivers do not share a directory, and a dead one's is taken over") {
    World world;
    auto first = world.make_driver(0, small_options("/here"));
    world.run({first.get()}, seconds(1));
    DriverParts parts;
    parts.options = small_options("/here");
    parts.memory = &world.memory;
    parts.clock = &world.clock;
    {
        const auto second = DriverCore::create(parts);
        REQUIRE_FALSE(second);
        CHECK(second.error().message.find("/here") != std::string::npos);
    }
    world.clock.advance(seconds(11));  // the first falls silent
    const auto third = DriverCore::create(parts);
    CHECK(third);
}

TEST_CASE("agent: a driver that is only starting keeps its directory") {
    World world;
    const DriverOptions options = small_options("/here");
    REQUIRE(prepare_directory(world.memory, options, world.clock.epoch_ms()));
    const auto files = create_shared_files(world.memory, options, world.clock.epoch_ms());  // not ready yet
    REQUIRE(files);
    CHECK_FALSE(prepare_directory(world.memory, options, world.clock.epoch_ms()));
    CHECK(prepare_directory(world.memory, options, world.clock.epoch_ms() + 10'001));  // it died there
}

TEST_CASE("agent: a driver that ended well leaves its directory free at once") {
    World world;
    auto first = world.make_driver(0, small_options("/here"));
    world.run({first.get()}, seconds(1));
    first.reset();
    auto second = world.make_driver(0, small_options("/here"));
    DriverOptions options = small_options("/gone");
    options.dir_delete_on_shutdown = true;
    auto third = world.make_driver(1, options);
    third.reset();
    CHECK_FALSE(world.memory.exists("/gone/cnc.dat"));
}

}  // namespace fulmar::agent
