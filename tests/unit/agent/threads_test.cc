// Whole drivers with a thread for each agent, and clients on threads of their own, all on the same memory:
// run it under ThreadSanitizer to learn something. Heap memory and not files, since the sanitizer knows bytes
// by their address and would take two mappings of a file for strangers.
#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "client/conductor.h"
#include "driver_harness.h"
#include "drivers/client_runtime/conductor_thread.h"
#include "drivers/memory_map/system_clock.h"
#include "drivers/packet_udp/udp_port.h"
#include "fulmar/client.h"

namespace fulmar::agent {
namespace {

constexpr std::int32_t kStream = 1001;
constexpr Duration kPatience = seconds(50);

/// Where drivers and clients of one test live.
struct Site {
    drivers::SystemClock clock;
    drivers::HeapMemoryMap memory;
    FakeResolver resolver;

    /// Lets other threads run until the condition holds.
    void await(const char* what, const std::function<bool()>& condition) {
        const Instant end = clock.now() + kPatience;
        while (!condition()) {
            REQUIRE_MESSAGE(clock.now() < end, "not in time: " << what);
            std::this_thread::yield();
        }
    }

    std::unique_ptr<Client> connect(const std::string& dir) {
        ClientOptions options;
        options.dir = dir;
        options.driver_timeout = kPatience;
        auto conductor = client::Conductor::connect(options, {&memory, &clock}).value();
        auto thread = std::make_unique<drivers::ConductorThread>(conductor, microseconds(50));
        return std::make_unique<Client>(std::move(conductor), std::move(thread));
    }
};

/// A driver in dedicated mode: four agents, four threads.
class ThreadedDriver {
  public:
    ThreadedDriver(Site& site, const std::string& dir, port::PacketPort& port) : site_(site) {
        DriverParts parts;
        parts.options = small_options(dir);
        // A busy machine is no dead client.
        parts.options.client_liveness_timeout = kPatience;
        parts.ports = {&port};
        parts.memory = &site.memory;
        parts.clock = &site.clock;
        parts.resolver = &site.resolver;
        parts.seed = std::hash<std::string>{}(dir);
        core_ = DriverCore::create(std::move(parts)).value();
        REQUIRE_FALSE(core_->needs_one_network_thread());
        run([this](Instant now) { return core_->poll_conductor(now); });
        run([this](Instant now) { return core_->poll_sender(now); });
        run([this](Instant now) { return core_->poll_receiver(now); });
        run([this](Instant now) { return core_->poll_resource(now); });
    }
    ~ThreadedDriver() {
        stop_.store(true, std::memory_order_relaxed);
        for (auto& thread : threads_) {
            thread.join();
        }
        core_->close(site_.clock.now());
    }
    ThreadedDriver(const ThreadedDriver&) = delete;
    ThreadedDriver& operator=(const ThreadedDriver&) = delete;

    [[nodiscard]] std::int64_t counter(layout::SystemCounter id) const {
        return core_->system_counters()[id].get_acquire();
    }

  private:
    void run(std::function<int(Instant)> poll) {
        threads_.emplace_back([this, poll = std::move(poll)] {
            while (!stop_.load(std::memory_order_relaxed)) {
                if (poll(site_.clock.now()) == 0) {
                    std::this_thread::yield();
                }
            }
        });
    }

    Site& site_;
    std::unique_ptr<DriverCore> core_;
    std::atomic<bool> stop_{false};
    std::vector<std::thread> threads_;
};

/// Numbers a thread has read, each the successor of the one before.
class Reader {
  public:
    explicit Reader(Subscription& subscription)
        : thread_([this, &subscription] {
              while (!stop_.load(std::memory_order_relaxed)) {
                  const int got = subscription.poll(
                      [this](std::span<const std::byte> body, const Header&) { take(body); }, 10);
                  if (got == 0) {
                      std::this_thread::yield();
                  }
              }
          }) {}
    ~Reader() {
        stop_.store(true, std::memory_order_relaxed);
        thread_.join();
    }
    [[nodiscard]] std::uint64_t count() const { return count_.load(std::memory_order_acquire); }
    [[nodiscard]] bool in_order() const { return in_order_.load(std::memory_order_acquire); }

  private:
    void take(std::span<const std::byte> body) {
        std::uint64_t number = 0;
        std::memcpy(&number, body.data(), sizeof number);
        const std::uint64_t expected = count_.load(std::memory_order_relaxed);
        if (number != expected || body.size() != body_length(expected)) {
            in_order_.store(false, std::memory_order_release);
        }
        count_.store(expected + 1, std::memory_order_release);
    }

  public:
    /// Some need several frames' worth of a term, some the least.
    static std::size_t body_length(std::uint64_t number) { return 8 + number * 37 % 1200; }

