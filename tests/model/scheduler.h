/// Runs small concurrent programs under every schedule up to a bound. The threads of a program are fibres of
/// one real thread; before each access to an atomic the scheduler may switch to another fibre, and a load may
/// see an older store where the C++ memory model allows it (see memory_model.h).
///
/// A schedule is the list of answers to "which of n?". explore() walks all lists depth first, within the
/// bounds in Options, or draws them from a seed. Bounds keep it finite: few preemptions find most bugs.
/// A program must end on every schedule: retry loops are bounded or call relax(). Fibres may be left
/// unfinished (a failure, a death), so their stacks own no memory.
/// threads: one real thread; not re-entrant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fulmar::model {

inline constexpr int kThreadsMax = 5;  ///< the set-up thread included

struct Options {
    int preemptions_max = 3;   ///< switches away from a fibre that could go on
    int stale_loads_max = 2;   ///< loads that see an older store than the newest
    int deaths_max = 1;        ///< mortal fibres that stop for ever
    bool detect_races = true;  ///< of plain accesses that Memory and SimVar report
    std::uint64_t executions_max = 2'000'000;
    std::uint64_t steps_max = 5'000;  ///< of one execution; more is a livelock
    std::uint64_t seed = 0;           ///< not 0: random schedules without preemption bound
    /// A site, "file:line", whose memory order is weakened to relaxed.
    std::string weakened_site;
};

struct Outcome {
    bool passed = true;
    bool exhausted = false;  ///< every schedule within the bounds was run
    std::uint64_t executions = 0;
    std::string failure;
    std::vector<std::string> trace;  ///< the failing schedule, one line per access
    /// Sites with an order stronger than relaxed that were passed.
    std::vector<std::string> ordered_sites;
};

/// One execution in the making: its threads, and what must hold at the end.
class Program {
  public:
    void thread(std::function<void()> body) { threads_.push_back({std::move(body), false}); }
    /// May die before any of its accesses to an atomic.
    void mortal_thread(std::function<void()> body) { threads_.push_back({std::move(body), true}); }
    /// Runs when all threads have ended or died, and sees all they did.
    void finally(std::function<void()> body) { finally_ = std::move(body); }

  private:
    friend class Scheduler;
    struct Thread {
        std::function<void()> body;
        bool mortal = false;
    };
    std::vector<Thread> threads_;
    std::function<void()> finally_;
};

/// `set_up` builds fresh state for each execution and adds its threads.
Outcome explore(const Options& options, const std::function<void(Program&)>& set_up);

// For the bodies of a program.

/// Ends the exploration with this failure unless the condition holds.
void check(bool condition, const char* what);

/// "I wait for somebody else": runs another fibre if one can run, at no cost in preemptions.
void relax();

/// One of [0, count): the exploration tries each.
std::size_t choose(std::size_t count);

}  // namespace fulmar::model
