#include "term/append.h"

#include <cstring>
#include <thread>

#include <doctest/doctest.h>

#include "log_fixture.h"
#include "term/read.h"

using namespace fulmar;
using namespace fulmar::term;
using namespace fulmar::term::testing;

namespace {

/// Data frames from `position` to the end of its term, joined; checks each header on the way.
std::vector<std::byte> read_payload(
    const TestLog& log, std::int64_t position, std::vector<std::uint8_t>& flags) {
    std::vector<std::byte> out;
    std::int32_t at = base::compute_term_offset(position, kTermLength);
    int fragments = 0;
    const std::byte* term = log.log.at(position) - at;
    term::read(term, at, kTermLength, 1 << 20, fragments, [&](const std::byte* frame, std::int32_t length) {
        const auto offset = static_cast<std::int32_t>(frame - term);
        CHECK(base::load_le<std::int32_t>(frame, wire::field::kTermOffset) == offset);
        CHECK(base::load_le<std::int32_t>(frame, wire::field::kSessionId) == kIds.session_id);
        CHECK(base::load_le<std::int32_t>(frame, wire::field::kStreamId) == kIds.stream_id);
        CHECK(base::load_le<std::int32_t>(frame, wire::field::kTermId) ==
              base::compute_term_id(position, log.log.shift(), log.log.initial_term_id()));
        CHECK(base::load_le<std::uint8_t>(frame, wire::field::kVersion) == 0);
        flags.push_back(base::load_le<std::uint8_t>(frame, wire::field::kFlags));
        out.insert(out.end(), frame + wire::kDataHeaderLength, frame + length);
        return true;
    });
    return out;
}

std::int64_t append_as(
    TestLog& log, bool exclusive, std::span<const std::byte> body, std::int64_t limit = kNoLimit) {
    if (exclusive) {
        ExclusiveAppender appender(log.log, kIds);
        return appender.append(limit, body);
    }
    return append_concurrent(
        log.log, kIds, limit, Buffers(&body, 1), static_cast<std::int32_t>(body.size()), 0);
}

}  // namespace

TEST_CASE("term: framed length counts a header and the alignment of each fragment") {
    struct Row {
        std::int32_t message;
        std::int32_t framed;
    };
    for (const Row& row : {Row{0, 32}, Row{1, 64}, Row{32, 64}, Row{33, 96}, Row{kPayloadMax, kMtu},
             Row{kPayloadMax + 1, kMtu + 64}, Row{2 * kPayloadMax, 2 * kMtu},
             Row{2 * kPayloadMax + 100, 2 * kMtu + 160}}) {
        CAPTURE(row.message);
        CHECK(framed_length(row.message, kPayloadMax) == row.framed);
    }
    CHECK(message_length_max(64 * 1024) == 8 * 1024);
    CHECK(message_length_max(1024 * 1024 * 1024) == 16 * 1024 * 1024);
}

TEST_CASE("term: a message comes out of the log as it went in") {
    for (const bool exclusive : {false, true}) {
        for (const std::size_t length : {0u, 1u, 2u, 3u, 4u, 5u, 7u, 8u, 9u, 15u, 16u, 17u, 31u, 32u, 33u,
                 63u, 64u, 65u, 288u, 1344u, 1376u, 1377u, 2752u, 2753u, 8192u}) {
            CAPTURE(exclusive);
            CAPTURE(length);
            TestLog log;
            const auto body = numbered_body(length);
            const std::int32_t framed = framed_length(static_cast<std::int32_t>(length), kPayloadMax);
            REQUIRE(append_as(log, exclusive, body) == framed);
            std::vector<std::uint8_t> flags;
            CHECK(read_payload(log, 0, flags) == body);
            CHECK(log.log.tail_acquire(0).raw_offset() == framed);
            if (flags.size() == 1) {
                CHECK(flags.front() == wire::flag::kUnfragmented);
            } else {
                CHECK(flags.front() == wire::flag::kBegin);
                CHECK(flags.back() == wire::flag::kEnd);
                for (std::size_t i = 1; i + 1 < flags.size(); ++i) {
                    CHECK(flags[i] == 0);
                }
            }
        }
    }
}

