// The client with its own thread, its polls on a second one, and a driver on a third: run it under
// ThreadSanitizer to learn something.
#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include "client/conductor.h"
#include "drivers/client_runtime/conductor_thread.h"
#include "drivers/memory_map/system_clock.h"
#include "fake_driver.h"
#include "frames.h"

using namespace fulmar;
using namespace fulmar::client::test;

namespace {

/// A client as Client::connect makes it, on the fake driver's memory.
std::unique_ptr<Client> connect_with_thread(
    ClientOptions options, ClientPorts ports, ErrorHandler on_error = nullptr) {
    options.own_thread = true;
    options.on_error = std::move(on_error);
    auto conductor = client::Conductor::connect(options, ports).value();
    auto thread = std::make_unique<drivers::ConductorThread>(conductor, microseconds(50));
    return std::make_unique<Client>(std::move(conductor), std::move(thread));
}

/// Answers publications and subscriptions until told to stop.
class AnsweringDriver {
  public:
    explicit AnsweringDriver(FakeDriver& driver) : driver_(driver), thread_([this] { run(); }) {}
    ~AnsweringDriver() {
        stop_ = true;
        thread_.join();
    }

  private:
    void run() {
        while (!stop_) {
            for (const auto& command : driver_.take_commands()) {
                if (command.type == layout::CommandType::kAddSubscription) {
                    driver_.answer_subscription(command);
                } else if (command.type == layout::CommandType::kAddPublication) {
                    driver_.answer_publication(command);
                }
            }
            std::this_thread::yield();
        }
    }
    FakeDriver& driver_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace

TEST_CASE("client threads: waiting calls from several threads are each answered") {
    FakeDriver driver;
    auto client = connect_with_thread(driver.options(), driver.ports());
    const AnsweringDriver answering(driver);
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 10; ++i) {
                auto subscription = client->add_subscription(kChannel, kStream);
                auto publication = client->add_publication(kChannel, kStream);
                good += subscription && publication && (*publication)->offer(bytes_of("x")).is_ok() ? 1 : 0;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK(good == 30);
    CHECK(client->poll() == 0);  // its thread polls
}

TEST_CASE("client threads: images come and go under a poll") {
    FakeDriver driver;
    auto options = driver.options();
    options.resource_linger = milliseconds(1);  // the least there is
    options.keepalive_interval = nanoseconds(0);
    std::atomic<int> gone{0};
    options.on_unavailable_image = [&](Image&) { ++gone; };
    drivers::SystemClock clock;  // here time must pass by itself
    driver.ring.set_consumer_heartbeat_ms(clock.epoch_ms());
    auto client = connect_with_thread(options, {&driver.memory, &clock});
    std::unique_ptr<Subscription> subscription;
    {
        const AnsweringDriver answering(driver);
        subscription = client->add_subscription(kChannel, kStream).value();
    }
    std::atomic<bool> stop{false};
    std::atomic<std::int64_t> received{0};
    std::thread poller([&] {
        while (!stop) {
            received += subscription->poll([](std::span<const std::byte>, const Header&) {}, 10);
        }
    });
    constexpr int kRounds = 200;
    for (int i = 0; i < kRounds; ++i) {
        const auto image = driver.make_image(i);
        put_message(image.log, 0, "x", i);
        driver.announce(image, subscription->registration_id(), i);
        driver.end(image, subscription->registration_id());
        while (gone <= i && !client->is_closed()) {
            std::this_thread::yield();
        }
        driver.ring.set_consumer_heartbeat_ms(clock.epoch_ms());
    }
    stop = true;
    poller.join();
    CHECK(gone == kRounds);
    CHECK(received <= kRounds);
    CHECK(subscription->has_no_images());
}

TEST_CASE("client threads: closing from another thread wakes who waits") {
    FakeDriver driver;
    auto client = connect_with_thread(driver.options(), driver.ports());
    std::atomic<bool> refused{false};
    std::thread waiter([&] { refused = !client->add_publication(kChannel, kStream).has_value(); });
    while (driver.take_commands().empty()) {
        std::this_thread::yield();
    }
    client->close();
    waiter.join();
    CHECK(refused);
}
