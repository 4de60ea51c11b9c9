/// What members of a cluster say to each other, as bytes: transcribed layouts and bytes, both ways, and what
/// is refused.
#include "cluster/consensus_messages.h"

#include <array>
#include <string>
#include <vector>

#include "base/prng.h"
#include "fulmar/sbe/decoder.h"
#include "tests/unit/sbe_golden.h"

namespace fulmar::cluster {
namespace {

constexpr Direction kWay{.cluster_id = 7, .from = 1, .to = 2};
constexpr raft::DiskId kDisk{0x1112131415161718, 0x2122232425262728};

static_assert(kConsensusMessageMax == 8 + 68);

template <class Body>
raft::Message message(Body body, raft::Term term = 5) {
    return {.from = kWay.from, .to = kWay.to, .disk = kDisk, .term = term, .after = {}, .body = body};
}

std::vector<std::byte> bytes_of(const raft::Message& message) {
    std::vector<std::byte> bytes(kConsensusMessageMax);
    bytes.resize(encode(kWay.cluster_id, message, bytes));
    return bytes;
}

/// Why a message is refused; "" if it is taken.
std::string refusal(std::span<const std::byte> bytes, const Direction& way = kWay) {
    const auto taken = decode(way, bytes);
    return taken ? "" : std::string(to_string(taken.error()));
}
std::string refusal(const raft::Message& message) {
    return refusal(bytes_of(message));
}
std::string said(ConsensusFault fault) {
    return std::string(to_string(fault));
}

auto parts(const raft::VoteRequest& b) {
    return std::tuple(b.is_pre, b.is_transfer, b.log_term, b.log_end);
}
auto parts(const raft::VoteReply& b) {
    return std::tuple(b.is_pre, b.is_granted);
}
auto parts(const raft::Heartbeat& b) {
    return std::tuple(b.log_end, b.commit, b.round);
}
auto parts(const raft::Ack& b) {
    return std::tuple(b.position, b.round);
}
auto parts(const raft::MatchRequest& b) {
    return std::tuple(b.question, b.log_term);
}
auto parts(const raft::MatchReply& b) {
    return std::tuple(b.question, b.log_term, b.end, b.begin);
}
auto parts(const raft::TimeoutNow& /*b*/) {
    return std::tuple();
}

bool is_same(const raft::Message& a, const raft::Message& b) {
    return a.from == b.from && a.to == b.to && a.disk == b.disk && a.term == b.term &&
           a.body.index() == b.body.index() &&
           std::visit(
               [&]<class Body>(const Body& body) { return parts(body) == parts(std::get<Body>(b.body)); },
               a.body);
}

/// Any message that a member may say.
struct Draw {
    base::Prng prng;

    /// Small and large ones alike.
    std::int64_t up_to(std::int64_t limit) { return prng.between(0, limit >> prng.below(60)); }
    std::int64_t position(std::int64_t limit = kPositionMax) { return up_to(limit) / 32 * 32; }