TEST_CASE("term: gathered pieces arrive as one message, whatever their borders") {
    const auto body = numbered_body(3000);
    const std::span<const std::byte> whole(body);
    const std::span<const std::byte> pieces[] = {whole.subspan(0, 0), whole.subspan(0, 1),
        whole.subspan(1, 1375), whole.subspan(1376, 2), whole.subspan(1378, 0), whole.subspan(1378)};
    for (const bool exclusive : {false, true}) {
        TestLog log;
        ExclusiveAppender appender(log.log, kIds);
        const std::int64_t result = exclusive ? appender.append(kNoLimit, pieces, 3000, 42)
                                              : append_concurrent(log.log, kIds, kNoLimit, pieces, 3000, 42);
        CHECK(result == framed_length(3000, kPayloadMax));
        std::vector<std::uint8_t> flags;
        CHECK(read_payload(log, 0, flags) == body);
        CHECK(base::load_le<std::int64_t>(log.log.at(0), wire::field::kReservedValue) == 42);
        CHECK(base::load_le<std::int64_t>(log.log.at(kMtu), wire::field::kReservedValue) == 42);
    }
}

TEST_CASE("term: an impossible message length is refused before it claims anything") {
    TestLog log;
    ExclusiveAppender appender(log.log, kIds);
    ClaimedFrame claim;
    const auto body = numbered_body(8193);
    const std::span<const std::byte> piece(body);
    CHECK(append_concurrent(log.log, kIds, kNoLimit, Buffers(&piece, 1), 8193, 0) == kAppendError);
    CHECK(append_concurrent(log.log, kIds, kNoLimit, {}, -1, 0) == kAppendError);
    CHECK(claim_concurrent(log.log, kIds, kNoLimit, kPayloadMax + 1, claim) == kAppendError);
    CHECK(claim_concurrent(log.log, kIds, kNoLimit, -1, claim) == kAppendError);
    CHECK(appender.append(kNoLimit, body) == kAppendError);
    CHECK(appender.append(kNoLimit, {}, -1, 0) == kAppendError);
    CHECK(appender.claim(kNoLimit, kPayloadMax + 1, claim) == kAppendError);
    CHECK(appender.claim(kNoLimit, -1, claim) == kAppendError);
    CHECK(appender.append_padding(kNoLimit, 8193) == kAppendError);
    CHECK(appender.append_padding(kNoLimit, -1) == kAppendError);
    CHECK(log.log.tail_acquire(0).raw_offset() == 0);
    CHECK(claim.frame == nullptr);
}

TEST_CASE("term: the limit holds a message back by its start only") {
    for (const bool exclusive : {false, true}) {
        CAPTURE(exclusive);
        TestLog log;
        const auto body = numbered_body(100);
        CHECK(append_as(log, exclusive, body, 0) == kNotConnected);
        log.log.set_connected(true);
        CHECK(append_as(log, exclusive, body, 0) == kBackPressured);
        CHECK(log.log.tail_acquire(0).raw_offset() == 0);
        CHECK(append_as(log, exclusive, body, 1) == 160);
        CHECK(append_as(log, exclusive, body, 160) == kBackPressured);
        CHECK(append_as(log, exclusive, body, 161) == 320);
    }
}

TEST_CASE("term: a message that fits the term exactly neither pads nor rotates") {
    for (const bool exclusive : {false, true}) {
        TestLog log(7, 0, kTermLength - 64);
        CHECK(append_as(log, exclusive, numbered_body(32)) == kTermLength);
        CHECK(log.log.active_term_count_acquire() == 0);
        CHECK(log.log.tail_acquire(0).raw_offset() == kTermLength);
        // The next one finds the term full, rotates without padding, and goes in when tried again.
        CHECK(append_as(log, exclusive, numbered_body(32)) == kAdminAction);
        CHECK(log.log.active_term_count_acquire() == 1);
        CHECK(append_as(log, exclusive, numbered_body(32)) == kTermLength + 64);
        CHECK(log.length_at(kTermLength) == 64);
        CHECK(log.log.tail_acquire(1).term_id() == 8);
    }
}

