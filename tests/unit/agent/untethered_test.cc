// Untethered subscriptions: left behind when they lag, rested, and back where the others are.
#include <algorithm>
#include <array>

#include "driver_harness.h"
#include "term/append.h"

namespace fulmar::agent {
namespace {

constexpr std::int32_t kStream = 1001;
const std::string kUdp = "aeron:udp?endpoint=10.77.0.2:40123";
const std::string kIpc = "aeron:ipc";
const std::string kTimeouts =
    "|untethered-window-limit-timeout=2s|untethered-linger-timeout=3s|untethered-resting-timeout=8s";

/// What a client holds of its image.
struct Reader {
    std::int64_t subscription = 0;
    observe::Counter position;
};

/// A publication with a reader that keeps up and one that may not.
struct Stage {
    struct Channels {
        std::string publication;
        std::string subscription;
        int reading_port = 0;  ///< of the driver with the subscriptions
    };

    explicit Stage(const Channels& channels, const std::string& tether = "|tether=false")
        : sending(world.make_driver(0)),
          other(channels.reading_port == 0 ? nullptr : world.make_driver(channels.reading_port)),
          publisher(world, *sending),
          fast_client(world, reading()),
          slow_client(world, reading()) {
        publisher.add_publication(channels.publication, kStream, true);
        const auto ready = publisher.await_publication(true);
        log = ClientLog::open(world, ready.log_file_name);
        limit = counter_at(*sending, ready.publisher_limit_counter_id);
        appender = term::ExclusiveAppender(log.log, {ready.session_id, kStream});
        fast = subscribe(fast_client, channels.subscription);
        slow = subscribe(slow_client, channels.subscription + tether);
    }

    [[nodiscard]] DriverCore& reading() { return other == nullptr ? *sending : *other; }
    [[nodiscard]] std::vector<DriverCore*> all() const {
        return other == nullptr ? std::vector{sending.get()} : std::vector{sending.get(), other.get()};
    }
    Reader subscribe(RawClient& client, const std::string& channel) {
        client.forget();  // events go to all clients
        const std::int64_t id = client.add_subscription(channel, kStream);
        for (;;) {
            const auto image =
                client.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage, all());
            if (image.subscription_registration_id == id) {
                return {id, counter_at(reading(), image.subscriber_position_counter_id)};
            }
        }
    }
    void offer_all() {
        const std::array<std::byte, 992> message{};
        for (std::int64_t end = 0; (end = appender.append(limit.get_acquire(), message)) > 0;) {
            sent = std::max(sent, end);
        }
    }
    /// Offers whatever fits; the fast one reads it all. Returns how far the stream moved.
    std::int64_t run(Duration duration) {
        const std::int64_t before = sent;
        for (Duration rest = duration; rest > Duration{}; rest = rest - milliseconds(100)) {
            for (RawClient* client : {&publisher, &fast_client, &slow_client}) {
                client->keepalive();
            }
            offer_all();
            world.run(all(), milliseconds(100));
            fast.position.set_release(arrived());
            if (slow_reads) {
                slow.position.set_release(arrived());
            }
        }
        return sent - before;
    }
    /// What readers may read: all that was offered, or that their driver has got.
    [[nodiscard]] std::int64_t arrived() {
        std::int64_t position = sent;
        if (other != nullptr) {
            observe::for_each_counter(other->cnc().counter_metadata(), other->cnc().counter_values(),
                [&](const observe::CounterView& counter) {
                    if (counter.type_id == layout::counter_type::kReceiverPosition) {
                        position = counter.value;
                    }
                });
        }
        return position;
    }
    /// Events about the slow one's image.
    [[nodiscard]] std::size_t ends() { return slow_client.count(layout::EventType::kUnavailableImage); }
    [[nodiscard]] std::size_t begins() { return slow_client.count(layout::EventType::kAvailableImage); }

