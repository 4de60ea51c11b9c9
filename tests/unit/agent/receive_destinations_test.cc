// Multi-destination subscriptions: one image fed by several transports, and what they listen to locally.
#include <array>
#include <cstring>

#include "driver_harness.h"
#include "term/append.h"
#include "term/read.h"

namespace fulmar::agent {
namespace {

constexpr std::int32_t kStream = 1001;
constexpr std::int32_t kSession = 5;
const std::string kFirst = "aeron:udp?endpoint=10.77.0.2:40123";
const std::string kSecond = "aeron:udp?endpoint=10.77.0.2:40124";
const std::string kManual = "aeron:udp?control-mode=manual";
const std::string kTwin = "|session-id=5|init-term-id=3|term-id=3|term-offset=0|term-length=64k";

std::int32_t code(ErrorCode value) {
    return static_cast<std::int32_t>(value);
}

/// One of several senders of the same bytes.
struct Twin {
    layout::PublicationReady ready;
    ClientLog log;
    observe::Counter limit;
    term::ExclusiveAppender appender;
    std::uint64_t sent = 0;

    void offer(std::uint64_t count) {
        for (const std::uint64_t end = sent + count; sent < end;) {
            std::array<std::byte, 64> message{};
            std::memcpy(message.data(), &sent, sizeof sent);
            if (appender.append(limit.get_acquire(), message) <= 0) {
                return;
            }
            ++sent;
        }
    }
};

struct Merged {
    explicit Merged(const drivers::LoopNetwork::Options& options = {})
        : world(options),
          sending(world.make_driver(0)),
          receiving(world.make_driver(1)),
          publisher(world, *sending),
          client(world, *receiving) {}

    Twin publish(const std::string& channel) {
        publisher.add_publication(channel + kTwin, kStream, true);
        Twin sender;
        sender.ready = publisher.await_publication(true);
        sender.log = ClientLog::open(world, sender.ready.log_file_name);
        sender.limit = counter_at(*sending, sender.ready.publisher_limit_counter_id);
        sender.appender = term::ExclusiveAppender(sender.log.log, {kSession, kStream});
        return sender;
    }
    std::int64_t subscribe(const std::string& channel = kManual) {
        const std::int64_t id = client.add_subscription(channel, kStream);
        status = client.await_as<layout::SubscriptionReady>(layout::EventType::kSubscriptionReady)
                     .channel_status_counter_id;
        return id;
    }
    std::int64_t command(layout::CommandType type, std::int64_t subscription, const std::string& channel) {
        const std::int64_t id = client.next_id();
        client.send(type, layout::DestinationCommand{client.id(), id, subscription, channel});
        return id;
    }
    std::int64_t add(std::int64_t subscription, const std::string& channel) {
        const std::int64_t id = command(layout::CommandType::kAddReceiveDestination, subscription, channel);
        const auto done = client.await_as<layout::OperationSuccess>(layout::EventType::kOperationSuccess);
        CHECK(done.correlation_id == id);
        return id;
    }
    void remove(std::int64_t subscription, const std::string& channel) {
        const std::int64_t id =
            command(layout::CommandType::kRemoveReceiveDestination, subscription, channel);
        const auto done = client.await_as<layout::OperationSuccess>(layout::EventType::kOperationSuccess);
        CHECK(done.correlation_id == id);
    }
    void await_image() {
        const auto event =
            client.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage, both());
        CHECK(event.session_id == kSession);
        image_id = event.image_correlation_id;
        image = ClientLog::open(world, event.log_file_name);
        position = counter_at(*receiving, event.subscriber_position_counter_id);
    }
    [[nodiscard]] std::vector<DriverCore*> both() const { return {sending.get(), receiving.get()}; }
    void run(Duration duration = milliseconds(10)) {
        for (Duration rest = duration; rest > Duration{}; rest = rest - seconds(1)) {
            publisher.keepalive();
            client.keepalive();
            world.run(both(), rest < seconds(1) ? rest : seconds(1));
        }
    }
    /// Reads what is there: each message the successor of the one before.
    void read() {
        for (;;) {
            const std::int64_t from = position.get_relaxed();
            const auto offset = base::compute_term_offset(from, 64 * 1024);
            const std::byte* term = image.log.term(base::partition_of_position(from, image.log.shift()));
            int fragments = 0;
            const std::int32_t end = term::read(
                term, offset, 64 * 1024, 64, fragments, [&](const std::byte* frame, std::int32_t length) {
                    REQUIRE(length == 32 + 64);
                    std::uint64_t number = 0;
                    std::memcpy(&number, frame + wire::kDataHeaderLength, sizeof number);
                    REQUIRE(number == received);
                    ++received;
                    return true;
                });
            if (end == offset) {
                return;
            }
            position.set_release(from + (end - offset));
        }
    }
    [[nodiscard]] std::size_t local_addresses() const {
        std::size_t count = 0;
        observe::for_each_counter(receiving->cnc().counter_metadata(), receiving->cnc().counter_values(),
            [&](const observe::CounterView& view) {
                count += view.type_id == layout::counter_type::kLocalSockaddr ? 1 : 0;
            });
        return count;
    }

