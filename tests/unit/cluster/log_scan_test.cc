#include "cluster/log_scan.h"

#include <array>

#include <doctest/doctest.h>

#include "base/prng.h"
#include "cluster/log_messages.h"
#include "cluster/membership_message.h"
#include "wire/frame.h"

using namespace fulmar;
using namespace fulmar::cluster;

namespace {

/// Frames as a leader publishes them.
class Log {
  public:
    explicit Log(std::int64_t position = 0) : begin_(position) {}

    [[nodiscard]] std::int64_t position() const { return begin_ + std::ssize(bytes_); }
    [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
    [[nodiscard]] std::span<const std::byte> from(std::int64_t position) const {
        return bytes().subspan(static_cast<std::size_t>(position - begin_));
    }

    void frame(std::span<const std::byte> payload, std::uint8_t flags = wire::flag::kUnfragmented,
        wire::FrameType type = wire::FrameType::kData) {
        const std::size_t at = bytes_.size();
        const auto length = static_cast<std::int32_t>(wire::kDataHeaderLength + std::ssize(payload));
        bytes_.resize(at + static_cast<std::size_t>(wire::align_frame(length)));
        (void)wire::write_data_header(
            bytes_.data() + at, {.frame_length = length, .flags = flags, .type = type});
        std::copy(payload.begin(), payload.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at) + 32);
    }
    void message(std::size_t length) { frame(std::vector<std::byte>(length, std::byte{1})); }
    void padding(std::size_t length) { frame(std::vector<std::byte>(length), 0, wire::FrameType::kPad); }
    /// `base`: where its term begins, which is here but for padding.
    void term(raft::Term term, std::int64_t base) {
        std::array<std::byte, 256> buffer{};
        const auto length =
            static_cast<std::int32_t>(wire::kDataHeaderLength + sbe::encoded_length<NewLeadershipTermEvent>);
        sbe::Encoder<NewLeadershipTermEvent> event(buffer);
        event.set<"leadershipTermId">(term).set<"termBaseLogPosition">(base).set<"logPosition">(
            position() + wire::align_frame(length));
        frame(*event.finish());
    }
    void membership(const raft::Membership& membership) {
        std::array<std::byte, 1024> buffer{};
        const std::size_t length = encode_membership(1, membership, buffer);
        REQUIRE(length > 0);
        frame(std::span(buffer).first(length));
    }

  private:
    std::int64_t begin_;
    std::vector<std::byte> bytes_;
};

raft::Membership three() {
    return {{{0, {1, 1}, true}, {1, {2, 2}, true}, {2, {}, false}}};
}

}  // namespace

TEST_CASE("log scan: it finds messages, terms and members, however the frames come") {
    Log log(4'096);
    log.message(100);
    log.term(3, log.position());
    log.message(0);
    const std::int64_t before = log.position();
    log.padding(500);
    log.term(5, before);
    log.membership(three());
    const std::int64_t changed = log.position();
    log.frame(std::vector<std::byte>(64), wire::flag::kBegin);
    log.frame(std::vector<std::byte>(64), 0);
    const std::int64_t middle = log.position();
    log.frame(std::vector<std::byte>(10), wire::flag::kEnd);
    const std::int64_t last = log.position();
    log.padding(32);

    const auto check = [&](const LogScan& scan) {
        CHECK(scan.end() == last);
        CHECK(scan.position() == log.position());
        REQUIRE(scan.terms().size() == 2);
        CHECK(scan.terms()[0] == raft::TermEntry{3, 4'096 + 160});
        CHECK(scan.terms()[1] == raft::TermEntry{5, before});  // the padding is the new leader's
        REQUIRE(scan.memberships().size() == 1);
        CHECK(scan.memberships()[0].position == changed);
        CHECK(scan.memberships()[0].membership == three());
    };
    LogScan whole(4'096, 2);
    REQUIRE(whole.take(log.bytes()));
    check(whole);
    LogScan parts(4'096, 2);
    REQUIRE(parts.take(log.bytes().first(static_cast<std::size_t>(middle - 4'096))));
    CHECK(parts.end() == changed);
    CHECK(parts.position() == middle);
    REQUIRE(parts.take(log.from(middle)));
    check(parts);
    parts.clear();
    CHECK(parts.terms().empty());
    CHECK(parts.last_term() == 5);
}

TEST_CASE("log scan: what no leader writes is refused, and nothing of it taken") {
    const auto refused = [](Log& log, raft::Term term = 4) {
        LogScan scan(0, term);
        const Status status = scan.take(log.bytes());
        CHECK((status || scan.position() == 0));
        CHECK((status || scan.end() == 0));
        return !status;
    };
    const auto bad = [&](auto&& write) {
        Log log;
        log.message(10);
        write(log);
        return refused(log);
    };
    CHECK_FALSE(bad([](Log& log) { log.term(5, log.position()); }));
    CHECK(bad([](Log& log) { log.term(4, log.position()); }));
    CHECK(bad([](Log& log) { log.term(5, log.position() - 32); }));
    CHECK(bad([](Log& log) { log.frame(std::vector<std::byte>(64), wire::flag::kEnd); }));
    CHECK(bad([](Log& log) {
        log.frame(std::vector<std::byte>(64), wire::flag::kBegin);
        log.message(5);
    }));
    CHECK(bad([](Log& log) { log.membership({{{0, {}, false}}}); }));
    CHECK(bad([](Log& log) { log.membership({{{0, {}, true}, {0, {}, true}}}); }));
    CHECK(bad([](Log& log) { log.membership({{{-1, {}, true}}}); }));
    Log cut;
    cut.message(100);
    LogScan scan(0);
    CHECK_FALSE(scan.take(cut.bytes().first(64)));
    CHECK_FALSE(scan.take(cut.bytes().first(20)));
    const std::vector<std::byte> zeros(64);
    CHECK_FALSE(scan.take(zeros));
}

TEST_CASE("log scan: noise is no log, and harms nobody") {
    base::Prng draws(5);
    int taken = 0;
    for (int round = 0; round < 2'000; ++round) {
        Log log;
        log.message(draws.below(200));
        log.term(5, log.position());
        log.membership(three());
        std::vector<std::byte> bytes(log.bytes().begin(), log.bytes().end());
        for (auto flips = 1 + draws.below(4); flips > 0; --flips) {
            bytes[draws.below(bytes.size())] ^= static_cast<std::byte>(1U << draws.below(8));
        }
        LogScan scan(0, 4);
        const bool is_log = scan.take(bytes).has_value();
        taken += is_log ? 1 : 0;
        CHECK(scan.end() <= std::ssize(bytes));
        CHECK((is_log || scan.end() == 0));
    }
    CHECK(taken > 0);
    CHECK(taken < 2'000);
}
