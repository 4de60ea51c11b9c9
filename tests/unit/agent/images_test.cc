// Images: who gets one, joining late, leaving, rejection, and coming back.
#include "driver_harness.h"
#include "term/append.h"

namespace fulmar::agent {
namespace {

const std::string kUdp = "aeron:udp?endpoint=10.77.0.2:40123";

/// A publication on the first driver, a client on the second.
struct Pair {
    Pair()
        : sender(world.make_driver(0)),
          receiver(world.make_driver(1)),
          publisher(world, *sender),
          subscriber(world, *receiver) {}

    layout::PublicationReady publish(const std::string& params = "", std::int32_t stream_id = 1001) {
        publisher.add_publication(kUdp + params, stream_id);
        return publisher.await_publication();
    }
    std::int64_t subscribe(const std::string& params = "", std::int32_t stream_id = 1001) {
        const std::int64_t id = subscriber.add_subscription(kUdp + params, stream_id);
        (void)subscriber.await(layout::EventType::kSubscriptionReady);
        return id;
    }
    layout::AvailableImage await_image() {
        return subscriber.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage, both());
    }
    [[nodiscard]] std::vector<DriverCore*> both() const { return {sender.get(), receiver.get()}; }
    /// Both clients stay alive meanwhile.
    void run(Duration duration) {
        for (Duration rest = duration; rest > Duration{}; rest = rest - seconds(1)) {
            publisher.keepalive();
            subscriber.keepalive();
            world.run({sender.get(), receiver.get()}, rest < seconds(1) ? rest : seconds(1));
        }
    }

    World world;
    std::unique_ptr<DriverCore> sender;
    std::unique_ptr<DriverCore> receiver;
    RawClient publisher;
    RawClient subscriber;
};

}  // namespace

TEST_CASE("agent: an image comes after its subscription, with counters and a source") {
    Pair pair;
    const auto publication = pair.publish();
    const std::int32_t session_id = publication.session_id;
    const std::int64_t subscription = pair.subscribe();
    const auto image = pair.await_image();
    CHECK(image.session_id == session_id);
    CHECK(image.stream_id == 1001);
    CHECK(image.subscription_registration_id == subscription);
    CHECK(image.source_identity.substr(0, 10) == "10.77.0.1:");
    const auto position =
        find_counter(*pair.receiver, layout::counter_type::kSubscriberPosition, subscription);
    REQUIRE(position);
    CHECK(position->id == image.subscriber_position_counter_id);
    CHECK(position->reference_id == image.image_correlation_id);
    CHECK(position->label.find(" @0") != std::string_view::npos);
    for (const auto type : {layout::counter_type::kReceiverHwm, layout::counter_type::kReceiverPosition,
             layout::counter_type::kReceiverNaksSent}) {
        const auto counter = find_counter(*pair.receiver, type, image.image_correlation_id);
        REQUIRE(counter);
        CHECK(counter->owner_id == pair.subscriber.id());
    }
}

TEST_CASE("agent: a subscription to one session sees no other") {
    Pair pair;
    pair.publish("|session-id=5");
    pair.subscribe("|session-id=6");
    pair.run(seconds(2));
    CHECK(pair.subscriber.count(layout::EventType::kAvailableImage) == 0);
    pair.subscribe("|session-id=5");
    CHECK(pair.await_image().session_id == 5);
}

TEST_CASE("agent: another subscriber joins the image that is there") {
    Pair pair;
    pair.publish();
    pair.subscribe();
    const std::int64_t image_id = pair.await_image().image_correlation_id;
    const std::int64_t second = pair.subscribe();
    const auto joined = pair.await_image();
    CHECK(joined.image_correlation_id == image_id);
    CHECK(joined.subscription_registration_id == second);
    CHECK(pair.receiver->conductor().image_count() == 1);
}

TEST_CASE("agent: an image without subscriptions goes, silently, and its endpoint with it") {
    Pair pair;
    pair.publish();
    const std::int64_t subscription = pair.subscribe();
    (void)pair.await_image();
    pair.subscriber.remove(layout::CommandType::kRemoveSubscription, subscription);
    (void)pair.subscriber.await(layout::EventType::kOperationSuccess);
    pair.run(seconds(15));
    CHECK(pair.subscriber.count(layout::EventType::kUnavailableImage) == 0);
    CHECK(pair.receiver->conductor().image_count() == 0);
    CHECK(pair.receiver->conductor().endpoint_count() == 0);
}

