// Spies: readers of a publication's own log, and publications that they alone keep connected.
#include <array>
#include <cstring>

#include "driver_harness.h"
#include "term/append.h"
#include "term/read.h"

namespace fulmar::agent {
namespace {

const std::string kUdp = "aeron:udp?endpoint=10.77.0.2:40123";
const std::string kSpy = "aeron-spy:" + kUdp;
constexpr std::int32_t kTermLength = 64 * 1024;
constexpr std::int32_t kFrame = 96;  ///< of a message as Spied offers them

/// A publication on driver 0, and what its clients see of it.
struct Spied {
    explicit Spied(const std::string& params = "", bool exclusive = false)
        : driver(world.make_driver(0)), client(world, *driver), is_exclusive(exclusive) {
        id = client.add_publication(kUdp + params, 1001, exclusive);
        const auto ready = client.await_publication(exclusive);
        session_id = ready.session_id;
        limit = counter_at(*driver, ready.publisher_limit_counter_id);
        log = ClientLog::open(world, ready.log_file_name);
        path = ready.log_file_name;
        sent = counter(layout::counter_type::kSenderPosition);
    }

    [[nodiscard]] observe::Counter counter(std::int32_t type_id) const {
        const auto found = find_counter(*driver, type_id, id);
        REQUIRE(found);
        return counter_at(*driver, found->id);
    }
    void run(Duration duration = milliseconds(5)) { world.run({driver.get()}, duration); }
    /// Longer than any of the client's time-outs, in which it stays alive.
    void run_seconds(int count) {
        for (int second = 0; second < count; ++second) {
            client.keepalive();
            run(seconds(1));
        }
    }
    bool offer() {
        const std::array<std::byte, 64> message{};
        const std::span<const std::byte> bytes(message);
        return term::append_concurrent(log.log, {session_id, 1001}, limit.get_acquire(), {&bytes, 1},
                   static_cast<std::int32_t>(message.size()), 0) > 0;
    }
    int offer_all() {
        int count = 0;
        while (offer()) {
            ++count;
        }
        return count;
    }
    observe::Counter add_spy(RawClient& by, const std::string& channel = kSpy) {
        by.forget();  // events go to all clients
        by.add_subscription(channel, 1001);
        (void)by.await(layout::EventType::kSubscriptionReady);
        const auto image = by.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage);
        CHECK(image.image_correlation_id == id);
        CHECK(image.session_id == session_id);
        CHECK(image.log_file_name == path);
        CHECK(image.source_identity == "aeron:ipc");
        return counter_at(*driver, image.subscriber_position_counter_id);
    }

    World world;
    std::unique_ptr<DriverCore> driver;
    RawClient client;
    bool is_exclusive;
    std::int64_t id = 0;
    std::int32_t session_id = 0;
    observe::Counter limit;
    observe::Counter sent;
    ClientLog log;
    std::string path;
};

}  // namespace

TEST_CASE("agent: a spy that came first or last sees the publication, others do not") {
    Spied s;
    (void)s.add_spy(s.client);
    (void)s.add_spy(s.client, kSpy + "|session-id=" + std::to_string(s.session_id));
    for (const std::string& channel : {kSpy + "|session-id=" + std::to_string(s.session_id + 1),
             std::string("aeron-spy:aeron:udp?endpoint=10.77.0.2:40124"), std::string("aeron:ipc")}) {
        CAPTURE(channel);
        s.client.add_subscription(channel, 1001);
        const auto ready =
            s.client.await_as<layout::SubscriptionReady>(layout::EventType::kSubscriptionReady);
        CHECK(ready.channel_status_counter_id == -1);
    }
    s.client.add_subscription(kSpy, 1002);
    (void)s.client.await(layout::EventType::kSubscriptionReady);
    s.run();
    CHECK(s.client.count(layout::EventType::kAvailableImage) == 0);

    // The spy on stream 1002 came before its publication; those on 1001 are not its.
    const std::int64_t later = s.client.add_publication(kUdp, 1002);
    (void)s.client.await_publication();
    CHECK(
        s.client.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage).image_correlation_id ==
        later);
    s.run();
    CHECK(s.client.count(layout::EventType::kAvailableImage) == 0);
}

TEST_CASE("agent: a spy's counter is a subscriber position with the spy's channel") {
    Spied s;
    const observe::Counter position = s.add_spy(s.client);
    bool found = false;
    observe::for_each_counter(s.driver->cnc().counter_metadata(), s.driver->cnc().counter_values(),
        [&](const observe::CounterView& view) {
            if (view.id == position.id()) {
                found = true;
                CHECK(view.type_id == layout::counter_type::kSubscriberPosition);
                CHECK(view.reference_id == s.id);
                CHECK(view.label.find("sub-pos: ") == 0);
                CHECK(view.label.find(" " + kSpy + " @0") != std::string_view::npos);
            }
        });
    CHECK(found);
}

