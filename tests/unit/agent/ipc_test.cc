// The IPC publication on its own: limits, cleaning, blocked producers, and its end.
#include <array>
#include <vector>

#include "driver_harness.h"
#include "term/append.h"
#include "transport/ipc_publication.h"

namespace fulmar::agent {
namespace {

using transport::IpcPublication;

constexpr std::int32_t kTermLength = 64 * 1024;
constexpr std::int32_t kWindow = kTermLength / 2;

struct Fixture {
    explicit Fixture(bool exclusive = false)
        : bytes(static_cast<std::size_t>(layout::log_file_length(kTermLength, 4096)) / 8),
          values(3 * layout::kCounterValueLength / 8) {
        layout::LogMetadata metadata;
        metadata.term_length = kTermLength;
        metadata.mtu = 1408;
        metadata.initial_term_id = 5;
        log = layout::LogBuffer::create(std::as_writable_bytes(std::span(bytes)), metadata);
        log.init_tails(5, 0);
        auto* base = reinterpret_cast<std::byte*>(values.data());
        limit = observe::Counter(0, base);
        position = observe::Counter(1, base + layout::kCounterValueLength);
        subscriber = observe::Counter(2, base + 2 * layout::kCounterValueLength);
        transport::IpcPublicationOptions options;
        options.term_window_length = kWindow;
        options.is_exclusive = exclusive;
        publication.emplace(
            options, log, transport::IpcPublicationCounters{limit, position}, transport::SystemCounters{});
    }

    std::int64_t offer(std::int32_t length = 1000) {
        const std::vector<std::byte> message(static_cast<std::size_t>(length), std::byte{7});
        const std::span<const std::byte> part(message);
        return term::append_concurrent(log, {1, 2}, limit.get_acquire(), {&part, 1}, length, 0);
    }

    std::vector<std::int64_t> bytes;
    std::vector<std::int64_t> values;
    layout::LogBuffer log;
    observe::Counter limit;
    observe::Counter position;
    observe::Counter subscriber;
    std::optional<IpcPublication> publication;
};

}  // namespace

TEST_CASE("ipc publication: without subscribers nothing can be offered") {
    Fixture f;
    f.publication->update_publisher_limit();
    CHECK(f.limit.get_relaxed() == 0);
    CHECK_FALSE(f.log.is_connected());
    CHECK(f.offer() == term::kNotConnected);
}

TEST_CASE("ipc publication: the limit follows the slowest subscriber") {
    Fixture f;
    REQUIRE(f.publication->add_subscriber(f.subscriber));
    CHECK(f.log.is_connected());
    f.publication->update_publisher_limit();
    CHECK(f.limit.get_relaxed() == kWindow);
    while (f.offer() > 0) {
    }
    f.publication->update_publisher_limit();
    CHECK(f.limit.get_relaxed() == kWindow);  // nothing was read
    CHECK(f.position.get_relaxed() == f.log.producer_position());
    f.subscriber.set_release(f.log.producer_position());
    f.publication->update_publisher_limit();
    CHECK(f.limit.get_relaxed() == f.log.producer_position() + kWindow);
}

TEST_CASE("ipc publication: what was read is zero again before it is reused") {
    Fixture f;
    REQUIRE(f.publication->add_subscriber(f.subscriber));
    std::int64_t offered = 0;
    for (int cycle = 0; cycle < 2000; ++cycle) {
        f.publication->update_publisher_limit();
        while (true) {
            const std::int64_t from = f.log.producer_position();
            const std::int64_t result = f.offer(900);
            if (result == term::kBackPressured) {
                break;
            }
            if (result > 0) {
                ++offered;
                // A reader would see this frame and then zeros.
                const std::int64_t end = result;
                if (base::compute_term_offset(end, kTermLength) != 0) {
                    REQUIRE(base::load_le<std::int32_t>(f.log.at(end), 0) == 0);
                }
                REQUIRE(end > from);
            }
        }
        f.subscriber.set_release(f.log.producer_position());
    }
    CHECK(offered > 10'000);
}

TEST_CASE("ipc publication: scribbled positions neither free nor block the log") {
    Fixture f;
    REQUIRE(f.publication->add_subscriber(f.subscriber));
    f.publication->update_publisher_limit();
    REQUIRE(f.offer() > 0);
    f.subscriber.set_release(INT64_MAX);
    f.publication->update_publisher_limit();
    CHECK(f.limit.get_relaxed() <= f.log.producer_position() + kWindow);
    f.subscriber.set_release(INT64_MIN);
    const std::int64_t limit = f.limit.get_relaxed();
    f.publication->update_publisher_limit();
    CHECK(f.limit.get_relaxed() >= limit);
}

TEST_CASE("ipc publication: an abandoned claim is unblocked after the time-out, not before") {
    Fixture f;
    REQUIRE(f.publication->add_subscriber(f.subscriber));
    f.publication->update_publisher_limit();
    term::ClaimedFrame claim;
    REQUIRE(term::claim_concurrent(f.log, {1, 2}, f.limit.get_acquire(), 100, claim) > 0);
    REQUIRE(f.offer() > 0);
    Instant now{};
    for (int second = 0; second <= 14; ++second) {
        f.publication->update_publisher_limit();
        f.publication->on_timer(now + seconds(second));
        CHECK(wire::frame_length_acquire(f.log.at(0)) < 0);
    }
    f.publication->on_timer(now + seconds(15));
    CHECK(wire::frame_length_acquire(f.log.at(0)) > 0);
    CHECK(wire::is_padding(f.log.at(0)));
}

TEST_CASE("ipc publication: it drains, lingers and is done") {
    Fixture f;
    REQUIRE(f.publication->add_subscriber(f.subscriber));
    f.publication->update_publisher_limit();
    REQUIRE(f.offer() > 0);
    Instant now{1};
    f.publication->close(now);
    CHECK(f.publication->state() == IpcPublication::State::kDraining);
    CHECK(f.log.end_of_stream_position() == f.log.producer_position());
    f.publication->on_timer(now + seconds(100));
    CHECK(f.publication->state() == IpcPublication::State::kDraining);
    f.subscriber.set_release(f.log.producer_position());
    now = now + seconds(101);
    f.publication->on_timer(now);
    CHECK(f.publication->state() == IpcPublication::State::kLinger);
    CHECK_FALSE(f.log.is_connected());
    f.publication->on_timer(now + seconds(4));
    CHECK(f.publication->state() == IpcPublication::State::kLinger);
    f.publication->on_timer(now + seconds(5));
    CHECK(f.publication->state() == IpcPublication::State::kDone);
}

TEST_CASE("ipc publication: a claim its last client left behind does not keep it from draining") {
    Fixture f;
    REQUIRE(f.publication->add_subscriber(f.subscriber));
    f.publication->update_publisher_limit();
    term::ClaimedFrame claim;
    REQUIRE(term::claim_concurrent(f.log, {1, 2}, f.limit.get_acquire(), 100, claim) > 0);
    const Instant start{1};
    f.publication->close(start);
    for (int tick = 0; tick < 30; ++tick) {
        f.publication->on_timer(start + milliseconds(100 * tick));
    }
    CHECK(wire::is_padding(f.log.at(0)));
    CHECK(wire::frame_length_acquire(f.log.at(0)) > 0);
}

TEST_CASE("ipc publication: a newcomer starts where the slowest reader is") {
    Fixture f;
    REQUIRE(f.publication->add_subscriber(f.subscriber));
    f.publication->update_publisher_limit();
    REQUIRE(f.offer() > 0);
    REQUIRE(f.offer() > 0);
    f.subscriber.set_release(1056);
    f.publication->update_publisher_limit();
    CHECK(f.publication->join_position() == 1056);
    f.publication->remove_subscriber(f.subscriber.id());
    CHECK(f.publication->join_position() == 1056);
    CHECK_FALSE(f.log.is_connected());
}

TEST_CASE("agent: subscribers of an IPC publication are linked, told of its end, and of a rejection") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    client.add_subscription("aeron:ipc", 1001);
    const auto subscription =
        client.await_as<layout::SubscriptionReady>(layout::EventType::kSubscriptionReady);
    CHECK(subscription.channel_status_counter_id == -1);
    const std::int64_t publication_id = client.add_publication("aeron:ipc", 1001);
    (void)client.await_publication();
    const auto image = client.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage);
    CHECK(image.image_correlation_id == publication_id);
    CHECK(image.source_identity == "aeron:ipc");

