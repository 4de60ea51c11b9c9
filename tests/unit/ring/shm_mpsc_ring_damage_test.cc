// Dead producers and scribbled memory.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"
#include "shm_fixture.h"

using fulmar::base::load_le;
using fulmar::ring::ShmMpscRing;
using fulmar::ring::ShmWriteResult;
using fulmar::test::drain;
using fulmar::test::RingMemory;

namespace {

constexpr std::size_t kCapacity = 256;
constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
constexpr auto kMin = std::numeric_limits<std::int64_t>::min();

/// What a producer leaves that died right after its exchange on the tail.
void die_after_tail(RingMemory& memory, std::int64_t taken) {
    memory.put_tail(memory.trailer(fulmar::ring::shm_ring_field::kTail) + taken);
}

}  // namespace

TEST_CASE("shm_mpsc_ring: nothing claimed, or a committed record, is not unblocked") {
    RingMemory memory(kCapacity);
    auto ring = memory.ring();
    CHECK_FALSE(ring.unblock());
    REQUIRE(ring.try_write(1, {}) == ShmWriteResult::kWritten);
    CHECK_FALSE(ring.unblock());
    CHECK(drain(ring).size() == 1);
    CHECK_FALSE(ring.unblock());
    CHECK(ring.corruptions() == 0);
}

TEST_CASE("shm_mpsc_ring: a producer that died after the negative length is unblocked") {
    RingMemory memory(kCapacity);
    auto ring = memory.ring();
    REQUIRE(ring.try_claim(1, 13).valid());
    REQUIRE(ring.try_write(2, {}) == ShmWriteResult::kWritten);
    CHECK(drain(ring).empty());
    CHECK(ring.unblock());
    const auto messages = drain(ring);
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].first == 2);
    CHECK(ring.consumer_position() == ring.producer_position());
    CHECK_FALSE(ring.unblock());
    CHECK(ring.corruptions() == 0);
}

TEST_CASE("shm_mpsc_ring: a producer that died before the negative length is unblocked up to the next one") {
    RingMemory memory(kCapacity);
    auto ring = memory.ring();
    die_after_tail(memory, 48);
    CHECK_FALSE(ring.unblock());  // nobody waits behind it, and it may be alive
    REQUIRE(ring.try_write(2, {}) == ShmWriteResult::kWritten);
    CHECK(ring.unblock());
    const auto messages = drain(ring);
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].first == 2);
}

TEST_CASE("shm_mpsc_ring: two dead producers in a row are unblocked one by one") {
    RingMemory memory(kCapacity);
    auto ring = memory.ring();
    die_after_tail(memory, 24);
    REQUIRE(ring.try_claim(1, 0).valid());
    REQUIRE(ring.try_write(2, {}) == ShmWriteResult::kWritten);
    CHECK(ring.unblock());
    CHECK(drain(ring).empty());
    CHECK(ring.unblock());
    CHECK(drain(ring).size() == 1);
}

TEST_CASE("shm_mpsc_ring: a hole up to the end of the buffer is unblocked when records wait at the begin") {
    RingMemory memory(kCapacity);
    auto ring = memory.ring();
    const std::vector<std::byte> body(32);
    for (int i = 0; i < 6; ++i) {
        REQUIRE(ring.try_write(1, body) == ShmWriteResult::kWritten);
    }
    REQUIRE(drain(ring).size() == 6);
    die_after_tail(memory, 16);  // claimed the last 16 bytes
    CHECK_FALSE(ring.unblock());
    REQUIRE(ring.try_write(2, body) == ShmWriteResult::kWritten);
    CHECK(ring.unblock());
    CHECK(drain(ring).empty());  // the padding
    CHECK(drain(ring).size() == 1);
}

TEST_CASE("shm_mpsc_ring: a hole that goes round the end is unblocked in two steps") {
    RingMemory memory(kCapacity);
    auto ring = memory.ring();
    const std::vector<std::byte> body(32);
    for (int i = 0; i < 6; ++i) {
        REQUIRE(ring.try_write(1, body) == ShmWriteResult::kWritten);
    }
    REQUIRE(drain(ring).size() == 6);
    die_after_tail(memory, 16 + 40);  // padding and record, neither written
    REQUIRE(ring.try_write(2, body) == ShmWriteResult::kWritten);
    CHECK(ring.unblock());
    CHECK(drain(ring).empty());
    CHECK(ring.unblock());
    CHECK(drain(ring).size() == 1);
    CHECK(ring.consumer_position() == ring.producer_position());
}

