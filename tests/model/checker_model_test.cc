// The checker checked: it must see what the memory model allows, nothing it forbids, and find planted bugs.
#include <cstdint>
#include <memory>
#include <set>
#include <utility>

#include <doctest/doctest.h>

#include "model_test.h"
#include "planted_ring.h"
#include "scheduler.h"
#include "sim_atomic.h"

using namespace fulmar::model;

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;

using Pair = std::pair<int, int>;

struct Litmus {
    SimAtomic<int> x{0};
    SimAtomic<int> y{0};
    SimVar<int> data;
    int a = -1;
    int b = -1;
};

/// All (a, b) that the program can end with.
template <class First, class Second>
std::set<Pair> outcomes(First first, Second second) {
    std::set<Pair> seen;
    const auto outcome = explore({}, [&](Program& program) {
        auto state = std::make_shared<Litmus>();
        program.thread([state, first] { first(*state); });
        program.thread([state, second] { second(*state); });
        program.finally([state, &seen] { seen.emplace(state->a, state->b); });
    });
    CHECK(outcome.passed);
    CHECK(outcome.exhausted);
    return seen;
}

}  // namespace

TEST_CASE("checker: store buffering is seen with release and acquire") {
    const auto seen = outcomes(
        [](Litmus& s) {
            s.x.store(1, kRelease);
            s.a = s.y.load(kAcquire);
        },
        [](Litmus& s) {
            s.y.store(1, kRelease);
            s.b = s.x.load(kAcquire);
        });
    CHECK(seen == std::set<Pair>{{0, 0}, {0, 1}, {1, 0}, {1, 1}});
}

TEST_CASE("checker: message passing by release and acquire never shows the flag without the data") {
    const auto seen = outcomes(
        [](Litmus& s) {
            s.x.store(1, kRelaxed);
            s.y.store(1, kRelease);
        },
        [](Litmus& s) {
            s.a = s.y.load(kAcquire);
            s.b = s.x.load(kRelaxed);
        });
    CHECK(seen == std::set<Pair>{{0, 0}, {0, 1}, {1, 1}});
}

TEST_CASE("checker: relaxed message passing shows the flag without the data") {
    const auto seen = outcomes(
        [](Litmus& s) {
            s.x.store(1, kRelaxed);
            s.y.store(1, kRelaxed);
        },
        [](Litmus& s) {
            s.a = s.y.load(kAcquire);
            s.b = s.x.load(kRelaxed);
        });
    CHECK(seen.count({1, 0}) == 1);
}

TEST_CASE("checker: one thread never sees a location go back") {
    const auto seen = outcomes(
        [](Litmus& s) {
            s.x.store(1, kRelaxed);
            s.x.store(2, kRelaxed);
        },
        [](Litmus& s) {
            s.a = s.x.load(kRelaxed);
            s.b = s.x.load(kRelaxed);
        });
    CHECK(seen == std::set<Pair>{{0, 0}, {0, 1}, {0, 2}, {1, 1}, {1, 2}, {2, 2}});
}

TEST_CASE("checker: read-modify-writes lose no update") {
    const auto seen = outcomes([](Litmus& s) { s.a = s.x.fetch_add(1, kRelaxed); },
        [](Litmus& s) { s.b = s.x.fetch_add(1, kRelaxed); });
    CHECK(seen == std::set<Pair>{{0, 1}, {1, 0}});
}

TEST_CASE("checker: a read-modify-write carries on the release before it") {
    const auto outcome = explore({}, [](Program& program) {
        auto s = std::make_shared<Litmus>();
        program.thread([s] {
            s->data.set(1);
            s->x.store(1, kRelease);
        });
        program.thread([s] { s->x.fetch_add(10, kRelaxed); });
        program.thread([s] {
            if (s->x.load(kAcquire) == 11) {
                check(s->data.get() == 1, "data of the release");
            }
        });
    });
    expect_pass(outcome);
}

TEST_CASE("checker: plain data is a race without order and none with it") {
    const auto run = [](std::memory_order order) {
        return explore({}, [order](Program& program) {
            auto s = std::make_shared<Litmus>();
            program.thread([s, order] {
                s->data.set(1);
                s->y.store(1, order);
            });
            program.thread([s] {
                if (s->y.load(kAcquire) == 1) {
                    check(s->data.get() == 1, "stale data");
                }
            });
        });
    };
    expect_pass(run(kRelease), 2);  // so small that a few schedules are all
    const auto outcome = run(kRelaxed);
    CHECK_FALSE(outcome.passed);
    CHECK(outcome.failure.find("race") != std::string::npos);
    CHECK_FALSE(outcome.trace.empty());
}

TEST_CASE("checker: a loop that nobody ends is reported as a livelock") {
    const auto outcome = explore({}, [](Program& program) {
        auto s = std::make_shared<Litmus>();
        program.thread([s] {
            while (s->x.load(kAcquire) == 0) {
                relax();
            }
        });
    });
    CHECK_FALSE(outcome.passed);
    CHECK(outcome.failure.find("livelock") != std::string::npos);
}

TEST_CASE("checker: a mortal thread dies at each of its points") {
    std::set<int> seen;
    const auto outcome = explore({}, [&](Program& program) {
        auto s = std::make_shared<Litmus>();
        program.mortal_thread([s] {
            s->x.store(1, kRelaxed);
            s->x.store(2, kRelaxed);
        });
        program.finally([s, &seen] { seen.insert(s->x.load(kRelaxed)); });
    });
    expect_pass(outcome, 3);  // one death at each point
    CHECK(seen == std::set<int>{0, 1, 2});
}

TEST_CASE("checker: a random exploration finds a race too, and replays it") {
    Options options;
    options.seed = 7;
    options.executions_max = 10'000;
    const auto outcome = explore(options, [](Program& program) {
        auto s = std::make_shared<Litmus>();
        program.thread([s] { s->data.set(1); });
        program.thread([s] { s->data.set(2); });
    });
    CHECK_FALSE(outcome.passed);
    CHECK_FALSE(outcome.trace.empty());
}

TEST_CASE("checker: the small reference ring is right without a plant") {
    expect_pass(explore_planted(Plant::kNone));
}

TEST_CASE("checker: every planted ring bug is found") {
    for (const Plant plant : {Plant::kNoFullCheck, Plant::kFullCheckOffByOne, Plant::kNoEmptyCheck,
             Plant::kPublishBeforeData, Plant::kRelaxedPublish, Plant::kRelaxedSee, Plant::kRelaxedHandBack,
             Plant::kHandBackBeforeRead, Plant::kRelaxedSeeHead}) {
        CAPTURE(static_cast<int>(plant));
        CHECK_FALSE(explore_planted(plant).passed);
    }
}
