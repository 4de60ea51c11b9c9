// Sharing, identity and positions of publications; subscriptions beside them.
#include <set>

#include "driver_harness.h"

namespace fulmar::agent {
namespace {

const std::string kUdp = "aeron:udp?endpoint=10.77.0.2:40123";
const std::string kIpc = "aeron:ipc";

std::int32_t code(ErrorCode value) {
    return static_cast<std::int32_t>(value);
}

}  // namespace

TEST_CASE("agent: equal shared publications are one, exclusive ones are each their own") {
    for (const std::string& channel : {kUdp, kIpc}) {
        CAPTURE(channel);
        World world;
        auto driver = world.make_driver();
        RawClient client(world, *driver);
        const std::int64_t first_id = client.add_publication(channel, 1001);
        const auto first = client.await_publication();
        CHECK(first.correlation_id == first_id);
        CHECK(first.registration_id == first_id);
        CHECK((first.channel_status_counter_id == -1) == (channel == kIpc));
        const std::int32_t session_id = first.session_id;

        const std::int64_t second_id = client.add_publication(channel, 1001);
        const auto second = client.await_publication();
        CHECK(second.correlation_id == second_id);
        CHECK(second.registration_id == first_id);
        CHECK(second.session_id == session_id);

        client.add_publication(channel, 1001, true);
        const auto exclusive = client.await_publication(true);
        CHECK(exclusive.registration_id != first_id);
        CHECK(exclusive.session_id != session_id);
        client.add_publication(channel, 1001, true);
        CHECK(client.await_publication(true).session_id != session_id);

        // One of the sharers leaves; the stream goes on.
        client.remove_publication(first_id);
        (void)client.await(layout::EventType::kOperationSuccess);
        world.run({driver.get()}, milliseconds(5));
        const auto& conductor = driver->conductor();
        CHECK(conductor.network_publication_count() + conductor.ipc_publication_count() == 3);
        client.add_publication(channel, 1001);
        CHECK(client.await_publication().registration_id == first_id);
    }
}

TEST_CASE("agent: a sharer that asks for something else is told what differs") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    client.add_publication(kUdp + "|session-id=77|mtu=1024|init-term-id=3|term-id=4|term-offset=64", 1001);
    const auto first = client.await_publication();
    CHECK(first.session_id == 77);
    const char* differing[] = {"session-id=78", "mtu=1408", "term-length=128k",
        "init-term-id=3|term-id=4|term-offset=96", "init-term-id=2|term-id=4|term-offset=64"};
    for (const char* params : differing) {
        CAPTURE(params);
        client.add_publication(kUdp + "|" + params, 1001);
        const auto error = client.await_error();
        CHECK(error.error_code == code(ErrorCode::kInvalidChannel));
        CHECK(error.message.find("different") != std::string_view::npos);
    }
    client.add_publication(kUdp + "|session-id=77|mtu=1024|init-term-id=3|term-id=4|term-offset=64", 1001);
    CHECK(client.await_publication().session_id == 77);
}

TEST_CASE("agent: a session id in use on the channel and stream is refused") {
    for (const std::string& channel : {kUdp, kIpc + "?alias=x"}) {
        World world;
        auto driver = world.make_driver();
        RawClient client(world, *driver);
        client.add_publication(channel + "|session-id=77", 1001, true);
        (void)client.await_publication(true);
        client.add_publication(channel + "|session-id=77", 1001, true);
        const auto error = client.await_error();
        CHECK(error.error_code == code(ErrorCode::kInvalidChannel));
        CHECK(error.message.find("session-id=77") != std::string_view::npos);
        client.add_publication(channel + "|session-id=77", 1002, true);  // another stream
        (void)client.await_publication(true);
    }
}

