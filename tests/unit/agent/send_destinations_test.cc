// Multi-destination publications: destinations by command and by status message, their ends and their names.
#include <algorithm>

#include "cast.h"

namespace fulmar::agent {
namespace {

const std::string kManual = "aeron:udp?control-mode=manual";
const std::string kDynamic = "aeron:udp?control-mode=dynamic|control=10.77.0.1:40200";
const std::string kSecond = "aeron:udp?endpoint=10.77.0.2:40123";
const std::string kThird = "aeron:udp?endpoint=10.77.0.3:40123";

std::int32_t code(ErrorCode value) {
    return static_cast<std::int32_t>(value);
}

}  // namespace

TEST_CASE("agent: a manual publication sends to the destinations it has") {
    Cast cast;
    cast.second.subscribe(kSecond);
    cast.third.subscribe(kThird);
    cast.publish(kManual);
    cast.run(milliseconds(500));
    CHECK(cast.destinations() == 0);
    CHECK_FALSE(cast.log.log.is_connected());
    cast.add(kSecond);
    cast.second.await_image(cast.all());
    CHECK(cast.destinations() == 1);
    cast.run();
    REQUIRE(cast.log.log.is_connected());
    std::int64_t sent = cast.offer();
    REQUIRE(sent > 0);
    cast.run();
    CHECK(cast.second.received.get_relaxed() == sent);

    // A late one joins where the stream is.
    const std::int64_t late = cast.add(kThird);
    cast.third.await_image(cast.all());
    CHECK(cast.destinations() == 2);
    sent = cast.offer();
    cast.run();
    CHECK(cast.second.received.get_relaxed() == sent);
    CHECK(cast.third.received.get_relaxed() == sent);

    cast.command(layout::CommandType::kRemoveDestination, kSecond);
    (void)cast.done();
    cast.run();
    CHECK(cast.destinations() == 1);
    const std::int64_t before = cast.second.received.get_relaxed();
    sent = cast.offer();
    cast.run();
    CHECK(cast.second.received.get_relaxed() == before);
    CHECK(cast.third.received.get_relaxed() == sent);

    cast.publisher.send(layout::CommandType::kRemoveDestinationById,
        layout::RemoveDestinationById{cast.publisher.id(), cast.publisher.next_id(), cast.id, late});
    (void)cast.done();
    cast.command(layout::CommandType::kRemoveDestination, kSecond);  // gone already
    (void)cast.done();
    cast.run(seconds(12));
    CHECK(cast.destinations() == 0);
    CHECK_FALSE(cast.log.log.is_connected());
    CHECK(cast.third.client.count(layout::EventType::kUnavailableImage) == 1);
}

TEST_CASE(
    "agent: the slowest receiver, or the slowest of a tag, holds a publication back where it is asked for") {
    struct Row {
        const char* flow_control;
        const char* tag;  // of the one that does not read
        bool is_held;
    };
    for (const Row& row :
        {Row{"|fc=max", "", false}, Row{"|fc=min", "", true}, Row{"|fc=tagged,g:5", "|gtag=5", true},
            Row{"|fc=tagged,g:5/1", "|gtag=6", true}, Row{"|fc=tagged,g:5", "|gtag=6", false}}) {
        CAPTURE(std::string(row.flow_control));
        CAPTURE(std::string(row.tag));
        Cast cast;
        cast.second.subscribe(kSecond);
        cast.third.subscribe(kThird + row.tag);
        cast.publish(kManual + row.flow_control + "|term-length=64k");
        cast.add(kSecond);
        cast.second.await_image(cast.all());
        cast.add(kThird);
        cast.third.await_image(cast.all());
        cast.third.reads = false;
        const std::int64_t sent = cast.flood(3000);
        CHECK((sent < 128 * 1024) == row.is_held);
    }
}

TEST_CASE("agent: a closed publication does not wait for a group that fell apart") {
    Cast cast;
    cast.publish(kDynamic + "|fc=min,g:/2|term-length=64k");
    cast.second.subscribe("aeron:udp?control=10.77.0.1:40200");
    const std::int64_t leaving = cast.third.subscribe("aeron:udp?control=10.77.0.1:40200");
    cast.second.await_image(cast.all());
    cast.third.await_image(cast.all());
    cast.second.reads = false;
    const std::int64_t sent = cast.flood(1000);
    cast.run(milliseconds(100));
    REQUIRE(cast.second.received.get_relaxed() < sent);
    cast.third.client.remove(layout::CommandType::kRemoveSubscription, leaving);
    (void)cast.third.client.await(layout::EventType::kOperationSuccess);
    cast.third.image_id = 0;
    cast.run(seconds(7));
    cast.publisher.remove_publication(cast.id);
    (void)cast.publisher.await(layout::EventType::kOperationSuccess);
    cast.run(seconds(12));
    CHECK(cast.sending->conductor().network_publication_count() == 0);
}

TEST_CASE("agent: a dynamic publication learns its receivers, and forgets the silent") {
    Cast cast;
    cast.publish(kDynamic);
    cast.run(milliseconds(500));
    CHECK(cast.destinations() == 0);
    const std::int64_t subscription =
        cast.second.subscribe("aeron:udp?endpoint=10.77.0.2:0|control=10.77.0.1:40200");
    cast.second.await_image(cast.all());
    CHECK(cast.destinations() == 1);
    cast.run();
    std::int64_t sent = cast.offer();
    cast.run(milliseconds(200));
    CHECK(cast.second.received.get_relaxed() == sent);

    cast.third.subscribe("aeron:udp?control=10.77.0.1:40200");
    cast.third.await_image(cast.all());
    CHECK(cast.destinations() == 2);
    for (int i = 0; i < 100; ++i) {
        sent = cast.offer();
        REQUIRE(sent > 0);
        cast.run(milliseconds(20));
    }
    CHECK(cast.second.received.get_relaxed() == sent);
    CHECK(cast.third.received.get_relaxed() == sent);
    CHECK(cast.destinations() == 2);

    cast.second.client.remove(layout::CommandType::kRemoveSubscription, subscription);
    (void)cast.second.client.await(layout::EventType::kOperationSuccess);
    cast.second.image_id = 0;
    cast.run(seconds(9));
    CHECK(cast.destinations() == 1);
    CHECK(cast.log.log.is_connected());
    cast.publisher.remove_publication(cast.id);
    (void)cast.publisher.await(layout::EventType::kOperationSuccess);
    cast.run(seconds(7));
    CHECK(cast.third.client.count(layout::EventType::kUnavailableImage) == 1);
    CHECK(cast.sending->conductor().endpoint_count() == 0);
    CHECK_FALSE(find_counter(*cast.sending, layout::counter_type::kMdcDestinations, cast.id));
}

TEST_CASE("agent: losses on the way to several receivers are repaired") {
    drivers::LoopNetwork::Options lossy = three_hosts();
    lossy.queue_capacity = 8;
    lossy.drop_when_full = true;
    Cast cast(lossy);
    cast.publish(kDynamic + "|mtu=128");
    cast.second.subscribe("aeron:udp?control=10.77.0.1:40200");
    cast.third.subscribe("aeron:udp?control=10.77.0.1:40200");
    cast.second.await_image(cast.all());
    cast.third.await_image(cast.all());
    cast.run(milliseconds(300));
    std::int64_t sent = 0;
    for (int burst = 0; burst < 20; ++burst) {
        for (int i = 0; i < 40; ++i) {
            sent = std::max(sent, cast.offer());
        }
        cast.run(milliseconds(100));
    }
    CHECK(cast.world.network.dropped() > 0);
    CHECK(sent > 64 * 1024);
    CHECK(cast.second.received.get_relaxed() == sent);
    CHECK(cast.third.received.get_relaxed() == sent);
}

TEST_CASE("agent: a control port that the system chose is found by its counter") {
    Cast cast;
    cast.publish("aeron:udp?control-mode=dynamic|control=10.77.0.1:0");
    const auto local = find_counter(*cast.sending, layout::counter_type::kLocalSockaddr, cast.id);
    REQUIRE(local);
    const std::string label(local->label);
    const std::string control = label.substr(label.rfind(' ') + 1);
    cast.second.subscribe("aeron:udp?control=" + control);
    cast.second.await_image(cast.all());
    CHECK(cast.destinations() == 1);
}

TEST_CASE("agent: a live stream is merged into a replayed one by a destination with a control address") {
    Cast cast;
    cast.publish(kDynamic + "|session-id=5|init-term-id=3|term-id=3|term-offset=0|term-length=64k");
    // The replay, of the same session from the same start, to the port that was chosen for it.
    const std::int64_t subscription = cast.second.subscribe(kManual + "|session-id=5");
    const auto destination = [&](layout::CommandType type, const std::string& channel) {
        cast.second.client.send(type, layout::DestinationCommand{cast.second.client.id(),
                                          cast.second.client.next_id(), subscription, channel});
        (void)cast.second.client.await(layout::EventType::kOperationSuccess);
    };
    const std::string replayed = "aeron:udp?endpoint=10.77.0.2:0";
    destination(layout::CommandType::kAddReceiveDestination, replayed);
    const auto local = find_counter(*cast.second.driver, layout::counter_type::kLocalSockaddr, subscription);
    REQUIRE(local);
    const std::string label(local->label);
    cast.publisher.add_publication("aeron:udp?endpoint=" + label.substr(label.rfind(' ') + 1) +
                                       "|session-id=5|init-term-id=3|term-id=3|term-offset=0|term-length=64k",
        kStream, true);
    const auto ready = cast.publisher.await_publication(true);
    const auto replay_log = ClientLog::open(cast.world, ready.log_file_name);
    const auto replay_limit = counter_at(*cast.sending, ready.publisher_limit_counter_id);
    const std::int64_t replay_id = ready.registration_id;
    term::ExclusiveAppender replay(replay_log.log, {5, kStream});
    cast.second.await_image(cast.all());
    const auto image =
        ClientLog::open(cast.world, "/driver1/images/" + std::to_string(cast.second.image_id) + ".logbuffer");
    cast.run();
    const std::array<std::byte, 64> message{};
    REQUIRE(replay.append(replay_limit.get_acquire(), message) > 0);
    cast.run();

    destination(layout::CommandType::kAddReceiveDestination,
        "aeron:udp?control-mode=dynamic|control=10.77.0.1:40200|endpoint=10.77.0.2:0");
    cast.run(milliseconds(500));
    CHECK(image.log.active_transport_count() == 2);
    REQUIRE(cast.log.log.is_connected());
    (void)cast.offer();
    const std::int64_t merged = cast.offer();
    cast.run();
    CHECK(cast.second.received.get_relaxed() == merged);
    destination(layout::CommandType::kRemoveReceiveDestination, replayed);
    cast.publisher.remove_publication(replay_id);
    cast.run(seconds(12));
    CHECK(image.log.active_transport_count() == 1);
    const std::int64_t alone = cast.offer();
    cast.run();
    CHECK(cast.second.received.get_relaxed() == alone);
    CHECK(cast.second.client.count(layout::EventType::kUnavailableImage) == 0);
}

TEST_CASE("agent: a silent destination's name is looked up again") {
    Cast cast;
    cast.third.subscribe(kThird);
    cast.publish(kManual);
    cast.add("aeron:udp?endpoint=second.test:40123");
    cast.run(seconds(2));
    CHECK(cast.third.client.count(layout::EventType::kAvailableImage) == 0);
    cast.world.resolver.second = port::IpAddress::v4(10, 77, 0, 3);
    cast.third.await_image(cast.all());
    CHECK(cast.sending->system_counters()[layout::SystemCounter::kResolutionChanges].get_relaxed() == 1);
    cast.run(seconds(12));
    CHECK(cast.sending->system_counters()[layout::SystemCounter::kResolutionChanges].get_relaxed() == 1);
    CHECK(cast.destinations() == 1);
}

TEST_CASE("agent: spies find a multi-destination publication by its control address or tag") {
    Cast cast;
    cast.publish(kDynamic + "|tags=7|ssc=true");
    cast.publisher.forget();
    for (const std::string& spy : {"aeron-spy:" + kDynamic, std::string("aeron-spy:aeron:udp?tags=7")}) {
        cast.publisher.add_subscription(spy, kStream);
        const auto image =
            cast.publisher.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage);
        CHECK(image.image_correlation_id == cast.id);
    }
}