TEST_CASE("agent: spies alone connect a publication only if it says so") {
    Spied silent;
    (void)silent.add_spy(silent.client);
    silent.run(milliseconds(200));
    CHECK_FALSE(silent.log.log.is_connected());
    CHECK(silent.limit.get_relaxed() == 0);

    Spied simulated("|ssc=true");
    CHECK(simulated.log.log.read_metadata().spies_simulate_connection);
    simulated.run(milliseconds(200));
    CHECK_FALSE(simulated.log.log.is_connected());
    const std::int64_t subscription = simulated.client.add_subscription(kSpy, 1001);
    (void)simulated.client.await(layout::EventType::kAvailableImage);
    simulated.run();
    CHECK(simulated.log.log.is_connected());
    CHECK(simulated.limit.get_relaxed() > 0);
    simulated.client.remove(layout::CommandType::kRemoveSubscription, subscription);
    simulated.run();
    CHECK_FALSE(simulated.log.log.is_connected());
    CHECK(simulated.limit.get_relaxed() == 0);
}

TEST_CASE(
    "agent: without receivers the sender is where the furthest spy is, and the slowest holds producers") {
    Spied s("|ssc=true");
    observe::Counter slow = s.add_spy(s.client);
    observe::Counter fast = s.add_spy(s.client);
    s.run();
    const int count = s.offer_all();
    CHECK(count == kTermLength / 2 / kFrame + 1);
    s.run();
    CHECK(s.sent.get_relaxed() == 0);
    fast.set_release(10 * kFrame);
    s.run();
    CHECK(s.sent.get_relaxed() == 10 * kFrame);
    CHECK(s.counter(layout::counter_type::kSenderLimit).get_relaxed() == 10 * kFrame);
    CHECK(s.limit.get_relaxed() == kTermLength / 2);
    slow.set_release(4 * kFrame);
    s.run();
    CHECK(s.sent.get_relaxed() == 10 * kFrame);
    CHECK(s.limit.get_relaxed() == kTermLength / 2 + 4 * kFrame);
}

TEST_CASE("agent: a spy's nonsense position moves the sender by whole committed frames only") {
    Spied s("|ssc=true");
    observe::Counter spy = s.add_spy(s.client);
    s.run();
    REQUIRE(s.offer());
    REQUIRE(s.offer());
    spy.set_release(kFrame + 8);
    s.run();
    CHECK(s.sent.get_relaxed() == kFrame);
    term::ClaimedFrame claim;
    REQUIRE(term::claim_concurrent(s.log.log, {s.session_id, 1001}, s.limit.get_acquire(), 64, claim) > 0);
    spy.set_release(INT64_MAX);
    s.run();
    CHECK(s.sent.get_relaxed() == 2 * kFrame);
    spy.set_release(INT64_MIN);
    s.run();
    CHECK(s.sent.get_relaxed() == 2 * kFrame);
}

TEST_CASE("agent: many terms pass between a producer and a spy") {
    Spied s("|ssc=true");
    observe::Counter spy = s.add_spy(s.client);
    std::int64_t offered = 0;
    std::int64_t read = 0;
    for (int cycle = 0; cycle < 2000; ++cycle) {
        s.run(milliseconds(1));
        offered += s.offer_all();
        const std::int64_t from = spy.get_relaxed();
        int fragments = 0;
        const auto offset = base::compute_term_offset(from, kTermLength);
        const auto reached = term::read(s.log.log.term(base::partition_of_position(from, s.log.log.shift())),
            offset, kTermLength, 1000, fragments, [](const std::byte*, std::int32_t) { return true; });
        read += fragments;
        spy.set_release(from + (reached - offset));
    }
    CHECK(offered > 100'000);
    CHECK(read + kTermLength / kFrame > offered);
}

TEST_CASE("agent: a publication with a spy ends when the spy has read it") {
    Spied s("|ssc=true");
    observe::Counter spy = s.add_spy(s.client);
    s.run();
    REQUIRE(s.offer());
    s.client.remove_publication(s.id);
    s.run_seconds(8);
    CHECK(s.client.count(layout::EventType::kUnavailableImage) == 0);
    CHECK(s.driver->conductor().network_publication_count() == 1);
    CHECK(s.log.log.end_of_stream_position() == kFrame);
    spy.set_release(kFrame);
    const auto end = s.client.await_as<layout::UnavailableImage>(layout::EventType::kUnavailableImage);
    CHECK(end.image_correlation_id == s.id);
    CHECK(end.channel == kSpy);
    s.run();
    CHECK(s.sent.get_relaxed() == kFrame);
    s.client.add_subscription(kSpy, 1001);
    s.run_seconds(7);
    CHECK(s.client.count(layout::EventType::kAvailableImage) == 0);
    CHECK(s.driver->conductor().network_publication_count() == 0);
}

TEST_CASE("agent: a revoked publication ends for its spies at once") {
    Spied s("|ssc=true", true);
    (void)s.add_spy(s.client);
    s.run();
    REQUIRE(s.offer());
    s.client.remove_publication(s.id, layout::kRemovePublicationFlagRevoke);
    (void)s.client.await(layout::EventType::kUnavailableImage);
    CHECK(base::load_le<std::uint8_t>(s.log.log.metadata(), layout::log_field::kIsPublicationRevoked) == 1);
    CHECK(s.driver->system_counters()[layout::SystemCounter::kClientTimeouts].get_relaxed() == 0);
}

TEST_CASE("agent: a spy that dies lets go of producers and of the stream's end") {
    Spied s("|ssc=true");
    RawClient spying(s.world, *s.driver);
    (void)s.add_spy(spying);
    observe::Counter alive = s.add_spy(s.client);
    s.run();
    const int count = s.offer_all();
    alive.set_release(s.log.log.producer_position());
    s.run();
    CHECK_FALSE(s.offer());
    s.run_seconds(12);  // the time-out of clients is 10 s
    CHECK(s.driver->system_counters()[layout::SystemCounter::kClientTimeouts].get_relaxed() == 1);
    CHECK(s.offer());
    CHECK(s.sent.get_relaxed() == count * std::int64_t{kFrame});
    s.client.remove_publication(s.id);
    alive.set_release(s.log.log.producer_position());
    (void)s.client.await(layout::EventType::kUnavailableImage);
}

TEST_CASE("agent: sharers of a publication agree on what its spies mean") {
    Spied s("|ssc=true");
    s.client.add_publication(kUdp, 1001);
    const auto error = s.client.await_error();
    CHECK(error.error_code == static_cast<std::int32_t>(ErrorCode::kInvalidChannel));
    CHECK(error.message.find("ssc") != std::string_view::npos);
    s.client.add_publication(kUdp + "|ssc=true", 1001);
    CHECK(s.client.await_publication().registration_id == s.id);
}

TEST_CASE("agent: a spy listens to udp publications only") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    client.add_subscription("aeron-spy:aeron:ipc", 1001);
    CHECK(client.await_error().error_code == static_cast<std::int32_t>(ErrorCode::kInvalidChannel));
    CHECK(driver->conductor().subscription_count() == 0);
}

