#include <array>
#include <cstdint>
#include <vector>

#include <doctest/doctest.h>

#include "ring/mpsc_pointer_ring.h"
#include "ring/spsc_pointer_ring.h"

using fulmar::ring::MpscPointerRing;
using fulmar::ring::SpscPointerRing;

namespace {
struct Command {
    std::uint32_t kind;
    void* argument;
};
}  // namespace

TEST_CASE_TEMPLATE("pointer ring: empty, one, full, full + 1, in order, over many laps", Ring,
    SpscPointerRing<std::uint64_t>, MpscPointerRing<std::uint64_t>) {
    Ring ring(4);
    std::uint64_t out = 0;
    CHECK_FALSE(ring.try_pop(out));
    std::uint64_t pushed = 0;
    std::uint64_t popped = 0;
    for (int lap = 0; lap < 10; ++lap) {
        for (std::size_t fill = 0; fill < ring.capacity(); ++fill) {
            CHECK(ring.try_push(pushed++));
        }
        CHECK_FALSE(ring.try_push(999));
        CHECK(ring.try_pop(out));
        CHECK(out == popped++);
        CHECK(ring.try_push(pushed++));
        CHECK_FALSE(ring.try_push(999));
        while (ring.try_pop(out)) {
            CHECK(out == popped++);
        }
        CHECK(popped == pushed);
    }
}

TEST_CASE_TEMPLATE("pointer ring: a burst pushes the prefix that fits, across the wrap", Ring,
    SpscPointerRing<int>, MpscPointerRing<int>) {
    Ring ring(8);
    const std::array<int, 6> six{1, 2, 3, 4, 5, 6};
    std::array<int, 16> out{};
    CHECK(ring.push_burst(six) == 6);
    CHECK(ring.pop_burst({out.data(), 5}) == 5);
    CHECK(ring.push_burst(six) == 6);
    CHECK(ring.push_burst(six) == 1);
    CHECK(ring.push_burst(six) == 0);
    CHECK(ring.pop_burst(out) == 8);
    CHECK(out[0] == 6);
    CHECK(out[1] == 1);
    CHECK(out[6] == 6);
    CHECK(out[7] == 1);
    CHECK(ring.pop_burst(out) == 0);
}

TEST_CASE_TEMPLATE(
    "pointer ring: carries structs", Ring, SpscPointerRing<Command>, MpscPointerRing<Command>) {
    Ring ring(2);
    int target = 0;
    CHECK(ring.try_push({7, &target}));
    Command out{};
    CHECK(ring.try_pop(out));
    CHECK(out.kind == 7);
    CHECK(out.argument == &target);
}

TEST_CASE("spsc_pointer_ring: a capacity of one holds one") {
    SpscPointerRing<int> ring(1);
    int out = 0;
    CHECK(ring.try_push(1));
    CHECK_FALSE(ring.try_push(2));
    CHECK(ring.try_pop(out));
    CHECK(out == 1);
    CHECK_FALSE(ring.try_pop(out));
}

TEST_CASE("spsc_pointer_ring: the size follows pushes and pops") {
    SpscPointerRing<int> ring(4);
    int out = 0;
    CHECK(ring.size_approx() == 0);
    CHECK(ring.try_push(1));
    CHECK(ring.try_push(2));
    CHECK(ring.size_approx() == 2);
    CHECK(ring.try_pop(out));
    CHECK(ring.size_approx() == 1);
}
