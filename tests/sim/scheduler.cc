#include "tests/sim/scheduler.h"

#include <algorithm>

namespace fulmar::sim {

namespace {
/// Back-off doubles from the busy pace this many times at most.
constexpr int kIdleDoublings = 16;
constexpr Duration kWakeDelayMax = microseconds(2);
}  // namespace

Scheduler::Id Scheduler::add(Actor& actor, Pace pace) {
    const auto free = std::find_if(
        entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.actor == nullptr; });
    Entry entry;
    entry.actor = &actor;
    entry.pace = pace;
    const auto id = static_cast<std::size_t>(free - entries_.begin());
    if (free == entries_.end()) {
        entries_.push_back(entry);
        due_.push_back(Instant::never());
    } else {
        *free = entry;
    }
    due_[id] = time_.now + jittered(pace.busy);
    return id;
}

void Scheduler::remove(Id id) {
    entries_[id] = Entry{};
    due_[id] = Instant::never();
}

Duration Scheduler::jittered(Duration base) {
    return Duration{1 + static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(base.ns) * 2))};
}

void Scheduler::wake(Id id) {
    Entry& entry = entries_[id];
    entry.idle_cycles = 0;
    const Instant soon = std::max(time_.now + jittered(kWakeDelayMax / 2), entry.paused_until);
    due_[id] = std::min(due_[id], soon);
}

void Scheduler::pause(Id id, Instant until) {
    Entry& entry = entries_[id];
    entry.paused_until = std::max(entry.paused_until, until);
    due_[id] = std::max(due_[id], entry.paused_until);
}

void Scheduler::resume(Id id) {
    entries_[id].paused_until = time_.now;
    if (entries_[id].actor != nullptr) {
        due_[id] = time_.now + jittered(kWakeDelayMax);
    }
}

bool Scheduler::step(Instant limit) {
    const auto first = std::min_element(due_.begin(), due_.end());
    const Instant next_actor = first == due_.end() ? Instant::never() : *first;
    const Instant next_arrival = net_.next_arrival();
    const Instant next = earlier(next_actor, next_arrival);
    if (next > limit) {
        time_.now = std::max(time_.now, limit);
        return false;
    }
    time_.now = std::max(time_.now, next);
    ++steps_;
    if (next_arrival <= next_actor) {
        net_.run();
        return true;
    }
    const auto id = static_cast<std::size_t>(first - due_.begin());
    const int work = entries_[id].actor->poll();
    Entry& entry = entries_[id];  // the poll may have added actors
    if (entry.actor == nullptr) {
        return true;
    }
    entry.idle_cycles = work > 0 ? 0 : std::min(entry.idle_cycles + 1, kIdleDoublings);
    const Duration wait =
        std::min(entry.pace.busy * (std::int64_t{1} << entry.idle_cycles), entry.pace.idle_max);
    due_[id] = std::max(time_.now + jittered(wait), entry.paused_until);
    return true;
}

}  // namespace fulmar::sim
