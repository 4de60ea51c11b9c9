// Tags: channels that share an endpoint by number, publications that are another's model, spies that follow.
#include "driver_harness.h"

namespace fulmar::agent {
namespace {

const std::string kEndpoint = "endpoint=10.77.0.2:40123";

struct Tagged {
    Tagged() : driver(world.make_driver(0)), client(world, *driver) {}

    layout::PublicationReady publish(
        const std::string& params, std::int32_t stream_id, bool exclusive = false) {
        client.add_publication("aeron:udp?" + params, stream_id, exclusive);
        return client.await_publication(exclusive);
    }
    std::string refusal() {
        const auto error = client.await_error();
        CHECK(error.error_code == static_cast<std::int32_t>(ErrorCode::kInvalidChannel));
        return std::string(error.message);
    }

    World world;
    std::unique_ptr<DriverCore> driver;
    RawClient client;
};

}  // namespace

TEST_CASE("agent: a tag alone names the endpoint of an open publication") {
    Tagged tagged;
    const std::int32_t status = tagged.publish("tags=7,1|" + kEndpoint, 1001).channel_status_counter_id;
    const auto other_stream = tagged.publish("tags=7", 1002);
    CHECK(other_stream.channel_status_counter_id == status);
    const std::int64_t first = tagged.publish("tags=7", 1001).registration_id;
    CHECK(first == tagged.publish(kEndpoint, 1001).registration_id);
    CHECK(tagged.driver->conductor().endpoint_count() == 1);
    CHECK(tagged.driver->conductor().network_publication_count() == 2);
}

TEST_CASE("agent: different tags keep equal addresses apart") {
    Tagged tagged;
    const std::int32_t status = tagged.publish("tags=7|" + kEndpoint, 1001).channel_status_counter_id;
    CHECK(tagged.publish("tags=8|" + kEndpoint, 1001).channel_status_counter_id != status);
    CHECK(tagged.publish("tags=8", 1001).channel_status_counter_id != status);
    CHECK(tagged.publish(kEndpoint, 1002).channel_status_counter_id == status);
    CHECK(tagged.driver->conductor().endpoint_count() == 2);
}

TEST_CASE("agent: a tag that means nothing, or something else, is refused") {
    Tagged tagged;
    tagged.client.add_publication("aeron:udp?tags=7", 1001);
    CHECK(tagged.refusal().find("no open channel has the tag 7") != std::string::npos);
    tagged.client.add_subscription("aeron:udp?tags=7", 1001);
    CHECK(tagged.refusal().find("no open channel has the tag 7") != std::string::npos);
    (void)tagged.publish("tags=7|" + kEndpoint, 1001);
    tagged.client.add_publication("aeron:udp?tags=7|endpoint=10.77.0.2:40124", 1001);
    CHECK(tagged.refusal().find("different endpoint or control") != std::string::npos);
}

TEST_CASE("agent: subscriptions share an endpoint by tag, also one whose port was chosen") {
    Tagged tagged;
    const auto subscribe = [&](const std::string& params) {
        tagged.client.add_subscription("aeron:udp?" + params, 1001);
        return tagged.client.await_as<layout::SubscriptionReady>(layout::EventType::kSubscriptionReady)
            .channel_status_counter_id;
    };
    const std::int32_t chosen = subscribe("tags=9|endpoint=10.77.0.1:0");
    CHECK(subscribe("tags=9") == chosen);
    CHECK(subscribe("tags=9|endpoint=10.77.0.1:0") == chosen);
    CHECK(subscribe("endpoint=10.77.0.1:0") != chosen);
    CHECK(tagged.driver->conductor().endpoint_count() == 2);
}

TEST_CASE("agent: session-id=tag: takes session, mtu and term length of a publication") {
    Tagged tagged;
    const auto model = tagged.publish("tags=7,70|mtu=1024|term-length=128k|" + kEndpoint, 1001);
    const std::int32_t session_id = model.session_id;
    const auto twin = tagged.publish("session-id=tag:70|endpoint=10.77.0.2:40124", 1001, true);
    CHECK(twin.session_id == session_id);
    const auto log = ClientLog::open(tagged.world, twin.log_file_name);
    CHECK(log.log.mtu() == 1024);
    CHECK(log.log.term_length() == 128 * 1024);
    CHECK(tagged.publish("session-id=tag:70|mtu=512|endpoint=10.77.0.2:40125", 1001, true).session_id ==
          session_id);

    tagged.client.add_publication("aeron:udp?session-id=tag:70|" + kEndpoint, 1001, true);
    CHECK(tagged.refusal().find("in use") != std::string::npos);
    tagged.client.add_publication("aeron:udp?session-id=tag:71|" + kEndpoint, 1002, true);
    CHECK(tagged.refusal().find("tag:71") != std::string::npos);
    tagged.client.add_subscription("aeron:udp?session-id=tag:70|endpoint=10.77.0.1:0", 1001);
    CHECK(tagged.refusal().find("for publications") != std::string::npos);
}

TEST_CASE("agent: a spy follows a tag") {
    Tagged tagged;
    const std::int64_t spied = tagged.publish("tags=7|" + kEndpoint, 1001).registration_id;
    (void)tagged.publish("endpoint=10.77.0.2:40124", 1001);
    tagged.client.forget();
    tagged.client.add_subscription("aeron-spy:aeron:udp?tags=7", 1001);
    const auto image = tagged.client.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage);
    CHECK(image.image_correlation_id == spied);
    tagged.world.run({tagged.driver.get()}, milliseconds(5));
    CHECK(tagged.client.count(layout::EventType::kAvailableImage) == 0);
}

}  // namespace fulmar::agent
