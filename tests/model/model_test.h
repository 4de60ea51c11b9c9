/// What model tests share: passing with a readable failure, and weakening each ordered site in turn.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "scheduler.h"

namespace fulmar::model {

/// `executions_min`: fewer schedules mean that the code under test does not reach the scheduler.
inline void expect_pass(const Outcome& outcome, std::uint64_t executions_min = 100) {
    std::string trace;
    for (const auto& line : outcome.trace) {
        trace += "\n    " + line;
    }
    INFO(outcome.failure << trace);
    CHECK(outcome.passed);
    CHECK(outcome.executions >= executions_min);
    const std::string extent = outcome.exhausted ? ", all within the bounds" : ", not all";
    MESSAGE("schedules: " << outcome.executions << extent);
}

/// Every release and acquire in `file` must be needed: weakened to relaxed, a schedule must fail. Returns the
/// sites for which none did.
inline std::vector<std::string> sites_not_needed(
    Options options, const std::string& file, const std::function<void(Program&)>& set_up) {
    std::vector<std::string> survivors;
    for (const auto& site : explore(options, set_up).ordered_sites) {
        if (site.rfind(file + ":", 0) != 0) {
            continue;
        }
        options.weakened_site = site;
        if (explore(options, set_up).passed) {
            survivors.push_back(site);
        }
    }
    return survivors;
}

}  // namespace fulmar::model
