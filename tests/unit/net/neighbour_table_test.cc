#include "net/neighbour_table.h"

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

using namespace fulmar;
using namespace fulmar::net;
using fulmar::wire::MacAddress;

namespace {

constexpr std::uint32_t kIp = 0x0A000002;
constexpr MacAddress kMac{{0x02, 0, 0, 0, 0, 2}};
constexpr MacAddress kOtherMac{{0x02, 0, 0, 0, 0, 3}};

struct Fixture {
    NetStats stats;
    NeighbourTable table;
    Instant now{0};
    std::vector<NeighbourQuestion> questions;
    std::vector<std::uint32_t> failures;

    explicit Fixture(const NeighbourTable::Options& options = {}) : table(options, stats) {}

    void poll() {
        table.poll(
            now,
            [this](const NeighbourQuestion& question) {
                questions.push_back(question);
                return true;
            },
            [this](std::uint32_t ip) { failures.push_back(ip); });
    }
    /// In steps, as an agent does.
    void pass(Duration time, Duration step = milliseconds(50)) {
        for (const auto end = now + time; now < end; now = now + step) {
            poll();
        }
    }
    [[nodiscard]] NeighbourState state(std::uint32_t ip = kIp) {
        const auto index = table.find(ip);
        return index == NeighbourTable::kNone ? NeighbourState::kFree : table.state(index);
    }
};

}  // namespace

TEST_CASE(
    "neighbour_table: a needed neighbour is asked by broadcast, again after the retry time, then given up") {
    Fixture f;
    (void)f.table.need(f.now, kIp);
    f.poll();
    REQUIRE(f.questions.size() == 1);
    CHECK(f.questions[0].ip == kIp);
    CHECK(f.questions[0].destination == MacAddress::broadcast());
    f.now = Instant{} + milliseconds(99);
    f.poll();
    CHECK(f.questions.size() == 1);
    f.now = Instant{} + milliseconds(100);
    f.poll();
    CHECK(f.questions.size() == 2);
    f.pass(seconds(1));
    CHECK(f.questions.size() == 5);
    CHECK(f.failures == std::vector<std::uint32_t>{kIp});
    CHECK(f.state() == NeighbourState::kFailed);
}

TEST_CASE("neighbour_table: after a failure it is asked again at the next need, but only after a pause") {
    Fixture f;
    (void)f.table.need(f.now, kIp);
    f.pass(milliseconds(550));
    REQUIRE(f.state() == NeighbourState::kFailed);
    f.questions.clear();
    (void)f.table.need(f.now, kIp);
    f.pass(milliseconds(500));
    CHECK(f.questions.empty());
    f.pass(seconds(1));
    CHECK(f.questions.empty());
    (void)f.table.need(f.now, kIp);
    f.poll();
    CHECK(f.questions.size() == 1);
}

TEST_CASE("neighbour_table: a question that could not be sent is not counted as asked") {
    Fixture f;
    (void)f.table.need(f.now, kIp);
    for (int i = 0; i < 20; ++i) {
        f.table.poll(
            f.now, [](const NeighbourQuestion&) { return false; }, [](std::uint32_t) { FAIL("given up"); });
        f.now = f.now + milliseconds(100);
    }
    CHECK(f.state() == NeighbourState::kIncomplete);
}

TEST_CASE("neighbour_table: an answer makes it usable and raises the version") {
    Fixture f;
    const auto index = f.table.need(f.now, kIp);
    CHECK_FALSE(f.table.usable(index));
    const auto version = f.table.version();
    f.table.on_arp(f.now, kIp, kMac, false);
    CHECK(f.table.usable(index));
    CHECK(f.table.mac(index) == kMac);
    CHECK(f.table.version() > version);
    f.pass(seconds(1));
    CHECK(f.questions.empty());
}

TEST_CASE("neighbour_table: a used entry is refreshed by unicast before it expires and never goes away") {
    Fixture f;
    const auto index = f.table.need(f.now, kIp);
    f.table.on_arp(f.now, kIp, kMac, false);
    const auto version = f.table.version();
    std::size_t answered = 0;
    for (int i = 0; i < 2'000; ++i) {
        f.table.mark_used(index);
        f.poll();
        REQUIRE(f.table.usable(index));
        if (f.questions.size() > answered) {
            answered = f.questions.size();
            CHECK(f.questions.back().destination == kMac);
            f.table.on_arp(f.now, kIp, kMac, false);
        }
        f.now = f.now + milliseconds(50);
    }
    CHECK(answered == 3);  // at 25, 50 and 75 of 100 seconds
    CHECK(f.table.version() == version);
}

TEST_CASE("neighbour_table: hearing from a neighbour is confirmation enough") {
    Fixture f;
    const auto index = f.table.need(f.now, kIp);
    f.table.on_arp(f.now, kIp, kMac, false);
    for (int i = 0; i < 100; ++i) {
        f.table.mark_used(index);
        f.table.on_heard(f.now, kIp, kMac);
        f.pass(seconds(1));
    }
    CHECK(f.questions.empty());
    CHECK(f.state() == NeighbourState::kReachable);
}

