/// Two members and what lies between them: what is heard is what the other said, once; whatever somebody else
/// makes of it is not; and a restart of either needs nobody's help.
#include "cluster/member_auth.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/prng.h"

namespace fulmar::cluster {
namespace {

using Bytes = std::vector<std::byte>;
using Verdict = AuthVerdict;

Secret secret(int number) {
    Secret made;
    made.fill(static_cast<std::byte>(number));
    return made;
}

/// One side, over its lives.
struct Member {
    MemberAuth::Options options;
    std::optional<MemberAuth> auth{};

    void start(Instant now) {
        static int lives = 0;
        ++lives;
        options.draw = secret(lives);
        options.draw[1] = static_cast<std::byte>(lives >> 8);
        auth.emplace(options, now);
    }

    [[nodiscard]] Bytes say(const std::string& text) {
        Bytes datagram(kSealBytes + text.size());
        std::transform(text.begin(), text.end(), datagram.begin() + kSealFront,
            [](char c) { return static_cast<std::byte>(c); });
        datagram.resize(auth->seal(datagram, text.size()));
        return datagram;
    }

    /// The verdict on a datagram at the very end of its memory, and what was said.
    std::pair<Verdict, std::string> hear(const Bytes& datagram) {
        const Opened opened = auth->open(datagram);
        return {opened.verdict,
            std::string(reinterpret_cast<const char*>(opened.message.data()), opened.message.size())};
    }

    [[nodiscard]] std::vector<Bytes> due(Instant now) {
        std::vector<Bytes> all;
        for (Bytes datagram(kHandshakeMax);;) {
            const std::size_t length = auth->poll(datagram, now);
            if (length == 0) {
                return all;
            }
            all.emplace_back(datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(length));
        }
    }
};

MemberAuth::Options options_of(const Direction& out, int key = 1) {
    MemberAuth::Options options;
    options.out = out;
    options.key = secret(key);
    return options;
}

struct Two {
    Instant now{seconds(5).ns};
    Member a{options_of({7, 1, 2})};
    Member b{options_of({7, 2, 1})};

    Two() {
        a.start(now);
        b.start(now);
    }

    /// Handshakes over a network that loses nothing, until neither has anything to say.
    void settle() {
        for (bool moved = true; moved;) {
            moved = false;
            for (auto* from : {&a, &b}) {
                for (const Bytes& datagram : from->due(now)) {
                    (from == &a ? b : a).hear(datagram);
                    moved = true;
                }
            }
        }
    }
    void settle_in(Duration time) {
        now = now + time;
        settle();
    }

