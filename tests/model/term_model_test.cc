// Append, rotate, read, clean and unblock as they are in lib/term, each atomic access a switch point: two
// producers whose frames fill a term in a few claims, a consumer that also cleans and moves the limit, and
// producers that die anywhere. Plain accesses are not checked for races: the protocol lets the unblocker
// write over a dead producer's header.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/bytes.h"
#include "base/plant.h"
#include "model_test.h"
#include "term/append.h"
#include "term/clean.h"
#include "term/read.h"
#include "term/unblock.h"

#ifndef FULMAR_MODEL_SHADOW
#error "build this against tests/model/shadow: else nothing reaches the scheduler"
#endif

using namespace fulmar;
using model::check;
using model::Options;
using model::Program;
using Survivors = std::vector<std::string>;

namespace {

constexpr std::int32_t kTermLength = 64 * 1024;
constexpr std::int32_t kInitialTermId = -2;  // so that ids cross zero
constexpr std::int64_t kWindow = kTermLength / 2;
/// Two frames fit a term and leave 16 KiB: every third claim trips in mid-term.
constexpr std::int32_t kFrameLength = 24 * 1024;
constexpr std::int32_t kPayloadLength = kFrameLength - wire::kDataHeaderLength;
constexpr std::size_t kProducers = 3;

/// One mapping for all executions; zeroed for each.
std::span<std::byte> fresh_mapping() {
    static const auto words = std::make_unique<std::uint64_t[]>(
        static_cast<std::size_t>(layout::log_file_length(kTermLength, layout::kPageSizeMin)) / 8);
    const auto length = static_cast<std::size_t>(layout::log_file_length(kTermLength, layout::kPageSizeMin));
    std::memset(words.get(), 0, length);
    return {reinterpret_cast<std::byte*>(words.get()), length};
}

struct State {
    explicit State(std::int32_t start_offset) {
        log = layout::LogBuffer::create(fresh_mapping(), {.initial_term_id = kInitialTermId,
                                                             .mtu = 65504,
                                                             .term_length = kTermLength,
                                                             .session_id = 1,
                                                             .stream_id = 2});
        log.init_tails(kInitialTermId, start_offset);
        log.set_connected(true);
        position = dirty = start_offset;
        limit.store(start_offset + kWindow, std::memory_order_relaxed);
    }