TEST_CASE("agent: a receiver that comes to a spied stream gets all from there, and takes over") {
    Spied s("|ssc=true");
    auto other = s.world.make_driver(1);
    RawClient receiving(s.world, *other);
    observe::Counter spy = s.add_spy(s.client);
    s.run();
    for (int i = 0; i < 10; ++i) {
        REQUIRE(s.offer());
    }
    spy.set_release(6 * kFrame);
    s.run();
    receiving.add_subscription(kUdp, 1001);
    const std::vector<DriverCore*> both{s.driver.get(), other.get()};
    const auto image = receiving.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage, both);
    observe::Counter position = counter_at(*other, image.subscriber_position_counter_id);
    const auto log = ClientLog::open(s.world, image.log_file_name);
    CHECK(position.get_relaxed() == 6 * kFrame);
    s.world.run(both, milliseconds(20));
    CHECK(wire::frame_length_acquire(log.log.at(6 * kFrame)) == kFrame);
    CHECK(wire::frame_length_acquire(log.log.at(9 * kFrame)) == kFrame);
    CHECK(s.sent.get_relaxed() == 10 * kFrame);  // ahead of the spy, which nobody follows any more
    CHECK(spy.get_relaxed() == 6 * kFrame);

    // It goes again, and the spy carries on alone.
    other.reset();
    s.run_seconds(6);
    CHECK(s.log.log.is_connected());
    const int count = s.offer_all();
    spy.set_release(s.log.log.producer_position());
    s.run();
    CHECK(count > 0);
    CHECK(s.sent.get_relaxed() == s.log.log.producer_position());
}

TEST_CASE("agent: a receiver that was cut off while spies went on joins anew where they are") {
    Spied s("|ssc=true");
    auto other = s.world.make_driver(1);
    RawClient receiving(s.world, *other);
    observe::Counter spy = s.add_spy(s.client);
    receiving.add_subscription(kUdp, 1001);
    const std::vector<DriverCore*> both{s.driver.get(), other.get()};
    const auto first = receiving.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage, both);
    observe::Counter reader = counter_at(*other, first.subscriber_position_counter_id);
    const auto arrived =
        find_counter(*other, layout::counter_type::kReceiverPosition, first.image_correlation_id);
    REQUIRE(arrived);
    s.world.run(both, milliseconds(300));

    // Its driver stands still for 9 s, less than the image's time-out and more than the sender's patience.
    for (int second = 0; second < 9; ++second) {
        s.run_seconds(1);
        s.offer_all();
        spy.set_release(s.log.log.producer_position());
    }
    REQUIRE(s.sent.get_relaxed() > kTermLength / 2);
    s.run();
    receiving.forget();
    std::int64_t joined = 0;
    for (int second = 0; second < 30 && joined == 0; ++second) {
        s.client.keepalive();
        receiving.keepalive();
        s.world.run(both, seconds(1));
        reader.set_release(counter_at(*other, arrived->id).get_relaxed());
        if (receiving.count(layout::EventType::kAvailableImage) != 0) {
            const auto image =
                receiving.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage, both);
            joined = counter_at(*other, image.subscriber_position_counter_id).get_relaxed();
        }
    }
    CHECK(joined == s.sent.get_relaxed());
}

}  // namespace fulmar::agent
