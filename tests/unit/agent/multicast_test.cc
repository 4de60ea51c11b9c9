// Multicast: one publication whose packets reach a group of receivers, who answer to the group above.
#include <algorithm>
#include <array>

#include "cast.h"

namespace fulmar::agent {
namespace {

const std::string kGroup = "aeron:udp?endpoint=224.20.30.39:40456";

std::int64_t ttl_warnings(const Listener& listener) {
    return listener.driver->system_counters()[layout::SystemCounter::kPossibleTtlAsymmetry].get_relaxed();
}

}  // namespace

TEST_CASE("agent: what is published to a group reaches each of its members") {
    Cast cast;
    cast.second.subscribe(kGroup);
    cast.third.subscribe(kGroup + "|interface=10.77.0.3");
    cast.publish(kGroup);
    cast.second.await_image(cast.all());
    cast.third.await_image(cast.all());
    cast.run();
    REQUIRE(cast.log.log.is_connected());
    CHECK(cast.log.log.read_metadata().group);
    const std::int64_t sent = cast.offer();
    REQUIRE(sent > 0);
    cast.run();
    CHECK(cast.second.received.get_relaxed() == sent);
    CHECK(cast.third.received.get_relaxed() == sent);

    // The last member that leaves takes the connection with it.
    cast.second.reads = cast.third.reads = false;
    cast.second.driver.reset();
    cast.third.driver.reset();
    for (int i = 0; i < 12; ++i) {
        cast.publisher.keepalive();
        cast.world.run({cast.sending.get()}, milliseconds(500));
    }
    CHECK_FALSE(cast.log.log.is_connected());
}

TEST_CASE("agent: a subscriber beside the publication, a second publication, and a spy share the group") {
    World world;
    auto driver = world.make_driver(0);
    RawClient client(world, *driver);
    client.add_subscription(kGroup + "|interface=10.77.0.0/24", 1001);
    client.add_subscription(kGroup + "|interface={first}", 1001);
    client.add_subscription("aeron-spy:" + kGroup, 1001);
    for (int i = 0; i < 3; ++i) {
        (void)client.await(layout::EventType::kSubscriptionReady);
    }
    client.add_publication(kGroup, 1001, true);
    (void)client.await_publication(true);
    client.add_publication(kGroup, 1001, true);
    (void)client.await_publication(true);
    // An image has both subscriptions behind it; the spies are announced one by one.
    for (int i = 0; i < 6; ++i) {
        (void)client.await(layout::EventType::kAvailableImage);
    }
    CHECK(driver->conductor().endpoint_count() == 2);
}

TEST_CASE("agent: the fastest of a group decides unless the publication asks otherwise") {
    struct Row {
        const char* flow_control;
        bool is_held;
    };
    for (const Row& row : {Row{"", false}, Row{"|fc=max", false}, Row{"|fc=min", true}}) {
        CAPTURE(std::string(row.flow_control));
        Cast cast;
        cast.second.subscribe(kGroup);
        cast.third.subscribe(kGroup);
        cast.publish(kGroup + row.flow_control + "|term-length=64k");
        cast.second.await_image(cast.all());
        cast.third.await_image(cast.all());
        cast.third.reads = false;
        const std::int64_t sent = cast.flood(3000);
        CHECK((sent < 128 * 1024) == row.is_held);
    }
}

TEST_CASE("agent: a subscription takes a group for one of its destinations") {
    Cast cast;
    const std::int64_t subscription = cast.second.subscribe("aeron:udp?control-mode=manual");
    cast.publish(kGroup);
    const auto command = [&](layout::CommandType type) {
        cast.second.client.send(type, layout::DestinationCommand{cast.second.client.id(),
                                          cast.second.client.next_id(), subscription, kGroup});
        (void)cast.second.client.await(layout::EventType::kOperationSuccess);
    };
    command(layout::CommandType::kAddReceiveDestination);
    cast.second.await_image(cast.all());
    cast.run();
    const std::int64_t sent = cast.offer();
    REQUIRE(sent > 0);
    cast.run();
    CHECK(cast.second.received.get_relaxed() == sent);

    command(layout::CommandType::kRemoveReceiveDestination);
    cast.run(seconds(12));
    CHECK_FALSE(cast.log.log.is_connected());
    CHECK(cast.second.client.count(layout::EventType::kUnavailableImage) == 1);
}

TEST_CASE("agent: a group is no destination of a publication") {
    Cast cast;
    cast.publish("aeron:udp?control-mode=manual");
    const std::int64_t id = cast.command(layout::CommandType::kAddDestination, kGroup);
    const auto error = cast.publisher.await_error();
    CHECK(error.offending_correlation_id == id);
    CHECK(error.message.find("multicast") != std::string_view::npos);
}

TEST_CASE("agent: a receiver whose packets may not get as far as the sender's is counted") {
    Cast cast;
    cast.second.subscribe(kGroup + "|ttl=3");
    cast.third.subscribe(kGroup + "|ttl=4");
    cast.publish(kGroup + "|ttl=4");
    cast.second.await_image(cast.all());
    cast.third.await_image(cast.all());
    CHECK(ttl_warnings(cast.second) == 1);
    CHECK(ttl_warnings(cast.third) == 0);
}

TEST_CASE("agent: who asks a group's publication for the round trip is answered by way of the group") {
    drivers::LoopNetwork::Options options = three_hosts();
    options.port_count = 4;
    Cast cast(options);
    cast.second.subscribe(kGroup);
    cast.publish(kGroup);
    cast.second.await_image(cast.all());
    port::PacketPort& port = cast.world.network.port(3);
    port::PacketQueue& queue = port.queue(port::PacketPort::Role::kReceiver);
    const port::Endpoint group{port::IpAddress::v4(224, 20, 30, 39), 40456};
    const auto member = port.open({.local = group});
    REQUIRE(member);
    queue.add(**member);

    wire::RttMeasurement request;
    request.flags = wire::flag::kReply;
    request.session_id = cast.log.log.read_metadata().session_id;
    request.stream_id = kStream;
    request.echo_timestamp = 12345;
    request.receiver_id = 77;
    std::array<std::byte, wire::kRttMeasurementLength> frame;
    wire::write_rtt_measurement(frame.data(), request);
    const port::TxPacket packet{frame.data(), static_cast<std::uint32_t>(frame.size()), member->get(),
        {port::control_group_of(group.ip), group.port}};
    REQUIRE(queue.send(cast.world.clock.now(), {&packet, 1}) == 1);
    cast.run();

    int answers = 0;
    std::array<port::RxPacket, port::kBurstMax> received;
    const std::size_t count = queue.receive(cast.world.clock.now(), received);
    for (std::size_t i = 0; i < count; ++i) {
        if (wire::read_frame_header(received[i].bytes).type == wire::FrameType::kRttMeasurement) {
            const auto answer = wire::read_rtt_measurement(received[i].bytes);
            CHECK(answer.flags == 0);
            CHECK(answer.receiver_id == 77);
            CHECK(answer.echo_timestamp == 12345);
            ++answers;
        }
    }
    queue.release({received.data(), count});
    CHECK(answers == 1);
    queue.remove(**member);
}

}  // namespace fulmar::agent