    layout::LogBuffer log;
    model::SimAtomic<std::int64_t> limit;
    // The consumer's own.
    std::int64_t position = 0;
    std::int64_t dirty = 0;
    // What is known to have happened.
    std::array<std::uint64_t, kProducers> committed{};
    std::array<std::uint64_t, kProducers> read{};
    std::vector<std::int64_t> claim_ends;
};

void note_claim(State& s, std::int64_t end) {
    for (const std::int64_t other : s.claim_ends) {
        check(end - kFrameLength >= other || other - kFrameLength >= end, "claims do not overlap");
    }
    check((end - kFrameLength) / kTermLength == (end - 1) / kTermLength, "a claim lies in one term");
    s.claim_ends.push_back(end);
}

void produce(State& s, std::size_t producer, int tries) {
    for (int i = 0; i < tries; ++i) {
        const std::int64_t limit = s.limit.load(std::memory_order_acquire);
        term::ClaimedFrame frame;
        const std::int64_t end =
            term::claim_concurrent(s.log, {.session_id = static_cast<std::int32_t>(producer), .stream_id = 2},
                limit, kPayloadLength, frame);
        if (end < 0) {
            check(end == term::kAdminAction || end == term::kBackPressured, "no other refusal is due");
            continue;
        }
        note_claim(s, end);
        base::store_le(frame.payload().data(), 0, s.committed[producer]);
        term::commit(frame);
        ++s.committed[producer];
    }
}

void produce_exclusive(State& s, int tries) {
    term::ExclusiveAppender appender(s.log, {.session_id = 0, .stream_id = 2});
    for (int i = 0; i < tries; ++i) {
        const std::int64_t limit = s.limit.load(std::memory_order_acquire);
        term::ClaimedFrame frame;
        const std::int64_t end = appender.claim(limit, kPayloadLength, frame);
        if (end < 0) {
            check(end == term::kAdminAction || end == term::kBackPressured, "no other refusal is due");
            continue;
        }
        note_claim(s, end);
        base::store_le(frame.payload().data(), 0, s.committed[0]);
        term::commit(frame);
        ++s.committed[0];
    }
}

void on_frame(State& s, const std::byte* frame, std::int32_t length, std::int64_t position) {
    const auto producer =
        static_cast<std::size_t>(base::load_le<std::int32_t>(frame, wire::field::kSessionId));
    check(producer < kProducers, "the header is a producer's");
    check(length == kFrameLength, "the length is the claim's");
    check(base::load_le<std::int32_t>(frame, wire::field::kTermId) ==
              base::compute_term_id(position, s.log.shift(), kInitialTermId),
        "the term id is the position's");
    check(base::load_le<std::int32_t>(frame, wire::field::kTermOffset) ==
              base::compute_term_offset(position, kTermLength),
        "the term offset is the position's");
    const auto sequence = base::load_le<std::uint64_t>(frame, wire::kDataHeaderLength);
    check(sequence == s.read[producer]++, "each producer's messages come once and in order");
}

/// One duty cycle of consumer and conductor in one.
void consume(State& s) {
    const std::int32_t offset = base::compute_term_offset(s.position, kTermLength);
    const std::int64_t term_begin = s.position - offset;
    const std::byte* term = s.log.term(base::partition_of_position(s.position, s.log.shift()));
    int fragments = 0;
    const std::int32_t end = term::read(
        term, offset, kTermLength, 10, fragments, [&](const std::byte* frame, std::int32_t length) {
            on_frame(s, frame, length, term_begin + (frame - term));
            return true;
        });
    s.position = term_begin + end;
    s.dirty = term::clean(s.log, s.dirty, s.position, kTermLength);
    s.limit.store(s.position + kWindow, std::memory_order_release);
}

void consume_some(State& s, int cycles) {
    for (int i = 0; i < cycles; ++i) {
        consume(s);
    }
}

/// Alone, with everybody at rest: the log must go on for several terms more.
void check_lives_on(State& s, std::size_t producer) {
    const std::uint64_t wanted = s.read[producer] + 6;
    for (int round = 0; round < 60 && s.read[producer] < wanted; ++round) {
        const std::int64_t before = s.position;
        consume(s);
        if (s.position == before) {
            term::unblock(s.log, s.position);
        }
        produce(s, producer, 1);
    }
    consume_some(s, 2);
    check(s.read[producer] >= wanted, "the log goes on");
    check(s.position == s.log.producer_position(), "what was claimed was consumed");
    const auto count = static_cast<std::int32_t>(s.position >> s.log.shift());
    const std::int32_t active = s.log.active_term_count_acquire();
    check(
        active == count || (active == count - 1 && s.position % kTermLength == 0), "terms follow one by one");
}

auto two_producers(std::int32_t start_offset, int tries) {
    return [=](Program& program) {
        auto s = std::make_shared<State>(start_offset);
        program.thread([s, tries] { produce(*s, 0, tries); });
        program.thread([s, tries] { produce(*s, 1, tries); });
        program.thread([s] { consume_some(*s, 3); });
        program.finally([s] {
            consume_some(*s, 3);
            check(s->read == s->committed, "nothing is lost");
            check_lives_on(*s, 2);
        });
    };
}

/// One of them may die anywhere.
auto dying_producer(std::int32_t start_offset, int tries) {
    return [=](Program& program) {
        auto s = std::make_shared<State>(start_offset);
        program.mortal_thread([s, tries] { produce(*s, 0, tries); });
        program.thread([s, tries] { produce(*s, 1, tries); });
        program.thread([s] { consume_some(*s, 2); });
        program.finally([s] {
            check_lives_on(*s, 2);
            check(s->read[1] == s->committed[1], "the living lose nothing");
            check(s->read[0] >= s->committed[0], "what was committed arrives");
            check(s->read[0] <= s->committed[0] + 1, "nothing arrives twice");
        });
    };
}

/// The exclusive appender, which needs no fetch-add, over several terms.
auto exclusive_producer(std::int32_t start_offset, int tries) {
    return [=](Program& program) {
        auto s = std::make_shared<State>(start_offset);
        program.thread([s, tries] { produce_exclusive(*s, tries); });
        program.thread([s] { consume_some(*s, 3); });
        program.finally([s] {
            consume_some(*s, 3);
            check(s->read == s->committed, "nothing is lost");
            check(s->position == s->log.producer_position(), "what was claimed was consumed");
        });
    };
}

/// A cleaner and somebody who scans lengths without knowing the position.
void clean_and_look(Program& program) {
    auto s = std::make_shared<State>(0);
    produce_exclusive(*s, 1);
    program.thread([s] { s->dirty = term::clean(s->log, 0, kFrameLength, kTermLength); });
    program.thread([s] {
        const std::byte* frame = s->log.term(0);
        if (wire::frame_length_acquire(frame) == 0) {
            check(base::load_le<std::uint64_t>(frame, wire::kDataHeaderLength - sizeof(std::uint64_t)) == 0,
                "zeros behind it");
        }
    });
    program.finally([s] { check(s->dirty == kFrameLength, "cleaned"); });
}

Options bounds(int preemptions, int stale_loads) {
    Options options;
    options.preemptions_max = preemptions;
    options.stale_loads_max = stale_loads;
    options.detect_races = false;
    return options;
}

/// Where the first claims meet the end of the term: 40 KiB leaves room for one, 48 KiB for none, 64 KiB - 32
/// for the shortest padding.
constexpr std::array<std::int32_t, 3> kStarts{40 * 1024, 48 * 1024, kTermLength - 32};

}  // namespace