    World world;
    std::unique_ptr<DriverCore> sending;
    std::unique_ptr<DriverCore> receiving;
    RawClient publisher;
    RawClient client;
    std::int32_t status = 0;
    std::int64_t image_id = 0;
    ClientLog image;
    observe::Counter position;
    std::uint64_t received = 0;
};

}  // namespace

TEST_CASE("agent: two destinations feed one image, and it goes on when one is taken away") {
    Merged merged;
    Twin first = merged.publish(kFirst);
    Twin second = merged.publish(kSecond);
    const std::int64_t subscription = merged.subscribe();
    merged.run();
    CHECK(merged.client.count(layout::EventType::kAvailableImage) == 0);
    merged.add(subscription, kFirst);
    merged.await_image();
    merged.run();
    CHECK(merged.image.log.active_transport_count() == 1);
    first.offer(10);
    merged.run();
    merged.read();
    CHECK(merged.received == 10);

    merged.add(subscription, kSecond);
    merged.run(milliseconds(200));
    CHECK(merged.image.log.active_transport_count() == 2);
    CHECK(second.log.log.is_connected());  // it hears status messages too
    second.offer(30);
    merged.run();
    merged.read();
    CHECK(merged.received == 30);  // ten of them for the second time

    merged.remove(subscription, kFirst);
    merged.run();
    CHECK(merged.image.log.active_transport_count() == 1);
    second.offer(10);
    merged.run(seconds(12));
    merged.read();
    CHECK(merged.received == 40);
    CHECK_FALSE(first.log.log.is_connected());
    CHECK(merged.client.count(layout::EventType::kUnavailableImage) == 0);
    CHECK(merged.client.count(layout::EventType::kAvailableImage) == 0);
    CHECK(merged.local_addresses() == 1);
}

TEST_CASE("agent: a destination whose stream ends or falls silent leaves the image to the others") {
    for (const bool signals_end : {true, false}) {
        CAPTURE(signals_end);
        Merged merged;
        Twin first = merged.publish(kFirst + (signals_end ? "" : "|eos=false|linger=1ms"));
        Twin second = merged.publish(kSecond);
        const std::int64_t subscription = merged.subscribe();
        merged.add(subscription, kFirst);
        merged.add(subscription, kSecond);
        merged.await_image();
        merged.run(milliseconds(200));
        CHECK(merged.image.log.active_transport_count() == 2);
        merged.publisher.remove_publication(first.ready.registration_id);
        merged.run(seconds(9));
        CHECK(merged.image.log.active_transport_count() == 2);
        merged.run(seconds(9));
        CHECK(merged.image.log.active_transport_count() == 1);
        second.offer(5);
        merged.run();
        merged.read();
        CHECK(merged.received == 5);
        CHECK(merged.client.count(layout::EventType::kUnavailableImage) == 0);

        merged.publisher.remove_publication(second.ready.registration_id);
        merged.run(seconds(3));
        CHECK(merged.client.count(layout::EventType::kUnavailableImage) == 1);
        CHECK(merged.image.log.end_of_stream_position() == merged.position.get_relaxed());
    }
}