TEST_CASE(
    "neighbour_table: an unused entry goes stale, is checked when used again, and is forgotten at last") {
    Fixture f;
    const auto index = f.table.need(f.now, kIp);
    f.table.on_arp(f.now, kIp, kMac, false);
    f.pass(seconds(60));
    CHECK(f.state() == NeighbourState::kStale);
    CHECK(f.questions.empty());
    f.table.mark_used(index);
    f.pass(seconds(2));
    REQUIRE_FALSE(f.questions.empty());
    CHECK(f.questions[0].destination == kMac);
    CHECK(f.table.usable(index));
    f.table.on_arp(f.now, kIp, kMac, false);
    f.pass(seconds(700), seconds(1));
    CHECK(f.state() == NeighbourState::kFree);
    CHECK(f.table.size() == 0);
}

TEST_CASE("neighbour_table: a silent used neighbour is probed by unicast, then broadcast, then fails") {
    Fixture f;
    const auto index = f.table.need(f.now, kIp);
    f.table.on_arp(f.now, kIp, kMac, false);
    f.table.mark_used(index);
    f.pass(seconds(40));
    REQUIRE(f.questions.size() == 6);
    CHECK(f.questions[2].destination == kMac);
    CHECK(f.questions[3].destination == MacAddress::broadcast());
    CHECK_FALSE(f.table.usable(index));
    CHECK(f.failures == std::vector<std::uint32_t>{kIp});
}

TEST_CASE("neighbour_table: a datagram from another MAC moves nothing but has everybody asked") {
    Fixture f;
    const auto index = f.table.need(f.now, kIp);
    f.table.on_arp(f.now, kIp, kMac, false);
    f.table.on_heard(f.now, kIp, kOtherMac);
    CHECK(f.table.mac(index) == kMac);
    CHECK(f.table.usable(index));
    f.poll();
    REQUIRE(f.questions.size() == 1);
    CHECK(f.questions[0].destination == MacAddress::broadcast());
    f.table.on_arp(f.now, kIp, kOtherMac, false);
    CHECK(f.table.mac(index) == kOtherMac);
    CHECK(f.stats.neighbour_moves == 1);
}

TEST_CASE("neighbour_table: what nobody needs is neither created nor followed") {
    Fixture f;
    f.table.on_arp(f.now, kIp, kMac, false);
    f.table.on_heard(f.now, kIp, kMac);
    CHECK(f.table.size() == 0);
    f.table.on_arp(f.now, kIp, kMac, true);
    CHECK(f.state() == NeighbourState::kReachable);
}

TEST_CASE("neighbour_table: requests from many strangers take half of the table and push out one another") {
    Fixture f({.capacity = 16});
    for (std::uint32_t ip = 100; ip < 1'100; ++ip) {
        f.now = f.now + nanoseconds(1);
        f.table.on_arp(f.now, ip, kMac, true);
    }
    CHECK(f.table.size() == 8);
    CHECK(f.state(1'099) == NeighbourState::kReachable);
    CHECK(f.state(100) == NeighbourState::kFree);
    for (std::uint32_t ip = 1; ip <= 16; ++ip) {
        CHECK(f.table.need(f.now, ip) != NeighbourTable::kNone);
    }
    CHECK(f.table.size() == 16);
    for (std::uint32_t ip = 1; ip <= 16; ++ip) {
        CHECK(f.state(ip) == NeighbourState::kIncomplete);
    }
    CHECK(f.table.need(f.now, 17) == NeighbourTable::kNone);
    CHECK(f.stats.neighbour_table_full == 1);
    f.table.on_arp(f.now, 18, kMac, true);
    CHECK(f.state(18) == NeighbourState::kFree);
}

TEST_CASE("neighbour_table: a need evicts an idle entry, not one in use") {
    Fixture f({.capacity = 2});
    const auto used = f.table.need(f.now, 1);
    (void)f.table.need(f.now, 2);
    f.table.on_arp(f.now, 1, kMac, false);
    f.table.on_arp(f.now, 2, kMac, false);
    for (int i = 0; i < 30; ++i) {
        f.table.mark_used(used);
        f.table.on_heard(f.now, 1, kMac);
        f.pass(seconds(1));
    }
    REQUIRE(f.state(2) == NeighbourState::kStale);
    CHECK(f.table.need(f.now, 3) != NeighbourTable::kNone);
    CHECK(f.state(1) == NeighbourState::kReachable);
    CHECK(f.state(2) == NeighbourState::kFree);
}

TEST_CASE("neighbour_table: entries are found after others between them went") {
    Fixture f({.capacity = 64});
    // A long run of lookups over a churning table; a broken gap would lose an entry.
    for (std::uint32_t round = 0; round < 200; ++round) {
        f.now = f.now + nanoseconds(1);
        const auto ip = round * 2'654'435'761U;
        f.table.on_arp(f.now, ip, kMac, true);
        std::size_t found = 0;
        for (std::uint32_t earlier_round = 0; earlier_round <= round; ++earlier_round) {
            found += f.table.find(earlier_round * 2'654'435'761U) != NeighbourTable::kNone ? 1 : 0;
        }
        REQUIRE(found == f.table.size());
        REQUIRE(found == std::min<std::size_t>(round + 1, 32));
    }
}
