#include "term/rebuild.h"

#include <algorithm>
#include <cstring>

#include <doctest/doctest.h>

#include "log_fixture.h"
#include "term/clean.h"
#include "term/gap.h"

using namespace fulmar;
using namespace fulmar::term;
using namespace fulmar::term::testing;

namespace {

/// A datagram of one data frame, as it would arrive.
std::vector<std::byte> packet(std::int32_t payload, std::int32_t offset) {
    std::vector<std::byte> out(static_cast<std::size_t>(wire::align_frame(payload + 32)), std::byte{0x11});
    base::store_le(out.data(), 0, payload + 32);
    base::store_le<std::uint32_t>(out.data(), 4, 0x0001C000);
    base::store_le(out.data(), wire::field::kTermOffset, offset);
    base::store_le<std::int64_t>(out.data(), wire::field::kReservedValue, 0x1122334455667788);
    return out;
}

bool insert_frame(const TestLog& log, std::int32_t offset, std::int32_t payload) {
    const auto bytes = packet(payload, offset);
    return insert(log.log.term(0), offset, bytes.data(), static_cast<std::int32_t>(bytes.size()));
}

GapScan scan(const TestLog& log, std::int32_t offset, std::int32_t limit) {
    return scan_for_gap(log.log.term(0), offset, limit, kTermLength);
}

void check(const GapScan& scan, std::int32_t offset, std::int32_t gap_length) {
    CHECK(scan.offset == offset);
    CHECK(scan.gap_length == gap_length);
}

}  // namespace

TEST_CASE("term: an inserted datagram stands in the term byte for byte") {
    for (const std::int32_t payload : {0, 1, 31, 32, 33, 100, 1376}) {
        CAPTURE(payload);
        TestLog log;
        const auto bytes = packet(payload, 64);
        CHECK(insert(log.log.term(0), 64, bytes.data(), static_cast<std::int32_t>(bytes.size())));
        CHECK(std::memcmp(log.log.term(0) + 64, bytes.data(), bytes.size()) == 0);
    }
}

TEST_CASE("term: a frame that is there already is not overwritten, garbage is") {
    TestLog log;
    CHECK(insert_frame(log, 0, 100));
    auto other = packet(100, 0);
    std::fill(other.begin() + 32, other.end(), std::byte{0x22});
    CHECK_FALSE(insert(log.log.term(0), 0, other.data(), 160));
    CHECK(log.log.term(0)[40] == std::byte{0x11});
    log.scribble_length(0, -5);
    CHECK(insert(log.log.term(0), 0, other.data(), 160));
    CHECK(log.log.term(0)[40] == std::byte{0x22});
    CHECK_FALSE(insert(log.log.term(0), 1024, other.data(), 31));
    CHECK(log.length_at(1024) == 0);
}

TEST_CASE("term: holes are found at the start, in the middle and before the end") {
    TestLog log;
    check(scan(log, 0, 0), 0, 0);
    check(scan(log, 0, 320), 0, 320);
    check(scan(log, kTermLength - 32, kTermLength), kTermLength - 32, 32);
    insert_frame(log, 160, 100);
    check(scan(log, 0, 320), 0, 160);
    insert_frame(log, 0, 100);
    check(scan(log, 0, 320), 320, 0);
    insert_frame(log, 480, 32);
    check(scan(log, 0, 544), 320, 160);
    check(scan(log, 320, 544), 320, 160);
    check(scan(log, 480, 544), 544, 0);
    insert_frame(log, kTermLength - 64, 32);
    check(scan(log, 480, kTermLength), 544, kTermLength - 64 - 544);
    check(scan(log, kTermLength - 64, kTermLength), kTermLength, 0);
    check(scan(log, kTermLength, kTermLength), kTermLength, 0);
}

TEST_CASE("term: padding of which only the header travelled carries the walk beyond the limit") {
    TestLog log;
    auto pad = packet(0, 0);
    base::store_le(pad.data(), 0, std::int32_t{1024});
    base::store_le<std::uint16_t>(pad.data(), wire::field::kType, 0);
    insert(log.log.term(0), 0, pad.data(), 32);
    check(scan(log, 0, 32), 1024, 0);
}

TEST_CASE("term: a length that leaves the term ends the walk without asking for anything") {
    for (const std::int32_t length : {kTermLength + 1, 0x7FFF'FFFF}) {
        TestLog log;
        insert_frame(log, 0, 32);
        insert_frame(log, 64, 32);
        log.scribble_length(64, length);
        check(scan(log, 0, 1024), 64, 0);
    }
    TestLog log;
    check(scan(log, 0, kTermLength + 32), 0, 0);
    check(scan(log, -32, 64), -32, 0);
}

TEST_CASE("term: a hole is filled only while all of it is empty") {
    TestLog log;
    insert_frame(log, 0, 32);
    insert_frame(log, 256, 32);
    const std::byte* header = log.log.default_header();
    CHECK_FALSE(fill_gap(header, log.log.term(0), 7, 64, 224));
    CHECK_FALSE(fill_gap(header, log.log.term(0), 7, 0, 96));
    CHECK_FALSE(fill_gap(header, log.log.term(0), 7, 64, 0));
    CHECK(log.length_at(64) == 0);
    CHECK(fill_gap(header, log.log.term(0), 9, 64, 192));
    CHECK(log.length_at(64) == 192);
    CHECK(log.padding_at(64));
    CHECK(base::load_le<std::int32_t>(log.log.at(64), wire::field::kTermId) == 9);
    CHECK(base::load_le<std::int32_t>(log.log.at(64), wire::field::kTermOffset) == 64);
    CHECK(base::load_le<std::int32_t>(log.log.at(64), wire::field::kStreamId) == kIds.stream_id);
    check(scan(log, 0, 320), 320, 0);
}

TEST_CASE("term: cleaning stops at the limit, at the end of the term and at its share of work") {
    struct Row {
        std::int64_t dirty;
        std::int64_t limit;
        std::int32_t share;
        std::int64_t result;
    };
    const std::int64_t term = kTermLength;
    for (const Row& row : {Row{0, 0, 4096, 0}, Row{0, 32, 4096, 32}, Row{0, 31, 4096, 0},
             Row{64, 32, 4096, 64}, Row{0, term, 4096, 4096}, Row{0, term, 100, 96},
             Row{term - 64, term + 64, 4096, term}, Row{term, 2 * term, INT32_MAX, 2 * term},
             Row{5 * term + 32, 5 * term + 64, 4096, 5 * term + 64}, Row{-32, 64, 4096, -32},
             Row{0, 64, 0, 0}, Row{0, 64, -5, 0}, Row{0, INT64_MAX, INT32_MAX, term}}) {
        CAPTURE(row.dirty);
        CAPTURE(row.limit);
        TestLog log;
        std::memset(log.log.term(0), 0xEE, 3 * kTermLength);
        CHECK(clean(log.log, row.dirty, row.limit, row.share) == row.result);
        std::int64_t zeros = 0;
        for (std::int32_t i = 0; i < 3 * kTermLength; ++i) {
            zeros += log.log.term(0)[i] == std::byte{0} ? 1 : 0;
        }
        CHECK(zeros == row.result - row.dirty);
        if (row.result > row.dirty) {
            CHECK(*log.log.at(row.dirty) == std::byte{0});
            CHECK(*log.log.at(row.result - 1) == std::byte{0});
        }
    }
}
