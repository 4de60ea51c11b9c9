#include <doctest/doctest.h>

#include "fake_driver.h"

using namespace fulmar;
using namespace fulmar::client::test;

namespace {
/// Half a second passes for driver and client.
void tick(Connected& at) {
    at.driver.advance(milliseconds(500));
    at.poll();
}
}  // namespace

TEST_CASE("liveness: the client beats in its counter every keepalive interval and signs its label") {
    Connected at;
    tick(at);
    at.driver.make_heartbeat_counter(at.client->client_id());
    at.driver.heartbeat.set_release(0);
    at.driver.advance(milliseconds(499));
    at.poll();
    CHECK(at.driver.heartbeat.get_acquire() == 0);
    at.driver.advance(milliseconds(1));
    at.poll();
    CHECK(at.driver.heartbeat.get_acquire() == at.driver.clock.epoch_ms());
    const auto label = at.client->counters().label(at.driver.heartbeat.id());
    CHECK(label.find("client-heartbeat: id=" + std::to_string(at.client->client_id())) == 0);
    CHECK(label.find(" name=tester version=") != std::string::npos);
    CHECK(label.find(" commit=") != std::string::npos);
    tick(at);
    CHECK(at.driver.heartbeat.get_acquire() == at.driver.clock.epoch_ms());
    CHECK(at.client->counters().label(at.driver.heartbeat.id()) == label);  // signed once
    CHECK_FALSE(at.client->is_closed());
}

TEST_CASE("liveness: a label of any length is never overrun") {
    Connected at;
    at.driver.make_heartbeat_counter(at.client->client_id());
    auto* record = at.driver.cnc.counter_metadata().data() + at.driver.heartbeat.id() * 512;
    const auto next_before = base::load_le<std::int64_t>(record + 512, 0);
    for (const std::int32_t length : {370, 380, 381, -1, INT32_MAX}) {
        Connected other;
        base::store_le(record, layout::counter_metadata_field::kLabelLength, length);
        tick(at);
        CHECK(base::load_le<std::int64_t>(record + 512, 0) == next_before);
    }
}

TEST_CASE("liveness: losing the heartbeat counter ends the client") {
    Connected at;
    at.driver.make_heartbeat_counter(at.client->client_id());
    const auto publication = at.publication();
    tick(at);
    at.driver.counters->free(at.driver.heartbeat.id(), at.driver.clock.epoch_ms());
    tick(at);
    CHECK(at.client->is_closed());
    REQUIRE(at.driver.errors.size() == 1);
    CHECK(at.driver.errors[0].message.find("heartbeat counter") != std::string::npos);
    CHECK(publication->is_closed());
}

TEST_CASE("liveness: the driver's time-out of this client ends it, that of another does not") {
    Connected at;
    const auto publication = at.publication();
    at.driver.send(layout::EventType::kClientTimeout, layout::ClientTimeout{at.client->client_id() + 1});
    at.poll();
    CHECK_FALSE(at.client->is_closed());
    at.driver.send(layout::EventType::kClientTimeout, layout::ClientTimeout{at.client->client_id()});
    at.poll();
    CHECK(at.client->is_closed());
    CHECK(publication->is_closed());
    REQUIRE(at.client->terminal_error().has_value());
    CHECK(at.client->terminal_error()->message.find("timed this client out") != std::string::npos);
    const auto refused = at.client->async_add_publication(kChannel, kStream);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("timed this client out") != std::string::npos);
    CHECK(at.driver.take_commands().empty());  // no close: the driver has forgotten us already
}

TEST_CASE("liveness: a silent driver ends the client after its time-out, not before") {
    Connected at;
    at.driver.clock.advance(seconds(10));
    at.poll();
    CHECK_FALSE(at.client->is_closed());
    at.driver.clock.advance(milliseconds(500));
    at.poll();
    CHECK(at.client->is_closed());
    CHECK(at.driver.errors.at(0).message.find("10500 ms") != std::string::npos);
}

