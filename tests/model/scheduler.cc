#include "scheduler.h"

#include <array>
#include <map>
#include <set>
#include <utility>

#include "base/assert.h"
#include "base/prng.h"
#include "fiber.h"
#include "memory_model.h"
#include "sim_access.h"

namespace fulmar::model {

/// The answers of one schedule; the next one differs in the last answer that can still be raised.
class Trail {
  public:
    void rewind() { next_ = 0; }

    std::size_t answer(std::size_t count) {
        if (next_ == choices_.size()) {
            choices_.push_back({0, count});
        }
        FULMAR_ASSERT(choices_[next_].count == count, "a program under test is not deterministic");
        return choices_[next_++].chosen;
    }
    void record(std::size_t chosen, std::size_t count) {
        choices_.push_back({chosen, count});
        ++next_;
    }
    void clear() { choices_.clear(); }

    /// False: that was the last schedule.
    bool advance() {
        while (!choices_.empty() && choices_.back().chosen + 1 == choices_.back().count) {
            choices_.pop_back();
        }
        if (choices_.empty()) {
            return false;
        }
        ++choices_.back().chosen;
        return true;
    }

  private:
    struct Choice {
        std::size_t chosen;
        std::size_t count;
    };
    std::vector<Choice> choices_;
    std::size_t next_ = 0;
};

/// Some of the threads, in the order of their numbers.
class Threads {
  public:
    void push_back(int thread) { at_[count_++] = thread; }
    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    int operator[](std::size_t i) const { return at_[i]; }

  private:
    std::array<int, kThreadsMax> at_{};
    std::size_t count_ = 0;
};

class Scheduler {
  public:
    Scheduler(const Options& options, const std::function<void(Program&)>& set_up)
        : options_(options), set_up_(set_up), prng_(options.seed) {}

    Outcome run();

    [[nodiscard]] bool in_fiber() const { return current_ != 0; }
    [[nodiscard]] int current() const { return current_; }
    MemoryModel& memory() { return memory_; }

    /// Before an access: perhaps another fibre's turn, perhaps our end.
    void point();
    void relax();
    std::size_t choose(std::size_t count);
    std::size_t choose_store(std::size_t count);
    void fail(const std::string& what);
    std::memory_order effective(std::memory_order order, Site site);
    void note(const char* what, const void* at, std::uint64_t value, Site site);
    void run_current();

  private:
    struct Thread {
        bool ended = false;
        bool relaxed = false;
        bool mortal = false;
    };

    void execute();
    void start_threads();
    void switch_to(int thread);
    void leave_for_next();
    void maybe_die();
    [[nodiscard]] bool can_run(int thread) const { return !threads_[index(thread)].ended; }
    static std::size_t index(int thread) { return static_cast<std::size_t>(thread); }
    [[nodiscard]] Threads others(bool with_relaxed) const;
    Outcome outcome(bool exhausted);

