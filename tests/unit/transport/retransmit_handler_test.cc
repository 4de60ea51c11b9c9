#include "transport/retransmit_handler.h"

#include <doctest/doctest.h>

using namespace fulmar;
using transport::RetransmitHandler;
using Verdict = RetransmitHandler::Verdict;

TEST_CASE("retransmit_handler: a range is due at once, and repeats of it are ignored until the linger ends") {
    RetransmitHandler handler({4, {}, microseconds(100)});
    CHECK(handler.on_nak(Instant{0}, 1024, 256) == Verdict::kAccepted);
    auto* range = handler.due(Instant{0});
    REQUIRE(range != nullptr);
    CHECK(range->begin == 1024);
    CHECK(range->end == 1280);
    range->next = range->end;
    handler.sent(*range, Instant{0});
    CHECK(handler.due(Instant{0}) == nullptr);
    CHECK(handler.on_nak(Instant{99'999}, 1056, 32) == Verdict::kRepeat);
    CHECK(handler.on_nak(Instant{100'000}, 1056, 32) == Verdict::kAccepted);
}

TEST_CASE("retransmit_handler: several ranges at once, and overflow when no slot is left") {
    RetransmitHandler handler({2, {}, microseconds(100)});
    CHECK(handler.on_nak(Instant{0}, 0, 32) == Verdict::kAccepted);
    CHECK(handler.on_nak(Instant{0}, 64, 32) == Verdict::kAccepted);
    CHECK(handler.on_nak(Instant{0}, 128, 32) == Verdict::kOverflow);
}

TEST_CASE("retransmit_handler: a configured delay holds the first byte back") {
    RetransmitHandler handler({2, microseconds(10), microseconds(100)});
    CHECK(handler.on_nak(Instant{0}, 0, 32) == Verdict::kAccepted);
    CHECK(handler.due(Instant{9'999}) == nullptr);
    CHECK(handler.due(Instant{10'000}) != nullptr);
}

TEST_CASE("retransmit_handler: a packet the port did not take makes its range due again") {
    RetransmitHandler handler({2, {}, microseconds(100)});
    CHECK(handler.on_nak(Instant{0}, 0, 96) == Verdict::kAccepted);
    auto* range = handler.due(Instant{0});
    range->next = 96;
    handler.sent(*range, Instant{0});
    handler.untake(32);
    range = handler.due(Instant{0});
    REQUIRE(range != nullptr);
    CHECK(range->next == 32);
}