TEST_CASE("term: a message one byte too long pads the term and rotates") {
    for (const bool exclusive : {false, true}) {
        TestLog log(7, 0, kTermLength - 64);
        CHECK(append_as(log, exclusive, numbered_body(33)) == kAdminAction);
        CHECK(log.length_at(kTermLength - 64) == 64);
        CHECK(log.padding_at(kTermLength - 64));
        CHECK(log.log.tail_acquire(0).raw_offset() == kTermLength - 64 + 96);
        CHECK(log.log.active_term_count_acquire() == 1);
        CHECK(log.log.producer_position() == kTermLength);
        CHECK(append_as(log, exclusive, numbered_body(33)) == kTermLength + 96);
    }
}

TEST_CASE("term: several who trip together write one padding and rotate once") {
    TestLog log(7, 0, kTermLength - 64);
    // Two more claims ran over the end before this one: as if their producers were still on the way.
    log.log.tail_get_and_add(0, 96);
    log.log.tail_get_and_add(0, 96);
    CHECK(log.append(33) == kAdminAction);
    CHECK(log.log.active_term_count_acquire() == 1);
    CHECK(log.length_at(kTermLength - 64) == 0);  // belongs to the first of them
    CHECK_FALSE(rotate(log.log, 0, 7));           // theirs come late and change nothing
    CHECK(log.log.active_term_count_acquire() == 1);
    CHECK(log.log.tail_acquire(1).value == layout::RawTail::pack(8, 0).value);
    CHECK(log.append(33) == kTermLength + 96);
}

TEST_CASE("term: a full term is not claimed again, so that its tail cannot run away") {
    TestLog log(7, 0, kTermLength);
    const std::int64_t before = log.log.tail_acquire(0).value;
    CHECK(log.append(33) == kAdminAction);
    CHECK(log.log.tail_acquire(0).value == before);
}

TEST_CASE("term: while a rotation is half done appends ask to come back") {
    TestLog log;
    log.log.active_term_count_release(1);  // partition 1 still carries its old term id
    CHECK(log.append(32) == kAdminAction);
    CHECK(log.log.tail_acquire(1).raw_offset() == 0);
}

TEST_CASE("term: positions run through several wraps of the three partitions") {
    for (const bool exclusive : {false, true}) {
        CAPTURE(exclusive);
        TestLog log(INT32_MAX - 1);  // term ids wrap as well
        ExclusiveAppender appender(log.log, kIds);
        const auto body = numbered_body(1000);
        std::int64_t position = 0;
        int trips = 0;
        while (position < 8 * std::int64_t{kTermLength}) {
            const std::int64_t result =
                exclusive ? appender.append(kNoLimit, body) : append_as(log, false, body);
            if (result == kAdminAction) {
                const std::int64_t term_end = (position / kTermLength + 1) * kTermLength;
                CHECK(log.length_at(position) == term_end - position);
                position = term_end;
                ++trips;
                // Whoever reuses a partition finds it clean.
                const int next = base::partition_of_position(position, log.log.shift());
                std::memset(log.log.term(next), 0, kTermLength);
                continue;
            }
            REQUIRE(result == position + 1056);
            CHECK(base::load_le<std::int32_t>(log.log.at(position), wire::field::kTermId) ==
                  base::compute_term_id(position, log.log.shift(), INT32_MAX - 1));
            position = result;
        }
        CHECK(trips == 8);
        CHECK(log.log.producer_position() == position);
        if (exclusive) {
            CHECK(appender.position() == position);
        }
    }
}

TEST_CASE("term: the last term ends the stream, again and again") {
    for (const bool exclusive : {false, true}) {
        CAPTURE(exclusive);
        TestLog log(7, INT32_MAX, kTermLength - 64);
        ExclusiveAppender appender(log.log, kIds);
        const auto body = numbered_body(33);
        const std::int64_t end = position_max(kTermLength);
        CHECK((exclusive ? appender.append(end - 64, body) : append_as(log, false, body, end - 64)) ==
              kMaxPositionExceeded);
        for (int i = 0; i < 3; ++i) {
            CHECK((exclusive ? appender.append(kNoLimit, body) : append_as(log, false, body)) ==
                  kMaxPositionExceeded);
        }
        CHECK(log.log.active_term_count_acquire() == INT32_MAX);
        CHECK(log.log.tail_acquire(1).term_id() == base::wrapping_add(7, INT32_MAX));
        CHECK(log.padding_at(end - 64));
        CHECK(log.length_at(end - 64) == 64);
    }
}

