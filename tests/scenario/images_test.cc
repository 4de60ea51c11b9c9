// How images begin, stay and end.
#include "tests/scenario/scenario.h"

using namespace fulmar;
using namespace fulmar::scenario;

TEST_CASE("scenario: an image outlives a window that ends in padding, and takes a newcomer on") {
    // Positions of the sender when the reader stops, and of the padding, whose second half is beyond the
    // window.
    constexpr std::int64_t kRead = kSimTermLength / 2 - 32;
    constexpr std::int64_t kPadding = kSimTermLength - 64;
    Stage stage(2);
    const Topic& topic = stage.udp_topic(1);
    const std::size_t publishing = stage.app(0);
    const std::size_t reading = stage.app(1);
    const std::size_t coming = stage.app(1);
    stage.publishes(publishing, topic, true);
    stage.subscribes(reading, topic, 0);
    stage.subscribes(coming, topic);
    auto world = stage.begin();
    Publisher& publisher = world->app(publishing).publishers()[0];
    Subscriber& reader = world->app(reading).subscribers()[0];
    // The newcomer is away until its old self is forgotten and the reader has stopped.
    world->app(coming).die(milliseconds(400));
    world->run_for(milliseconds(200));

    const auto fill = [&](std::int64_t from, std::int64_t to) {
        for (; from + 1024 <= to; from += 1024) {
            REQUIRE(publisher.offer(1024 - 32));
        }
        REQUIRE(publisher.offer(static_cast<std::int32_t>(to - from) - 32));
        world->run_for(milliseconds(10));
    };
    fill(0, kRead);
    REQUIRE(reader.poll_messages(100) == 32);
    world->run_for(milliseconds(10));
    fill(kRead, kPadding);
    CHECK_FALSE(publisher.offer(100));  // the log goes on to its next term

    // Longer than the time-outs of the image (100 ms) and of the publication's receivers (60 ms).
    world->run_for(milliseconds(200));
    CHECK(publisher.is_connected());
    CHECK(world->counts()[Count::image_ended] == 0);
    CHECK(world->counts()[Count::late_join] == 1);
    CHECK(reader.poll_messages(100) == 32);
    CHECK(world->run_until([&] { return publisher.offer(100); }, milliseconds(20)));
    world->run_for(milliseconds(5));
    CHECK(reader.poll_messages(100) == 1);
    require_all_delivered(*world, milliseconds(50));
    require_clean_end(*world);
}

TEST_CASE("scenario: a client that sleeps hears of an image's end before its return") {
    Stage stage(2);
    stage.driver(1).image_liveness_timeout = milliseconds(20);
    stage.driver(1).client_liveness_timeout = seconds(10);
    const Topic& topic = stage.udp_topic(1);
    const std::size_t publishing = stage.app(0);
    const std::size_t reading = stage.app(1);
    stage.publishes(publishing, topic);
    stage.subscribes(reading, topic);
    auto world = stage.begin();
    Publisher& publisher = world->app(publishing).publishers()[0];
    REQUIRE(publisher.offer(1000));
    require_all_delivered(*world, milliseconds(50));

    world->pause_app(reading, milliseconds(300));
    Fault cut;
    cut.kind = Fault::Kind::kCut;
    cut.length = milliseconds(100);
    cut.node = 0;
    cut.other = 1;
    world->apply(cut);
    world->run_for(milliseconds(250));
    CHECK(publisher.is_connected());  // the image is back, and the client has not heard of anything
    CHECK(world->counts()[Count::image_ended] == 0);
    REQUIRE(publisher.offer(1000));
    world->run_for(milliseconds(100));
    CHECK(world->counts()[Count::image_ended] == 1);
    CHECK(world->counts()[Count::image_rejoined] == 1);
    require_all_delivered(*world, milliseconds(50));
    require_clean_end(*world);
}

TEST_CASE("scenario: a subscription that comes and goes while an image is made gets one") {
    constexpr std::size_t kResourceAgent = 3;
    Stage stage(2);
    const Topic& topic = stage.udp_topic(1);
    const Topic& neighbour = stage.udp_topic(1);  // keeps the endpoint open
    const std::size_t publishing = stage.app(0);
    const std::size_t reading = stage.app(1);
    stage.publishes(publishing, topic, true);
    stage.subscribes(reading, topic);
    stage.subscribes(reading, neighbour);
    auto world = stage.begin();
    Subscriber& subscriber = world->app(reading).subscribers()[0];
    // Its first publication ends; when the next one comes, the reader's driver takes long to make a file.
    world->app(publishing).die(milliseconds(300));
    REQUIRE(world->run_until([&] { return subscriber.image_count() == 0; }, milliseconds(250)));
    world->run_for(milliseconds(290) - (world->now() - Instant{}));
    Fault slow;
    slow.kind = Fault::Kind::kPauseAgent;
    slow.node = 1;
    slow.which = kResourceAgent;
    slow.length = milliseconds(45);
    world->apply(slow);
    const std::uint64_t before = world->counts()[Count::setup];
    REQUIRE(world->run_until([&] { return world->counts()[Count::setup] > before; }, milliseconds(20)));
    world->run_for(milliseconds(1));
    subscriber.close();
    REQUIRE(world->run_until([&] { return subscriber.is_open(); }, milliseconds(5)));
    CHECK(world->run_until([&] { return Stage::is_ready(*world); }, milliseconds(100)));
    CHECK(world->node(1).driver().conductor().image_count() == 1);
    CHECK(world->app(publishing).publishers()[0].offer(1000));
    require_all_delivered(*world, milliseconds(50));
    require_clean_end(*world);
}
