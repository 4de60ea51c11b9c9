// Single nodes, step by step; what many of them do together is the simulator's.
#include "raft/node.h"

#include <doctest/doctest.h>

using namespace fulmar;
using namespace fulmar::raft;

namespace {

constexpr DiskId disk_of(MemberId id) {
    return {static_cast<std::uint64_t>(id) + 1, 7};
}

Membership members(int count) {
    Membership all;
    for (MemberId id = 0; id < count; ++id) {
        all.members.push_back({id, disk_of(id), true});
    }
    return all;
}

/// Member 0, and what others say to it.
struct Alone {
    explicit Alone(int count = 3, Durability durability = Durability::kQuorum, State state = {})
        : node({.id = 0, .disk = disk_of(0), .durability = durability}, state, facts(count), 1, now) {}

    static LogFacts facts(int count) {
        LogFacts log;
        log.memberships.push_back({0, members(count)});
        return log;
    }
    void pass(Duration time) {
        const Instant end = now + time;
        while (now < end) {
            now = now + milliseconds(1);
            node.tick(now);
        }
    }
    Ready ready() {
        Ready all;
        Ready some;
        while (node.ready(some)) {
            all.state = some.state ? some.state : all.state;
            all.order = some.order ? some.order : all.order;
            all.messages.insert(all.messages.end(), some.messages.begin(), some.messages.end());
            all.reads.insert(all.reads.end(), some.reads.begin(), some.reads.end());
        }
        return all;
    }
    void keep(const Ready& ready) {
        if (ready.state) {
            node.on_state_durable(ready.state->number);
        }
    }
    template <class Body>
    void hear(MemberId from, Term term, Body body) {
        node.step(
            {.from = from, .to = 0, .disk = disk_of(from), .term = term, .after = {}, .body = body}, now);
    }
    /// Leads `term` 1 with its first message appended and durable.
    void lead() {
        pass(milliseconds(250));
        (void)ready();
        hear(1, 1, VoteReply{.is_pre = true, .is_granted = true});
        keep(ready());
        hear(1, 1, VoteReply{.is_granted = true});
        const Ready elected = ready();
        REQUIRE(elected.order);
        REQUIRE(elected.order->kind == Order::Kind::kLead);
        append(64, 64, {{1, 0}});
    }
    void append(std::int64_t end, std::int64_t durable, std::vector<TermEntry> terms = {}) {
        node.on_log({end, durable, terms, {}});
    }

