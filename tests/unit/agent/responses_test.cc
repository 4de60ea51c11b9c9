// Response channels: a request, whoever answers it, and the one subscription that hears the answer.
#include <array>

#include "driver_harness.h"
#include "term/append.h"

namespace fulmar::agent {
namespace {

const std::string kRequests = "aeron:udp?endpoint=10.77.0.2:40123";
const std::string kAnswers = "aeron:udp?control-mode=response|control=10.77.0.2:40200";
constexpr std::int32_t kRequestStream = 1001;
constexpr std::int32_t kAnswerStream = 1002;

/// Clients that ask on the first host, a server on the second.
struct Service {
    Service()
        : asking(world.make_driver(0)),
          answering(world.make_driver(1)),
          client(world, *asking),
          server(world, *answering) {}

    std::int64_t listen() {
        const std::int64_t id = client.add_subscription(kAnswers, kAnswerStream);
        (void)client.await(layout::EventType::kSubscriptionReady);
        return id;
    }
    std::int64_t ask(std::int64_t subscription) {
        client.add_publication(
            kRequests + "|response-correlation-id=" + std::to_string(subscription), kRequestStream, true);
        return client.await_publication(true).registration_id;
    }
    layout::AvailableImage await_request() {
        return server.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage, both());
    }
    layout::PublicationReady answer(std::int64_t image_id, const std::string& params = "") {
        server.add_publication(
            kAnswers + "|response-correlation-id=" + std::to_string(image_id) + params, kAnswerStream, true);
        return server.await_publication(true);
    }
    layout::AvailableImage await_answer() {
        return client.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage, both());
    }
    void run(Duration duration = milliseconds(10)) {
        for (Duration rest = duration; rest > Duration{}; rest = rest - seconds(1)) {
            client.keepalive();
            server.keepalive();
            world.run(both(), rest < seconds(1) ? rest : seconds(1));
        }
    }
    [[nodiscard]] std::vector<DriverCore*> both() const { return {asking.get(), answering.get()}; }

    World world;
    std::unique_ptr<DriverCore> asking;
    std::unique_ptr<DriverCore> answering;
    RawClient client;
    RawClient server;
};

}  // namespace

TEST_CASE("agent: each request's answer comes to the subscription that waits for it") {
    Service service;
    service.server.add_subscription(kRequests, kRequestStream);
    (void)service.server.await(layout::EventType::kSubscriptionReady);
    std::array<std::int64_t, 2> waiting{service.listen(), service.listen()};
    std::array<std::int64_t, 2> images{};
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        service.ask(waiting[i]);
        images[i] = service.await_request().image_correlation_id;
    }
    service.run(seconds(2));
    CHECK(service.client.count(layout::EventType::kAvailableImage) == 0);
    // Answered in the other order.
    for (const std::size_t i : {1, 0}) {
        const std::int32_t session_id = service.answer(images[i]).session_id;
        const auto heard = service.await_answer();
        CHECK(heard.session_id == session_id);
        CHECK(heard.subscription_registration_id == waiting[i]);
        CHECK(heard.source_identity == "10.77.0.2:40200");
    }
    service.run(seconds(2));
    CHECK(service.client.count(layout::EventType::kAvailableImage) == 0);
    CHECK(service.asking->system_counters()[layout::SystemCounter::kErrors].get_relaxed() == 0);
    CHECK(service.answering->system_counters()[layout::SystemCounter::kInvalidPackets].get_relaxed() == 0);
}

TEST_CASE("agent: an answer flows, ends with its publication, and gives everything back") {
    Service service;
    service.server.add_subscription(kRequests, kRequestStream);
    (void)service.server.await(layout::EventType::kSubscriptionReady);
    const std::int64_t waiting = service.listen();
    const std::int64_t request = service.ask(waiting);
    const auto ready = service.answer(service.await_request().image_correlation_id);
    const std::int64_t answer = ready.registration_id;
    const auto log = ClientLog::open(service.world, ready.log_file_name);
    const auto limit = counter_at(*service.answering, ready.publisher_limit_counter_id);
    term::ExclusiveAppender appender(log.log, {ready.session_id, kAnswerStream});
    const std::int64_t image_id = service.await_answer().image_correlation_id;
    service.run(milliseconds(500));
    REQUIRE(log.log.is_connected());
    const std::array<std::byte, 64> message{};
    const std::int64_t sent = appender.append(limit.get_acquire(), message);
    service.run();
    const auto received = find_counter(*service.asking, layout::counter_type::kReceiverPosition, image_id);
    REQUIRE(received);
    CHECK(received->value == sent);

    service.server.remove_publication(answer);
    service.client.remove(layout::CommandType::kRemoveSubscription, waiting);
    service.client.remove_publication(request);
    service.run(seconds(20));
    CHECK(service.asking->conductor().endpoint_count() == 0);
    CHECK(service.answering->conductor().endpoint_count() == 1);  // hears requests
}