    client.send(layout::CommandType::kRejectImage,
        layout::RejectImage{client.id(), client.next_id(), publication_id, 0, "enough"});
    (void)client.await(layout::EventType::kOperationSuccess);
    const auto error = client.await_as<layout::PublicationError>(layout::EventType::kPublicationError);
    CHECK(error.message.substr(0, 6) == "enough");
    CHECK(error.receiver_id == -1);
    (void)client.await(layout::EventType::kUnavailableImage);
    CHECK(client.count(layout::EventType::kAvailableImage) == 0);
    (void)client.await(layout::EventType::kAvailableImage);  // after the cool-down

    client.remove_publication(publication_id);
    (void)client.await(layout::EventType::kOperationSuccess);
    CHECK(client.await_as<layout::UnavailableImage>(layout::EventType::kUnavailableImage)
              .image_correlation_id == publication_id);
    for (int second = 0; second < 7; ++second) {
        client.keepalive();
        world.run({driver.get()}, seconds(1));
    }
    CHECK(driver->conductor().ipc_publication_count() == 0);
}

TEST_CASE("agent: an explicit session id is free again once its IPC publication lingers") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    client.add_subscription("aeron:ipc", 1001);
    (void)client.await(layout::EventType::kSubscriptionReady);
    const std::string channel = "aeron:ipc?session-id=77";
    const std::int64_t first = client.add_publication(channel, 1001, true);
    (void)client.await_publication(true);
    (void)client.await(layout::EventType::kAvailableImage);
    client.remove_publication(first);
    (void)client.await(layout::EventType::kUnavailableImage);
    REQUIRE(driver->conductor().ipc_publication_count() == 1);
    client.add_publication(channel, 1001, true);
    CHECK(client.await_publication(true).session_id == 77);
    CHECK(driver->conductor().ipc_publication_count() == 2);
}

TEST_CASE("agent: a revoked exclusive publication ends at once") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    client.add_subscription("aeron:ipc", 1001);
    const std::int64_t id = client.add_publication("aeron:ipc", 1001, true);
    (void)client.await_publication(true);
    const auto image = client.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage);
    const auto log = ClientLog::open(world, image.log_file_name);
    client.remove_publication(id, layout::kRemovePublicationFlagRevoke);
    (void)client.await(layout::EventType::kUnavailableImage);
    CHECK(base::load_le<std::uint8_t>(log.log.metadata(), layout::log_field::kIsPublicationRevoked) == 1);
    CHECK(driver->system_counters()[layout::SystemCounter::kPublicationsRevoked].get_relaxed() == 1);
}

}  // namespace fulmar::agent