TEST_CASE("term: a claim is invisible until commit, and padding after abort") {
    for (const bool exclusive : {false, true}) {
        TestLog log;
        ExclusiveAppender appender(log.log, kIds);
        const auto claim_frame = [&](ClaimedFrame& out) {
            return exclusive ? appender.claim(kNoLimit, 100, out)
                             : claim_concurrent(log.log, kIds, kNoLimit, 100, out);
        };
        ClaimedFrame first;
        ClaimedFrame second;
        CHECK(claim_frame(first) == 160);
        CHECK(claim_frame(second) == 320);
        CHECK(first.payload().size() == 100);
        CHECK(log.length_at(0) == -132);
        const auto body = numbered_body(100);
        std::memcpy(first.payload().data(), body.data(), body.size());
        commit(first);
        term::abort(second);
        CHECK(log.length_at(0) == 132);
        CHECK_FALSE(log.padding_at(0));
        CHECK(log.length_at(160) == 132);
        CHECK(log.padding_at(160));
        std::vector<std::uint8_t> flags;
        CHECK(read_payload(log, 0, flags) == body);
    }
}

TEST_CASE("term: the exclusive appender writes padding on request") {
    TestLog log;
    ExclusiveAppender appender(log.log, kIds);
    CHECK(appender.append_padding(kNoLimit, 100) == 160);
    CHECK(log.length_at(0) == 132);
    CHECK(log.padding_at(0));
    CHECK(appender.append_padding(160, 100) == kNotConnected);
}

TEST_CASE("term: a block of frames is appended as it was") {
    // Recorded: a message, a fragmented one, padding in mid-term.
    TestLog source;
    ExclusiveAppender recorded(source.log, kIds);
    const auto body = numbered_body(3000);
    CHECK(recorded.append(kNoLimit, numbered_body(100), 42) == 160);
    const std::int64_t fragmented = recorded.append(kNoLimit, body);
    const std::int64_t end = recorded.append_padding(kNoLimit, 100);
    const std::span<const std::byte> block(source.log.at(0), static_cast<std::size_t>(end));

    TestLog log;
    ExclusiveAppender appender(log.log, kIds);
    CHECK(appender.append_block(end, block) == end);
    CHECK(std::memcmp(log.log.at(0), block.data(), block.size()) == 0);
    CHECK(log.log.tail_acquire(0).raw_offset() == end);
    CHECK(appender.position() == end);
    std::vector<std::uint8_t> flags;
    CHECK(read_payload(log, 160, flags) == body);
    CHECK(log.padding_at(fragmented));
    CHECK(appender.append(kNoLimit, numbered_body(32)) == end + 64);
}

TEST_CASE("term: a block may fill a term to its end, and the next one is told to come again") {
    TestLog source(7, 0, kTermLength - 128);
    ExclusiveAppender recorded(source.log, kIds);
    recorded.append(kNoLimit, numbered_body(96));
    const std::span<const std::byte> block(source.log.at(kTermLength - 128), 128);
    TestLog log(7, 0, kTermLength - 128);
    ExclusiveAppender appender(log.log, kIds);
    CHECK(appender.append_block(kNoLimit, block) == kTermLength);
    CHECK(appender.append_block(kTermLength, block) == kNotConnected);
    CHECK(appender.append_block(kNoLimit, block) == kAdminAction);
    CHECK(appender.position() == kTermLength);
    CHECK(appender.append(kNoLimit, numbered_body(32)) == kTermLength + 64);
}