TEST_CASE("model term: two producers, consumer and cleaner round the end of a term") {
    for (const std::int32_t start : kStarts) {
        CAPTURE(start);
        model::expect_pass(model::explore(bounds(2, 1), two_producers(start, 2)));
    }
}

TEST_CASE("model term: a producer that dies anywhere is unblocked and the term rotated") {
    for (const std::int32_t start : kStarts) {
        CAPTURE(start);
        model::expect_pass(model::explore(bounds(2, 0), dying_producer(start, 2)));
    }
}

TEST_CASE("model term: random schedules with deaths over several terms") {
    for (const std::int32_t start : kStarts) {
        CAPTURE(start);
        Options options = bounds(0, 0);
        options.seed = static_cast<std::uint64_t>(start);
        options.executions_max = 5'000;
        model::expect_pass(model::explore(options, dying_producer(start, 5)));
    }
}

TEST_CASE("model term: an exclusive producer, consumer and cleaner round the end of a term") {
    for (const std::int32_t start : kStarts) {
        CAPTURE(start);
        model::expect_pass(model::explore(bounds(2, 1), exclusive_producer(start, 5)));
    }
}

TEST_CASE("model term: planted bugs of the term are found") {
    using SetUp = std::function<void(Program&)>;
    struct Case {
        base::Plant plant;
        SetUp set_up;
    };
    const Case cases[] = {
        {base::Plant::kUnblockPadsCommitted, dying_producer(40 * 1024, 2)},
        {base::Plant::kRotateSkipsTerm, dying_producer(40 * 1024, 2)},
        {base::Plant::kTripWithoutPadding, exclusive_producer(40 * 1024, 5)},
    };
    for (const Case& one : cases) {
        CAPTURE(static_cast<int>(one.plant));
        base::planted_bug = one.plant;
        CHECK_FALSE(model::explore(bounds(2, 0), one.set_up).passed);
        base::planted_bug = base::Plant::kNone;
    }
}

// The tails' and the term count's orders are not asked for: they deal out space, and what was written there,
// and that it may be written again, goes by the frames' lengths and the limit.
TEST_CASE("model term: every release and acquire of a frame's length is needed") {
    Options options = bounds(1, 1);
    options.detect_races = true;
    CHECK(model::sites_not_needed(options, "frame.h", two_producers(kStarts[0], 2)) == Survivors{});
    CHECK(model::sites_not_needed(options, "frame.h", exclusive_producer(kStarts[0], 5)) == Survivors{});
}

TEST_CASE("model term: who finds a cleaned frame's length zero finds zeros behind it") {
    Options options = bounds(3, 2);
    options.detect_races = true;
    model::expect_pass(model::explore(options, clean_and_look), 5);
    CHECK(model::sites_not_needed(options, "clean.cc", clean_and_look) == Survivors{});
}
