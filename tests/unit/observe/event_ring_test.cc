#include "observe/event_ring.h"

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

#include <doctest/doctest.h>

using namespace fulmar::observe;
using fulmar::Instant;

namespace {

/// Every field follows from the number, so that a torn event shows.
Event event(std::int64_t n) {
    return {.time = Instant{n},
        .position = -n,
        .session_id = static_cast<std::int32_t>(n),
        .stream_id = static_cast<std::int32_t>(n + 1),
        .length = static_cast<std::int32_t>(n + 2),
        .kind = EventKind::kNakSent,
        .detail = static_cast<std::uint16_t>(n)};
}

/// An atomic that lets a test act just before any of the reader's loads.
template <class T>
struct SteppedAtomic {
    SteppedAtomic(T initial = {}) : value(initial) {}
    T load(std::memory_order) const {
        if (on_load && --loads_until == 0) {
            std::exchange(on_load, nullptr)();
        }
        return value;
    }
    void store(T desired, std::memory_order) { value = desired; }

    T value;
    static inline std::function<void()> on_load;
    static inline int loads_until = 0;
};

}  // namespace

TEST_CASE("event_ring: events come out in order and whole") {
    EventRing ring(5);
    CHECK(ring.capacity() == 8);
    EventRing::Reader reader(ring);
    Event read;
    CHECK_FALSE(reader.next(read));
    for (std::int64_t n = 0; n < 8; ++n) {
        ring.push(event(n));
    }
    for (std::int64_t n = 0; n < 8; ++n) {
        REQUIRE(reader.next(read));
        CHECK(read == event(n));
    }
    CHECK_FALSE(reader.next(read));
    CHECK(reader.lost() == 0);
}

TEST_CASE("event_ring: a slow reader loses the oldest and is told how many") {
    EventRing ring(8);
    EventRing::Reader reader(ring);
    for (std::int64_t n = 0; n < 21; ++n) {
        ring.push(event(n));
    }
    Event read;
    REQUIRE(reader.next(read));
    CHECK(read == event(13));
    CHECK(reader.lost() == 13);
    EventRing::Reader late(ring);
    REQUIRE(late.next(read));
    CHECK(read == event(13));
}

TEST_CASE("event_ring: an event overwritten between any two loads of its reader is lost, not torn") {
    using Word = SteppedAtomic<std::uint64_t>;
    constexpr int kLoadsOfOneRead = 7;  // count, version, four words, version again
    for (int step = 1; step <= kLoadsOfOneRead; ++step) {
        for (std::int64_t overtaken = 1; overtaken <= 3; ++overtaken) {
            CAPTURE(step);
            CAPTURE(overtaken);
            BasicEventRing<SteppedAtomic> ring(1);
            BasicEventRing<SteppedAtomic>::Reader reader(ring);
            ring.push(event(0));
            Word::loads_until = step;
            Word::on_load = [&] {
                for (std::int64_t n = 1; n <= overtaken; ++n) {
                    ring.push(event(n));
                }
            };
            Event read;
            REQUIRE(reader.next(read));
            CHECK_FALSE(Word::on_load);
            CHECK(read == event(overtaken));
            CHECK(reader.lost() == static_cast<std::uint64_t>(overtaken));
        }
    }
}

TEST_CASE("event_ring: no event is torn while the writer runs over the reader") {
    constexpr std::int64_t kEvents = 500'000;
    EventRing ring(1);  // the writer is always in the slot that the reader is in
    std::atomic<bool> is_reading{false};
    std::thread writer([&] {
        is_reading.wait(false);
        for (std::int64_t n = 0; n < kEvents; ++n) {
            ring.push(event(n));
        }
    });
    EventRing::Reader reader(ring);
    is_reading.store(true);
    is_reading.notify_one();
    std::int64_t last = -1;
    std::uint64_t count = 0;
    bool all_whole = true;
    bool in_order = true;
    Event read;
    while (last != kEvents - 1) {  // the last event is never overwritten
        if (reader.next(read)) {
            all_whole = all_whole && read == event(read.time.ns);
            in_order = in_order && read.time.ns > last;
            last = read.time.ns;
            ++count;
        } else {
            std::this_thread::yield();
        }
    }
    writer.join();
    CHECK(all_whole);
    CHECK(in_order);
    CHECK(count + reader.lost() == kEvents);
}