    Instant now{1'000'000'000};
    Node node;
};

template <class Body>
std::vector<Message> of(const Ready& ready) {
    std::vector<Message> found;
    for (const Message& message : ready.messages) {
        if (std::holds_alternative<Body>(message.body)) {
            found.push_back(message);
        }
    }
    return found;
}

}  // namespace

TEST_CASE("raft node: it asks before it raises its term") {
    Alone at;
    at.pass(milliseconds(250));
    const Ready asked = at.ready();
    CHECK(at.node.role() == Role::kPreCandidate);
    CHECK_FALSE(asked.state);
    REQUIRE(of<VoteRequest>(asked).size() >= 2);
    CHECK(std::get<VoteRequest>(of<VoteRequest>(asked)[0].body).is_pre);
    CHECK(of<VoteRequest>(asked)[0].term == 1);
    CHECK(at.node.term() == 0);

    at.hear(2, 1, VoteReply{.is_pre = true, .is_granted = true});
    const Ready candidate = at.ready();
    REQUIRE(candidate.state);
    CHECK(candidate.state->state == State{1, 0});
    REQUIRE(of<VoteRequest>(candidate).size() == 2);
    CHECK(of<VoteRequest>(candidate)[0].after.state == candidate.state->number);
}

TEST_CASE("raft node: a vote waits for its disk, is cast once, and not for a shorter log") {
    Alone at;
    at.hear(1, 3, VoteRequest{.is_transfer = false, .log_term = 0, .log_end = 0});
    const Ready voted = at.ready();
    REQUIRE(voted.state);
    CHECK(voted.state->state == State{3, 1});
    REQUIRE(of<VoteReply>(voted).size() == 1);
    CHECK(std::get<VoteReply>(of<VoteReply>(voted)[0].body).is_granted);
    CHECK(of<VoteReply>(voted)[0].after.state == voted.state->number);

    at.hear(2, 3, VoteRequest{});
    CHECK_FALSE(std::get<VoteReply>(of<VoteReply>(at.ready())[0].body).is_granted);
    at.hear(1, 3, VoteRequest{});
    CHECK(std::get<VoteReply>(of<VoteReply>(at.ready())[0].body).is_granted);
    at.hear(2, 2, VoteRequest{});
    const auto old = of<VoteReply>(at.ready());
    CHECK_FALSE(std::get<VoteReply>(old[0].body).is_granted);
    CHECK(old[0].term == 3);
}

TEST_CASE("raft node: who hears a leader elects no other, but for a transfer") {
    Alone at;
    at.hear(1, 2, Heartbeat{.log_end = 64, .commit = 0, .round = 1});
    (void)at.ready();
    at.hear(2, 3, VoteRequest{.log_term = 2, .log_end = 64});
    CHECK(of<VoteReply>(at.ready()).empty());
    CHECK(at.node.term() == 2);
    at.hear(2, 3, VoteRequest{.is_pre = true, .log_term = 2, .log_end = 64});
    CHECK_FALSE(std::get<VoteReply>(of<VoteReply>(at.ready())[0].body).is_granted);
    at.hear(2, 3, VoteRequest{.is_transfer = true, .log_term = 2, .log_end = 64});
    CHECK(std::get<VoteReply>(of<VoteReply>(at.ready())[0].body).is_granted);
}

TEST_CASE("raft node: commit is what a quorum has, and nothing before the term's own first message") {
    Alone at(5);
    at.pass(milliseconds(250));
    (void)at.ready();
    for (const MemberId id : {1, 2}) {
        at.hear(id, 1, VoteReply{.is_pre = true, .is_granted = true});
    }
    at.keep(at.ready());
    for (const MemberId id : {1, 2}) {
        at.hear(id, 1, VoteReply{.is_granted = true});
    }
    REQUIRE(at.ready().order->kind == Order::Kind::kLead);
    at.append(64, 0, {{1, 0}});
    at.append(640, 320);
    at.hear(1, 1, Ack{.position = 640, .round = 1});
    at.hear(2, 1, Ack{.position = 128, .round = 1});
    (void)at.ready();
    CHECK(at.node.commit() == 128);
    at.hear(3, 1, Ack{.position = 640, .round = 1});
    (void)at.ready();
    CHECK(at.node.commit() == 320);  // as far as it has it itself, durably
    at.hear(4, 1, Ack{.position = 10'000, .round = 1});
    (void)at.ready();
    CHECK(at.node.commit() == 320);  // nobody has more than was appended
    at.hear(2, 1, Ack{.position = 64, .round = 1});
    (void)at.ready();
    CHECK(at.node.commit() == 320);
}

TEST_CASE("raft node: another disk is nobody's vote and nobody's acknowledgement") {
    Alone at;
    at.lead();
    at.node.step({.from = 1, .to = 0, .disk = {9, 9}, .term = 1, .after = {}, .body = Ack{64, 1}}, at.now);
    (void)at.ready();
    CHECK(at.node.commit() == 0);
    at.hear(1, 1, Ack{64, 1});
    (void)at.ready();
    CHECK(at.node.commit() == 64);
}

TEST_CASE("raft node: with all, one that is missing holds commit up") {
    Alone at(3, Durability::kAll);
    at.lead();
    at.hear(1, 1, Ack{64, 1});
    (void)at.ready();
    CHECK(at.node.commit() == 0);
    at.hear(2, 1, Ack{64, 1});
    (void)at.ready();
    CHECK(at.node.commit() == 64);
}

TEST_CASE("raft node: a leader that hears of no quorum is none") {
    Alone at;
    at.lead();
    at.pass(milliseconds(60));
    at.hear(2, 1, Ack{64, 1});
    at.pass(milliseconds(60));
    CHECK(at.node.role() == Role::kLeader);
    at.pass(milliseconds(60));
    CHECK(at.node.role() != Role::kLeader);
    CHECK(at.ready().order->kind == Order::Kind::kStop);
}

TEST_CASE("raft node: a read waits for a round that began after it") {
    Alone at;
    at.lead();
    at.hear(1, 1, Ack{64, 1});
    (void)at.ready();
    at.node.read(5);
    const Ready asking = at.ready();
    CHECK(asking.reads.empty());
    REQUIRE(of<Heartbeat>(asking).size() >= 2);
    const std::uint64_t round = std::get<Heartbeat>(of<Heartbeat>(asking).back().body).round;
    at.hear(2, 1, Ack{64, round - 1});
    CHECK(at.ready().reads.empty());
    at.hear(2, 1, Ack{64, round});
    const Ready confirmed = at.ready();
    REQUIRE(confirmed.reads.size() == 1);
    CHECK(confirmed.reads[0].id == 5);
    CHECK(confirmed.reads[0].position == 64);

    at.node.read(6);
    (void)at.ready();
    at.hear(2, 2, Ack{});  // a later term is about
    const Ready refused = at.ready();
    REQUIRE(refused.reads.size() == 1);
    CHECK(refused.reads[0].position == -1);
}

TEST_CASE("raft node: a follower cuts what its leader does not have, then follows and acknowledges") {
    LogFacts log = Alone::facts(3);
    log.terms.add({1, 0});
    log.terms.add({2, 320});
    log.end = 960;
    Instant now{1'000'000'000};
    Node node({.id = 0, .disk = disk_of(0)}, {.term = 2}, log, 1, now);
    const auto hear = [&](auto body) {
        node.step({.from = 1, .to = 0, .disk = disk_of(1), .term = 4, .after = {}, .body = body}, now);
    };
    hear(Heartbeat{.log_end = 2'000, .commit = 640, .round = 9});
    Ready ready;
    REQUIRE(node.ready(ready));
    REQUIRE(of<MatchRequest>(ready).size() == 1);
    const auto asked = std::get<MatchRequest>(of<MatchRequest>(ready)[0].body);
    CHECK(asked.log_term == 2);
    CHECK(std::get<Ack>(of<Ack>(ready)[0].body).position == -1);
    CHECK(node.commit() == 0);

    // An answer to another question is none.
    hear(MatchReply{.question = asked.question + 1, .log_term = 1, .end = 64});
    CHECK_FALSE(node.ready(ready));
    // The leader's term 1 went on where ours ended.
    hear(MatchReply{.question = asked.question, .log_term = 1, .end = 640});
    REQUIRE(node.ready(ready));
    REQUIRE(ready.order);
    CHECK(ready.order->kind == Order::Kind::kTruncate);
    CHECK(ready.order->position == 320);
    node.on_truncated();
    REQUIRE(node.ready(ready));
    CHECK(ready.order->kind == Order::Kind::kFollow);
    CHECK(ready.order->position == 320);
    CHECK(node.terms().last_term() == 1);

    node.on_log({.end = 704, .durable = 512});
    REQUIRE(node.ready(ready));
    CHECK(std::get<Ack>(of<Ack>(ready)[0].body).position == 512);
    CHECK(node.commit() == 640);
}

TEST_CASE("raft node: a log that begins behind ours is asked for as a snapshot") {
    Alone at;
    at.hear(1, 4, Heartbeat{.log_end = 9'000, .commit = 9'000, .round = 1});
    const auto asked = std::get<MatchRequest>(of<MatchRequest>(at.ready())[0].body);
    at.hear(1, 4, MatchReply{.question = asked.question, .log_term = 3, .end = 9'000, .begin = 8'192});
    const Ready ready = at.ready();
    REQUIRE(ready.order);
    CHECK(ready.order->kind == Order::Kind::kInstall);
    CHECK(ready.order->position == 8'192);
    // Once: it takes its time.
    at.hear(1, 4, Heartbeat{.log_end = 9'000, .commit = 9'000, .round = 2});
    const Ready then = at.ready();
    CHECK_FALSE(then.order);
    CHECK(of<MatchRequest>(then).empty());
}

TEST_CASE("raft node: a process that stood still gives its leader time") {
    Alone at;
    at.hear(1, 1, Heartbeat{.log_end = 0, .commit = 0, .round = 1});
    at.now = at.now + seconds(5);
    at.node.tick(at.now);
    CHECK(at.node.role() == Role::kFollower);
    at.pass(milliseconds(250));
    CHECK(at.node.role() == Role::kPreCandidate);
}

TEST_CASE("raft node: leadership goes over when the other has all") {
    Alone at;
    at.lead();
    CHECK_FALSE(at.node.transfer(0));
    CHECK_FALSE(at.node.transfer(7));
    at.hear(1, 1, Ack{0, 1});
    REQUIRE(at.node.transfer(1));
    CHECK(of<TimeoutNow>(at.ready()).empty());
    CHECK(at.node.transfer_target() == 1);
    at.hear(1, 1, Ack{64, 1});
    const auto sent = of<TimeoutNow>(at.ready());
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].to == 1);

    Alone other;
    other.hear(1, 1, Heartbeat{.log_end = 0, .commit = 0, .round = 1});
    other.hear(1, 1, TimeoutNow{});
    CHECK(other.node.role() == Role::kCandidate);
    CHECK(other.node.term() == 2);
}

TEST_CASE("raft node: one change of voters at a time, and none before the term's first commit") {
    Alone at;
    at.lead();
    Membership next = members(3);
    next.members.push_back({3, disk_of(3), false});
    CHECK_FALSE(at.node.may_propose(next));
    at.hear(1, 1, Ack{64, 1});
    (void)at.ready();
    REQUIRE(at.node.may_propose(next));
    const std::vector<MembershipEntry> entry{{160, next}};
    at.node.on_log({160, 160, {}, entry});
    CHECK(at.node.membership() == next);
    next.members.back().is_voter = true;
    CHECK_FALSE(at.node.may_propose(next));  // the one before is not committed
    at.hear(2, 1, Ack{160, 1});
    (void)at.ready();
    CHECK(at.node.may_propose(next));
}
