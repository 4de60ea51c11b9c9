#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"
#include "ring/mpsc_byte_ring.h"
#include "ring/spsc_byte_ring.h"

using fulmar::ring::MpscByteRing;
using fulmar::ring::SpscByteRing;

namespace {

using Message = std::pair<std::int32_t, std::vector<std::byte>>;

std::vector<std::byte> body_of(std::size_t length, std::uint64_t seed) {
    fulmar::base::Prng prng(seed);
    std::vector<std::byte> body(length);
    for (auto& byte : body) {
        byte = static_cast<std::byte>(prng.next());
    }
    return body;
}

template <class Ring>
std::vector<Message> drain(Ring& ring, std::size_t limit = 1000) {
    std::vector<Message> messages;
    const std::size_t count = ring.poll(
        [&](std::int32_t type, std::span<const std::byte> body) {
            messages.emplace_back(type, std::vector<std::byte>(body.begin(), body.end()));
        },
        limit);
    CHECK(count == messages.size());
    return messages;
}

}  // namespace

TEST_CASE_TEMPLATE("byte ring: empty delivers nothing", Ring, SpscByteRing, MpscByteRing) {
    Ring ring(64);
    CHECK(drain(ring).empty());
}

TEST_CASE_TEMPLATE(
    "byte ring: records of every length come out as they went in", Ring, SpscByteRing, MpscByteRing) {
    Ring ring(1024);
    for (std::size_t length = 0; length <= ring.body_length_max(); ++length) {
        const auto body = body_of(length, length);
        REQUIRE(ring.try_write(body, static_cast<std::int32_t>(length)));
        const auto messages = drain(ring);
        REQUIRE(messages.size() == 1);
        CHECK(messages[0].first == static_cast<std::int32_t>(length));
        CHECK(messages[0].second == body);
    }
}

TEST_CASE_TEMPLATE(
    "byte ring: full holds its whole capacity and refuses one more", Ring, SpscByteRing, MpscByteRing) {
    Ring ring(256);
    const auto body = body_of(8, 1);
    for (int lap = 0; lap < 3; ++lap) {
        for (int i = 0; i < 16; ++i) {
            CHECK(ring.try_write(body, i));
        }
        CHECK_FALSE(ring.try_write(body));
        CHECK_FALSE(ring.try_write({}));
        CHECK(drain(ring, 1).size() == 1);
        CHECK(ring.try_write(body, 16));
        CHECK_FALSE(ring.try_write(body));
        CHECK(drain(ring).size() == 16);
    }
}

TEST_CASE_TEMPLATE(
    "byte ring: padding fills the end and is never delivered", Ring, SpscByteRing, MpscByteRing) {
    Ring ring(256);
    REQUIRE(ring.try_write(body_of(56, 1), 1));
    REQUIRE(ring.try_write(body_of(56, 2), 2));
    REQUIRE(ring.try_write(body_of(56, 3), 3));
    REQUIRE(ring.try_write(body_of(48, 4), 4));  // 8 bytes are left at the end
    REQUIRE(drain(ring, 2).size() == 2);
    const auto wrapped = body_of(56, 5);
    REQUIRE(ring.try_write(wrapped, 5));  // padding of 8, then 64 at the begin
    CHECK(ring.try_write(body_of(56, 6), 6));
    CHECK_FALSE(ring.try_write({}, 7));
    const auto messages = drain(ring);
    REQUIRE(messages.size() == 4);
    CHECK(messages[2].first == 5);
    CHECK(messages[2].second == wrapped);
    CHECK(messages[3].first == 6);
}

TEST_CASE_TEMPLATE(
    "byte ring: no room for padding and record together is full", Ring, SpscByteRing, MpscByteRing) {
    Ring ring(256);
    for (int i = 0; i < 3; ++i) {
        REQUIRE(ring.try_write(body_of(56, 1), i));
    }
    REQUIRE(ring.try_write(body_of(24, 1), 3));  // 32 bytes are left at the end
    REQUIRE(drain(ring, 1).size() == 1);         // and 64 at the begin
    CHECK(ring.try_write(body_of(56, 2), 4));    // which padding and this record fill
    CHECK_FALSE(ring.try_write({}, 5));
    CHECK(drain(ring).size() == 4);
}

TEST_CASE_TEMPLATE("byte ring: random traffic equals a queue", Ring, SpscByteRing, MpscByteRing) {
    fulmar::base::Prng prng(42);
    Ring ring(512);
    std::deque<Message> expected;
    std::int32_t type = 0;
    for (int step = 0; step < 20000; ++step) {
        if (prng.chance(0.5)) {
            const auto body = body_of(prng.below(ring.body_length_max() + 1), prng.next());
            if (ring.try_write(body, type)) {
                expected.emplace_back(type++, body);
            } else {
                REQUIRE_FALSE(expected.empty());
            }
            continue;
        }
        for (const auto& message : drain(ring, prng.below(4))) {
            REQUIRE_FALSE(expected.empty());
            REQUIRE(message == expected.front());
            expected.pop_front();
        }
    }
    CHECK(type > 1000);
}

