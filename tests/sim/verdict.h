/// The first thing that went wrong in a run, with the virtual time it was seen at.
/// threads: one.
#pragma once

#include <cstdio>
#include <string>

#include "tests/sim/sim_clock.h"

namespace fulmar::sim {

class Verdict {
  public:
    Verdict(const WorldTime& time, bool verbose) : time_(time), verbose_(verbose) {}

    [[nodiscard]] bool failed() const { return !what_.empty(); }
    [[nodiscard]] const std::string& what() const { return what_; }
    /// The first failure counts; what follows is mostly its consequence.
    void fail(const std::string& what) {
        note("FAIL " + what);
        if (what_.empty()) {
            what_ = "at " + milliseconds_text() + " ms: " + what;
        }
    }
    [[nodiscard]] bool verbose() const { return verbose_; }
    /// Something worth reading when a run is looked at: callers ask verbose() before they build a text.
    void note(const std::string& what) const {
        if (verbose_) {
            std::fprintf(stderr, "%12s %s\n", milliseconds_text().c_str(), what.c_str());
        }
    }

  private:
    [[nodiscard]] std::string milliseconds_text() const {
        char text[32];
        std::snprintf(text, sizeof text, "%.6f", static_cast<double>(time_.now.ns) / 1e6);
        return text;
    }

    const WorldTime& time_;
    bool verbose_;
    std::string what_;
};

}  // namespace fulmar::sim
