// Clients that die in the middle of a write, and what that must not cost the others.
#include "tests/scenario/scenario.h"

using namespace fulmar;
using namespace fulmar::scenario;

namespace {

struct Writers {
    std::size_t dying;
    std::size_t living;
    std::size_t reading;
};

/// Two clients share a publication, a third reads it.
Writers two_writers(Stage& stage, const Topic& topic, int writers_node) {
    Writers writers{stage.app(writers_node), stage.app(writers_node), stage.app(topic.node)};
    stage.publishes(writers.dying, topic);
    stage.publishes(writers.living, topic);
    stage.subscribes(writers.reading, topic);
    return writers;
}

constexpr term::KillPoint kPoints[] = {
    term::KillPoint::kAfterTail, term::KillPoint::kAfterNegativeLength, term::KillPoint::kBeforeCommit};

}  // namespace

TEST_CASE("scenario: what is written behind a dead claim is delivered once the claim is given up") {
    for (const bool is_ipc : {false, true}) {
        for (const term::KillPoint point : kPoints) {
            CAPTURE(is_ipc);
            CAPTURE(static_cast<int>(point));
            Stage stage(2);
            const Topic& topic = is_ipc ? stage.ipc_topic(0) : stage.udp_topic(1);
            const Writers writers = two_writers(stage, topic, 0);
            auto world = stage.begin();
            Publisher& living = world->app(writers.living).publishers()[0];
            REQUIRE(living.offer(100));
            REQUIRE(world->app(writers.dying).publishers()[0].die_at(point));
            world->app(writers.dying).die(seconds(10));
            for (int i = 0; i < 10; ++i) {
                REQUIRE(living.offer(3000));
            }
            require_all_delivered(*world, milliseconds(300));
            require_clean_end(*world);
        }
    }
}

TEST_CASE("scenario: a long message that died behind a narrow publication window does not stop the others") {
    for (const bool is_ipc : {false, true}) {
        for (const term::KillPoint point : kPoints) {
            CAPTURE(is_ipc);
            CAPTURE(static_cast<int>(point));
            Stage stage(2);
            const Topic& topic =
                is_ipc ? stage.ipc_topic(0, "?pub-wnd=2k") : stage.udp_topic(1, "|pub-wnd=2k");
            const Writers writers = two_writers(stage, topic, 0);
            auto world = stage.begin();
            // Its four fragments reach so far beyond the window that nobody can write behind them.
            REQUIRE(world->app(writers.dying).publishers()[0].die_at(point, 5000));
            world->app(writers.dying).die(seconds(10));
            Publisher& living = world->app(writers.living).publishers()[0];
            CHECK_FALSE(living.has_room());
            CHECK(world->run_until([&] { return living.has_room(); }, milliseconds(300)));
            CHECK(living.offer(100));
            require_all_delivered(*world, milliseconds(50));
            require_clean_end(*world);
        }
    }
}

TEST_CASE("scenario: a publication whose last client died in mid-write ends, with nothing behind the claim") {
    for (const bool is_ipc : {false, true}) {
        for (const term::KillPoint point : kPoints) {
            CAPTURE(is_ipc);
            CAPTURE(static_cast<int>(point));
            Stage stage(2);
            const Topic& topic = is_ipc ? stage.ipc_topic(0) : stage.udp_topic(1);
            const std::size_t dying = stage.app(0);
            const std::size_t reading = stage.app(topic.node);
            stage.publishes(dying, topic);
            stage.subscribes(reading, topic);
            auto world = stage.begin();
            Publisher& publisher = world->app(dying).publishers()[0];
            REQUIRE(publisher.offer(100));
            REQUIRE(publisher.die_at(point));
            world->app(dying).die(seconds(10));
            Subscriber& subscriber = world->app(reading).subscribers()[0];
            const bool ended = world->run_until([&] { return subscriber.image_count() == 0; }, seconds(1));
            CHECK(ended);
            CHECK(subscriber.ended_by_eos() == 1);
            require_clean_end(*world);
        }
    }
}

TEST_CASE("scenario: an exclusive publication whose owner died with a claim open ends") {
    for (const bool is_ipc : {false, true}) {
        CAPTURE(is_ipc);
        Stage stage(2);
        const Topic& topic = is_ipc ? stage.ipc_topic(0) : stage.udp_topic(1);
        const std::size_t dying = stage.app(0);
        const std::size_t reading = stage.app(topic.node);
        stage.publishes(dying, topic, true);
        stage.subscribes(reading, topic);
        auto world = stage.begin();
        REQUIRE(world->app(dying).publishers()[0].offer(100));
        REQUIRE(world->app(dying).publishers()[0].die_holding_claim());
        world->app(dying).die(seconds(10));
        Subscriber& subscriber = world->app(reading).subscribers()[0];
        CHECK(world->run_until([&] { return subscriber.image_count() == 0; }, seconds(1)));
        CHECK(subscriber.ended_by_eos() == 1);
        require_clean_end(*world);
    }
}
