#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "net/fault_model.h"
#include "net/fault_spec.h"

using namespace fulmar;
using namespace fulmar::net;

namespace {

FaultSpec parsed(std::string_view text) {
    auto spec = parse_fault_spec(text);
    if (!spec) {
        FAIL(spec.error().message);
    }
    return *spec;
}

}  // namespace

TEST_CASE("fault_spec: every part is read, and what is left out is off") {
    const auto spec = parsed("loss:0.01+dup:0.005+reorder:0.02+delay:50us+corrupt:0.001+seed:7+dir:rx");
    CHECK(spec.loss == 0.01);
    CHECK(spec.duplicate == 0.005);
    CHECK(spec.reorder == 0.02);
    CHECK(spec.delay == microseconds(50));
    CHECK(spec.corrupt == 0.001);
    CHECK(spec.seed == 7);
    CHECK(spec.direction == FaultDirection::kRx);
    CHECK(parsed("") == FaultSpec{});
    CHECK(parsed("none") == FaultSpec{});
    CHECK(parsed("loss:1").direction == FaultDirection::kBoth);
}

TEST_CASE("fault_spec: its own text reads back to the same value") {
    for (const char* text :
        {"none", "loss:0.01", "delay:50us", "delay:1500ns", "delay:2s", "dir:tx", "seed:0",
            "loss:0.01+dup:0.005+reorder:0.02+delay:3ms+corrupt:0.001+seed:18446744073709551615+dir:rx"}) {
        CHECK(to_string(parsed(text)) == text);
    }
    for (const char* text : {"dup:1e-7", "corrupt:.5+loss:0", "delay:60s", "delay:1000us"}) {
        const auto spec = parsed(text);
        CHECK(parsed(to_string(spec)) == spec);
    }
}

TEST_CASE("fault_spec: bad text is refused and named") {
    struct Case {
        std::string text;
        std::string named;
    };
    const std::array<Case, 24> cases{{{"loss", "loss"}, {"loss:", "loss:"}, {"loss:1.1", "loss:1.1"},
        {"loss:-0.1", "-0.1"}, {"loss:nan", "nan"}, {"loss:inf", "inf"}, {"loss:0.1x", "0.1x"},
        {"loss: 0.1", "loss: 0.1"}, {"lost:0.1", "lost"}, {"LOSS:0.1", "LOSS"}, {"loss:0.1+", "''"},
        {"+loss:0.1", "''"}, {"loss:0.1++dup:0.1", "''"}, {"loss:0.1+loss:0.1", "twice"},
        {"delay:50", "delay:50"}, {"delay:us", "delay:us"}, {"delay:-1us", "-1us"}, {"delay:61s", "61s"},
        {"delay:9223372036854775807s", "wants a time"}, {"delay:99999999999999999999ns", "wants a time"},
        {"seed:-1", "seed"}, {"seed:18446744073709551616", "seed"}, {"dir:up", "dir:up"}, {":", ":"}}};
    for (const auto& c : cases) {
        CAPTURE(c.text);
        const auto spec = parse_fault_spec(c.text);
        REQUIRE_FALSE(spec);
        CHECK(spec.error().message.find(c.named) != std::string::npos);
        CHECK(spec.error().message.find('\n') == std::string::npos);
    }
}

TEST_CASE("fault_model: without faults, or in the other direction, everything passes") {
    FaultModel none({}, FaultDirection::kRx);
    CHECK_FALSE(none.active());
    CHECK(none.decide().passes());
    FaultModel other(parsed("loss:1+dir:tx"), FaultDirection::kRx);
    CHECK_FALSE(other.active());
    CHECK(other.decide().passes());
    FaultModel mine(parsed("loss:1+dir:tx"), FaultDirection::kTx);
    CHECK(mine.decide().drop);
}

TEST_CASE("fault_model: the same seed repeats, another seed or direction differs") {
    const auto draw = [](const char* text, FaultDirection direction) {
        FaultModel model(parsed(text), direction);
        std::vector<bool> drops;
        for (int i = 0; i < 1'000; ++i) {
            drops.push_back(model.decide().drop);
        }
        return drops;
    };
    const auto drops = draw("loss:0.1+seed:7", FaultDirection::kRx);
    CHECK(drops == draw("loss:0.1+seed:7", FaultDirection::kRx));
    CHECK(drops != draw("loss:0.1+seed:8", FaultDirection::kRx));
    CHECK(drops != draw("loss:0.1+seed:7", FaultDirection::kTx));
}

TEST_CASE("fault_model: one kind's draws do not shift another's") {
    FaultModel alone(parsed("dup:0.1"), FaultDirection::kRx);
    FaultModel together(parsed("dup:0.1+loss:0.3+reorder:0.2+corrupt:0.1"), FaultDirection::kRx);
    for (int i = 0; i < 1'000; ++i) {
        const auto a = alone.decide();
        const auto b = together.decide();
        if (!b.drop) {
            REQUIRE(a.duplicate == b.duplicate);
        }
    }
}

TEST_CASE("fault_model: rates come out as asked and every draw is counted") {
    constexpr int kCount = 100'000;
    FaultModel model(parsed("loss:0.01+dup:0.05+reorder:0.02+corrupt:0.005+delay:1us"), FaultDirection::kTx);
    std::uint64_t drops = 0;
    for (int i = 0; i < kCount; ++i) {
        const auto decision = model.decide();
        drops += decision.drop ? 1 : 0;
        REQUIRE(decision.overtaken_by <= kOvertakenByMax);
    }
    const auto& counts = model.counts();
    CHECK(counts.packets == kCount);
    CHECK(counts.lost + counts.corrupted == drops);
    CHECK(counts.lost > 850);
    CHECK(counts.lost < 1'150);
    CHECK(counts.corrupted > 400);
    CHECK(counts.corrupted < 600);
    CHECK(counts.duplicated > 4'600);
    CHECK(counts.duplicated < 5'400);
    CHECK(counts.reordered > 1'750);
    CHECK(counts.reordered < 2'250);
    CHECK(counts.delayed == kCount - drops);
}

TEST_CASE("fault_model: a new spec starts its streams anew and keeps the counts") {
    FaultModel model(parsed("loss:0.5+seed:3"), FaultDirection::kRx);
    std::vector<bool> first;
    for (int i = 0; i < 100; ++i) {
        first.push_back(model.decide().drop);
    }
    model.set_spec(parsed("loss:0.5+seed:3"));
    for (int i = 0; i < 100; ++i) {
        REQUIRE(model.decide().drop == first[static_cast<std::size_t>(i)]);
    }
    CHECK(model.counts().packets == 200);
}
