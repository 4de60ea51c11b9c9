// Two drivers over a switch in the process: the whole path of a message, polled by hand.
#include <array>
#include <cstring>

#include "driver_harness.h"
#include "term/append.h"
#include "term/read.h"

namespace fulmar::agent {
namespace {

/// Publishes numbers on one side and reads them back on the other, as clients do through the logs.
struct Stream {
    Stream(World& w, DriverCore& pub_driver, DriverCore& sub_driver, const std::string& channel)
        : world(w),
          publisher_driver(pub_driver),
          subscriber_driver(sub_driver),
          publisher(w, pub_driver),
          subscriber(w, sub_driver) {
        subscriber.add_subscription(channel, 1001);
        (void)subscriber.await(layout::EventType::kSubscriptionReady);
        publisher.add_publication(channel, 1001);
        const auto ready = publisher.await_publication();
        limit = counter_at(pub_driver, ready.publisher_limit_counter_id);
        registration_id = ready.registration_id;
        session_id = ready.session_id;
        pub_log = ClientLog::open(w, ready.log_file_name);
        const auto image = subscriber.await_as<layout::AvailableImage>(
            layout::EventType::kAvailableImage, {&pub_driver, &sub_driver});
        CHECK(image.session_id == session_id);
        image_id = image.image_correlation_id;
        position = counter_at(sub_driver, image.subscriber_position_counter_id);
        image_log = ClientLog::open(w, image.log_file_name);
        for (int i = 0; i < 1000 && !pub_log.log.is_connected(); ++i) {
            poll();
        }
        REQUIRE(pub_log.log.is_connected());
    }

    void poll(Duration step = microseconds(10)) {
        world.clock.advance(step);
        publisher_driver.poll_inline(world.clock.now());
        if (&subscriber_driver != &publisher_driver) {
            subscriber_driver.poll_inline(world.clock.now());
        }
    }

    bool offer(std::uint64_t number) {
        std::array<std::byte, 64> message{};
        std::memcpy(message.data(), &number, sizeof number);
        const std::span<const std::byte> bytes(message);
        return term::append_concurrent(pub_log.log, {session_id, 1001}, limit.get_acquire(), {&bytes, 1},
                   static_cast<std::int32_t>(message.size()), 0) > 0;
    }

    /// Reads what has arrived; each must be the successor of the one before.
    void read() {
        const std::int64_t from = position.get_relaxed();
        const std::int32_t term_length = image_log.log.term_length();
        const auto offset = base::compute_term_offset(from, term_length);
        int fragments = 0;
        const std::int32_t end =
            term::read(image_log.log.term(base::partition_of_position(from, image_log.log.shift())), offset,
                term_length, 64, fragments, [&](const std::byte* frame, std::int32_t length) {
                    CHECK(length == 32 + 64);
                    const auto number = base::load_le<std::uint64_t>(frame, wire::kDataHeaderLength);
                    REQUIRE(number == received);
                    ++received;
                    return true;
                });
        position.set_release(from + (end - offset));
    }

    void transfer(std::uint64_t count) {
        const std::uint64_t goal = received + count;
        for (int cycle = 0; cycle < 1'000'000 && received < goal; ++cycle) {
            while (sent < goal && offer(sent)) {
                ++sent;
            }
            poll();
            read();
        }
        REQUIRE(received == goal);
    }