TEST_CASE("agent: losses are asked for at every destination") {
    drivers::LoopNetwork::Options lossy;
    lossy.queue_capacity = 8;
    lossy.drop_when_full = true;
    Merged merged(lossy);
    Twin first = merged.publish(kFirst + "|mtu=128");
    Twin second = merged.publish(kSecond + "|mtu=128");
    const std::int64_t subscription = merged.subscribe();
    merged.add(subscription, kFirst);
    merged.add(subscription, kSecond);
    merged.await_image();
    merged.run(milliseconds(200));
    for (std::uint64_t goal = 50; goal <= 200; goal += 50) {
        first.offer(50);
        second.offer(50);
        for (int i = 0; i < 100 && merged.received < goal; ++i) {
            merged.run();
            merged.read();
        }
        CHECK(merged.received == goal);
    }
    CHECK(merged.world.network.dropped() > 0);
    for (const Twin* sender : {&first, &second}) {
        const auto naks = find_counter(
            *merged.sending, layout::counter_type::kSenderNaksReceived, sender->ready.registration_id);
        REQUIRE(naks);
        CHECK(naks->value > 0);
    }
}

TEST_CASE("agent: a chosen port shows as the subscription's, and goes with its destination") {
    Merged merged;
    const std::int64_t subscription = merged.subscribe();
    CHECK(merged.local_addresses() == 0);
    merged.add(subscription, "aeron:udp?endpoint=10.77.0.2:0");
    const auto local = find_counter(*merged.receiving, layout::counter_type::kLocalSockaddr, subscription);
    REQUIRE(local);
    CHECK(local->label.find("rcv-local-sockaddr: " + std::to_string(merged.status) + " 10.77.0.2:") == 0);
    merged.remove(subscription, "aeron:udp?endpoint=10.77.0.2:0");
    merged.run();
    CHECK(merged.local_addresses() == 0);

    const std::int64_t again = merged.add(subscription, "aeron:udp?endpoint=10.77.0.2:0");
    merged.client.send(layout::CommandType::kRemoveDestinationById,
        layout::RemoveDestinationById{merged.client.id(), merged.client.next_id(), subscription, again});
    (void)merged.client.await(layout::EventType::kOperationSuccess);
    merged.run();
    CHECK(merged.local_addresses() == 0);

    merged.add(subscription, kFirst);
    merged.client.remove(layout::CommandType::kRemoveSubscription, subscription);
    (void)merged.client.await(layout::EventType::kOperationSuccess);
    merged.run();
    CHECK(merged.local_addresses() == 0);
    CHECK(merged.receiving->conductor().endpoint_count() == 0);
}

TEST_CASE("agent: a destination without senders is no transport, and without any an image dies of silence") {
    Merged merged;
    Twin first = merged.publish(kFirst);
    const std::int64_t subscription = merged.subscribe();
    merged.add(subscription, kFirst);
    merged.add(subscription, kSecond);
    merged.await_image();
    merged.run();
    CHECK(merged.image.log.active_transport_count() == 1);
    merged.remove(subscription, kFirst);
    merged.run();
    CHECK(merged.image.log.active_transport_count() == 0);
    merged.run(seconds(12));
    CHECK(merged.client.count(layout::EventType::kUnavailableImage) == 1);
    merged.client.forget();
    merged.add(subscription, kFirst);
    merged.await_image();
}