    /// Whether both are heard by the other.
    bool speak() {
        return b.hear(a.say("from a")) == std::pair(Verdict::kMessage, std::string("from a")) &&
               a.hear(b.say("from b")) == std::pair(Verdict::kMessage, std::string("from b"));
    }
};

struct Agreed : Two {
    Agreed() { settle(); }
};

}  // namespace

TEST_CASE("member auth: nothing is said before there is a session, and then it is heard") {
    Two two;
    CHECK_FALSE(two.a.auth->is_open());
    CHECK(two.a.say("too early").empty());
    two.settle();
    CHECK(two.a.auth->is_open());
    CHECK(two.b.auth->is_open());
    CHECK(two.a.auth->deadline() == Instant::never());
    for (int i = 0; i < 1'000; ++i) {
        REQUIRE(two.speak());
    }
    CHECK(two.b.hear(two.a.say("")).first == Verdict::kMessage);
    CHECK(two.a.due(two.now).empty());
    CHECK(two.b.due(two.now).empty());
}

TEST_CASE("member auth: what was not answered is asked again, at its time") {
    Two two;
    REQUIRE(two.a.auth->deadline() == two.now);
    REQUIRE(two.a.due(two.now).size() == 1);
    CHECK(two.a.due(two.now).empty());
    CHECK(two.a.auth->deadline() == two.now + milliseconds(10));
    two.now = two.now + milliseconds(10);
    const auto again = two.a.due(two.now);
    REQUIRE(again.size() == 1);
    CHECK(two.b.hear(again[0]).first == Verdict::kHandshake);
    CHECK(two.b.auth->deadline() <= two.now);
}

TEST_CASE("member auth: a spoilt bit anywhere is refused") {
    Agreed two;
    REQUIRE(two.speak());
    const Bytes datagram = two.a.say("commit");
    for (std::size_t bit = 0; bit < 8 * datagram.size(); ++bit) {
        Bytes spoilt = datagram;
        spoilt[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
        const Verdict verdict = two.b.hear(spoilt).first;
        const std::size_t at = bit / 8;
        // Header, direction, session; sequence, message, code.
        REQUIRE(verdict == (at < 8       ? Verdict::kMalformed
                               : at < 20 ? Verdict::kElsewhere
                               : at < 28 ? Verdict::kUnknownSession
                                         : Verdict::kForged));
    }
    CHECK(two.b.hear(datagram).first == Verdict::kMessage);
}

TEST_CASE("member auth: a spoilt handshake is refused") {
    Two two;
    const Bytes request = two.a.due(two.now).at(0);
    REQUIRE(two.b.hear(request).first == Verdict::kHandshake);
    const Bytes challenge = two.b.due(two.now).at(0);
    const auto check = [](Member& member, const Bytes& datagram) {
        for (std::size_t bit = 0; bit < 8 * datagram.size(); ++bit) {
            Bytes spoilt = datagram;
            spoilt[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
            const Verdict verdict = member.hear(spoilt).first;
            REQUIRE(verdict != Verdict::kHandshake);
            REQUIRE(verdict != Verdict::kMessage);
        }
        for (std::size_t length = 0; length < datagram.size(); ++length) {
            const Bytes cut(datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(length));
            REQUIRE(member.hear(cut).first == Verdict::kMalformed);
        }
    };
    check(two.b, request);
    check(two.a, challenge);
    CHECK_FALSE(two.a.auth->is_open());
    CHECK(two.a.hear(challenge).first == Verdict::kHandshake);
    CHECK(two.a.auth->is_open());
}

TEST_CASE("member auth: cut short it is refused") {
    Agreed two;
    REQUIRE(two.speak());
    const Bytes datagram = two.a.say("commit");
    for (std::size_t length = 0; length < datagram.size(); ++length) {
        const Bytes cut(datagram.begin(), datagram.begin() + static_cast<std::ptrdiff_t>(length));
        REQUIRE(two.b.hear(cut).first == (length < kSealBytes ? Verdict::kMalformed : Verdict::kForged));
    }
    CHECK(two.b.hear(datagram).first == Verdict::kMessage);
}

TEST_CASE("member auth: heard once, in whatever order within the window") {
    Agreed two;
    std::vector<Bytes> said;
    for (int i = 0; i < 64; ++i) {
        said.push_back(two.a.say(std::to_string(i)));
    }
    base::Prng prng(3);
    for (std::size_t i = said.size(); i > 1; --i) {
        std::swap(said[i - 1], said[prng.below(i)]);
    }
    for (const Bytes& datagram : said) {
        REQUIRE(two.b.hear(datagram).first == Verdict::kMessage);
        REQUIRE(two.b.hear(datagram).first == Verdict::kRepeated);
    }
    for (const Bytes& datagram : said) {
        REQUIRE(two.b.hear(datagram).first == Verdict::kRepeated);
    }
}

TEST_CASE("member auth: overtaken by 63 it is heard, by 64 not") {
    for (const std::size_t others : {63U, 64U, 65U, 1'000U}) {
        Agreed two;
        REQUIRE(two.speak());
        const Bytes late = two.a.say("late");
        for (std::size_t i = 0; i < others; ++i) {
            REQUIRE(two.b.hear(two.a.say("next")).first == Verdict::kMessage);
        }
        CHECK(two.b.hear(late).first == (others < 64 ? Verdict::kMessage : Verdict::kTooOld));
        CHECK(two.b.hear(late).first == (others < 64 ? Verdict::kRepeated : Verdict::kTooOld));
    }
}

TEST_CASE("member auth: reflected it is refused") {
    Agreed two;
    REQUIRE(two.speak());
    Bytes datagram = two.a.say("your own words");
    CHECK(two.a.hear(datagram).first == Verdict::kElsewhere);
    // The same with the names exchanged: the code is for one direction.
    std::swap_ranges(datagram.begin() + 12, datagram.begin() + 16, datagram.begin() + 16);
    CHECK(two.a.hear(datagram).first == Verdict::kUnknownSession);
    Two fresh;
    Bytes request = fresh.a.due(fresh.now).at(0);
    CHECK(fresh.a.hear(request).first == Verdict::kElsewhere);
    std::swap_ranges(request.begin() + 12, request.begin() + 16, request.begin() + 16);
    CHECK(fresh.a.hear(request).first == Verdict::kForged);
}

TEST_CASE("member auth: another cluster, another member and another key have no say") {
    struct Case {
        MemberAuth::Options other;
        Verdict verdict;
    };
    for (const Case& c :
        {Case{options_of({8, 1, 2}), Verdict::kElsewhere}, Case{options_of({7, 3, 2}), Verdict::kElsewhere},
            Case{options_of({7, 1, 3}), Verdict::kElsewhere},
            Case{options_of({7, 1, 2}, 9), Verdict::kForged}}) {
        Two two;
        Two others;
        others.a.options = c.other;
        others.b.options = c.other;
        others.b.options.out = c.other.out.reversed();
        others.a.start(others.now);
        others.b.start(others.now);
        const Bytes request = others.a.due(others.now).at(0);
        CHECK(two.b.hear(request).first == c.verdict);
        others.a.start(others.now);
        others.settle();
        REQUIRE(others.speak());
        two.settle();
        CHECK(two.b.hear(others.a.say("stray")).first ==
              (c.verdict == Verdict::kForged ? Verdict::kUnknownSession : c.verdict));
        CHECK(two.speak());
    }
}

TEST_CASE("member auth: between two keys nothing comes about") {
    Two two;
    two.b.options.key = secret(2);
    two.b.start(two.now);
    for (int i = 0; i < 100; ++i) {
        two.settle_in(milliseconds(10));
    }
    CHECK_FALSE(two.a.auth->is_open());
    CHECK_FALSE(two.b.auth->is_open());
}

TEST_CASE("member auth: after a restart of either both are heard again, and old words are not") {
    for (const bool a_restarts : {true, false}) {
        Agreed two;
        REQUIRE(two.speak());
        std::vector<Bytes> to_a;
        std::vector<Bytes> to_b;
        for (int i = 0; i < 10; ++i) {
            to_b.push_back(two.a.say("old"));
            to_a.push_back(two.b.say("old"));
        }
        (a_restarts ? two.a : two.b).start(two.now);
        two.settle();
        for (int round = 0; round < 2; ++round) {
            for (std::size_t i = 0; i < to_a.size(); ++i) {
                // Those to who has not restarted are of a session that is not over before the next begins.
                const Verdict at_a = two.a.hear(to_a[i]).first;
                const Verdict at_b = two.b.hear(to_b[i]).first;
                if (round == 1 || a_restarts) {
                    REQUIRE(at_a != Verdict::kMessage);
                }
                if (round == 1 || !a_restarts) {
                    REQUIRE(at_b != Verdict::kMessage);
                }
            }
            two.settle_in(milliseconds(50));
            REQUIRE(two.speak());
        }
        for (std::size_t i = 0; i < to_a.size(); ++i) {
            REQUIRE(two.a.hear(to_a[i]).first == Verdict::kUnknownSession);
            REQUIRE(two.b.hear(to_b[i]).first == Verdict::kUnknownSession);
        }
        REQUIRE(two.speak());
    }
}

TEST_CASE("member auth: who has been silent is heard at once by who has restarted") {
    Agreed two;
    REQUIRE(two.speak());
    two.now = two.now + seconds(1);
    two.b.start(two.now);
    two.settle();
    CHECK(two.b.hear(two.a.say("my vote")).first == Verdict::kMessage);
}

TEST_CASE("member auth: who is not understood, and was not asked, learns it from the answer") {
    Agreed two;
    REQUIRE(two.speak());
    two.now = two.now + milliseconds(10);
    two.b.start(two.now);
    (void)two.b.due(two.now);  // its request is lost
    CHECK(two.b.hear(two.a.say("lost")).first == Verdict::kUnknownSession);
    const auto answer = two.b.due(two.now);
    REQUIRE(answer.size() == 1);
    CHECK(two.a.auth->deadline() == Instant::never());
    CHECK(two.a.hear(answer[0]).first == Verdict::kHandshake);
    CHECK(two.a.auth->deadline() <= two.now);  // it asks by itself, whatever becomes of b's request
    two.settle();
    CHECK(two.b.hear(two.a.say("heard")).first == Verdict::kMessage);
}

TEST_CASE("member auth: a flood of unknown sessions is answered once in a while") {
    Agreed two;
    Agreed others;
    std::size_t answers = 0;
    for (int us = 0; us < 10'000; us += 10) {
        CHECK(two.b.hear(others.a.say("flood")).first == Verdict::kUnknownSession);
        answers += two.b.due(two.now + microseconds(us)).size();
    }
    CHECK(answers >= 9);
    CHECK(answers <= 11);
    CHECK(two.speak());
}

TEST_CASE("member auth: old handshakes, said again at any time, neither open nor close anything") {
    // Everything that was ever on the wire, over restarts of both, comes again in any order.
    Two two;
    std::vector<Bytes> wire;
    std::map<std::string, int> heard;
    base::Prng prng(11);
    const auto deliver = [&](Member& to, const Bytes& datagram) {
        const auto [verdict, text] = to.hear(datagram);
        if (verdict == Verdict::kMessage) {
            ++heard[text];
        }
        return verdict;
    };
    int said = 0;
    int arrived = 0;
    for (int step = 0; step < 20'000; ++step) {
        two.now = two.now + microseconds(500);
        for (auto* from : {&two.a, &two.b}) {
            Member& to = from == &two.a ? two.b : two.a;
            std::vector<Bytes> out = from->due(two.now);
            if (from->auth->is_open()) {
                out.push_back(from->say((from == &two.a ? "a " : "b ") + std::to_string(++said)));
            }
            for (const Bytes& datagram : out) {
                wire.push_back(datagram);
                if (!prng.chance(0.05)) {
                    arrived += deliver(to, datagram) == Verdict::kMessage ? 1 : 0;
                }
            }
        }
        if (!wire.empty()) {
            const Bytes& old = wire[prng.below(wire.size())];
            (void)deliver(prng.chance(0.5) ? two.a : two.b, old);
        }
        if (prng.chance(0.002)) {
            (prng.chance(0.5) ? two.a : two.b).start(two.now);
        }
    }
    CHECK(said > 30'000);
    CHECK(arrived > said * 85 / 100);
    for (const auto& [text, times] : heard) {
        REQUIRE(times == 1);
    }
    // The attacker goes on, and still they speak.
    for (const Bytes& old : wire) {
        (void)deliver(two.a, old);
        (void)deliver(two.b, old);
    }
    two.settle_in(milliseconds(20));
    two.settle_in(milliseconds(20));
    CHECK(two.speak());
}

TEST_CASE("member auth: who claims to have sent it") {
    Agreed two;
    CHECK(MemberAuth::claimed_sender(two.a.say("x")) == 1);
    CHECK(MemberAuth::claimed_sender(two.b.say("x")) == 2);
    CHECK_FALSE(MemberAuth::claimed_sender({}));
    CHECK(two.b.auth->incoming() == Direction{7, 1, 2});
}

}  // namespace fulmar::cluster
