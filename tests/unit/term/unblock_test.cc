#include "term/unblock.h"

#include <doctest/doctest.h>

#include "log_fixture.h"

using namespace fulmar;
using namespace fulmar::term;
using namespace fulmar::term::testing;

namespace {

std::int64_t append_and_die(TestLog& log, std::int32_t length, KillPoint point, int countdown = 1) {
    // Every length word in this body would be taken for a frame if it were ever walked.
    const std::vector<std::byte> body(static_cast<std::size_t>(length), std::byte{0x7F});
    const std::span<const std::byte> piece(body);
    return append_concurrent(log.log, kIds, kNoLimit, Buffers(&piece, 1), length, 0, DieAt{point, countdown});
}

}  // namespace

TEST_CASE("term: what a producer leaves at each kill point becomes one padding frame") {
    struct Row {
        KillPoint point;
        std::int32_t left;    ///< length word the dead producer left
        std::int32_t padded;  ///< length word after unblocking
    };
    for (const Row& row : {Row{KillPoint::kAfterTail, 0, 160},
             Row{KillPoint::kAfterNegativeLength, -132, 132}, Row{KillPoint::kBeforeCommit, -132, 132}}) {
        CAPTURE(static_cast<int>(row.point));
        TestLog log;
        CHECK(log.append(32) == 64);
        CHECK(append_and_die(log, 100, row.point) == kClosed);
        CHECK(log.append(32) == 288);
        CHECK(log.length_at(64) == row.left);
        CHECK(unblock(log.log, 64) == UnblockResult::kUnblocked);
        CHECK(log.length_at(64) == row.padded);
        CHECK(log.padding_at(64));
        CHECK(base::load_le<std::int32_t>(log.log.at(64), wire::field::kTermOffset) == 64);
        CHECK(base::load_le<std::int32_t>(log.log.at(64), wire::field::kTermId) == 7);
        CHECK(base::load_le<std::int32_t>(log.log.at(64), wire::field::kSessionId) == kIds.session_id);
        CHECK(unblock(log.log, 64) == UnblockResult::kNoAction);
        CHECK(log.length_at(224) == 64);
    }
}

TEST_CASE("term: a producer that dies between fragments leaves a hole up to the next message") {
    TestLog log;
    CHECK(append_and_die(log, 3000, KillPoint::kBeforeCommit, 2) == kClosed);
    const std::int32_t framed = framed_length(3000, kPayloadMax);
    CHECK(log.append(32) == framed + 64);
    CHECK(log.length_at(0) == kMtu);
    CHECK(unblock(log.log, kMtu) == UnblockResult::kUnblocked);
    CHECK(log.length_at(kMtu) == kMtu);
    CHECK(log.padding_at(kMtu));
    CHECK(unblock(log.log, 2 * kMtu) == UnblockResult::kUnblocked);
    CHECK(log.length_at(2 * kMtu) == framed - 2 * kMtu);
    CHECK(log.length_at(framed) == 64);
}

TEST_CASE("term: several dead claims in a row are one hole") {
    TestLog log;
    append_and_die(log, 100, KillPoint::kAfterTail);
    append_and_die(log, 200, KillPoint::kAfterTail);
    log.append(32);
    CHECK(unblock(log.log, 0) == UnblockResult::kUnblocked);
    CHECK(log.length_at(0) == 160 + 256);
}

TEST_CASE("term: of a hole that reaches the tail only what is overdue becomes padding") {
    TestLog log;
    append_and_die(log, 100, KillPoint::kAfterTail);
    CHECK(unblock(log.log, 0, 0) == UnblockResult::kNoAction);
    CHECK(log.length_at(0) == 0);
    append_and_die(log, 200, KillPoint::kAfterTail);  // its owner may live
    CHECK(unblock(log.log, 0, 160) == UnblockResult::kUnblocked);
    CHECK(log.length_at(0) == 160);
    CHECK(log.padding_at(0));
    CHECK(unblock(log.log, 160, 160) == UnblockResult::kNoAction);
    CHECK(log.length_at(160) == 0);
    CHECK(unblock(log.log, 160) == UnblockResult::kUnblocked);
    CHECK(log.length_at(160) == 256);
}

TEST_CASE("term: the rest of a long message whose producer died in its first fragment is given up as well") {
    TestLog log;
    CHECK(append_and_die(log, 3000, KillPoint::kBeforeCommit) == kClosed);
    const std::int32_t framed = framed_length(3000, kPayloadMax);
    CHECK(unblock(log.log, 0, framed) == UnblockResult::kUnblocked);
    CHECK(log.length_at(0) == kMtu);
    CHECK(unblock(log.log, kMtu, framed) == UnblockResult::kUnblocked);
    CHECK(log.length_at(kMtu) == framed - kMtu);
    CHECK(log.append(32) == framed + 64);
}