    World world;
    std::unique_ptr<DriverCore> sending;
    std::unique_ptr<DriverCore> other;
    RawClient publisher;
    RawClient fast_client;
    RawClient slow_client;
    ClientLog log;
    observe::Counter limit;
    term::ExclusiveAppender appender;
    Reader fast;
    Reader slow;
    bool slow_reads = true;
    std::int64_t sent = 0;
};

/// The three ways of reading a stream; time-outs are the publication's where it is local, else the reader's.
struct Way {
    const char* name;
    Stage::Channels channels;
};
std::vector<Way> ways() {
    const std::string length = "|term-length=64k";
    return {{"image", {kUdp + length, kUdp + kTimeouts, 1}},
        {"IPC", {kIpc + "?term-length=64k" + kTimeouts, kIpc + "?alias=x", 0}},
        {"spy", {kUdp + length + kTimeouts + "|ssc=true", "aeron-spy:" + kUdp, 0}}};
}

}  // namespace

TEST_CASE("agent: a stream goes on without an untethered subscriber that lags, which rests and comes back") {
    for (const Way& way : ways()) {
        CAPTURE(std::string(way.name));
        Stage stage(way.channels);
        CHECK(stage.run(seconds(8)) > 200'000);
        CHECK(stage.ends() == 0);  // it keeps up
        stage.slow_reads = false;
        stage.slow_client.forget();
        stage.run(seconds(1));
        CHECK(stage.run(milliseconds(500)) == 0);
        CHECK(stage.ends() == 0);
        stage.run(seconds(3));
        CHECK(stage.ends() == 1);  // told, and still waited for
        CHECK(stage.run(milliseconds(500)) == 0);
        stage.run(seconds(3));
        CHECK(stage.run(seconds(1)) > 50'000);  // it rests
        CHECK(stage.begins() == 0);
        const std::int64_t left_at = stage.slow.position.get_relaxed();
        for (int i = 0; i < 100 && stage.begins() == 0; ++i) {
            stage.run(milliseconds(100));
        }
        REQUIRE(stage.begins() == 1);
        const auto image =
            stage.slow_client.await_as<layout::AvailableImage>(layout::EventType::kAvailableImage);
        CHECK(image.subscription_registration_id == stage.slow.subscription);
        CHECK(stage.slow.position.get_relaxed() > left_at);
        stage.slow_reads = true;
        stage.run(milliseconds(200));
        CHECK(stage.run(seconds(8)) > 200'000);
        CHECK(stage.ends() == 1);
    }
}

TEST_CASE("agent: an untethered subscriber that may not rejoin is gone when it was left behind") {
    for (Way way : ways()) {
        CAPTURE(std::string(way.name));
        way.channels.subscription += "|rejoin=false";
        Stage stage(way.channels);
        stage.slow_reads = false;
        stage.slow_client.forget();
        stage.run(seconds(20));
        CHECK(stage.ends() == 1);
        CHECK(stage.begins() == 0);
        CHECK(stage.run(seconds(1)) > 50'000);
        stage.slow_client.remove(layout::CommandType::kRemoveSubscription, stage.slow.subscription);
        (void)stage.slow_client.await(layout::EventType::kOperationSuccess, stage.all());
    }
}

TEST_CASE("agent: the end of a stream is not told again to who was left behind") {
    for (const Way& way : ways()) {
        CAPTURE(std::string(way.name));
        Stage stage(way.channels);
        stage.slow_reads = false;
        stage.slow_client.forget();
        for (int i = 0; i < 100 && stage.ends() == 0; ++i) {
            stage.run(milliseconds(100));
        }
        REQUIRE(stage.ends() == 1);  // and it is still waited for
        stage.fast_client.forget();
        stage.publisher.send(
            layout::CommandType::kClientClose, layout::ClientCommand{stage.publisher.id(), 0});
        stage.run(seconds(20));
        CHECK(stage.ends() == 2);  // the fast one's; events go to all clients
        CHECK(stage.sending->conductor().network_publication_count() == 0);
        CHECK(stage.sending->conductor().ipc_publication_count() == 0);
    }
}

TEST_CASE("agent: a tethered subscriber holds its stream for as long as it lags") {
    for (const Way& way : ways()) {
        CAPTURE(std::string(way.name));
        Stage stage(way.channels, "|tether=true");
        stage.slow_reads = false;
        stage.slow_client.forget();
        stage.run(seconds(20));
        CHECK(stage.ends() == 0);
        CHECK(stage.run(seconds(1)) == 0);
    }
}

}  // namespace fulmar::agent