TEST_CASE("agent: IPC and spied publications are destinations with images of their own") {
    Merged merged;
    const std::int64_t subscription = merged.subscribe();
    for (const bool spies : {false, true}) {
        const std::string channel = spies ? "aeron:udp?endpoint=10.77.0.1:40200" : "aeron:ipc";
        const std::string destination = spies ? "aeron-spy:" + channel : channel;
        CAPTURE(destination);
        for (const bool by_id : {false, true}) {
            merged.client.forget();
            const std::int64_t publication = merged.client.add_publication(channel, kStream, true);
            (void)merged.client.await_publication(true);
            const std::int64_t id = merged.add(subscription, destination);
            const auto image =
                merged.client.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage);
            CHECK(image.subscription_registration_id == subscription);
            CHECK(image.image_correlation_id == publication);
            CHECK(image.source_identity == "aeron:ipc");
            if (by_id) {
                merged.client.send(layout::CommandType::kRemoveDestinationById,
                    layout::RemoveDestinationById{
                        merged.client.id(), merged.client.next_id(), subscription, id});
                (void)merged.client.await(layout::EventType::kOperationSuccess);
            } else {
                merged.remove(subscription, destination);
            }
            const auto gone =
                merged.client.await_as<layout::UnavailableImage>(layout::EventType::kUnavailableImage);
            CHECK(gone.image_correlation_id == publication);
            CHECK(gone.subscription_registration_id == subscription);
            merged.client.remove_publication(publication);
            (void)merged.client.await(layout::EventType::kOperationSuccess);
        }
        merged.command(layout::CommandType::kRemoveReceiveDestination, subscription, destination);
        CHECK(merged.client.await_error().error_code == code(ErrorCode::kUnknownSubscription));
    }
    merged.add(subscription, "aeron:ipc");
    CHECK(merged.receiving->conductor().subscription_count() == 2);
    merged.client.remove(layout::CommandType::kRemoveSubscription, subscription);
    (void)merged.client.await(layout::EventType::kOperationSuccess);
    CHECK(merged.receiving->conductor().subscription_count() == 0);
}

TEST_CASE("agent: what is no destination, or of no such subscription, is refused") {
    Merged merged;
    const std::int64_t plain = merged.subscribe(kFirst);
    const std::int64_t subscription = merged.subscribe();
    struct Case {
        std::int64_t subscription;
        std::string channel;
        ErrorCode code;
        const char* names;
    };
    const Case cases[] = {
        {plain, kSecond, ErrorCode::kInvalidChannel, "control-mode=manual"},
        {subscription + 1000, kSecond, ErrorCode::kUnknownSubscription, "registration id"},
        {subscription, kFirst, ErrorCode::kGeneric, "address in use"},
        {subscription, kSecond + "|mtu=1024", ErrorCode::kInvalidChannel, "mtu"},
        {subscription, kSecond + "|rcv-wnd=8k", ErrorCode::kInvalidChannel, "rcv-wnd"},
        {subscription, kSecond + "|so-rcvbuf=8k", ErrorCode::kInvalidChannel, "so-rcvbuf"},
        {subscription, kSecond + "|control=10.77.0.1:0", ErrorCode::kInvalidChannel, "control"},
        {subscription, kManual, ErrorCode::kInvalidChannel, "endpoint"},
        {subscription, "aeron:udp?endpoint=192.168.7.7:1", ErrorCode::kInvalidChannel, "192.168.7.7"},
        {subscription, "aeron:udp?endpoint=nowhere.test:1", ErrorCode::kUnknownHost, "nowhere.test"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.channel);
        merged.command(layout::CommandType::kAddReceiveDestination, each.subscription, each.channel);
        const auto error = merged.client.await_error();
        CHECK(error.error_code == code(each.code));
        CHECK_MESSAGE(error.message.find(each.names) != std::string_view::npos, error.message);
    }
    merged.remove(subscription, kSecond);  // what is not there is gone
    merged.run();
    CHECK(merged.local_addresses() == 1);
}

}  // namespace fulmar::agent
