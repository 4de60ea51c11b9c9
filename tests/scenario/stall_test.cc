// A driver's process that does not run for a while (SIGSTOP, a paused machine) must not take the silence it
// slept through for that of others.
#include "tests/scenario/scenario.h"

using namespace fulmar;
using namespace fulmar::scenario;

namespace {

/// Everybody else is patient: only the stalled driver's own deadlines are at stake.
void be_patient(agent::DriverOptions& driver) {
    driver.client_liveness_timeout = seconds(10);
    driver.image_liveness_timeout = milliseconds(400);
    driver.publication_connection_timeout = seconds(10);
    driver.driver_timeout = seconds(10);
}

/// The driver at node 0 stands still for longer than its connection time-out of 60 ms, while the clients of
/// its node run on. Status messages that wait for it would tell it at once who is there: they got lost, and
/// so do the first ones after it.
void stall_deaf_sender(World& world) {
    constexpr Duration kStall = milliseconds(200);
    world.pause_driver(0, kStall);
    world.net().cut(1, 0, world.now() + kStall + milliseconds(10));
}

}  // namespace

TEST_CASE("scenario: a stalled sender still knows its receivers when it runs again") {
    Stage stage(2);
    be_patient(stage.driver(1));
    stage.plan().timeouts.driver = seconds(10);
    const Topic& topic = stage.udp_topic(1);
    const std::size_t publisher = stage.app(0);
    const std::size_t subscriber = stage.app(1);
    stage.publishes(publisher, topic);
    stage.subscribes(subscriber, topic);
    auto world = stage.begin();

    stall_deaf_sender(*world);
    Publisher& offering = world->app(publisher).publishers()[0];
    bool was_connected = true;
    const bool ended = world->run_until(
        [&] {
            was_connected = was_connected && offering.is_connected();
            return world->now() >= Instant{} + milliseconds(400);
        },
        seconds(1));
    REQUIRE(ended);
    CHECK(was_connected);
    CHECK(offering.offer(500));
    require_all_delivered(*world, milliseconds(50));
    require_clean_end(*world);
}

TEST_CASE(
    "scenario: what was offered before a stall is sent after it, also when its publication has closed") {
    Stage stage(2);
    be_patient(stage.driver(1));
    stage.plan().timeouts.driver = seconds(10);
    const Topic& topic = stage.udp_topic(1, "|rcv-wnd=8k");  // far less than is offered
    const std::size_t publisher = stage.app(0);
    const std::size_t subscriber = stage.app(1);
    stage.publishes(publisher, topic);
    stage.subscribes(subscriber, topic);
    auto world = stage.begin();

    stall_deaf_sender(*world);
    Publisher& offering = world->app(publisher).publishers()[0];
    while (offering.offer(1000)) {
    }
    offering.close();
    require_all_delivered(*world, milliseconds(400));
    require_clean_end(*world);
}

TEST_CASE("scenario: a stalled receiver gives each of its many images the time to be heard again") {
    // More streams than one burst of the port holds packets: some wait in the queue while others are read.
    constexpr int kStreams = 150;
    Stage stage(2);
    be_patient(stage.driver(0));
    stage.plan().timeouts.driver = seconds(10);
    const Topic& topic = stage.udp_topic(1);
    const std::size_t publisher = stage.app(0);
    const std::size_t subscriber = stage.app(1);
    for (int i = 0; i < kStreams; ++i) {
        stage.publishes(publisher, topic, true);
    }
    stage.subscribes(subscriber, topic);
    auto world = stage.begin();
    REQUIRE(world->counts()[Count::image_created] == kStreams);

    // Longer than the image liveness time-out of 100 ms.
    world->pause_driver(1, milliseconds(300));
    world->run_for(milliseconds(500));
    CHECK(world->counts()[Count::image_ended] == 0);
    CHECK_MESSAGE(!world->verdict().failed(), world->verdict().what());
    require_clean_end(*world);
}

TEST_CASE("scenario: a machine that is paused in the middle of a write does not lose the message") {
    for (const bool is_ipc : {false, true}) {
        CAPTURE(is_ipc);
        Stage stage(2);
        be_patient(stage.driver(1));
        stage.plan().timeouts.driver = seconds(10);
        // The application holds its claim for a few milliseconds of its own time, far below the 80 ms.
        stage.plan().timeouts.unblock = seconds(1);
        const Topic& topic = is_ipc ? stage.ipc_topic(0) : stage.udp_topic(1);
        const std::size_t publishing = stage.app(0);
        const std::size_t reading = stage.app(topic.node);
        stage.publishes(publishing, topic);
        stage.subscribes(reading, topic);
        auto world = stage.begin();
        Publisher& publisher = world->app(publishing).publishers()[0];
        REQUIRE(publisher.claim(100, milliseconds(106)));
        REQUIRE(publisher.offer(100));
        world->run_for(milliseconds(3));
        world->pause_node(0, milliseconds(100));
        require_all_delivered(*world, milliseconds(150));
        require_clean_end(*world);
    }
}