TEST_CASE("shm_mpsc_ring: each impossible length is counted, skipped, and traffic goes on") {
    for (const std::int32_t length : {1, 7, 257, 300, std::numeric_limits<std::int32_t>::max()}) {
        CAPTURE(length);
        RingMemory memory(kCapacity);
        auto ring = memory.ring();
        REQUIRE(ring.try_write(1, {}) == ShmWriteResult::kWritten);
        memory.put_record(8, length, 2);
        memory.put_tail(48);
        CHECK(drain(ring).size() == 1);
        CHECK(ring.corruptions() == 1);
        CHECK(ring.consumer_position() == 48);
        REQUIRE(ring.try_write(3, {}) == ShmWriteResult::kWritten);
        const auto messages = drain(ring);
        REQUIRE(messages.size() == 1);
        CHECK(messages[0].first == 3);
        CHECK(memory.guards_hold());
    }
}

TEST_CASE("shm_mpsc_ring: a record that reaches beyond what was claimed is not believed") {
    RingMemory memory(1024);
    auto ring = memory.ring();
    memory.put_record(0, 64, 2);
    memory.put_tail(32);
    CHECK(drain(ring).empty());
    CHECK(ring.corruptions() == 1);
    CHECK(ring.consumer_position() == 32);
    REQUIRE(ring.try_write(3, {}) == ShmWriteResult::kWritten);
    CHECK(drain(ring).size() == 1);
}

TEST_CASE("shm_mpsc_ring: a message above an eighth and a type that cannot be are not delivered") {
    RingMemory memory(kCapacity);
    auto ring = memory.ring();
    memory.put_record(0, 16, 0);
    memory.put_record(16, 16, -2);
    memory.put_record(32, 16, 5);
    memory.put_record(48, 64, 6);
    memory.put_tail(112);
    const auto messages = drain(ring);
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].first == 5);
    CHECK(ring.corruptions() == 3);
    CHECK(ring.consumer_position() == 112);
}

TEST_CASE("shm_mpsc_ring: an impossible negative length is unblocked by skipping") {
    for (const std::int32_t length : {-1, -7, -300, std::numeric_limits<std::int32_t>::min()}) {
        CAPTURE(length);
        RingMemory memory(kCapacity);
        auto ring = memory.ring();
        memory.put_record(0, length, 1);
        memory.put_tail(32);
        CHECK(drain(ring).empty());
        CHECK(ring.unblock());
        CHECK(ring.corruptions() == 1);
        REQUIRE(ring.try_write(3, {}) == ShmWriteResult::kWritten);
        CHECK(drain(ring).size() == 1);
        CHECK(memory.guards_hold());
    }
}

TEST_CASE("shm_mpsc_ring: a scribbled tail is put right by unblock") {
    for (const std::int64_t tail : {std::int64_t{-8}, std::int64_t{3}, std::int64_t{4096}, kMax, kMin}) {
        CAPTURE(tail);
        RingMemory memory(kCapacity);
        auto ring = memory.ring();
        memory.put_tail(tail);
        CHECK(ring.try_write(1, {}) != ShmWriteResult::kWritten);
        CHECK(ring.unblock());
        CHECK(ring.corruptions() == 1);
        REQUIRE(ring.try_write(1, {}) == ShmWriteResult::kWritten);
        CHECK(drain(ring).size() == 1);
        CHECK(memory.guards_hold());
    }
}

TEST_CASE("shm_mpsc_ring: a scribbled head is put right by the next read") {
    for (const std::int64_t head : {std::int64_t{-1}, std::int64_t{9}, std::int64_t{1} << 40, kMax, kMin}) {
        CAPTURE(head);
        RingMemory memory(kCapacity);
        auto ring = memory.ring();
        REQUIRE(ring.try_write(1, {}) == ShmWriteResult::kWritten);
        memory.put_head(head);
        CHECK(drain(ring).size() == 1);
        CHECK(ring.corruptions() == 1);
        CHECK(ring.consumer_position() == 8);
    }
}

TEST_CASE("shm_mpsc_ring: random scribbles anywhere never leave the span, and unblock restores service") {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        CAPTURE(seed);
        fulmar::base::Prng prng(seed);
        RingMemory memory(kCapacity);
        auto ring = memory.ring();
        const std::vector<std::byte> body(24, std::byte{0xFF});
        for (int step = 0; step < 200; ++step) {
            switch (prng.below(4)) {
                case 0: ring.try_write(1, body); break;
                case 1: drain(ring, prng.below(5)); break;
                case 2: static_cast<void>(ring.try_claim(1, prng.below(33))); break;
                default: {
                    const std::size_t word = prng.below(memory.span().size() / 8);
                    const std::uint64_t value = prng.chance(0.5) ? prng.next() : prng.below(600);
                    fulmar::base::store_le(memory.data(), word * 8, value);
                }
            }
        }
        bool alive = false;
        for (int round = 0; round < 100 && !alive; ++round) {
            ring.unblock();
            const bool written = ring.try_write(77, {}) == ShmWriteResult::kWritten;
            for (int i = 0; i < 3; ++i) {
                for (const auto& message : drain(ring)) {
                    alive = alive || (written && message.first == 77);
                }
            }
        }
        CHECK(alive);
        CHECK(memory.guards_hold());
    }
}
