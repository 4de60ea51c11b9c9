#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "base/bytes.h"
#include "shm_fixture.h"

using fulmar::base::load_le;
using fulmar::ring::ShmMpscRing;
using fulmar::ring::ShmWriteResult;
using fulmar::test::bytes;
using fulmar::test::drain;
using fulmar::test::RingMemory;

TEST_CASE("shm_mpsc_ring: lengths that are not a power of two plus 768 and odd addresses are refused") {
    std::vector<std::uint64_t> memory(1024);
    auto* at = reinterpret_cast<std::byte*>(memory.data());
    CHECK(ShmMpscRing::attach({at, 1024 + 768}).has_value());
    CHECK(ShmMpscRing::attach({at, 64 + 768}).has_value());
    CHECK_FALSE(ShmMpscRing::attach({at, 1024 + 760}).has_value());
    CHECK_FALSE(ShmMpscRing::attach({at, 32 + 768}).has_value());
    CHECK_FALSE(ShmMpscRing::attach({at, 768}).has_value());
    CHECK_FALSE(ShmMpscRing::attach({at, 0}).has_value());
    CHECK_FALSE(ShmMpscRing::attach({at + 4, 1024 + 768}).has_value());
}

TEST_CASE("shm_mpsc_ring: record and trailer bytes are where the format says") {
    RingMemory memory(1024);
    auto ring = memory.ring();
    REQUIRE(ring.try_write(0x0A, bytes({1, 2, 3, 4, 5})) == ShmWriteResult::kWritten);
    REQUIRE(ring.try_write(0x0B, bytes({6})) == ShmWriteResult::kWritten);
    const std::byte* at = memory.data();
    CHECK(load_le<std::int32_t>(at, 0) == 13);  // header and body, without padding
    CHECK(load_le<std::int32_t>(at, 4) == 0x0A);
    CHECK(load_le<std::uint8_t>(at, 12) == 5);
    CHECK(load_le<std::int32_t>(at, 16) == 9);
    CHECK(load_le<std::int32_t>(at, 20) == 0x0B);
    CHECK(load_le<std::int64_t>(at, 1024 + 128) == 32);  // tail
    CHECK(load_le<std::int64_t>(at, 1024 + 384) == 0);   // head
    CHECK(drain(ring).size() == 2);
    CHECK(load_le<std::int64_t>(at, 1024 + 384) == 32);
    for (std::size_t i = 0; i < 1024; ++i) {
        REQUIRE(at[i] == std::byte{0});  // consumed bytes are zeroed
    }
    CHECK(ring.next_correlation_id() == 0);
    CHECK(ring.next_correlation_id() == 1);
    CHECK(load_le<std::int64_t>(at, 1024 + 512) == 2);
    ring.set_consumer_heartbeat_ms(77);
    CHECK(ring.consumer_heartbeat_ms() == 77);
    CHECK(load_le<std::int64_t>(at, 1024 + 640) == 77);
}

TEST_CASE("shm_mpsc_ring: what a peer wrote by hand is read") {
    RingMemory memory(1024);
    auto ring = memory.ring();
    memory.put_record(0, 20, 7);
    memory.put_tail(24);
    const auto messages = drain(ring);
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].first == 7);
    CHECK(messages[0].second.size() == 12);
}

TEST_CASE("shm_mpsc_ring: invalid types and lengths above an eighth are refused") {
    RingMemory memory(1024);
    auto ring = memory.ring();
    CHECK(ring.message_length_max() == 128);
    CHECK(ring.try_write(1, std::vector<std::byte>(128)) == ShmWriteResult::kWritten);
    CHECK(ring.try_write(1, std::vector<std::byte>(129)) == ShmWriteResult::kInvalid);
    CHECK(ring.try_write(0, {}) == ShmWriteResult::kInvalid);
    CHECK(ring.try_write(-1, {}) == ShmWriteResult::kInvalid);
}

TEST_CASE("shm_mpsc_ring: full uses the whole capacity, refuses one more, then goes on") {
    RingMemory memory(256);
    auto ring = memory.ring();
    for (int lap = 0; lap < 3; ++lap) {
        for (int i = 0; i < 16; ++i) {
            REQUIRE(ring.try_write(1, bytes({0, 0, 0, 0, 0, 0, 0, 1})) == ShmWriteResult::kWritten);
        }
        CHECK(ring.try_write(1, {}) == ShmWriteResult::kFull);
        CHECK(drain(ring).size() == 16);
    }
}

TEST_CASE("shm_mpsc_ring: a record that does not fit before the end is preceded by padding") {
    RingMemory memory(256);
    auto ring = memory.ring();
    const std::vector<std::byte> body(32, std::byte{0x33});  // 40 bytes each
    for (std::int32_t i = 1; i <= 6; ++i) {
        REQUIRE(ring.try_write(i, body) == ShmWriteResult::kWritten);  // 16 left at the end
    }
    CHECK(ring.try_write(7, body) == ShmWriteResult::kFull);
    CHECK(drain(ring, 1).size() == 1);
    REQUIRE(ring.try_write(7, body) == ShmWriteResult::kWritten);
    CHECK(load_le<std::int32_t>(memory.data(), 240) == 16);
    CHECK(load_le<std::int32_t>(memory.data(), 244) == -1);
    CHECK(ring.try_write(8, {}) == ShmWriteResult::kFull);
    CHECK(drain(ring).size() == 5);  // up to the end of the buffer
    const auto messages = drain(ring);
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].first == 7);
    CHECK(messages[0].second == body);
    CHECK(ring.consumer_position() == ring.producer_position());
}

TEST_CASE("shm_mpsc_ring: claims are seen when committed, passed over when aborted") {
    RingMemory memory(256);
    auto ring = memory.ring();
    const auto first = ring.try_claim(1, 5);
    const auto second = ring.try_claim(2, 5);
    const auto third = ring.try_claim(3, 0);
    REQUIRE(first.valid());
    REQUIRE(second.valid());
    REQUIRE(third.valid());
    CHECK(third.body().empty());
    CHECK(load_le<std::int32_t>(memory.data(), 0) == -13);
    std::memset(second.body().data(), 2, second.body().size());
    ShmMpscRing::commit(second);
    ShmMpscRing::commit(third);
    CHECK(drain(ring).empty());
    ShmMpscRing::abort(first);
    const auto messages = drain(ring);
    REQUIRE(messages.size() == 2);
    CHECK(messages[0].first == 2);
    CHECK(messages[0].second == std::vector<std::byte>(5, std::byte{2}));
    CHECK(messages[1].first == 3);
}

TEST_CASE("shm_mpsc_ring: a consumer that takes over goes on where the last one stopped") {
    RingMemory memory(256);
    auto ring = memory.ring();
    REQUIRE(ring.try_write(1, {}) == ShmWriteResult::kWritten);
    REQUIRE(ring.try_write(2, {}) == ShmWriteResult::kWritten);
    CHECK(drain(ring, 1).size() == 1);
    auto successor = memory.ring();
    const auto messages = drain(successor);
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].first == 2);
}