    World& world;
    DriverCore& publisher_driver;
    DriverCore& subscriber_driver;
    RawClient publisher;
    RawClient subscriber;
    std::int64_t registration_id = 0;
    std::int64_t image_id = 0;
    std::int32_t session_id = 0;
    observe::Counter limit;
    observe::Counter position;
    ClientLog pub_log;
    ClientLog image_log;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
};

std::int64_t system_counter(const DriverCore& driver, layout::SystemCounter id) {
    return driver.system_counters()[id].get_relaxed();
}

}  // namespace

TEST_CASE("agent: a stream crosses two drivers and several terms") {
    World world;
    auto first = world.make_driver(0);
    auto second = world.make_driver(1);
    Stream stream(world, *first, *second, "aeron:udp?endpoint=10.77.0.2:40123");
    stream.transfer(10'000);  // 96 bytes each: some 14 terms
    CHECK(stream.position.get_relaxed() > 10 * 64 * 1024);
    CHECK(system_counter(*second, layout::SystemCounter::kInvalidPackets) == 0);
    CHECK(system_counter(*first, layout::SystemCounter::kErrors) == 0);
    CHECK(system_counter(*second, layout::SystemCounter::kErrors) == 0);
}

TEST_CASE("agent: a stream crosses an IPC publication and several terms") {
    World world;
    auto driver = world.make_driver(0);
    Stream stream(world, *driver, *driver, "aeron:ipc");
    stream.transfer(10'000);
    CHECK(system_counter(*driver, layout::SystemCounter::kErrors) == 0);
}

TEST_CASE("agent: losses are repaired and reported") {
    drivers::LoopNetwork::Options lossy;
    lossy.queue_capacity = 8;
    lossy.drop_when_full = true;
    World world(lossy);
    auto first = world.make_driver(0);
    auto second = world.make_driver(1);
    Stream stream(world, *first, *second, "aeron:udp?endpoint=10.77.0.2:40123|mtu=128");
    stream.transfer(5'000);
    CHECK(world.network.dropped() > 0);
    CHECK(system_counter(*first, layout::SystemCounter::kRetransmitsSent) > 0);
    world.run({first.get(), second.get()}, milliseconds(5));
    auto report = world.memory.open("/driver1/loss-report.dat", false);
    REQUIRE(report);
    layout::LossReportCursor cursor((*report)->bytes());
    layout::LossRecord record;
    REQUIRE(cursor.next(record));
    CHECK(record.session_id == stream.session_id);
    CHECK(record.total_bytes_lost > 0);
}

TEST_CASE("agent: the end of a publication ends its image, and both give everything back") {
    World world;
    auto first = world.make_driver(0);
    auto second = world.make_driver(1);
    Stream stream(world, *first, *second, "aeron:udp?endpoint=10.77.0.2:40123");
    stream.transfer(100);
    stream.publisher.remove_publication(stream.registration_id);
    (void)stream.publisher.await(layout::EventType::kOperationSuccess);
    const auto gone = stream.subscriber.await_as<layout::UnavailableImage>(
        layout::EventType::kUnavailableImage, {first.get(), second.get()});
    CHECK(gone.image_correlation_id == stream.image_id);
    CHECK(stream.image_log.log.end_of_stream_position() == stream.position.get_relaxed());
    for (int i = 0; i < 20; ++i) {
        stream.publisher.keepalive();
        stream.subscriber.keepalive();
        world.run({first.get(), second.get()}, seconds(1));
    }
    CHECK(first->conductor().network_publication_count() == 0);
    CHECK(first->conductor().endpoint_count() == 0);
    CHECK(second->conductor().image_count() == 0);
    CHECK(second->conductor().subscription_count() == 1);
    CHECK(system_counter(*first, layout::SystemCounter::kBytesCurrentlyMapped) == 0);
    CHECK(system_counter(*second, layout::SystemCounter::kBytesCurrentlyMapped) == 0);
    CHECK_FALSE(world.memory.exists(
        "/driver0/publications/" + std::to_string(stream.registration_id) + ".logbuffer"));
}

TEST_CASE("agent: a driver that closes leaves its peers and clients informed") {
    World world;
    auto first = world.make_driver(0);
    auto second = world.make_driver(1);
    Stream stream(world, *first, *second, "aeron:udp?endpoint=10.77.0.2:40123");
    stream.transfer(100);
    first->close(world.clock.now());
    CHECK(stream.publisher.ring().consumer_heartbeat_ms() == -1);
    CHECK(first->conductor().endpoint_count() == 0);
    (void)stream.subscriber.await(layout::EventType::kUnavailableImage, {});
}

}  // namespace fulmar::agent
