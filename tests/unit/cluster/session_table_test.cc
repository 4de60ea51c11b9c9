#include "cluster/session_table.h"

#include <doctest/doctest.h>

#include "base/prng.h"

using namespace fulmar;
using namespace fulmar::cluster;
using Verdict = SessionTable::Verdict;

namespace {

constexpr SessionId kSession = 7;

SessionTable::Opening counting(SessionId id = kSession) {
    return {.id = id, .position = 320, .response_channel = "aeron:ipc", .principal = {}, .is_counting = true};
}

std::vector<std::byte> bytes_of(std::uint64_t number) {
    return {static_cast<std::byte>(number), static_cast<std::byte>(number >> 8)};
}

struct Opened {
    explicit Opened(const SessionTable::Limits& limits = {}) : table(limits) {
        REQUIRE(table.open(counting(), 0));
    }
    Verdict apply(std::uint64_t sequence, std::uint64_t acknowledged = 0) {
        const Verdict verdict = table.judge(kSession, sequence, acknowledged, 1).verdict;
        if (verdict == Verdict::kApply) {
            table.reply(kSession, sequence, bytes_of(sequence));
        }
        return verdict;
    }
    SessionTable table;
};

}  // namespace

TEST_CASE("session table: a command is applied once, and a repetition gets its reply") {
    Opened at;
    CHECK(at.apply(1) == Verdict::kApply);
    CHECK(at.apply(2) == Verdict::kApply);
    CHECK(at.apply(1) == Verdict::kRepeated);
    const auto again = at.table.judge(kSession, 2, 0, 1);
    REQUIRE(again.verdict == Verdict::kRepeated);
    CHECK(again.reply->bytes == bytes_of(2));
    CHECK(at.apply(4) == Verdict::kAhead);
    CHECK(at.apply(3) == Verdict::kApply);
    CHECK(at.apply(4, 2) == Verdict::kApply);
    CHECK(at.apply(2, 2) == Verdict::kForgotten);
    CHECK(at.apply(3, 2) == Verdict::kRepeated);
    CHECK(at.table.find(kSession)->replies.size() == 2);
}

TEST_CASE("session table: what a client says of its replies is not believed beyond what was applied") {
    Opened at;
    CHECK(at.apply(1, 1'000) == Verdict::kApply);
    CHECK(at.apply(2, ~std::uint64_t{0}) == Verdict::kApply);
    CHECK(at.table.find(kSession)->acknowledged == 1);
    CHECK(at.apply(0) == Verdict::kForgotten);
    CHECK(at.apply(~std::uint64_t{0}) == Verdict::kAhead);
}

TEST_CASE("session table: a window of replies and their bytes bound a session") {
    Opened at({.sessions_max = 2, .reply_bytes_max = 3'000});
    for (std::uint64_t sequence = 1; sequence <= SessionTable::kWindow; ++sequence) {
        REQUIRE(at.apply(sequence) == Verdict::kApply);
    }
    CHECK(at.apply(SessionTable::kWindow + 1) == Verdict::kFull);
    CHECK(at.apply(SessionTable::kWindow + 1, 1) == Verdict::kApply);
    at.table.reply(kSession, SessionTable::kWindow + 2, std::vector<std::byte>(4'000));
    CHECK(at.apply(SessionTable::kWindow + 3, 100) == Verdict::kFull);
    CHECK(at.apply(SessionTable::kWindow + 3, SessionTable::kWindow + 2) == Verdict::kApply);

    CHECK(at.table.open(counting(8), 0));
    CHECK_FALSE(at.table.open(counting(8), 0));
    CHECK_FALSE(at.table.open(counting(9), 0));
}

TEST_CASE("session table: a session that is gone leaves the answer unknown") {
    Opened at;
    CHECK(at.apply(1) == Verdict::kApply);
    CHECK(at.table.close(kSession));
    CHECK_FALSE(at.table.close(kSession));
    CHECK(at.apply(1) == Verdict::kUnknown);
    at.table.reply(kSession, 2, {});
    CHECK(at.table.size() == 0);
    // An Aeron client's has no numbers.
    SessionTable::Opening plain = counting();
    plain.is_counting = false;
    REQUIRE(at.table.open(plain, 0));
    CHECK(at.apply(1) == Verdict::kUnknown);
    CHECK(at.table.touch(kSession, 5));
    CHECK_FALSE(at.table.touch(99, 5));
}

TEST_CASE("session table: silence is measured by the log's time") {
    SessionTable table({});
    for (const SessionId id : {1, 2, 3}) {
        REQUIRE(table.open(counting(id), 100));
    }
    CHECK(table.touch(2, 500));
    CHECK(table.touch(2, 400));  // time that goes back counts for nothing
    CHECK(table.judge(3, 1, 0, 300).verdict == Verdict::kApply);
    CHECK(table.silent_since(301) == std::vector<SessionId>{1, 3});
    CHECK(table.silent_since(100).empty());
}

TEST_CASE("session table: what a snapshot restores judges alike") {
    base::Prng draws(3);
    Opened at;
    std::uint64_t acknowledged = 0;
    for (std::uint64_t sequence = 1; sequence <= 300; ++sequence) {
        acknowledged += draws.chance(0.5) && acknowledged < sequence - 1 ? 1 : 0;
        REQUIRE(at.apply(sequence, acknowledged) == Verdict::kApply);
    }
    SessionTable restored({});
    at.table.for_each([&](const SessionTable::Session& session) { REQUIRE(restored.restore(session)); });
    CHECK_FALSE(restored.restore(*at.table.find(kSession)));
    for (int i = 0; i < 1'000; ++i) {
        const auto sequence = draws.below(310);
        const auto one = at.table.judge(kSession, sequence, 0, 1);
        const auto other = restored.judge(kSession, sequence, 0, 1);
        REQUIRE(one.verdict == other.verdict);
        REQUIRE((one.reply == nullptr) == (other.reply == nullptr));
        if (one.reply != nullptr) {
            REQUIRE(one.reply->bytes == other.reply->bytes);
            REQUIRE(one.reply->sequence == sequence);
        }
    }
    SessionTable::Session broken = *at.table.find(kSession);
    broken.opening.id = 8;
    broken.replies.pop_front();
    CHECK_FALSE(restored.restore(broken));
    broken = *at.table.find(kSession);
    broken.opening.id = 8;
    broken.replies[0].sequence += 1;
    CHECK_FALSE(restored.restore(broken));
}