TEST_CASE("agent: a rejection names the destination it came from") {
    Cast cast;
    cast.second.subscribe(kSecond);
    cast.publish(kManual);
    cast.add(kThird);
    const std::int64_t destination = cast.add(kSecond);
    cast.second.await_image(cast.all());
    cast.run();
    cast.second.client.send(layout::CommandType::kRejectImage,
        layout::RejectImage{
            cast.second.client.id(), cast.second.client.next_id(), cast.second.image_id, 0, "not today"});
    const auto error =
        cast.publisher.await_as<layout::PublicationError>(layout::EventType::kPublicationError, cast.all());
    CHECK(error.destination_registration_id == destination);
}

TEST_CASE("agent: what is no destination of a publication is refused") {
    Cast cast;
    cast.publish(kSecond);
    const std::int64_t plain = cast.id;
    cast.publish(kDynamic);
    const std::int64_t dynamic = cast.id;
    cast.publish(kManual);
    struct Case {
        std::int64_t target;
        std::string channel;
        ErrorCode code;
        const char* names;
    };
    const Case cases[] = {
        {plain, kSecond, ErrorCode::kInvalidChannel, "control-mode=manual"},
        {dynamic, kSecond, ErrorCode::kInvalidChannel, "control-mode=manual"},
        {cast.id + 1000, kSecond, ErrorCode::kUnknownPublication, "registration id"},
        {cast.id, "aeron:ipc", ErrorCode::kInvalidChannel, "aeron:udp"},
        {cast.id, "aeron-spy:" + kSecond, ErrorCode::kInvalidChannel, "aeron:udp"},
        {cast.id, "aeron:udp?endpoint=10.77.0.2:0", ErrorCode::kInvalidChannel, "port"},
        {cast.id, kDynamic, ErrorCode::kInvalidChannel, "endpoint"},
        {cast.id, kSecond + "|mtu=1024", ErrorCode::kInvalidChannel, "mtu"},
        {cast.id, kSecond + "|so-sndbuf=64k", ErrorCode::kInvalidChannel, "so-sndbuf"},
        {cast.id, "aeron:udp?endpoint=192.168.7.7:1", ErrorCode::kInvalidChannel, "192.168.7.7"},
        {cast.id, "aeron:udp?endpoint=nowhere.test:1", ErrorCode::kUnknownHost, "nowhere.test"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.channel);
        cast.command(layout::CommandType::kAddDestination, each.channel, each.target);
        const auto error = cast.publisher.await_error();
        CHECK(error.error_code == code(each.code));
        CHECK_MESSAGE(error.message.find(each.names) != std::string_view::npos, error.message);
    }
    cast.command(layout::CommandType::kRemoveDestination, kSecond, plain);
    CHECK(cast.publisher.await_error().error_code == code(ErrorCode::kInvalidChannel));
    CHECK(cast.destinations() == 0);
    for (const char* channel : {"aeron:udp?control=10.77.0.1:40300", "aeron:udp?control-mode=dynamic"}) {
        cast.publisher.add_publication(channel, kStream);
        CHECK(cast.publisher.await_error().error_code == code(ErrorCode::kInvalidChannel));
    }
}

}  // namespace fulmar::agent