    const Options& options_;
    const std::function<void(Program&)>& set_up_;
    base::Prng prng_;
    Trail trail_;
    MemoryModel memory_;
    Program program_;
    std::array<Fiber, kThreadsMax> fibers_;
    std::array<Thread, kThreadsMax> threads_;
    ucontext_t main_{};
    int thread_count_ = 0;
    int current_ = 0;  // 0: set-up and finally
    int preemptions_ = 0;
    int stale_loads_ = 0;
    int deaths_ = 0;
    std::uint64_t steps_ = 0;
    std::uint64_t executions_ = 0;
    bool replaying_ = false;
    std::string failure_;
    std::vector<std::string> trace_;
    std::map<std::pair<const char*, int>, std::string> site_names_;
};

namespace {

Scheduler* g_scheduler = nullptr;  // the exploration under way

std::string name_of(Site site) {
    std::string file = site.file;
    const auto slash = file.rfind('/');
    return (slash == std::string::npos ? file : file.substr(slash + 1)) + ":" + std::to_string(site.line);
}

void fiber_entry() {
    g_scheduler->run_current();
}

std::size_t ask_which_store(std::size_t count) {
    return g_scheduler->choose_store(count);
}

}  // namespace

Outcome Scheduler::run() {
    for (;;) {
        if (options_.seed != 0) {
            trail_.clear();
        }
        execute();
        ++executions_;
        if (!failure_.empty()) {
            // Once more with a trace; the trail holds every answer.
            replaying_ = true;
            execute();
            return outcome(false);
        }
        if (executions_ >= options_.executions_max) {
            return outcome(false);
        }
        if (options_.seed == 0 && !trail_.advance()) {
            return outcome(true);
        }
    }
}

Outcome Scheduler::outcome(bool exhausted) {
    Outcome result;
    result.passed = failure_.empty();
    result.exhausted = exhausted;
    result.executions = executions_;
    result.failure = failure_;
    result.trace = std::move(trace_);
    // One file may go by several addresses of its name.
    std::set<std::string> names;
    for (const auto& [site, name] : site_names_) {
        names.insert(name);
    }
    result.ordered_sites.assign(names.begin(), names.end());
    return result;
}

void Scheduler::execute() {
    trail_.rewind();
    memory_.reset(options_.detect_races);
    failure_.clear();
    preemptions_ = stale_loads_ = deaths_ = 0;
    steps_ = 0;
    current_ = 0;
    program_ = Program();
    set_up_(program_);
    start_threads();
    leave_for_next();
    current_ = 0;
    for (int thread = 1; thread <= thread_count_; ++thread) {
        memory_.join(0, thread);
    }
    if (failure_.empty() && program_.finally_) {
        program_.finally_();
    }
}

void Scheduler::start_threads() {
    thread_count_ = static_cast<int>(program_.threads_.size());
    FULMAR_ASSERT(thread_count_ < kThreadsMax, "too many threads for the model");
    for (int thread = 1; thread <= thread_count_; ++thread) {
        threads_[index(thread)] = {false, false, program_.threads_[index(thread) - 1].mortal};
        fibers_[index(thread)].prepare(fiber_entry);
        memory_.fork(0, thread);
    }
}

void Scheduler::run_current() {
    program_.threads_[index(current_) - 1].body();
    threads_[index(current_)].ended = true;
    leave_for_next();
    FULMAR_ASSERT(false, "an ended fibre was resumed");
}

/// Goes to some fibre that can run, or back to execute() when none can.
void Scheduler::leave_for_next() {
    Threads next = others(false);
    if (next.empty()) {
        next = others(true);
    }
    if (next.empty() || !failure_.empty()) {
        if (current_ != 0) {
            ucontext_t& from = fibers_[index(current_)].context();
            Fiber::switch_between(from, main_);
        }
        return;
    }
    switch_to(next[choose(next.size())]);
}

Threads Scheduler::others(bool with_relaxed) const {
    Threads result;
    for (int thread = 1; thread <= thread_count_; ++thread) {
        if (thread != current_ && can_run(thread) && (with_relaxed || !threads_[index(thread)].relaxed)) {
            result.push_back(thread);
        }
    }
    return result;
}

void Scheduler::switch_to(int thread) {
    ucontext_t& from = current_ == 0 ? main_ : fibers_[index(current_)].context();
    current_ = thread;
    threads_[index(thread)].relaxed = false;
    Fiber::switch_between(from, fibers_[index(thread)].context());
}

void Scheduler::point() {
    if (!in_fiber()) {
        return;
    }
    if (++steps_ > options_.steps_max) {
        fail("too many steps: a livelock, or a loop without relax()");
    }
    maybe_die();
    const Threads next = others(false);
    if (next.empty() || (options_.seed == 0 && preemptions_ >= options_.preemptions_max)) {
        return;
    }
    // Random schedules stay with a fibre for a while, as real ones do.
    if (options_.seed != 0 && choose(3) != 0) {
        return;
    }
    const std::size_t chosen = choose(next.size() + 1);
    if (chosen != 0) {
        ++preemptions_;
        switch_to(next[chosen - 1]);
    }
}

void Scheduler::maybe_die() {
    if (!threads_[index(current_)].mortal || deaths_ >= options_.deaths_max) {
        return;
    }
    if (options_.seed != 0 && choose(20) != 0) {
        return;
    }
    if (choose(2) == 1) {
        ++deaths_;
        threads_[index(current_)].ended = true;
        note("dies", nullptr, 0, {"", 0});
        leave_for_next();
    }
}

void Scheduler::relax() {
    if (!in_fiber()) {
        return;
    }
    if (++steps_ > options_.steps_max) {
        fail("too many steps: a livelock");
    }
    threads_[index(current_)].relaxed = true;
    Threads next = others(false);
    if (next.empty()) {
        next = others(true);
    }
    if (!next.empty()) {
        switch_to(next[choose(next.size())]);
    }
    threads_[index(current_)].relaxed = false;
}

std::size_t Scheduler::choose(std::size_t count) {
    if (count <= 1) {
        return 0;
    }
    if (options_.seed != 0 && !replaying_) {
        const std::size_t chosen = prng_.below(count);
        trail_.record(chosen, count);
        return chosen;
    }
    return trail_.answer(count);
}

std::size_t Scheduler::choose_store(std::size_t count) {
    if (options_.seed == 0 && stale_loads_ >= options_.stale_loads_max) {
        return 0;
    }
    if (options_.seed != 0 && choose(3) != 0) {
        return 0;
    }
    const std::size_t back = choose(count);
    stale_loads_ += back != 0 ? 1 : 0;
    return back;
}

/// Leaves the fibre where it stands; the exploration ends.
void Scheduler::fail(const std::string& what) {
    if (failure_.empty()) {
        failure_ = what;
    }
    if (in_fiber()) {
        Fiber::switch_between(fibers_[index(current_)].context(), main_);
    }
}

std::memory_order Scheduler::effective(std::memory_order order, Site site) {
    if (order == std::memory_order_relaxed) {
        return order;
    }
    auto [found, added] = site_names_.try_emplace({site.file, site.line});
    if (added) {
        found->second = name_of(site);
    }
    return found->second == options_.weakened_site ? std::memory_order_relaxed : order;
}

void Scheduler::note(const char* what, const void* at, std::uint64_t value, Site site) {
    if (replaying_) {
        trace_.push_back("thread " + std::to_string(current_) + " " + what + " ..." +
                         std::to_string(reinterpret_cast<std::uintptr_t>(at) % 65536) + " value " +
                         std::to_string(static_cast<std::int64_t>(value)) + " (" + name_of(site) + ")");
    }
    if (!memory_.race().empty()) {
        fail(memory_.race());
    }
}

Outcome explore(const Options& options, const std::function<void(Program&)>& set_up) {
    FULMAR_ASSERT(g_scheduler == nullptr, "explorations do not nest");
    Scheduler scheduler(options, set_up);
    g_scheduler = &scheduler;
    Outcome result = scheduler.run();
    g_scheduler = nullptr;
    return result;
}

void check(bool condition, const char* what) {
    if (!condition) {
        g_scheduler->fail(what);
    }
}

void relax() {
    g_scheduler->relax();
}

std::size_t choose(std::size_t count) {
    return g_scheduler->choose(count);
}

std::uint64_t sim_load(const void* at, std::size_t size, std::memory_order order, Site site) {
    Scheduler& scheduler = *g_scheduler;
    scheduler.point();
    const std::uint64_t value = scheduler.memory().load(
        scheduler.current(), lane_of(at, size), scheduler.effective(order, site), ask_which_store);
    scheduler.note("loads", at, value, site);
    return value;
}

void sim_store(void* at, std::size_t size, std::uint64_t value, std::memory_order order, Site site) {
    Scheduler& scheduler = *g_scheduler;
    scheduler.point();
    scheduler.memory().store(scheduler.current(), lane_of(at, size), value, scheduler.effective(order, site));
    scheduler.note("stores", at, value, site);
}

std::uint64_t sim_modify_begin(void* at, std::size_t size, std::memory_order order, Site site) {
    Scheduler& scheduler = *g_scheduler;
    scheduler.point();
    return scheduler.memory().newest(
        scheduler.current(), lane_of(at, size), scheduler.effective(order, site));
}

void sim_modify_end(void* at, std::size_t size, std::uint64_t value, std::memory_order order, Site site) {
    Scheduler& scheduler = *g_scheduler;
    scheduler.memory().replace(
        scheduler.current(), lane_of(at, size), value, scheduler.effective(order, site));
    scheduler.note("modifies", at, value, site);
}

void sim_plain_read(const void* at, std::size_t size) {
    Scheduler& scheduler = *g_scheduler;
    scheduler.memory().plain_read(scheduler.current(), at, size);
    scheduler.note("reads", at, 0, {"", 0});
}

void sim_plain_write(const void* at, std::size_t size) {
    Scheduler& scheduler = *g_scheduler;
    scheduler.memory().plain_write(scheduler.current(), at, size);
    scheduler.note("writes", at, 0, {"", 0});
}

}  // namespace fulmar::model
