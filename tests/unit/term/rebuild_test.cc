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

void insert_frame(const TestLog& log, std::int32_t offset, std::int32_t payload) {
    const auto bytes = packet(payload, offset);
    insert(log.log.term(0), offset, bytes.data(), static_cast<std::int32_t>(bytes.size()));
}

}  // namespace

TEST_CASE("term: an inserted datagram stands in the term byte for byte") {
    for (const std::int32_t payload : {0, 1, 31, 32, 33, 100, 1376}) {
        CAPTURE(payload);
        TestLog log;
        const auto bytes = packet(payload, 64);
        insert(log.log.term(0), 64, bytes.data(), static_cast<std::int32_t>(bytes.size()));
        CHECK(std::memcmp(log.log.term(0) + 64, bytes.data(), bytes.size()) == 0);
    }
}

TEST_CASE("term: a datagram replaces whatever an earlier lap left") {
    TestLog log;
    std::memset(log.log.term(0), 0xEE, 1024);
    auto bytes = packet(100, 0);
    insert(log.log.term(0), 0, bytes.data(), 160);
    CHECK(std::memcmp(log.log.term(0), bytes.data(), 160) == 0);
    CHECK(log.log.term(0)[160] == std::byte{0xEE});
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
    CHECK(log.length_at(256) == 64);
}

TEST_CASE("term: padding may be written over what an earlier lap left") {
    TestLog log;
    std::memset(log.log.term(0), 0xEE, 1024);
    write_padding_over(log.log.default_header(), log.log.term(0), 9, 64, 192);
    CHECK(log.length_at(64) == 192);
    CHECK(log.padding_at(64));
    CHECK(log.log.term(0)[64 + wire::kDataHeaderLength] == std::byte{0xEE});
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
