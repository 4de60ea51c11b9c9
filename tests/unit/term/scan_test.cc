#include "term/scan.h"

#include <doctest/doctest.h>

#include "log_fixture.h"
#include "term/read.h"

using namespace fulmar;
using namespace fulmar::term;
using namespace fulmar::term::testing;

namespace {

Scan scan(const TestLog& log, std::int32_t offset, std::int32_t limit) {
    return scan_for_availability(log.log.term(0), offset, limit, kTermLength);
}

void check(const Scan& scan, std::int32_t bytes, std::int32_t padding, bool blocked) {
    CHECK(scan.bytes == bytes);
    CHECK(scan.padding == padding);
    CHECK(scan.blocked == blocked);
}

}  // namespace

TEST_CASE("term: an empty term has nothing to send") {
    TestLog log;
    check(scan(log, 0, kMtu), 0, 0, false);
    check(scan(log, kTermLength - 32, kMtu), 0, 0, false);
    check(scan(log, kTermLength, kMtu), 0, 0, false);
    check(scan(log, -32, kMtu), 0, 0, false);
}

TEST_CASE("term: frames are gathered up to the limit, never split") {
    TestLog log;
    for (int i = 0; i < 4; ++i) {
        log.append(100);  // 160 bytes each
    }
    check(scan(log, 0, kMtu), 640, 0, false);
    check(scan(log, 0, 640), 640, 0, false);
    check(scan(log, 0, 639), 480, 0, false);
    check(scan(log, 0, 160), 160, 0, false);
    check(scan(log, 0, 159), 0, 0, true);
    check(scan(log, 0, 0), 0, 0, true);
    check(scan(log, 480, kMtu), 160, 0, false);
    check(scan(log, 640, kMtu), 0, 0, false);
}

TEST_CASE("term: only the header of a padding frame travels, and it ends the datagram") {
    TestLog log(7, 0, kTermLength - 320);
    log.append(100);
    CHECK(log.append(200) == kAdminAction);
    check(scan(log, kTermLength - 320, kMtu), 160 + 32, 128, false);
    check(scan(log, kTermLength - 320, 191), 160, 0, false);
    check(scan(log, kTermLength - 160, 32), 32, 128, false);
    check(scan(log, kTermLength - 160, 31), 0, 0, true);
}

TEST_CASE("term: an aborted claim in the middle ends the datagram too") {
    TestLog log;
    ClaimedFrame claim;
    claim_concurrent(log.log, kIds, kNoLimit, 100, claim);
    term::abort(claim);
    log.append(32);
    check(scan(log, 0, kMtu), 32, 128, false);
    check(scan(log, 160, kMtu), 64, 0, false);
}

TEST_CASE("term: a frame that is only claimed stops the scan") {
    TestLog log;
    log.append(32);
    ClaimedFrame claim;
    claim_concurrent(log.log, kIds, kNoLimit, 32, claim);
    log.append(32);
    check(scan(log, 0, kMtu), 64, 0, false);
    check(scan(log, 64, kMtu), 0, 0, false);
}

TEST_CASE("term: lengths that cannot be true are taken as uncommitted") {
    for (const std::int32_t length : {1, 8, 31, kTermLength + 1, 0x7FFF'FFFF, 0x7FFF'FFE0, -1, INT32_MIN}) {
        for (const bool padding : {false, true}) {
            CAPTURE(length);
            TestLog log;
            log.append(32);
            log.append(32);
            log.scribble_length(64, length);
            base::store_le(log.log.at(64), wire::field::kType, static_cast<std::uint16_t>(padding ? 0 : 1));
            check(scan(log, 0, INT32_MAX), 64, 0, false);
            check(scan(log, 64, INT32_MAX), 0, 0, false);
        }
    }
}

TEST_CASE("term: a scan never passes the end of the term") {
    TestLog log(7, 0, kTermLength - 64);
    log.append(32);
    check(scan(log, kTermLength - 64, INT32_MAX), 64, 0, false);
    log.scribble_length(kTermLength - 64, 65);
    check(scan(log, kTermLength - 64, INT32_MAX), 0, 0, false);
}

TEST_CASE("term: a reader skips padding, stops at limits and at lengths that leave the term") {
    TestLog log;
    log.append(32);
    ClaimedFrame claim;
    claim_concurrent(log.log, kIds, kNoLimit, 32, claim);
    term::abort(claim);
    log.append(32);
    log.append(32);
    int fragments = 0;
    int seen = 0;
    const auto count = [&seen](const std::byte*, std::int32_t) {
        ++seen;
        return true;
    };
    CHECK(term::read(log.log.term(0), 0, kTermLength, 10, fragments, count) == 256);
    CHECK(fragments == 3);
    CHECK(seen == 3);
    CHECK(term::read(log.log.term(0), 0, kTermLength, 2, fragments, count) == 192);
    CHECK(fragments == 2);
    CHECK(term::read(log.log.term(0), 0, 64, 10, fragments, count) == 64);
    CHECK(term::read(log.log.term(0), 0, kTermLength, 10, fragments,
              [](const std::byte*, std::int32_t) { return false; }) == 64);
    CHECK(fragments == 1);
    log.scribble_length(64, kTermLength);
    CHECK(term::read(log.log.term(0), 0, kTermLength, 10, fragments, count) == 64);
}