TEST_CASE("agent: a rejected image ends at both sides, and the publisher hears why") {
    Pair pair;
    const auto publication = pair.publish();
    const std::int64_t registration_id = publication.registration_id;
    pair.subscribe();
    const std::int64_t image_id = pair.await_image().image_correlation_id;
    const std::int64_t correlation_id = pair.subscriber.next_id();
    pair.subscriber.send(layout::CommandType::kRejectImage,
        layout::RejectImage{pair.subscriber.id(), correlation_id, image_id, 0, "not today"});
    const auto done =
        pair.subscriber.await_as<layout::OperationSuccess>(layout::EventType::kOperationSuccess, pair.both());
    CHECK(done.correlation_id == correlation_id);
    const auto error =
        pair.publisher.await_as<layout::PublicationError>(layout::EventType::kPublicationError, pair.both());
    CHECK(error.registration_id == registration_id);
    CHECK(error.error_code == static_cast<std::int32_t>(ErrorCode::kImageRejected));
    CHECK(error.message.substr(0, 9) == "not today");
    const auto gone =
        pair.subscriber.await_as<layout::UnavailableImage>(layout::EventType::kUnavailableImage, pair.both());
    CHECK(gone.image_correlation_id == image_id);
}

TEST_CASE("agent: the longest reason arrives whole, and a second one does not replace it") {
    Pair pair;
    pair.publish();
    pair.subscribe();
    const std::int64_t image_id = pair.await_image().image_correlation_id;
    std::string reason(layout::kReasonTextMax, 'r');
    reason.back() = '!';
    for (const std::string& text : {reason, std::string("too late")}) {
        pair.subscriber.send(layout::CommandType::kRejectImage,
            layout::RejectImage{pair.subscriber.id(), pair.subscriber.next_id(), image_id, 0, text});
    }
    const auto error =
        pair.publisher.await_as<layout::PublicationError>(layout::EventType::kPublicationError, pair.both());
    CHECK(error.message == reason);
    CHECK(error.group_tag == -1);
    pair.run(seconds(2));
    CHECK(pair.publisher.count(layout::EventType::kPublicationError) == 0);
}

TEST_CASE("agent: after a partition the stream comes back as a new image") {
    Pair pair;
    pair.publish();
    pair.subscribe();
    const std::int64_t first = pair.await_image().image_correlation_id;
    // Only the receiver runs: the sender is silent, as if cut off.
    for (int second = 0; second < 14; ++second) {
        pair.subscriber.keepalive();
        pair.publisher.keepalive();
        pair.world.run({pair.receiver.get()}, seconds(1));
    }
    CHECK(pair.subscriber.await_as<layout::UnavailableImage>(layout::EventType::kUnavailableImage)
              .image_correlation_id == first);
    CHECK(pair.await_image().image_correlation_id != first);
}

TEST_CASE("agent: without space no image comes, and it is logged and tried again") {
    Pair pair;
    pair.subscribe();
    pair.publish();
    pair.world.memory.set_space_max(0);
    pair.run(seconds(2));
    CHECK(pair.subscriber.count(layout::EventType::kAvailableImage) == 0);
    CHECK(pair.receiver->system_counters()[layout::SystemCounter::kErrors].get_relaxed() > 0);
    pair.world.memory.set_space_max(INT64_MAX);
    (void)pair.await_image();
}

TEST_CASE("agent: a window larger than asked for is never advertised") {
    Pair pair;
    pair.publish("|term-length=64k");
    pair.subscribe("|rcv-wnd=8k");
    const auto image = pair.await_image();
    const auto log = ClientLog::open(pair.world, image.log_file_name);
    CHECK(log.log.read_metadata().receiver_window_length == 8 * 1024);
}

TEST_CASE("agent: a sender's mtu beyond the receiver's window is refused and logged") {
    Pair pair;
    pair.publish("|mtu=1408");
    pair.subscribe("|rcv-wnd=1k");
    pair.run(seconds(2));
    CHECK(pair.subscriber.count(layout::EventType::kAvailableImage) == 0);
    CHECK(pair.receiver->system_counters()[layout::SystemCounter::kErrors].get_relaxed() > 0);
}

}  // namespace fulmar::agent