TEST_CASE("agent: a response subscription that nobody answered leaves nothing behind") {
    Service service;
    const std::int64_t waiting = service.listen();
    service.run(seconds(3));
    service.client.remove(layout::CommandType::kRemoveSubscription, waiting);
    service.run();
    CHECK(service.asking->conductor().endpoint_count() == 0);
}

TEST_CASE("agent: a prototype holds the address that answers come from") {
    Service service;
    service.server.add_publication(
        "aeron:udp?control-mode=response|control=10.77.0.2:0|tags=7|response-correlation-id=prototype",
        kAnswerStream, true);
    const auto ready = service.server.await_publication(true);
    CHECK(ClientLog::open(service.world, ready.log_file_name).log.term_length() == wire::kTermLengthMin);
    const std::int32_t status = ready.channel_status_counter_id;
    const auto local =
        find_counter(*service.answering, layout::counter_type::kLocalSockaddr, ready.registration_id);
    REQUIRE(local);
    const std::string label(local->label);

    service.server.add_subscription(kRequests, kRequestStream);
    (void)service.server.await(layout::EventType::kSubscriptionReady);
    const std::int64_t waiting = service.client.add_subscription(
        "aeron:udp?control-mode=response|control=" + label.substr(label.rfind(' ') + 1), kAnswerStream);
    (void)service.client.await(layout::EventType::kSubscriptionReady);
    service.ask(waiting);
    const std::int64_t image = service.await_request().image_correlation_id;
    service.server.add_publication(
        "aeron:udp?control-mode=response|tags=7|response-correlation-id=" + std::to_string(image),
        kAnswerStream, true);
    CHECK(service.server.await_publication(true).channel_status_counter_id == status);
    CHECK(service.await_answer().subscription_registration_id == waiting);
}

TEST_CASE("agent: an answer on IPC comes to its subscription alone") {
    World world;
    auto driver = world.make_driver();
    RawClient client(world, *driver);
    const std::int64_t waiting = client.add_subscription("aeron:ipc?control-mode=response", kAnswerStream);
    (void)client.await(layout::EventType::kSubscriptionReady);
    client.add_subscription("aeron:ipc", kRequestStream);
    (void)client.await(layout::EventType::kSubscriptionReady);
    client.add_publication("aeron:ipc", kAnswerStream, true);
    (void)client.await_publication(true);
    client.add_publication(
        "aeron:ipc?response-correlation-id=" + std::to_string(waiting), kRequestStream, true);
    const std::int64_t request = client.await_publication(true).registration_id;
    CHECK(client.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage).image_correlation_id ==
          request);
    client.add_publication(
        "aeron:ipc?response-correlation-id=" + std::to_string(request), kAnswerStream, true);
    const std::int64_t answer = client.await_publication(true).registration_id;
    const auto heard = client.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage);
    CHECK(heard.image_correlation_id == answer);
    CHECK(heard.subscription_registration_id == waiting);
    CHECK(client.count(layout::EventType::kAvailableImage) == 0);
}

TEST_CASE("agent: answers to what did not ask, or is not there, are refused") {
    Service service;
    service.server.add_subscription(kRequests, kRequestStream);
    (void)service.server.await(layout::EventType::kSubscriptionReady);
    service.client.add_publication(kRequests, kRequestStream);
    (void)service.client.await_publication();
    const std::int64_t plain = service.await_request().image_correlation_id;
    struct Case {
        std::string channel;
        const char* names;
    };
    const Case cases[] = {
        {kAnswers, "response-correlation-id"},
        {kAnswers + "|response-correlation-id=4711", "names no image"},
        {kAnswers + "|response-correlation-id=" + std::to_string(plain), "did not ask"},
        {kRequests + "|response-correlation-id=4711", "names no network subscription"},
        {kAnswers + "|response-correlation-id=-3", "prototype"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.channel);
        service.server.add_publication(each.channel, kAnswerStream, true);
        const auto error = service.server.await_error();
        CHECK(error.error_code == static_cast<std::int32_t>(ErrorCode::kInvalidChannel));
        CHECK_MESSAGE(error.message.find(each.names) != std::string_view::npos, error.message);
    }
    CHECK(service.answering->conductor().network_publication_count() == 0);
}

}  // namespace fulmar::agent
