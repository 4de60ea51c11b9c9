#include "pmd_glue/placement.h"

#include <doctest/doctest.h>

using namespace fulmar;
using pmd_glue::CpuInfo;
using pmd_glue::PlacementRequest;

namespace {

/// Two nodes of two cores with two hyper-threads; the second core of node 1 is isolated.
const std::vector<CpuInfo> kMachine = {{0, 0, 0, false}, {1, 1, 0, false}, {2, 2, 1, false}, {3, 3, 1, true},
    {4, 0, 0, false}, {5, 1, 0, false}, {6, 2, 1, false}, {7, 3, 1, true}};

}  // namespace

TEST_CASE("dpdk placement: a processor list keeps its order") {
    const auto list = pmd_glue::parse_cpu_list("6,1-3");
    REQUIRE(list);
    CHECK(*list == std::vector<int>{6, 1, 2, 3});
}

TEST_CASE("dpdk placement: a bad processor list is refused with its bad part") {
    for (const auto* text :
        {"", ",", "1,", "a", "1-", "-1", "3-1", "1,1", "1-3,2", "4096", "1 ", "99999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(pmd_glue::parse_cpu_list(text).has_value());
    }
    CHECK(pmd_glue::parse_cpu_list("2,x7").error().message.find("x7") != std::string::npos);
}

TEST_CASE("dpdk placement: isolated cores come first, then the device's node") {
    const auto plan =
        pmd_glue::plan_placement({.roles = {"receiver", "sender", "conductor"}, .numa_node = 1}, kMachine);
    REQUIRE(plan);
    CHECK(plan->assignments[0].cpu == 3);
    CHECK(plan->assignments[0].exclusive);
    CHECK(plan->assignments[1].cpu == 2);
    CHECK_FALSE(plan->assignments[1].exclusive);
    CHECK(plan->assignments[2].cpu == 1);
    CHECK(plan->memory_node == 1);
    CHECK(plan->enough());
}

TEST_CASE("dpdk placement: the user's list overrides our choice") {
    const auto plan = pmd_glue::plan_placement({.roles = {"receiver", "sender"}, .cpus = {5, 0}}, kMachine);
    REQUIRE(plan);
    CHECK(plan->assignments[0].cpu == 5);
    CHECK(plan->assignments[1].cpu == 0);
    CHECK(plan->assignments[0].exclusive);
    CHECK(plan->to_text() == "receiver: cpu 5 node 0 exclusive\nsender: cpu 0 node 0 exclusive\n");
}

TEST_CASE("dpdk placement: a shorter list than roles is shared and not exclusive") {
    const auto plan = pmd_glue::plan_placement({.roles = {"a", "b", "c"}, .cpus = {6, 7}}, kMachine);
    REQUIRE(plan);
    CHECK(plan->assignments[2].cpu == 6);
    CHECK_FALSE(plan->assignments[0].exclusive);
}

TEST_CASE("dpdk placement: a listed processor that is not ours is refused") {
    const auto plan = pmd_glue::plan_placement({.roles = {"a"}, .cpus = {8}}, kMachine);
    REQUIRE_FALSE(plan);
    CHECK(plan.error().message.find("processor 8") != std::string::npos);
}

TEST_CASE("dpdk placement: without a core for everybody nobody is pinned") {
    const std::vector<CpuInfo> small = {{0, 0, 0, false}, {1, 1, 0, false}};
    const auto plan = pmd_glue::plan_placement({.roles = {"a", "b", "c"}}, small);
    REQUIRE(plan);
    for (const auto& assignment : plan->assignments) {
        CHECK(assignment.cpu == -1);
    }
    CHECK_FALSE(plan->enough());
}

TEST_CASE("dpdk placement: this machine has processors and lets us use one") {
    const auto cpus = pmd_glue::usable_cpus();
    REQUIRE(cpus);
    REQUIRE_FALSE(cpus->empty());
    CHECK(pmd_glue::pin_this_thread(cpus->front().cpu).has_value());
    CHECK_FALSE(pmd_glue::pin_this_thread(1023).has_value());
}
