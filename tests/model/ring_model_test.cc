// The in-process rings as they are in lib/ring, with model atomics: 2-3 threads, 2-4 operations each, wrap
// included. Each ordered site is then weakened in turn; the exploration must notice.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "model_test.h"
#include "ring/mpsc_byte_ring.h"
#include "ring/mpsc_pointer_ring.h"
#include "ring/spsc_byte_ring.h"
#include "ring/spsc_pointer_ring.h"
#include "ring_memory.h"

using namespace fulmar::model;

namespace {

using SpscPointer = fulmar::ring::SpscPointerRing<std::uint64_t, SimAtomic>;
using MpscPointer = fulmar::ring::MpscPointerRing<std::uint64_t, SimAtomic>;
using SpscByte = fulmar::ring::BasicSpscByteRing<SimAtomic>;
using MpscByte = fulmar::ring::BasicMpscByteRing<SimAtomic>;

using Survivors = std::vector<std::string>;

/// What producers pushed and the consumer got: per producer in order, once, nothing made up.
struct Ledger {
    std::array<std::uint64_t, 4> pushed{};
    std::array<std::uint64_t, 4> popped{};

    std::uint64_t next(std::size_t producer) const { return producer << 32 | pushed[producer]; }
    void on_pushed(std::size_t producer) { ++pushed[producer]; }
    void on_popped(std::uint64_t value) {
        const std::size_t producer = value >> 32;
        check(producer < popped.size(), "a value that nobody pushed");
        check((value & 0xFFFF'FFFF) == popped[producer]++, "each producer's values come once and in order");
    }
    void check_complete() const { check(pushed == popped, "nothing is lost"); }
};

template <class Ring>
struct State {
    explicit State(std::size_t capacity) : ring(capacity) {}
    Ring ring;
    Ledger ledger;
};

template <class Ring>
void push_some(State<Ring>& s, std::size_t producer, int tries) {
    for (int i = 0; i < tries; ++i) {
        if (s.ring.try_push(s.ledger.next(producer))) {
            s.ledger.on_pushed(producer);
        }
    }
}

template <class Ring>
void pop_some(State<Ring>& s, int tries) {
    for (int i = 0; i < tries; ++i) {
        std::uint64_t value = 0;
        if (s.ring.try_pop(value)) {
            s.ledger.on_popped(value);
        }
    }
}

/// Bodies of 8 or 16 bytes, by turns, so that records wrap at odd places.
std::size_t body_length(std::uint64_t sequence) {
    return sequence % 2 == 0 ? 16 : 8;
}

template <class Ring>
void write_some(State<Ring>& s, std::size_t producer, int tries) {
    for (int i = 0; i < tries; ++i) {
        const std::array<std::uint64_t, 2> words{s.ledger.next(producer), s.ledger.next(producer)};
        const auto bytes = std::as_bytes(std::span(words)).first(body_length(s.ledger.pushed[producer]));
        if (s.ring.try_write(bytes, static_cast<std::int32_t>(producer))) {
            s.ledger.on_pushed(producer);
        }
    }
}

template <class Ring>
void poll_some(State<Ring>& s, int tries) {
    for (int i = 0; i < tries; ++i) {
        s.ring.poll([&](std::int32_t type, std::span<const std::byte> body) {
            const auto value = fulmar::base::load_le<std::uint64_t>(body.data(), 0);
            check(static_cast<std::uint64_t>(type) == value >> 32, "the type belongs to the body");
            check(body.size() == body_length(value & 0xFFFF'FFFF), "the length belongs to the body");
            const auto last = fulmar::base::load_le<std::uint64_t>(body.data(), body.size() - 8);
            check(last == value, "bodies are whole");
            s.ledger.on_popped(value);
        });
    }
}

void spsc_pointer(Program& program) {
    auto s = std::make_shared<State<SpscPointer>>(2);
    program.thread([s] { push_some(*s, 0, 4); });
    program.thread([s] { pop_some(*s, 4); });
    program.finally([s] {
        pop_some(*s, 4);
        s->ledger.check_complete();
    });
}

void spsc_pointer_bursts(Program& program) {
    auto s = std::make_shared<State<SpscPointer>>(4);
    program.thread([s] {
        for (int i = 0; i < 3; ++i) {
            const std::uint64_t first = s->ledger.pushed[0];
            const std::array<std::uint64_t, 3> values{first, first + 1, first + 2};
            s->ledger.pushed[0] += s->ring.push_burst(values);
        }
    });
    const auto pop = [s] {
        std::array<std::uint64_t, 2> out{};
        const std::size_t count = s->ring.pop_burst(out);
        for (std::size_t i = 0; i < count; ++i) {
            s->ledger.on_popped(out[i]);
        }
    };
    program.thread([pop] {
        for (int i = 0; i < 3; ++i) {
            pop();
        }
    });
    program.finally([s, pop] {
        pop();
        pop();
        s->ledger.check_complete();
    });
}

void mpsc_pointer(Program& program) {
    auto s = std::make_shared<State<MpscPointer>>(2);
    program.thread([s] { push_some(*s, 0, 2); });
    program.thread([s] { push_some(*s, 1, 2); });
    program.thread([s] { pop_some(*s, 3); });
    program.finally([s] {
        pop_some(*s, 4);
        s->ledger.check_complete();
    });
}

void spsc_byte(Program& program) {
    auto s = std::make_shared<State<SpscByte>>(64);
    program.thread([s] { write_some(*s, 0, 4); });
    program.thread([s] { poll_some(*s, 3); });
    program.finally([s] {
        poll_some(*s, 2);
        s->ledger.check_complete();
    });
}

void spsc_byte_staged(Program& program) {
    auto s = std::make_shared<State<SpscByte>>(64);
    program.thread([s] {
        for (int i = 0; i < 3; ++i) {
            for (int j = 0; j < 2; ++j) {
                const std::uint64_t value = s->ledger.next(0);
                const auto length = body_length(s->ledger.pushed[0]);
                const std::array<std::uint64_t, 2> words{value, value};
                if (s->ring.try_stage(std::as_bytes(std::span(words)).first(length))) {
                    s->ledger.on_pushed(0);
                }
            }
            s->ring.publish();
        }
    });
    program.thread([s] { poll_some(*s, 3); });
    program.finally([s] {
        poll_some(*s, 2);
        s->ledger.check_complete();
    });
}

void mpsc_byte(Program& program) {
    auto s = std::make_shared<State<MpscByte>>(64);
    program.thread([s] { write_some(*s, 0, 2); });
    program.thread([s] { write_some(*s, 1, 2); });
    program.thread([s] { poll_some(*s, 3); });
    program.finally([s] {
        poll_some(*s, 2);
        s->ledger.check_complete();
    });
}

/// Longer, so that a producer reuses space whose head another producer learned.
void mpsc_byte_laps(Program& program) {
    auto s = std::make_shared<State<MpscByte>>(64);
    program.thread([s] { write_some(*s, 0, 4); });
    program.thread([s] { write_some(*s, 1, 3); });
    program.thread([s] { poll_some(*s, 4); });
    program.finally([s] {
        poll_some(*s, 2);
        s->ledger.check_complete();
    });
}

Options bounds(int preemptions, int stale_loads) {
    Options options;
    options.preemptions_max = preemptions;
    options.stale_loads_max = stale_loads;
    return options;
}

Options random_bounds(std::uint64_t seed, std::uint64_t executions) {
    Options options;
    options.seed = seed;
    options.executions_max = executions;
    return options;
}

}  // namespace

TEST_CASE("model spsc_pointer_ring: every schedule") {
    expect_pass(explore(bounds(4, 2), spsc_pointer));
    expect_pass(explore(bounds(4, 2), spsc_pointer_bursts));
}
TEST_CASE("model spsc_pointer_ring: every release and acquire is needed") {
    CHECK(sites_not_needed(bounds(3, 2), "spsc_pointer_ring.h", spsc_pointer) == Survivors{});
}

TEST_CASE("model mpsc_pointer_ring: every schedule") {
    expect_pass(explore(bounds(3, 1), mpsc_pointer));
}
TEST_CASE("model mpsc_pointer_ring: every release and acquire is needed") {
    CHECK(sites_not_needed(bounds(2, 1), "mpsc_pointer_ring.h", mpsc_pointer) == Survivors{});
}

TEST_CASE("model spsc_byte_ring: every schedule") {
    expect_pass(explore(bounds(4, 2), spsc_byte));
    expect_pass(explore(bounds(4, 2), spsc_byte_staged));
}
TEST_CASE("model spsc_byte_ring: every release and acquire is needed") {
    CHECK(sites_not_needed(bounds(3, 2), "spsc_byte_ring.h", spsc_byte) == Survivors{});
}

TEST_CASE("model mpsc_byte_ring: every schedule") {
    expect_pass(explore(bounds(3, 1), mpsc_byte));
}
TEST_CASE("model mpsc_byte_ring: every release and acquire is needed") {
    CHECK(sites_not_needed(bounds(2, 1), "mpsc_byte_ring.h", mpsc_byte_laps) == Survivors{});
}

TEST_CASE("model rings: random schedules beyond the bounds") {
    expect_pass(explore(random_bounds(1, 20'000), spsc_pointer_bursts));
    expect_pass(explore(random_bounds(2, 20'000), mpsc_pointer));
    expect_pass(explore(random_bounds(3, 20'000), spsc_byte_staged));
    expect_pass(explore(random_bounds(4, 20'000), mpsc_byte_laps));
}