TEST_CASE("agent: session ids come from outside the reserved range and are not given twice") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    std::set<std::int32_t> ids;
    for (int i = 0; i < 20; ++i) {
        client.add_publication(kIpc, 1001, true);
        const std::int32_t id = client.await_publication(true).session_id;
        CHECK((id < -1 || id > 1000));
        CHECK(ids.insert(id).second);
        const std::int64_t correlation_id = client.next_id();
        client.send(layout::CommandType::kGetNextAvailableSessionId,
            layout::GetNextAvailableSessionId{client.id(), correlation_id, 1001});
        const auto next =
            client.await_as<layout::NextAvailableSessionId>(layout::EventType::kNextAvailableSessionId);
        CHECK(next.correlation_id == correlation_id);
        CHECK(ids.insert(next.session_id).second);
    }
    SessionIds around(-3, -1, 1000);
    const auto free = [](std::int32_t) { return false; };
    CHECK(around.take(free) == -3);
    CHECK(around.take(free) == -2);
    CHECK(around.take(free) == 1001);
}

TEST_CASE("agent: a given position is where log and counters start") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    client.add_publication(kUdp + "|init-term-id=10|term-id=12|term-offset=4096|term-length=64k", 1001, true);
    const auto ready = client.await_publication(true);
    const auto log = ClientLog::open(world, ready.log_file_name);
    const std::int64_t position = 2 * 64 * 1024 + 4096;
    CHECK(log.log.producer_position() == position);
    CHECK(log.log.read_metadata().initial_term_id == 10);
    CHECK(log.log.read_metadata().type == layout::LogType::kExclusivePublication);
    CHECK(counter_at(*driver, ready.publisher_limit_counter_id).get_relaxed() == position);
    for (const auto type : {layout::counter_type::kPublisherLimit, layout::counter_type::kSenderPosition,
             layout::counter_type::kPublisherPosition}) {
        const auto counter = find_counter(*driver, type, ready.registration_id);
        REQUIRE(counter);
        CHECK(counter->value == position);
        CHECK(counter->owner_id == client.id());
    }
}

TEST_CASE("agent: counters carry the labels that tools expect") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    client.add_publication(kUdp + "|session-id=77", 1001);
    const auto ready = client.await_publication();
    const auto limit = find_counter(*driver, layout::counter_type::kPublisherLimit, ready.registration_id);
    REQUIRE(limit);
    CHECK(limit->label ==
          "pub-lmt: " + std::to_string(ready.registration_id) + " 77 1001 " + kUdp + "|session-id=77");
    const auto status =
        find_counter(*driver, layout::counter_type::kSendChannelStatus, ready.registration_id);
    REQUIRE(status);
    CHECK(status->id == ready.channel_status_counter_id);
    CHECK(status->value == layout::kChannelActive);
    CHECK(status->label.substr(0, 13) == "snd-channel: ");
    CHECK(status->owner_id == 0);  // clients share it
    const auto errors = find_counter(*driver, layout::counter_type::kSystem, 15);
    REQUIRE(errors);
    CHECK(errors->id == 15);
    CHECK(errors->label.find("version=0.1.0") != std::string_view::npos);
    CHECK(find_counter(*driver, layout::counter_type::kSystem, 43)->value == 65536);
    const auto system_label = [&](std::int32_t id) {
        return std::string(find_counter(*driver, layout::counter_type::kSystem, id)->label);
    };
    CHECK(system_label(25) == "Resolution changes: driverName=");
    CHECK(system_label(26) == "Conductor max cycle time doing its work in ns: INVOKER");
    CHECK(system_label(27) == "Conductor work cycle exceeded threshold count: threshold=100ms INVOKER");
    CHECK(system_label(29) == "Sender work cycle exceeded threshold count: threshold=100ms INVOKER");
    CHECK(system_label(31) == "Receiver work cycle exceeded threshold count: threshold=100ms INVOKER");
}

TEST_CASE("agent: a wildcard port is resolved and shown") {
    World world;
    auto driver = world.make_driver(0);
    RawClient client(world, *driver);
    const std::int64_t first = client.add_subscription("aeron:udp?endpoint=10.77.0.1:0", 1001);
    const auto ready = client.await_as<layout::SubscriptionReady>(layout::EventType::kSubscriptionReady);
    const auto local = find_counter(*driver, layout::counter_type::kLocalSockaddr, first);
    REQUIRE(local);
    CHECK(local->label.find("10.77.0.1:0") == std::string_view::npos);
    CHECK(local->label.find(
              "rcv-local-sockaddr: " + std::to_string(ready.channel_status_counter_id) + " 10.77.0.1:") == 0);
    client.add_subscription("aeron:udp?endpoint=10.77.0.1:0", 1001);
    (void)client.await(layout::EventType::kSubscriptionReady);
    CHECK(driver->conductor().endpoint_count() == 2);
}

