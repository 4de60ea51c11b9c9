/// One publication that reaches several receivers, each on a host of its own.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "driver_harness.h"
#include "term/append.h"

namespace fulmar::agent {

inline constexpr std::int32_t kStream = 1001;

inline drivers::LoopNetwork::Options three_hosts() {
    drivers::LoopNetwork::Options options;
    options.port_count = 3;
    return options;
}

/// A subscriber on a host of its own.
struct Listener {
    Listener(World& w, int port) : driver(w.make_driver(port)), client(w, *driver) {}

    std::int64_t subscribe(const std::string& channel) {
        const std::int64_t id = client.add_subscription(channel, kStream);
        (void)client.await(layout::EventType::kSubscriptionReady);
        return id;
    }
    void await_image(const std::vector<DriverCore*>& all) {
        const auto event = client.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage, all);
        image_id = event.image_correlation_id;
        const auto counter = find_counter(*driver, layout::counter_type::kReceiverPosition, image_id);
        REQUIRE(counter);
        received = counter_at(*driver, counter->id);
        position = counter_at(*driver, event.subscriber_position_counter_id);
    }
    void consume() { position.set_release(received.get_acquire()); }

    std::unique_ptr<DriverCore> driver;
    RawClient client;
    bool reads = true;
    std::int64_t image_id = 0;
    observe::Counter received;
    observe::Counter position;
};

/// A publication on the first host, subscribers on two others.
struct Cast {
    explicit Cast(const drivers::LoopNetwork::Options& options = three_hosts())
        : world(options),
          sending(world.make_driver(0)),
          publisher(world, *sending),
          second(world, 1),
          third(world, 2) {}

    void publish(const std::string& channel) {
        publisher.add_publication(channel, kStream, true);
        const auto ready = publisher.await_publication(true);
        id = ready.registration_id;
        log = ClientLog::open(world, ready.log_file_name);
        limit = counter_at(*sending, ready.publisher_limit_counter_id);
        appender = term::ExclusiveAppender(log.log, {ready.session_id, kStream});
    }
    std::int64_t command(layout::CommandType type, const std::string& channel, std::int64_t target = 0) {
        const std::int64_t correlation_id = publisher.next_id();
        publisher.send(type,
            layout::DestinationCommand{publisher.id(), correlation_id, target == 0 ? id : target, channel});
        return correlation_id;
    }
    std::int64_t add(const std::string& channel) {
        const std::int64_t destination = command(layout::CommandType::kAddDestination, channel);
        CHECK(done() == destination);
        return destination;
    }
    std::int64_t done() {
        return publisher.await_as<layout::OperationSuccess>(layout::EventType::kOperationSuccess)
            .correlation_id;
    }
    void run(Duration duration = milliseconds(10)) {
        for (Duration rest = duration; rest > Duration{}; rest = rest - milliseconds(500)) {
            for (RawClient* client : {&publisher, &second.client, &third.client}) {
                client->keepalive();
            }
            world.run(all(), rest < milliseconds(500) ? rest : milliseconds(500));
            for (Listener* listener : {&second, &third}) {
                if (listener->image_id != 0 && listener->reads) {
                    listener->consume();
                }
            }
        }
    }
    std::int64_t offer() {
        const std::array<std::byte, 64> message{};
        return appender.append(limit.get_acquire(), message);
    }
    /// Offers so often, and lets the others work in between. How far the stream came.
    std::int64_t flood(int offers) {
        std::int64_t sent = 0;
        for (int i = 0; i < offers; ++i) {
            sent = std::max(sent, offer());
            if (i % 100 == 0) {
                run();
            }
        }
        return sent;
    }
    [[nodiscard]] std::int64_t destinations() const {
        const auto found = find_counter(*sending, layout::counter_type::kMdcDestinations, id);
        REQUIRE(found);
        return found->value;
    }
    [[nodiscard]] std::vector<DriverCore*> all() const {
        return {sending.get(), second.driver.get(), third.driver.get()};
    }

    World world;
    std::unique_ptr<DriverCore> sending;
    RawClient publisher;
    Listener second;
    Listener third;
    std::int64_t id = 0;
    ClientLog log;
    observe::Counter limit;
    term::ExclusiveAppender appender;
};

}  // namespace fulmar::agent