TEST_CASE("term: nothing is unblocked where nothing was claimed or all is committed") {
    TestLog log;
    log.append(32);
    for (const std::int64_t position : {std::int64_t{0}, std::int64_t{64}, std::int64_t{128},
             std::int64_t{kTermLength}, std::int64_t{5} * kTermLength, std::int64_t{-32}, std::int64_t{33},
             position_max(kTermLength), INT64_MAX}) {
        CAPTURE(position);
        CHECK(unblock(log.log, position) == UnblockResult::kNoAction);
    }
    CHECK(log.length_at(0) == 64);
    CHECK(log.length_at(64) == 0);
}

TEST_CASE("term: a trip that died is finished for its producer") {
    struct Row {
        KillPoint point;
        std::int64_t blocked;  ///< where the consumer stands
        std::int32_t left;
    };
    constexpr std::int64_t kStart = kTermLength - 64;
    for (const Row& row :
        {Row{KillPoint::kAfterTail, kStart, 0}, Row{KillPoint::kAfterNegativeLength, kStart, -64},
            Row{KillPoint::kBeforeCommit, kStart, -64}, Row{KillPoint::kBeforeRotate, kTermLength, 64}}) {
        CAPTURE(static_cast<int>(row.point));
        TestLog log(7, 0, kStart);
        CHECK(append_and_die(log, 100, row.point) == kClosed);
        CHECK(log.length_at(kStart) == row.left);
        CHECK(log.log.active_term_count_acquire() == 0);
        CHECK(unblock(log.log, row.blocked) == UnblockResult::kUnblockedToEnd);
        CHECK(log.length_at(kStart) == 64);
        CHECK(log.padding_at(kStart));
        CHECK(log.log.active_term_count_acquire() == 1);
        CHECK(log.log.tail_acquire(1).value == layout::RawTail::pack(8, 0).value);
        CHECK(log.append(32) == kTermLength + 64);
    }
}

TEST_CASE("term: a live producer finishes the trip of a dead one") {
    TestLog log(7, 0, kTermLength - 64);
    CHECK(append_and_die(log, 100, KillPoint::kBeforeRotate) == kClosed);
    CHECK(log.append(32) == kAdminAction);
    CHECK(log.append(32) == kTermLength + 64);
}

TEST_CASE("term: unblocking works in every partition and over a wrap") {
    for (std::int32_t count = 0; count < 5; ++count) {
        CAPTURE(count);
        TestLog log(INT32_MAX - 2, count, 320);
        const std::int64_t start = std::int64_t{count} * kTermLength + 320;
        append_and_die(log, 100, KillPoint::kAfterTail);
        log.append(32);
        CHECK(unblock(log.log, start) == UnblockResult::kUnblocked);
        CHECK(log.length_at(start) == 160);
        CHECK(base::load_le<std::int32_t>(log.log.at(start), wire::field::kTermId) ==
              base::wrapping_add(INT32_MAX - 2, count));
    }
}

TEST_CASE("term: a scribbled negative length pads no further than what was claimed") {
    for (const std::int32_t length : {-1, -31, -161, -kTermLength, -0x4000'0000, INT32_MIN}) {
        CAPTURE(length);
        TestLog log;
        append_and_die(log, 100, KillPoint::kAfterNegativeLength);
        log.scribble_length(0, length);
        CHECK(unblock(log.log, 0) == UnblockResult::kUnblocked);
        CHECK(log.length_at(0) == 160);
        CHECK(log.padding_at(0));
    }
}

TEST_CASE("term: a scribbled tail or term count is not followed") {
    for (const std::int64_t tail : {std::int64_t{-1}, INT64_MAX, INT64_MIN,
             layout::RawTail::pack(8, 64).value, layout::RawTail::pack(7, 33).value}) {
        for (const std::int32_t count : {0, -1, INT32_MAX, INT32_MIN, 5}) {
            TestLog log;
            log.log.tail_release(0, {tail});
            log.log.active_term_count_release(count);
            const auto result = unblock(log.log, 0);
            const bool plausible = layout::RawTail{tail}.term_id() == 7;
            CHECK((result == UnblockResult::kUnblocked) == plausible);
            CHECK(log.length_at(0) == (plausible ? 32 : 0));
        }
    }
}
