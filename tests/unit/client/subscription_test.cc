#include "fulmar/subscription.h"

#include <doctest/doctest.h>

#include "fake_driver.h"
#include "frames.h"

using namespace fulmar;
using namespace fulmar::client::test;
using layout::CommandType;

namespace {
/// What the image handlers saw, in order: positive session ids came, negative went.
struct Seen {
    std::vector<std::int32_t> sessions;
    SubscriptionHandlers handlers() {
        return {[this](Image& image) { sessions.push_back(image.session_id()); },
            [this](Image& image) { sessions.push_back(-image.session_id()); }};
    }
};
}  // namespace

TEST_CASE("subscription: adding sends the command and the answer makes the handle") {
    Connected at;
    const auto id = at.client->async_add_subscription(kChannel, kStream).value();
    const auto command = at.driver.take_command();
    CHECK(command.type == CommandType::kAddSubscription);
    const auto add = command.as<layout::AddSubscription>();
    CHECK(add.registration_correlation_id == -1);
    CHECK(add.stream_id == kStream);
    CHECK(add.channel == kChannel);
    at.driver.answer_subscription(command, 12);
    at.poll();
    const auto subscription = at.client->find_subscription(id).value();
    REQUIRE(subscription != nullptr);
    CHECK(subscription->registration_id() == id);
    CHECK(subscription->channel_status_id() == 12);
    CHECK(subscription->has_no_images());
    CHECK_FALSE(subscription->is_connected());
}

TEST_CASE("subscription: an image is announced, polled, and announced gone") {
    Connected at;
    Seen seen;
    const auto subscription = at.subscription(seen.handlers());
    const auto image = at.image(*subscription);
    CHECK(seen.sessions == std::vector{kSession});
    REQUIRE(subscription->image_count() == 1);
    CHECK(subscription->is_connected());
    const Image* seen_image = subscription->image_by_session_id(kSession);
    REQUIRE(seen_image != nullptr);
    CHECK(seen_image->source_identity() == "127.0.0.1:5000");
    CHECK(seen_image->correlation_id() == image.id);
    CHECK(subscription->image_by_session_id(kSession + 1) == nullptr);

    put_message(image.log, 0, "hello");
    std::vector<std::string> texts;
    const auto handler = [&](std::span<const std::byte> payload, const Header& header) {
        texts.push_back(text_of(payload));
        CHECK(header.position() == 64);
        CHECK(header.session_id() == kSession);
    };
    CHECK(subscription->poll(handler, 10) == 1);
    CHECK(subscription->poll(handler, 10) == 0);
    CHECK(texts == std::vector<std::string>{"hello"});
    CHECK(image.position.get_acquire() == 64);

    at.driver.end(image, subscription->registration_id());
    at.poll();
    CHECK(seen.sessions == std::vector{kSession, -kSession});
    CHECK(subscription->has_no_images());
    CHECK(seen_image->is_closed());  // still there for the linger
    CHECK(seen_image->position() == 64);
}

TEST_CASE("subscription: handlers of the client serve subscriptions without their own") {
    int came = 0;
    int went = 0;
    Connected at([&](ClientOptions& options) {
        options.on_available_image = [&](Image&) { ++came; };
        options.on_unavailable_image = [&](Image&) { ++went; };
    });
    const auto subscription = at.subscription();
    at.image(*subscription);
    subscription->close();
    CHECK(came == 1);
    CHECK(went == 1);
}

TEST_CASE("subscription: events that name nothing of ours are ignored") {
    Connected at;
    Seen seen;
    const auto subscription = at.subscription(seen.handlers());
    const auto stranger = at.driver.make_image(kSession);
    at.driver.announce(stranger, subscription->registration_id() + 1000);
    at.driver.end(stranger, subscription->registration_id() + 1000);
    at.driver.end(stranger, subscription->registration_id());
    at.poll();
    CHECK(seen.sessions.empty());
    const auto image = at.image(*subscription);
    at.driver.announce(image, subscription->registration_id());  // the same once more
    at.poll();
    CHECK(subscription->image_count() == 1);
    CHECK(seen.sessions.size() == 1);
    CHECK(at.driver.errors.empty());
}

TEST_CASE("subscription: an image that cannot be is reported and left out") {
    Connected at;
    Seen seen;
    const auto subscription = at.subscription(seen.handlers());
    auto image = at.driver.make_image(kSession);
    SUBCASE("its counter is out of range") {
        image.position = {kCounterCapacity, nullptr};
    }
    SUBCASE("its log is not there") {
        image.path = "/heap/driver/nothing";
    }
    SUBCASE("its log is no log") {
        image.path = "/heap/driver/short";
        (void)at.driver.memory.create(image.path, 100, false).value();
    }
    SUBCASE("it begins at a negative position") {
        image.position.set_release(-32);
    }
    SUBCASE("it begins between frames") {
        image.position.set_release(8);
    }
    SUBCASE("it begins behind the end of any stream") {
        image.position.set_release(std::int64_t{kTermLength} << 31);
    }
    at.driver.announce(image, subscription->registration_id());
    at.poll();
    CHECK(subscription->has_no_images());
    CHECK(seen.sessions.empty());
    REQUIRE(at.driver.errors.size() == 1);
    CHECK(at.driver.errors[0].message.find(kChannel) == 0);
}