TEST_CASE("term: a block that does not continue the stream is refused before it claims anything") {
    TestLog source;
    ExclusiveAppender recorded(source.log, kIds);
    recorded.append(kNoLimit, numbered_body(32));
    recorded.append(kNoLimit, numbered_body(32));
    std::vector<std::byte> block(source.log.at(0), source.log.at(128));
    TestLog log;
    ExclusiveAppender appender(log.log, kIds);
    const auto refused = [&](std::span<const std::byte> bytes) {
        CHECK(appender.append_block(kNoLimit, bytes) == kAppendError);
        CHECK(log.log.tail_acquire(0).raw_offset() == 0);
        CHECK(log.length_at(0) == 0);
    };
    const auto with = [&](std::size_t offset, auto value) {
        auto changed = block;
        base::store_le(changed.data(), offset, value);
        refused(changed);
    };
    refused({});
    refused(std::span(block).first(31));
    refused(std::span(block).first(96));
    refused(std::span(block).subspan(64));
    for (const std::size_t frame : {std::size_t{0}, std::size_t{64}}) {
        CAPTURE(frame);
        with(frame + wire::field::kFrameLength, std::int32_t{0});
        with(frame + wire::field::kFrameLength, std::int32_t{-64});
        with(frame + wire::field::kFrameLength, std::int32_t{129});
        with(frame + wire::field::kType, std::uint16_t{5});
        with(frame + wire::field::kTermOffset, std::int32_t{32});
        with(frame + wire::field::kTermId, std::int32_t{8});
        with(frame + wire::field::kSessionId, std::int32_t{1});
        with(frame + wire::field::kStreamId, std::int32_t{1});
    }
    // All of it has to lie below the limit.
    CHECK(appender.append_block(127, block) == kNotConnected);
    CHECK(appender.append_block(128, block) == 128);

    TestLog late(7, 0, kTermLength - 64);
    ExclusiveAppender at_end(late.log, kIds);
    for (std::size_t frame = 0; frame < 2; ++frame) {
        base::store_le<std::int32_t>(block.data(), 64 * frame + wire::field::kTermOffset,
            kTermLength - 64 + static_cast<std::int32_t>(64 * frame));
    }
    CHECK(at_end.append_block(kNoLimit, block) == kAppendError);
    CHECK(at_end.append_block(kNoLimit, std::span(block).first(64)) == kTermLength);
}

TEST_CASE("term: an exclusive appender continues where the log stands") {
    TestLog log(7, 4, 320);
    ExclusiveAppender appender(log.log, kIds);
    CHECK(appender.position() == 4 * kTermLength + 320);
    CHECK(appender.append(kNoLimit, numbered_body(32)) == 4 * kTermLength + 384);
}

TEST_CASE("term: concurrent producers lose nothing and keep their own order") {
    constexpr int kProducers = 3;
    constexpr std::uint32_t kMessages = 20000;
    TestLog log;
    std::atomic<std::int64_t> limit{kTermLength / 2};
    const auto produce = [&log, &limit](std::uint32_t id) {
        for (std::uint32_t i = 0; i < kMessages;) {
            std::byte body[200]{};
            const auto length = static_cast<std::int32_t>(8 + (i * 37) % 190);
            base::store_le(body, 0, id);
            base::store_le(body, 4, i);
            const std::span<const std::byte> piece(body, static_cast<std::size_t>(length));
            const std::int64_t result = append_concurrent(
                log.log, kIds, limit.load(std::memory_order_acquire), Buffers(&piece, 1), length, 0);
            if (result > 0) {
                ++i;
            } else {
                std::this_thread::yield();
            }
        }
    };
    std::vector<std::thread> threads;
    for (std::uint32_t id = 0; id < kProducers; ++id) {
        threads.emplace_back(produce, id);
    }
    std::uint32_t next[kProducers]{};
    std::uint32_t total = 0;
    std::int64_t position = 0;
    bool in_order = true;
    while (total < kProducers * kMessages) {
        const std::int32_t offset = base::compute_term_offset(position, kTermLength);
        const int partition = base::partition_of_position(position, log.log.shift());
        int fragments = 0;
        const std::int32_t end = term::read(log.log.term(partition), offset, kTermLength, 64, fragments,
            [&](const std::byte* frame, std::int32_t length) {
                const auto id = base::load_le<std::uint32_t>(frame, wire::kDataHeaderLength);
                const auto index = base::load_le<std::uint32_t>(frame, wire::kDataHeaderLength + 4);
                in_order = in_order && id < kProducers && index == next[id] &&
                           length == static_cast<std::int32_t>(40 + (index * 37) % 190);
                if (!in_order) {
                    return false;
                }
                ++next[id];
                ++total;
                return true;
            });
        REQUIRE(in_order);
        // What was read is wiped before the limit lets anybody reach it again.
        std::memset(log.log.term(partition) + offset, 0, static_cast<std::size_t>(end - offset));
        position += end - offset;
        limit.store(position + kTermLength / 2, std::memory_order_release);
    }
    for (auto& thread : threads) {
        thread.join();
    }
    for (const std::uint32_t count : next) {
        CHECK(count == kMessages);
    }
}