TEST_CASE("spsc_byte_ring: staged records appear together, when published") {
    SpscByteRing ring(256);
    REQUIRE(ring.try_stage(body_of(8, 1), 1));
    REQUIRE(ring.try_stage(body_of(8, 2), 2));
    CHECK(drain(ring).empty());
    CHECK(ring.size_bytes_approx() == 0);
    ring.publish();
    CHECK(ring.size_bytes_approx() == 32);
    CHECK(drain(ring).size() == 2);
}

TEST_CASE("spsc_byte_ring: an aborted or abandoned claim leaves nothing behind") {
    SpscByteRing ring(256);
    REQUIRE(ring.try_claim(40, 1) != nullptr);
    ring.abort();
    REQUIRE(ring.try_claim(16, 2) != nullptr);  // abandoned, as by a thread that died
    CHECK(drain(ring).empty());
    REQUIRE(ring.try_write(body_of(8, 3), 3));
    const auto messages = drain(ring);
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].first == 3);
}

TEST_CASE("spsc_byte_ring: an abandoned claim across the wrap does no harm") {
    SpscByteRing ring(256);
    for (int i = 0; i < 3; ++i) {
        REQUIRE(ring.try_write(body_of(56, 1), i));
    }
    REQUIRE(ring.try_write(body_of(48, 1), 3));
    REQUIRE(drain(ring).size() == 4);
    REQUIRE(ring.try_claim(56, 4) != nullptr);  // writes padding, then dies
    CHECK(drain(ring).empty());
    REQUIRE(ring.try_write({}, 5));  // fits before the end after all
    const auto messages = drain(ring);
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].first == 5);
}

TEST_CASE("spsc_byte_ring: claims are written in place, aligned to 8") {
    SpscByteRing ring(256);
    for (std::size_t length = 0; length < 20; ++length) {
        std::byte* at = ring.try_claim(length, 9);
        REQUIRE(at != nullptr);
        CHECK(reinterpret_cast<std::uintptr_t>(at) % 8 == 0);
        std::memset(at, 0x5a, length);
        ring.commit();
        const auto messages = drain(ring);
        REQUIRE(messages.size() == 1);
        CHECK(messages[0].second == std::vector<std::byte>(length, std::byte{0x5a}));
    }
}

TEST_CASE("spsc_byte_ring: space comes back while a long batch is being polled") {
    SpscByteRing ring(256);
    for (int i = 0; i < 16; ++i) {
        REQUIRE(ring.try_write(body_of(8, 1), i));
    }
    int written_meanwhile = 0;
    ring.poll([&](std::int32_t, std::span<const std::byte>) {
        written_meanwhile += ring.try_write(body_of(8, 2), 100) ? 1 : 0;
    });
    CHECK(written_meanwhile > 0);
}

TEST_CASE("mpsc_byte_ring: a record becomes visible by its own commit, in the order of claims") {
    MpscByteRing ring(256);
    const auto first = ring.try_claim(8, 1);
    const auto second = ring.try_claim(8, 2);
    REQUIRE(first.valid());
    REQUIRE(second.valid());
    ring.commit(second);
    CHECK(drain(ring).empty());
    ring.commit(first);
    const auto messages = drain(ring);
    REQUIRE(messages.size() == 2);
    CHECK(messages[0].first == 1);
    CHECK(messages[1].first == 2);
}

TEST_CASE("mpsc_byte_ring: an aborted claim is passed over") {
    MpscByteRing ring(256);
    const auto first = ring.try_claim(13, 1);
    REQUIRE(ring.try_write(body_of(8, 2), 2));
    ring.abort(first);
    const auto messages = drain(ring);
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].first == 2);
}

TEST_CASE("mpsc_byte_ring: a claim never committed blocks what is behind it, and the ring fills") {
    MpscByteRing ring(256);
    REQUIRE(ring.try_claim(8, 1).valid());
    int written = 0;
    while (ring.try_write(body_of(8, 2), 2)) {
        ++written;
    }
    CHECK(written == 15);
    CHECK(drain(ring).empty());
}

TEST_CASE("mpsc_byte_ring: body bytes of an old lap are never taken for a header") {
    MpscByteRing ring(256);
    const std::vector<std::byte> hostile(48, std::byte{0x10});
    for (int lap = 0; lap < 50; ++lap) {
        REQUIRE(ring.try_write(hostile, 1));
        REQUIRE(drain(ring).size() == 1);
        const auto claim = ring.try_claim(static_cast<std::size_t>(lap % 5) * 8, 2);
        REQUIRE(claim.valid());
        REQUIRE(drain(ring).empty());
        ring.abort(claim);
        REQUIRE(drain(ring).empty());
    }
}