TEST_CASE("subscription: images are polled in turn") {
    Connected at;
    const auto subscription = at.subscription();
    std::vector<FakeDriver::MadeImage> images;
    for (std::int32_t session = 1; session <= 3; ++session) {
        images.push_back(at.image(*subscription, session));
        put_message(images.back().log, 0, "a", session);
        put_message(images.back().log, 64, "b", session);
    }
    std::vector<std::int32_t> order;
    const auto handler = [&](std::span<const std::byte>, const Header& header) {
        order.push_back(header.session_id());
    };
    for (int i = 0; i < 6; ++i) {
        CHECK(subscription->poll(handler, 1) == 1);
    }
    CHECK(subscription->poll(handler, 1) == 0);
    CHECK(order == std::vector{1, 2, 3, 1, 2, 3});
}

TEST_CASE("subscription: the fragment limit holds across images") {
    Connected at;
    const auto subscription = at.subscription();
    for (std::int32_t session = 1; session <= 2; ++session) {
        const auto image = at.image(*subscription, session);
        put_message(image.log, 0, "a", session);
        put_message(image.log, 64, "b", session);
    }
    const auto nothing = [](std::span<const std::byte>, const Header&) {};
    CHECK(subscription->poll(nothing, 3) == 3);
    CHECK(subscription->poll(nothing, 3) == 1);
}

TEST_CASE("subscription: closing ends its images, tells the driver, and keeps logs for the linger") {
    Connected at;
    Seen seen;
    auto subscription = at.subscription(seen.handlers());
    const auto image = at.image(*subscription);
    Image* kept = subscription->images()[0];
    subscription.reset();
    CHECK(seen.sessions == std::vector{kSession, -kSession});
    const auto command = at.driver.take_command();
    CHECK(command.type == CommandType::kRemoveSubscription);
    CHECK(kept->is_closed());  // AddressSanitizer would tell if it were not kept
    CHECK(kept->poll([](std::span<const std::byte>, const Header&) {}, 1) == 0);
    at.driver.forget_logs();
    REQUIRE(at.driver.memory.remove(image.path));
    const auto space = at.driver.memory.usable_space(kDir);
    at.driver.advance(seconds(4));
    at.poll();
    CHECK(at.driver.memory.usable_space(kDir) > space);  // the mapping is given back
}

TEST_CASE("subscription: closing can be followed by its id") {
    Connected at;
    const auto subscription = at.subscription();
    const auto id = subscription->async_close().value();
    const auto command = at.driver.take_command();
    CHECK(command.type == CommandType::kRemoveSubscription);
    CHECK(command.correlation_id() == id);
    CHECK(subscription->is_closed());
    CHECK_FALSE(at.client->find_operation(id).value());
    at.driver.send(layout::EventType::kOperationSuccess, layout::OperationSuccess{id});
    at.poll();
    CHECK(at.client->find_operation(id).value());
    CHECK(subscription->async_close().error().code == ErrorCode::kUnknownSubscription);
}

TEST_CASE("subscription: an image that ended stays mapped for the linger, then goes") {
    Connected at;
    const auto subscription = at.subscription();
    const auto image = at.image(*subscription);
    at.driver.end(image, subscription->registration_id());
    at.poll();
    at.driver.forget_logs();
    REQUIRE(at.driver.memory.remove(image.path));
    const auto space = at.driver.memory.usable_space(kDir);
    at.driver.advance(milliseconds(2900));
    at.poll();
    CHECK(at.driver.memory.usable_space(kDir) == space);
    SUBCASE("outside a poll") {
        at.driver.advance(milliseconds(600));
        at.poll();
        CHECK(at.driver.memory.usable_space(kDir) > space);
    }
    SUBCASE("not while a poll is under way") {
        {
            const client::ImageSet::PollScope scope(subscription->image_set());
            at.driver.advance(milliseconds(600));
            at.poll();
            CHECK(at.driver.memory.usable_space(kDir) == space);
        }
        at.driver.advance(milliseconds(600));
        at.poll();
        CHECK(at.driver.memory.usable_space(kDir) > space);
    }
}

