#include "transport/producer_watch.h"

#include <doctest/doctest.h>

using namespace fulmar;
using transport::ProducerWatch;

namespace {
constexpr Duration kPatience = seconds(15);
}

TEST_CASE("producer_watch: a claim is overdue once the consumer has stood before it for as long") {
    ProducerWatch watch;
    const Instant start{1'000};
    CHECK_FALSE(watch.is_blocked(start, 64, 160, kPatience));
    CHECK_FALSE(watch.is_blocked(start + seconds(14), 64, 1000, kPatience));
    CHECK(watch.is_blocked(start + kPatience, 64, 2000, kPatience));
    CHECK(watch.overdue_until() == 160);
    // What was claimed meanwhile gets the same time.
    CHECK_FALSE(watch.is_blocked(start + kPatience * 2 - nanoseconds(1), 64, 3000, kPatience));
    CHECK(watch.is_blocked(start + kPatience * 2, 64, 3000, kPatience));
    CHECK(watch.overdue_until() == 2000);
}

TEST_CASE("producer_watch: time does not run while nothing is claimed, and anew when the consumer moves") {
    ProducerWatch watch;
    const Instant start{1'000};
    CHECK_FALSE(watch.is_blocked(start, 64, 64, kPatience));
    CHECK_FALSE(watch.is_blocked(start + seconds(14), 64, 160, kPatience));
    CHECK_FALSE(watch.is_blocked(start + seconds(28), 64, 160, kPatience));
    CHECK_FALSE(watch.is_blocked(start + seconds(30), 96, 160, kPatience));
    CHECK_FALSE(watch.is_blocked(start + seconds(44), 96, 160, kPatience));
    watch.reset();
    CHECK_FALSE(watch.is_blocked(start + seconds(60), 96, 160, kPatience));
    CHECK(watch.is_blocked(start + seconds(75), 96, 160, kPatience));
}