TEST_CASE("agent: subscriptions that disagree on repair cannot share a stream") {
    World world;
    auto driver = world.make_driver(0);
    RawClient client(world, *driver);
    const std::string channel = "aeron:udp?endpoint=10.77.0.1:40123";
    client.add_subscription(channel, 1001);
    (void)client.await(layout::EventType::kSubscriptionReady);
    client.add_subscription(channel + "|reliable=false", 1001);
    CHECK(client.await_error().message.find("reliable") != std::string_view::npos);
    client.add_subscription(channel + "|rejoin=false", 1001);
    CHECK(client.await_error().message.find("rejoin") != std::string_view::npos);
    client.add_subscription(channel + "|reliable=false", 1002);
    (void)client.await(layout::EventType::kSubscriptionReady);
    CHECK(driver->conductor().endpoint_count() == 1);
}

TEST_CASE("agent: an endpoint that nobody uses any more is closed and can be opened again") {
    World world;
    auto driver = world.make_driver(0);
    RawClient client(world, *driver);
    for (int round = 0; round < 3; ++round) {
        const std::int64_t id = client.add_subscription("aeron:udp?endpoint=10.77.0.1:40123", 1001);
        (void)client.await(layout::EventType::kSubscriptionReady);
        client.remove(layout::CommandType::kRemoveSubscription, id);
        (void)client.await(layout::EventType::kOperationSuccess);
        if (round == 1) {  // at once in the other rounds, while it is closing
            world.run({driver.get()}, milliseconds(10));
            CHECK(driver->conductor().endpoint_count() == 0);
        }
    }
}

TEST_CASE("agent: without space for a log the answer is STORAGE_SPACE, and nothing is left behind") {
    World world;
    auto driver = world.make_driver(0);
    RawClient client(world, *driver);
    world.memory.set_space_max(0);
    client.add_publication(kUdp, 1001);
    CHECK(client.await_error().error_code == code(ErrorCode::kStorageSpace));
    client.add_publication(kIpc, 1001);
    CHECK(client.await_error().error_code == code(ErrorCode::kStorageSpace));
    world.run({driver.get()}, milliseconds(10));
    CHECK(driver->conductor().endpoint_count() == 0);
    world.memory.set_space_max(INT64_MAX);
    client.add_publication(kUdp, 1001);
    (void)client.await_publication();
}

TEST_CASE("agent: a full counters file is an answer, not an end") {
    World world;
    DriverOptions options = small_options("/tight");
    options.cnc_lengths.counter_values = 64 * 128;  // 46 of the driver, 18 left
    options.cnc_lengths.counter_metadata = options.cnc_lengths.counter_values * 4;
    auto driver = world.make_driver(0, options);
    RawClient client(world, *driver);
    int added = 0;
    for (;; ++added) {
        client.add_publication(kUdp, 1001 + added);
        const RawEvent event = [&] {
            for (;;) {
                world.clock.advance(milliseconds(1));
                driver->poll_inline(world.clock.now());
                if (client.count(layout::EventType::kError) > 0) {
                    return client.await(layout::EventType::kError);
                }
                if (client.count(layout::EventType::kPublicationReady) > 0) {
                    return client.await(layout::EventType::kPublicationReady);
                }
            }
        }();
        if (event.type == layout::EventType::kError) {
            CHECK(event.as<layout::ErrorEvent>().message.find("full") != std::string_view::npos);
            break;
        }
        REQUIRE(added < 18);
    }
    CHECK(driver->conductor().network_publication_count() == static_cast<std::size_t>(added));
}

}  // namespace fulmar::agent