TEST_CASE("liveness: a driver that shuts down ends the client at the next beat") {
    Connected at;
    at.driver.ring.set_consumer_heartbeat_ms(-1);
    at.driver.clock.advance(milliseconds(500));
    at.poll();
    CHECK(at.client->is_closed());
    CHECK(at.driver.errors.at(0).message.find("shut down") != std::string::npos);
}

TEST_CASE("liveness: a known client that was not polled for too long ends before it writes anything") {
    Connected at;
    at.driver.make_heartbeat_counter(at.client->client_id());
    tick(at);
    at.driver.heartbeat.set_release(0);
    at.driver.advance(seconds(10) + milliseconds(1));
    at.poll();
    CHECK(at.client->is_closed());
    CHECK(at.driver.heartbeat.get_acquire() == 0);
    CHECK(at.driver.errors.at(0).message.find("not polled for 10001 ms") != std::string::npos);
}

TEST_CASE("liveness: a client the driver does not know yet may sleep as it likes") {
    Connected at;
    at.driver.advance(seconds(60));
    at.poll();
    CHECK_FALSE(at.client->is_closed());
}

TEST_CASE("liveness: falling behind the events ends the client with a clear line") {
    Connected at;
    const auto subscription = at.subscription();
    for (int i = 0; i < 2000; ++i) {
        at.driver.send(layout::EventType::kOperationSuccess, layout::OperationSuccess{i + 100'000});
    }
    at.poll();
    CHECK(at.client->is_closed());
    CHECK(subscription->is_closed());
    REQUIRE(at.driver.errors.size() == 1);
    CHECK(at.driver.errors[0].message.find("fell behind") != std::string::npos);
}

TEST_CASE("liveness: events too short or with bad lengths are reported and change nothing") {
    Connected at;
    const auto subscription = at.subscription();
    const auto id = at.client->async_add_publication(kChannel, kStream).value();
    const std::vector<std::byte> nothing;
    for (std::int32_t type = 0x0F01; type <= 0x0F0D; ++type) {
        at.driver.send_raw(static_cast<layout::EventType>(type), nothing);
    }
    while (at.poll() > 0) {
    }
    CHECK(at.driver.errors.size() == 13);
    std::vector<std::byte> image(64);
    base::store_le<std::int64_t>(image.data(), 16, subscription->registration_id());
    for (const std::int32_t length : {-1, 29, INT32_MAX, INT32_MIN}) {
        base::store_le(image.data(), 28, length);
        at.driver.send_raw(layout::EventType::kAvailableImage, image);
    }
    at.driver.send_raw(static_cast<layout::EventType>(0x0FFF), image);  // a later driver's event
    at.poll();
    CHECK(at.driver.errors.size() == 17);
    CHECK_FALSE(at.client->is_closed());
    CHECK(subscription->has_no_images());
    CHECK(at.client->find_publication(id).value() == nullptr);
}

TEST_CASE("liveness: what a request was waiting for ends with the client") {
    Connected at;
    at.driver.on_wait = [&] {
        at.driver.send(layout::EventType::kClientTimeout, layout::ClientTimeout{at.client->client_id()});
    };
    const auto publication = at.client->add_publication(kChannel, kStream);
    REQUIRE_FALSE(publication);
    CHECK(publication.error().message.find("has ended") != std::string::npos);
}

TEST_CASE("liveness: handles nobody fetched go away with the client") {
    auto at = std::make_unique<Connected>();
    REQUIRE(at->client->async_add_publication(kChannel, kStream));
    at->driver.answer_publication(at->driver.take_command());
    REQUIRE(at->client->async_add_subscription(kChannel, kStream));
    at->driver.answer_subscription(at->driver.take_command());
    at->poll();
    at->client->close();  // LeakSanitizer would tell
    CHECK(at->driver.take_commands().size() == 1);
}