    raft::Message message() {
        const raft::Term term = 1 + up_to(kTermMax - 1);
        raft::Message drawn{.from = kWay.from,
            .to = kWay.to,
            .disk = {prng.next() | 1, prng.next()},
            .term = term,
            .after = {},
            .body = {}};
        switch (prng.below(7)) {
            case 0: {
                const auto kind = prng.below(3);
                drawn.body = raft::VoteRequest{kind == 1, kind == 2, up_to(term - 1), position()};
                break;
            }
            case 1: drawn.body = raft::VoteReply{prng.chance(0.5), prng.chance(0.5)}; break;
            case 2: {
                const std::int64_t end = position();
                drawn.body = raft::Heartbeat{end, position(end), prng.next()};
                break;
            }
            case 3: drawn.body = raft::Ack{prng.chance(0.2) ? -1 : position(), prng.next()}; break;
            case 4: drawn.body = raft::MatchRequest{prng.next() | 1, up_to(term)}; break;
            case 5: {
                const std::int64_t end = position();
                drawn.body = raft::MatchReply{prng.next() | 1, up_to(term), end, position(end)};
                break;
            }
            default: drawn.body = raft::TimeoutNow{}; break;
        }
        return drawn;
    }
};

}  // namespace

TEST_CASE("consensus messages: what was said is what is heard") {
    Draw draw{base::Prng(1)};
    std::array<int, 7> seen{};
    for (int i = 0; i < 20'000; ++i) {
        const raft::Message drawn = draw.message();
        const auto bytes = bytes_of(drawn);
        const auto taken = decode(kWay, bytes);
        REQUIRE(taken);
        REQUIRE(is_same(drawn, *taken));
        ++seen[drawn.body.index()];
    }
    for (const int count : seen) {
        CHECK(count > 2'000);
    }
}

TEST_CASE("consensus messages: the bytes, written by hand") {
    // Header (block length, template, schema 7100, version 1), cluster, from, to, disk, term; then the body.
    const std::string common =
        "070000000100000002000000"
        "1817161514131211"
        "2827262524232221"
        "0500000000000000";
    const auto check = [&](const raft::Message& message, const std::string& header, const std::string& body) {
        const std::string digits = header + "bc1b0100" + common + body;
        CHECK(test::to_hex(bytes_of(message)) == digits);
        const auto taken = decode(kWay, test::from_hex(digits));
        REQUIRE(taken);
        CHECK(is_same(message, *taken));
    };
    check(message(raft::VoteRequest{false, false, 4, 4096}), "35000100",
        "0400000000000000"
        "0010000000000000"
        "00");
    check(message(raft::VoteRequest{true, false, 4, 4096}), "35000100",
        "0400000000000000"
        "0010000000000000"
        "01");
    check(message(raft::VoteRequest{false, true, 0, 0}), "35000100",
        "0000000000000000"
        "0000000000000000"
        "02");
    check(message(raft::VoteReply{true, false}), "26000200", "0100");
    check(message(raft::VoteReply{false, true}), "26000200", "0001");
    check(message(raft::Heartbeat{0x12340, 0x12320, 9}), "3c000300",
        "4023010000000000"
        "2023010000000000"
        "0900000000000000");
    check(message(raft::Ack{}), "34000400",
        "ffffffffffffffff"
        "0000000000000000");
    check(message(raft::Ack{64, ~std::uint64_t{0}}), "34000400",
        "4000000000000000"
        "ffffffffffffffff");
    check(message(raft::MatchRequest{0xa1a2a3a4a5a6a7a8, 5}), "34000500",
        "a8a7a6a5a4a3a2a1"
        "0500000000000000");
    check(message(raft::MatchReply{1, 3, 96, 32}), "44000600",
        "0100000000000000"
        "0300000000000000"
        "6000000000000000"
        "2000000000000000");
    check(message(raft::TimeoutNow{}), "24000700", "");
}

TEST_CASE("consensus messages: of any other length they are refused") {
    Draw draw{base::Prng(2)};
    for (int i = 0; i < 200; ++i) {
        std::vector<std::byte> bytes = bytes_of(draw.message());
        for (std::size_t length = 0; length < bytes.size(); ++length) {
            // At the very end of its memory, so that one byte too many is seen.
            const std::vector<std::byte> cut(
                bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
            REQUIRE(refusal(cut) == said(ConsensusFault::kBytes));
        }
        bytes.push_back({});
        REQUIRE(refusal(bytes) == said(ConsensusFault::kBytes));
    }
}

TEST_CASE("consensus messages: another schema, template, version or block is refused") {
    const auto bytes = bytes_of(message(raft::Heartbeat{64, 32, 1}));
    REQUIRE(refusal(bytes).empty());
    for (std::size_t at = 0; at < 8; ++at) {
        for (int value = 0; value < 256; ++value) {
            auto changed = bytes;
            changed[at] = static_cast<std::byte>(value);
            if (changed != bytes) {
                REQUIRE(refusal(changed) == said(ConsensusFault::kBytes));
            }
        }
    }
    // A longer block of a newer version that carries all of ours.
    auto newer = bytes;
    newer.resize(bytes.size() + 8);
    newer[0] = std::byte{68};
    newer[6] = std::byte{2};
    CHECK(refusal(newer) == said(ConsensusFault::kBytes));
    newer[6] = std::byte{1};
    CHECK(refusal(newer) == said(ConsensusFault::kBytes));
}

TEST_CASE("consensus messages: between others than those that it came by it is refused") {
    const auto bytes = bytes_of(message(raft::TimeoutNow{}));
    CHECK(refusal(bytes).empty());
    for (const Direction& other :
        {Direction{8, 1, 2}, Direction{7, 3, 2}, Direction{7, 1, 3}, kWay.reversed()}) {
        CHECK(refusal(bytes, other) == said(ConsensusFault::kDirection));
    }
    for (const Direction& none : {Direction{7, -1, 2}, Direction{7, 1, -1}, Direction{7, 1, 1}}) {
        raft::Message odd = message(raft::TimeoutNow{});
        odd.from = none.from;
        odd.to = none.to;
        CHECK(refusal(bytes_of(odd), none) == said(ConsensusFault::kDirection));
    }
}

TEST_CASE("consensus messages: what no member can mean is refused") {
    const std::string term = said(ConsensusFault::kTerm);
    const std::string position = said(ConsensusFault::kPosition);
    const std::string value = said(ConsensusFault::kValue);

    raft::Message unknown_disk = message(raft::TimeoutNow{});
    unknown_disk.disk = {};
    CHECK(refusal(unknown_disk) == said(ConsensusFault::kDisk));

    // Terms.
    CHECK(refusal(message(raft::VoteReply{}, -1)) == term);
    CHECK(refusal(message(raft::VoteReply{}, 0)).empty());
    CHECK(refusal(message(raft::VoteReply{true, true}, 0)) == term);
    CHECK(refusal(message(raft::VoteReply{}, kTermMax)).empty());
    CHECK(refusal(message(raft::VoteReply{}, kTermMax + 1)) == term);
    CHECK(refusal(message(raft::VoteRequest{false, false, 0, 0}, 0)) == term);
    CHECK(refusal(message(raft::VoteRequest{false, false, 4, 0}, 5)).empty());
    CHECK(refusal(message(raft::VoteRequest{false, false, 5, 0}, 5)) == term);
    CHECK(refusal(message(raft::VoteRequest{false, false, -1, 0}, 5)) == term);
    CHECK(refusal(message(raft::Heartbeat{}, 0)) == term);
    CHECK(refusal(message(raft::Ack{}, 0)) == term);
    CHECK(refusal(message(raft::MatchRequest{1, 0}, 0)) == term);
    CHECK(refusal(message(raft::MatchRequest{1, 6}, 5)) == term);
    CHECK(refusal(message(raft::MatchReply{1, 0, 0, 0}, 0)) == term);
    CHECK(refusal(message(raft::MatchReply{1, 6, 0, 0}, 5)) == term);
    CHECK(refusal(message(raft::MatchReply{1, -1, 0, 0}, 5)) == term);
    CHECK(refusal(message(raft::TimeoutNow{}, 0)) == term);

    // Positions.
    for (const std::int64_t odd : {std::int64_t{-32}, std::int64_t{33}, kPositionMax + 32}) {
        CHECK(refusal(message(raft::VoteRequest{false, false, 0, odd})) == position);
        CHECK(refusal(message(raft::Heartbeat{odd, 0, 0})) == position);
        CHECK(refusal(message(raft::Heartbeat{kPositionMax, odd, 0})) == position);
        CHECK(refusal(message(raft::Ack{odd, 0})) == position);
        CHECK(refusal(message(raft::MatchReply{1, 0, odd, 0})) == position);
        CHECK(refusal(message(raft::MatchReply{1, 0, kPositionMax, odd})) == position);
    }
    CHECK(refusal(message(raft::Heartbeat{32, 64, 0})) == position);
    CHECK(refusal(message(raft::MatchReply{1, 0, 32, 64})) == position);
    CHECK(refusal(message(raft::Ack{kPositionMax, 0})).empty());

    // Values.
    CHECK(refusal(message(raft::MatchRequest{0, 0})) == value);
    CHECK(refusal(message(raft::MatchReply{0, 0, 0, 0})) == value);
    const auto with_last = [](const raft::Message& message, std::size_t from_end, int last) {
        auto bytes = bytes_of(message);
        bytes[bytes.size() - from_end] = static_cast<std::byte>(last);
        return refusal(bytes);
    };
    CHECK(with_last(message(raft::VoteRequest{}), 1, 2).empty());
    CHECK(with_last(message(raft::VoteRequest{}), 1, 3) == value);
    CHECK(with_last(message(raft::VoteReply{}), 1, 2) == value);
    CHECK(with_last(message(raft::VoteReply{}), 2, 2) == value);
}

}  // namespace fulmar::cluster