TEST_CASE("subscription: an image handler may close or destroy the subscription") {
    Connected at;
    std::unique_ptr<Subscription> subscription;
    int unavailable = 0;
    SubscriptionHandlers handlers;
    SUBCASE("when an image comes") {
        handlers.on_available_image = [&](Image&) { subscription.reset(); };
        handlers.on_unavailable_image = [&](Image&) { ++unavailable; };
        subscription = at.subscription(handlers);
        at.image(*subscription);
    }
    SUBCASE("when an image goes") {
        handlers.on_unavailable_image = [&](Image&) {
            ++unavailable;
            subscription.reset();
        };
        subscription = at.subscription(handlers);
        const auto image = at.image(*subscription);
        at.driver.end(image, subscription->registration_id());
        at.poll();
    }
    SUBCASE("when the client ends") {
        handlers.on_unavailable_image = [&](Image&) {
            ++unavailable;
            subscription.reset();
        };
        subscription = at.subscription(handlers);
        at.image(*subscription);
        at.client->close();
    }
    CHECK(subscription == nullptr);
    CHECK(unavailable == 1);
    at.driver.advance(seconds(5));
    at.poll();
}

TEST_CASE("subscription: a handler that waits for the client it runs in is told not to") {
    Connected at;
    ErrorCode code = ErrorCode::kNone;
    std::int64_t async_id = 0;
    SubscriptionHandlers handlers;
    handlers.on_available_image = [&](Image&) {
        code = at.client->add_publication(kChannel, kStream).error().code;
        async_id = at.client->async_add_publication(kChannel, kStream).value();
    };
    const auto subscription = at.subscription(handlers);
    at.image(*subscription);
    CHECK(code == ErrorCode::kGeneric);
    CHECK(at.driver.take_command().correlation_id() == async_id);
}

TEST_CASE("subscription: an abandoned one is removed when the driver answers late") {
    Connected at;
    const auto id = at.client->async_add_subscription(kChannel, kStream).value();
    const auto add = at.driver.take_command();
    at.client->cancel(id);
    at.driver.answer_subscription(add);
    at.poll();
    const auto command = at.driver.take_command();
    CHECK(command.type == CommandType::kRemoveSubscription);
    CHECK(command.as<layout::RemoveResource>().registration_id == id);
}

TEST_CASE("subscription: images that came before the handle was fetched are there") {
    Connected at;
    const auto id = at.client->async_add_subscription(kChannel, kStream).value();
    at.driver.answer_subscription(at.driver.take_command());
    const auto image = at.driver.make_image(kSession);
    at.driver.announce(image, id);
    at.poll();
    CHECK(at.client->find_subscription(id).value()->image_count() == 1);
}

TEST_CASE("subscription: receive destinations are added and removed") {
    Connected at;
    const auto subscription = at.subscription();
    Command command;
    at.driver.on_wait = [&] {
        command = at.driver.take_command();
        at.driver.send(
            layout::EventType::kOperationSuccess, layout::OperationSuccess{command.correlation_id()});
    };
    CHECK(subscription->add_destination("aeron:udp?endpoint=a:1").has_value());
    CHECK(command.type == CommandType::kAddReceiveDestination);
    CHECK(command.as<layout::DestinationCommand>().registration_id == subscription->registration_id());
    CHECK(subscription->remove_destination("aeron:udp?endpoint=a:1").has_value());
    CHECK(command.type == CommandType::kRemoveReceiveDestination);
}

TEST_CASE("subscription: its bound address and channel status come from the counters") {
    Connected at;
    const auto status =
        at.driver.allocate(layout::counter_type::kReceiveChannelStatus, 0, layout::kChannelActive);
    const auto add_address = [&](const char* text, std::int64_t value) {
        const auto key = layout::local_sockaddr_key(status.id(), text);
        (void)at.driver.counters->allocate(
            {.type_id = layout::counter_type::kLocalSockaddr, .key = key.span(), .initial_value = value},
            at.driver.clock.epoch_ms());
    };
    add_address("127.0.0.1:40456", layout::kChannelActive);
    add_address("127.0.0.1:1", layout::kChannelClosing);
    const auto id = at.client->async_add_subscription(kChannel, kStream).value();
    at.driver.answer_subscription(at.driver.take_command(), status.id());
    at.poll();
    const auto subscription = at.client->find_subscription(id).value();
    CHECK(subscription->channel_status() == layout::kChannelActive);
    CHECK(subscription->local_socket_addresses() == std::vector<std::string>{"127.0.0.1:40456"});
    status.set_release(layout::kChannelErrored);
    CHECK(subscription->channel_status() == layout::kChannelErrored);
}

TEST_CASE("subscription: an error of its channel is reported with the channel") {
    Connected at;
    const auto id = at.client->async_add_subscription(kChannel, kStream).value();
    at.driver.answer_subscription(at.driver.take_command(), 33);
    at.poll();
    const auto subscription = at.client->find_subscription(id).value();
    at.driver.send_error(34, ErrorCode::kChannelEndpoint, "other");
    at.driver.send_error(33, ErrorCode::kChannelEndpoint, "cannot bind");
    at.poll();
    REQUIRE(at.driver.errors.size() == 1);
    CHECK(at.driver.errors[0].code == ErrorCode::kChannelEndpoint);
    CHECK(at.driver.errors[0].message == std::string(kChannel) + ": cannot bind");
}
