// The shared-memory ring and broadcast as they are in lib/ring, each atomic access a switch point: producers
// that die anywhere, the consumer that unblocks, a receiver that is overrun while it copies.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include "model_test.h"
#include "ring/shm_broadcast.h"
#include "ring/shm_mpsc_ring.h"

#ifndef FULMAR_MODEL_SHADOW
#error "build this against tests/model/shadow: else nothing reaches the scheduler"
#endif

using namespace fulmar::model;
using namespace fulmar::ring;

namespace {

using Survivors = std::vector<std::string>;

template <std::size_t kBytes>
struct Memory {
    alignas(8) std::array<std::byte, kBytes> bytes{};
    std::span<std::byte> span() { return bytes; }
};

constexpr std::size_t kRingCapacity = 64;  // bodies of up to 8 bytes: four records to a lap

struct RingState {
    Memory<kRingCapacity + kShmRingTrailerBytes> memory;
    ShmMpscRing ring = ShmMpscRing::attach(memory.span()).value();
    std::array<ShmMpscRing, 3> writers{ring, ring, ring};
    std::array<std::uint64_t, 3> written{};
    std::array<std::uint64_t, 3> read{};
};

void write_some(RingState& s, std::size_t producer, int tries) {
    for (int i = 0; i < tries; ++i) {
        const std::uint64_t body = producer << 32 | s.written[producer];
        const auto result = s.writers[producer].try_write(
            static_cast<std::int32_t>(producer) + 1, std::as_bytes(std::span(&body, 1)));
        check(result == ShmWriteResult::kWritten || result == ShmWriteResult::kFull, "no false alarm");
        s.written[producer] += result == ShmWriteResult::kWritten ? 1 : 0;
    }
}

void read_some(RingState& s, int tries) {
    for (int i = 0; i < tries; ++i) {
        s.ring.read([&](std::int32_t type, std::span<const std::byte> body) {
            check(body.size() == sizeof(std::uint64_t), "the length belongs to the body");
            const auto value = fulmar::base::load_le<std::uint64_t>(body.data(), 0);
            const std::size_t producer = value >> 32;
            check(static_cast<std::uint64_t>(type) == producer + 1, "the type belongs to the body");
            check((value & 0xFFFF'FFFF) == s.read[producer]++, "each producer's records come once, in order");
        });
    }
}

void two_writers(Program& program) {
    auto s = std::make_shared<RingState>();
    program.thread([s] { write_some(*s, 0, 3); });
    program.thread([s] { write_some(*s, 1, 2); });
    program.thread([s] { read_some(*s, 3); });
    program.finally([s] {
        read_some(*s, 3);
        check(s->written == s->read, "nothing is lost");
        check(s->ring.corruptions() == 0, "nothing is taken for a scribble");
    });
}

/// Longer, so that a producer reuses space whose head another producer learned.
void two_writers_laps(Program& program) {
    auto s = std::make_shared<RingState>();
    program.thread([s] { write_some(*s, 0, 4); });
    program.thread([s] { write_some(*s, 1, 3); });
    program.thread([s] { read_some(*s, 4); });
    program.finally([s] {
        read_some(*s, 3);
        check(s->written == s->read, "nothing is lost");
    });
}

void one_writer_long(Program& program) {
    auto s = std::make_shared<RingState>();
    program.thread([s] { write_some(*s, 0, 6); });
    program.thread([s] { read_some(*s, 4); });
    program.finally([s] {
        read_some(*s, 3);
        check(s->written == s->read, "nothing is lost");
    });
}

/// One producer may die anywhere; when all rest, unblocking and writing must bring the ring back.
void dying_writer(Program& program) {
    auto s = std::make_shared<RingState>();
    program.mortal_thread([s] { write_some(*s, 0, 2); });
    program.thread([s] { write_some(*s, 1, 2); });
    program.thread([s] { read_some(*s, 2); });
    program.finally([s] {
        bool arrived = false;
        for (int round = 0; round < 6 && !arrived; ++round) {
            s->ring.unblock();
            read_some(*s, 2);
            write_some(*s, 2, 1);
            read_some(*s, 2);
            arrived = s->read[2] > 0;
        }
        check(arrived, "a dead producer does not stop the ring");
        check(s->read[1] == s->written[1], "the living lose nothing");
        check(s->read[0] >= s->written[0], "what was committed arrives");
        check(s->read[0] <= s->written[0] + 1, "nothing arrives twice");
        check(s->ring.corruptions() == 0, "nothing is taken for a scribble");
    });
}

constexpr std::size_t kBroadcastCapacity = 64;

struct BroadcastState {
    Memory<kBroadcastCapacity + kShmBroadcastTrailerBytes> memory;
    BroadcastTransmitter transmitter = BroadcastTransmitter::attach(memory.span()).value();
    BroadcastReceiver receiver = BroadcastReceiver::attach(memory.span()).value();
    std::uint64_t last = 0;
};

void receive_some(BroadcastState& s, int tries) {
    for (int i = 0; i < tries; ++i) {
        const auto message = s.receiver.receive_next();
        check(message.status != Reception::kCorrupt, "being overrun is not corruption");
        if (message.status == Reception::kMessage) {
            std::uint64_t value = 0;
            check(message.body.size() == sizeof value, "the length belongs to the body");
            std::memcpy(&value, message.body.data(), sizeof value);
            check(static_cast<std::uint64_t>(message.type) == value, "type and body are of one message");
            check(value > s.last, "messages rise");
            s.last = value;
        }
    }
}

void broadcast(Program& program) {
    auto s = std::make_shared<BroadcastState>();
    program.thread([s] {
        for (std::uint64_t i = 1; i <= 6; ++i) {
            check(s->transmitter.transmit(static_cast<std::int32_t>(i), std::as_bytes(std::span(&i, 1))),
                "sent");
        }
    });
    program.thread([s] { receive_some(*s, 3); });
    program.finally([s] {
        receive_some(*s, 8);
        check(s->last == 6, "the latest message is always reached");
    });
}

void broadcast_dying(Program& program) {
    auto s = std::make_shared<BroadcastState>();
    program.mortal_thread([s] {
        for (std::uint64_t i = 1; i <= 5; ++i) {
            s->transmitter.transmit(static_cast<std::int32_t>(i), std::as_bytes(std::span(&i, 1)));
        }
    });
    program.thread([s] { receive_some(*s, 2); });
    program.finally([s] {
        auto successor = BroadcastTransmitter::attach(s->memory.span()).value();
        const std::uint64_t value = 100;
        check(successor.transmit(100, std::as_bytes(std::span(&value, 1))), "sent");
        receive_some(*s, 8);
        check(s->last == 100, "a new transmitter goes on where the dead one was");
    });
}

Options bounds(int preemptions, int stale_loads) {
    Options options;
    options.preemptions_max = preemptions;
    options.stale_loads_max = stale_loads;
    return options;
}

}  // namespace

TEST_CASE("model shm_mpsc_ring: two writers and the consumer") {
    expect_pass(explore(bounds(2, 1), two_writers));
}

TEST_CASE("model shm_mpsc_ring: one writer over more than a lap") {
    expect_pass(explore(bounds(3, 2), one_writer_long));
}

TEST_CASE("model shm_mpsc_ring: a writer that dies anywhere is unblocked") {
    expect_pass(explore(bounds(2, 1), dying_writer));
}

TEST_CASE("model shm_mpsc_ring: random schedules with deaths") {
    Options options;
    options.seed = 11;
    options.executions_max = 50'000;
    expect_pass(explore(options, dying_writer));
}

TEST_CASE("model shm_broadcast: an overrun receiver never sees a mixed message") {
    expect_pass(explore(bounds(3, 2), broadcast));
}

TEST_CASE("model shm_broadcast: a transmitter that dies anywhere leaves nothing half visible") {
    expect_pass(explore(bounds(3, 1), broadcast_dying));
}

TEST_CASE("model shm_broadcast: every release and acquire is needed") {
    CHECK(sites_not_needed(bounds(3, 2), "shm_broadcast.cc", broadcast) == Survivors{});
}

TEST_CASE("model shm_mpsc_ring: every release and acquire is needed") {
    CHECK(sites_not_needed(bounds(2, 1), "shm_mpsc_ring.cc", two_writers_laps) == Survivors{});
}
