#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"
#include "shm_fixture.h"

using namespace fulmar::ring;
using fulmar::base::load_le;
using fulmar::test::bytes;
using fulmar::test::RingMemory;

namespace {

constexpr std::size_t kCapacity = 256;

struct Pair {
    RingMemory memory{kCapacity, kShmBroadcastTrailerBytes};
    BroadcastTransmitter transmitter = BroadcastTransmitter::attach(memory.span()).value();
    BroadcastReceiver receiver = BroadcastReceiver::attach(memory.span()).value();

    void put(std::size_t field, std::int64_t value) { memory.put_trailer(field, value); }
};

}  // namespace

TEST_CASE("shm_broadcast: wrong lengths and alignments are refused on both sides") {
    std::vector<std::uint64_t> words(1024);
    auto* at = reinterpret_cast<std::byte*>(words.data());
    CHECK(BroadcastTransmitter::attach({at, 1024 + 128}).has_value());
    for (const std::size_t length :
        {std::size_t{0}, std::size_t{128}, std::size_t{1000}, std::size_t{1024}}) {
        CHECK_FALSE(BroadcastTransmitter::attach({at, length}).has_value());
        CHECK_FALSE(BroadcastReceiver::attach({at, length}).has_value());
    }
    CHECK_FALSE(BroadcastReceiver::attach({at + 1, 1024 + 128}).has_value());
}

TEST_CASE("shm_broadcast: record and trailer bytes are where the format says") {
    Pair pair;
    REQUIRE(pair.transmitter.transmit(0x0F01, bytes({1, 2, 3})));
    REQUIRE(pair.transmitter.transmit(0x0F02, {}));
    const std::byte* at = pair.memory.data();
    CHECK(load_le<std::int32_t>(at, 0) == 11);
    CHECK(load_le<std::int32_t>(at, 4) == 0x0F01);
    CHECK(load_le<std::uint8_t>(at, 10) == 3);
    CHECK(load_le<std::int32_t>(at, 16) == 8);
    CHECK(load_le<std::int64_t>(at, kCapacity + 0) == 24);   // tail intent
    CHECK(load_le<std::int64_t>(at, kCapacity + 8) == 24);   // tail
    CHECK(load_le<std::int64_t>(at, kCapacity + 16) == 16);  // latest
}

TEST_CASE("shm_broadcast: messages of every length arrive over many laps") {
    Pair pair;
    CHECK(pair.receiver.receive_next().status == Reception::kNothing);
    for (std::int32_t i = 1; i < 500; ++i) {
        const std::vector<std::byte> body(static_cast<std::size_t>(i) % 33, static_cast<std::byte>(i));
        REQUIRE(pair.transmitter.transmit(i, body));
        const auto message = pair.receiver.receive_next();
        REQUIRE(message.status == Reception::kMessage);
        CHECK(message.type == i);
        CHECK(std::vector<std::byte>(message.body.begin(), message.body.end()) == body);
        CHECK(pair.receiver.receive_next().status == Reception::kNothing);
    }
    CHECK(pair.receiver.lapped_count() == 0);
}

TEST_CASE("shm_broadcast: types below 1 and bodies above an eighth are refused") {
    Pair pair;
    CHECK(pair.transmitter.transmit(1, std::vector<std::byte>(32)));
    CHECK_FALSE(pair.transmitter.transmit(1, std::vector<std::byte>(33)));
    CHECK_FALSE(pair.transmitter.transmit(0, {}));
    CHECK_FALSE(pair.transmitter.transmit(-1, {}));
}

TEST_CASE("shm_broadcast: a receiver that comes late starts at the latest message") {
    Pair pair;
    REQUIRE(pair.transmitter.transmit(1, bytes({1})));
    REQUIRE(pair.transmitter.transmit(2, bytes({2})));
    auto late = BroadcastReceiver::attach(pair.memory.span()).value();
    CHECK(late.receive_next().type == 2);
    CHECK(late.receive_next().status == Reception::kNothing);
}

TEST_CASE("shm_broadcast: a whole lap behind is lapped once, then goes on at the latest") {
    Pair pair;
    const std::vector<std::byte> body(24);  // 32 bytes each: 8 to a lap
    for (std::int32_t i = 1; i <= 7; ++i) {
        REQUIRE(pair.transmitter.transmit(i, body));
    }
    SUBCASE("one record short of a lap is still whole") {
        CHECK(pair.receiver.receive_next().type == 1);
        CHECK(pair.receiver.lapped_count() == 0);
    }
    SUBCASE("a lap is lost") {
        REQUIRE(pair.transmitter.transmit(8, body));
        CHECK(pair.receiver.receive_next().status == Reception::kLapped);
        CHECK(pair.receiver.lapped_count() == 1);
        CHECK(pair.receiver.receive_next().type == 8);
        CHECK(pair.receiver.receive_next().status == Reception::kNothing);
    }
}

TEST_CASE("shm_broadcast: a new transmitter goes on at the shared tail") {
    Pair pair;
    REQUIRE(pair.transmitter.transmit(1, bytes({1})));
    auto successor = BroadcastTransmitter::attach(pair.memory.span()).value();
    REQUIRE(successor.transmit(2, bytes({2})));
    CHECK(pair.receiver.receive_next().type == 1);
    CHECK(pair.receiver.receive_next().type == 2);
}

TEST_CASE("shm_broadcast: an overwrite announced while the copy is taken is noticed") {
    Pair pair;
    REQUIRE(pair.transmitter.transmit(1, bytes({1})));
    pair.put(shm_broadcast_field::kTailIntent, kCapacity);
    CHECK(pair.receiver.receive_next().status == Reception::kLapped);
}

TEST_CASE("shm_broadcast: a record announced but never finished by a dead transmitter is invisible") {
    Pair pair;
    pair.put(shm_broadcast_field::kTailIntent, 64);
    pair.memory.put_record(0, 64, 5);
    CHECK(pair.receiver.receive_next().status == Reception::kNothing);
}

TEST_CASE("shm_broadcast: impossible records are reported and passed over") {
    for (const std::int32_t length : {std::numeric_limits<std::int32_t>::min(), -1, 0, 7, 41, 300}) {
        CAPTURE(length);
        Pair pair;
        REQUIRE(pair.transmitter.transmit(1, bytes({1})));
        pair.memory.put_record(0, length, 1);
        CHECK(pair.receiver.receive_next().status == Reception::kCorrupt);
        CHECK(pair.receiver.receive_next().status == Reception::kNothing);
        REQUIRE(pair.transmitter.transmit(2, bytes({2})));
        CHECK(pair.receiver.receive_next().type == 2);
    }
}

TEST_CASE("shm_broadcast: random scribbles never leave the span and each call ends") {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        CAPTURE(seed);
        fulmar::base::Prng prng(seed);
        Pair pair;
        for (int step = 0; step < 300; ++step) {
            if (prng.chance(0.4)) {
                pair.transmitter.transmit(1, std::vector<std::byte>(prng.below(33)));
            } else if (prng.chance(0.5)) {
                const auto message = pair.receiver.receive_next();
                CHECK(message.body.size() <= kCapacity / 8);
            } else {
                const std::uint64_t value = prng.chance(0.5) ? prng.next() : prng.below(600);
                fulmar::base::store_le(
                    pair.memory.data(), prng.below(pair.memory.span().size() / 8) * 8, value);
            }
        }
        CHECK(pair.memory.guards_hold());
    }
}