  private:
    std::atomic<bool> stop_{false};
    std::atomic<std::uint64_t> count_{0};
    std::atomic<bool> in_order_{true};
    std::thread thread_;
};

template <class Pub>
void publish(Site& site, Pub& publication, std::uint64_t from, std::uint64_t count) {
    std::array<std::byte, 2048> body{};
    for (std::uint64_t number = from; number < from + count; ++number) {
        std::memcpy(body.data(), &number, sizeof number);
        const auto bytes = std::span<const std::byte>(body).first(Reader::body_length(number));
        site.await("room for a message", [&] { return publication.offer(bytes).is_ok(); });
    }
}

/// Streams over several terms while other resources come and go, then ends and starts over.
void stream_and_churn(Site& site, Client& publisher, Client& subscriber, const std::string& channel,
    const std::string& other_channel) {
    constexpr std::uint64_t kMessages = 600;  // some 6 terms of 64 KiB
    for (int round = 0; round < 2; ++round) {
        CAPTURE(round);
        auto subscription = subscriber.add_subscription(channel, kStream).value();
        auto publication = publisher.add_exclusive_publication(channel, kStream).value();
        site.await("a connection", [&] { return publication->is_connected(); });
        {
            const Reader reader(*subscription);
            std::thread churn([&] {
                for (int i = 0; i < 5; ++i) {
                    auto sub = subscriber.add_subscription(other_channel, kStream + 1).value();
                    auto pub = publisher.add_publication(other_channel, kStream + 1).value();
                    site.await("another connection", [&] { return pub->is_connected(); });
                }
            });
            publish(site, *publication, 0, kMessages);
            churn.join();
            site.await("all messages", [&] { return reader.count() == kMessages; });
            CHECK(reader.in_order());
        }
        publication->close();
        site.await("the end of the image", [&] { return !subscription->is_connected(); });
    }
}

/// Errors, but for times when the machine stood still, which a driver tells as one.
std::int64_t errors(const ThreadedDriver& driver, Client& client) {
    std::int64_t stalls = 0;
    client.counters().for_each([&](const observe::CounterView& counter) {
        stalls += counter.type_id == layout::counter_type::kFulmarFirst ? counter.value : 0;
    });
    return driver.counter(layout::SystemCounter::kErrors) - stalls;
}

}  // namespace

TEST_CASE("agent threads: a stream through dedicated drivers that lose packets") {
    drivers::LoopNetwork::Options options;
    options.separate_queues = true;
    options.queue_capacity = 16;  // so that bursts overflow it
    options.drop_when_full = true;
    drivers::LoopNetwork network(options);
    Site site;
    const ThreadedDriver first(site, "/first", network.port(0));
    const ThreadedDriver second(site, "/second", network.port(1));
    auto publisher = site.connect("/first");
    auto subscriber = site.connect("/second");
    stream_and_churn(site, *publisher, *subscriber, "aeron:udp?endpoint=10.77.0.2:40123",
        "aeron:udp?endpoint=10.77.0.2:40124");
    CHECK(errors(first, *publisher) == 0);
    CHECK(errors(second, *subscriber) == 0);
    CHECK(second.counter(layout::SystemCounter::kInvalidPackets) == 0);
    CHECK(network.dropped() > 0);
    CHECK(first.counter(layout::SystemCounter::kRetransmitsSent) > 0);
}

TEST_CASE("agent threads: a stream through a dedicated driver over kernel sockets") {
    Site site;
    drivers::UdpPort port;
    const ThreadedDriver driver(site, "/driver", port);
    auto publisher = site.connect("/driver");
    auto subscriber = site.connect("/driver");
    stream_and_churn(site, *publisher, *subscriber, "aeron:udp?endpoint=127.0.0.1:24325",
        "aeron:udp?endpoint=127.0.0.1:24326");
    CHECK(errors(driver, *publisher) == 0);
}

TEST_CASE("agent threads: concurrent producers and late subscribers of an IPC log") {
    drivers::LoopNetwork::Options options;
    options.separate_queues = true;
    drivers::LoopNetwork network(options);
    Site site;
    const ThreadedDriver driver(site, "/driver", network.port(0));
    auto publisher = site.connect("/driver");
    auto subscriber = site.connect("/driver");
    auto subscription = subscriber->add_subscription("aeron:ipc", kStream).value();
    auto publication = publisher->add_publication("aeron:ipc", kStream).value();
    site.await("a connection", [&] { return publication->is_connected(); });

    constexpr std::uint64_t kEach = 1500;
    std::atomic<std::uint64_t> received{0};
    std::atomic<bool> stop{false};
    std::thread poller([&] {
        while (!stop.load(std::memory_order_relaxed)) {
            received += static_cast<std::uint64_t>(
                subscription->poll([](std::span<const std::byte>, const Header&) {}, 10));
            std::this_thread::yield();
        }
    });
    std::vector<std::thread> producers;
    for (int i = 0; i < 2; ++i) {
        producers.emplace_back([&] { publish(site, *publication, 0, kEach); });
    }
    for (int i = 0; i < 5; ++i) {
        auto late = subscriber->add_subscription("aeron:ipc", kStream).value();
        site.await("an image", [&] { return late->is_connected(); });
        late->poll([](std::span<const std::byte>, const Header&) {}, 10);
    }
    for (auto& producer : producers) {
        producer.join();
    }
    site.await("all messages", [&] { return received == 2 * kEach; });
    stop = true;
    poller.join();
    CHECK(errors(driver, *publisher) == 0);
}

}  // namespace fulmar::agent
