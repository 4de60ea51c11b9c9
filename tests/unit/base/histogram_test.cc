#include "base/histogram.h"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"

using fulmar::base::Histogram;

TEST_CASE("histogram: percentiles agree with a sorted list to three digits") {
    fulmar::base::Prng prng(3);
    Histogram histogram;
    std::vector<std::int64_t> values;
    for (int i = 0; i < 20'000; ++i) {
        const auto value = static_cast<std::int64_t>(prng.below(std::uint64_t{1} << prng.between(1, 36)));
        values.push_back(value);
        histogram.record(value);
    }
    std::sort(values.begin(), values.end());
    for (const double percentile : {50.0, 90.0, 99.0, 99.9, 99.99}) {
        const auto index = static_cast<std::size_t>(percentile / 100.0 * 20'000.0) - 1;
        const auto exact = values[index];
        const auto got = histogram.value_at_percentile(percentile);
        CHECK(got >= exact);
        CHECK(static_cast<double>(got - exact) <= 0.001 * static_cast<double>(exact) + 1);
    }
    CHECK(histogram.min() == values.front());
    CHECK(histogram.max() == values.back());
}

TEST_CASE("histogram: small values are exact, values out of range count as the nearest end") {
    Histogram histogram;
    histogram.record(-5);
    histogram.record(0);
    histogram.record(2047);
    histogram.record(Histogram::kHighestTrackable * 2);
    CHECK(histogram.total() == 4);
    CHECK(histogram.value_at_percentile(50) == 0);
    CHECK(histogram.value_at_percentile(75) == 2047);
    CHECK(histogram.max() == Histogram::kHighestTrackable);
}

TEST_CASE("histogram: empty answers zero") {
    const Histogram histogram;
    CHECK(histogram.value_at_percentile(99) == 0);
    CHECK(histogram.min() == 0);
    CHECK(histogram.used_length() == 0);
}

TEST_CASE("histogram: the first bucket's bounds are continuous across buckets") {
    std::int64_t last = -1;
    for (std::size_t i = 0; i < 20'000; ++i) {
        const auto high = Histogram::highest_equivalent(i);
        REQUIRE(high > last);
        last = high;
    }
}
