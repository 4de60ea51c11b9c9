// Losing touch and finding it again.
#include "tests/scenario/scenario.h"

using namespace fulmar;
using namespace fulmar::scenario;

TEST_CASE("scenario: a session cut off for longer than every time-out comes back where it stands") {
    Stage stage(2);
    const Topic& topic = stage.udp_topic(1);
    const std::size_t publishing = stage.app(0);
    const std::size_t reading = stage.app(1);
    stage.publishes(publishing, topic);
    stage.subscribes(reading, topic);
    auto world = stage.begin();
    Publisher& publisher = world->app(publishing).publishers()[0];
    REQUIRE(publisher.offer(1000));
    require_all_delivered(*world, milliseconds(50));

    Fault cut;
    cut.kind = Fault::Kind::kCut;
    cut.length = milliseconds(300);
    cut.node = 0;
    cut.other = 1;
    world->apply(cut);
    std::swap(cut.node, cut.other);
    world->apply(cut);
    world->run_for(milliseconds(250));
    CHECK_FALSE(publisher.is_connected());
    CHECK_FALSE(publisher.offer(100));

    CHECK(world->run_until([&] { return publisher.has_room(); }, milliseconds(1500)));
    CHECK(world->counts()[Count::image_rejoined] == 1);
    REQUIRE(publisher.offer(1000));
    require_all_delivered(*world, milliseconds(50));
    require_clean_end(*world);
}

TEST_CASE("scenario: nobody is harmed by a flood of sessions that do not exist") {
    Stage stage(2);
    const Topic& topic = stage.udp_topic(1);
    const std::size_t publishing = stage.app(0);
    const std::size_t reading = stage.app(1);
    stage.publishes(publishing, topic, true);
    stage.subscribes(reading, topic);
    auto world = stage.begin();
    Publisher& publisher = world->app(publishing).publishers()[0];
    for (int i = 0; i < 10; ++i) {
        Fault flood;
        flood.kind = i % 2 == 0 ? Fault::Kind::kFlood : Fault::Kind::kGarbage;
        flood.node = 1;
        world->apply(flood);
        REQUIRE(publisher.offer(2000));
        world->run_for(milliseconds(2));
    }
    require_all_delivered(*world, milliseconds(100));
    require_clean_end(*world);
}

TEST_CASE("scenario: clients find the driver that came after the one that crashed") {
    Stage stage(2);
    const Topic& topic = stage.udp_topic(1);
    const std::size_t publishing = stage.app(0);
    const std::size_t reading = stage.app(1);
    stage.publishes(publishing, topic);
    stage.subscribes(reading, topic);
    auto world = stage.begin();
    for (const int node : {0, 1}) {
        Fault crash;
        crash.kind = Fault::Kind::kCrashDriver;
        crash.node = node;
        crash.length = milliseconds(20);
        world->apply(crash);
        world->run_for(milliseconds(300));
        CHECK(world->run_until([&] { return Stage::is_ready(*world); }, milliseconds(1500)));
        REQUIRE(world->app(publishing).publishers()[0].offer(5000));
        require_all_delivered(*world, milliseconds(50));
    }
    require_clean_end(*world);
}
