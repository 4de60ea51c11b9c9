#include "net/neighbour_table.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "base/bytes.h"

namespace fulmar::net {

namespace {

/// How often an idle entry is looked at for new use.
constexpr Duration kStaleCheck = seconds(1);

}  // namespace

NeighbourTable::NeighbourTable(const Options& options, NetStats& stats)
    : options_(options),
      stats_(stats),
      entries_(options.capacity),
      usable_(options.capacity),
      used_(options.capacity),
      slots_(options.capacity * 2, kNone) {
    FULMAR_ASSERT(base::is_power_of_two(options.capacity), "hashing masks the capacity");
    FULMAR_ASSERT(
        options.unicast_probes + options.broadcast_probes <= std::numeric_limits<std::uint8_t>::max(),
        "probes are counted in a byte");
    FULMAR_ASSERT(
        options.attempts <= std::numeric_limits<std::uint8_t>::max(), "attempts are counted in a byte");
}

std::size_t NeighbourTable::home(std::uint32_t ip) const {
    // Neighbours differ in their low bits; a multiplication spreads those over the high ones.
    const auto mixed = std::uint64_t{ip} * 0x9E3779B97F4A7C15ULL;
    return static_cast<std::size_t>(mixed >> 32) & (slots_.size() - 1);
}

std::uint32_t NeighbourTable::find(std::uint32_t ip) const {
    // Ends: there are twice as many slots as entries.
    for (auto slot = home(ip); slots_[slot] != kNone; slot = (slot + 1) & (slots_.size() - 1)) {
        if (entries_[slots_[slot]].ip == ip) {
            return slots_[slot];
        }
    }
    return kNone;
}

void NeighbourTable::link(std::uint32_t index) {
    auto slot = home(entries_[index].ip);
    while (slots_[slot] != kNone) {
        slot = (slot + 1) & (slots_.size() - 1);
    }
    slots_[slot] = index;
}

/// Removes from the open table by closing the gap, so that searches stay short without tombstones.
void NeighbourTable::unlink(std::uint32_t index) {
    const auto mask = slots_.size() - 1;
    auto gap = home(entries_[index].ip);
    while (slots_[gap] != index) {
        gap = (gap + 1) & mask;
    }
    for (auto slot = (gap + 1) & mask; slots_[slot] != kNone; slot = (slot + 1) & mask) {
        const auto wanted = home(entries_[slots_[slot]].ip);
        if (((slot - wanted) & mask) >= ((slot - gap) & mask)) {
            slots_[gap] = slots_[slot];
            gap = slot;
        }
    }
    slots_[gap] = kNone;
}

void NeighbourTable::set_state(std::uint32_t index, NeighbourState state) {
    entries_[index].state = state;
    const bool usable = state == NeighbourState::kReachable || state == NeighbourState::kStale ||
                        state == NeighbourState::kProbing;
    if (usable != (usable_[index] != 0)) {
        usable_[index] = usable ? 1 : 0;
        ++version_;
    }
}

void NeighbourTable::set_due(std::uint32_t index, Instant due) {
    entries_[index].due = due;
    next_due_ = earlier(next_due_, due);
}

/// The entry to give up for a new one: never one in use by us, first the one not heard of for longest.
std::uint32_t NeighbourTable::pick_victim(bool needed) const {
    std::uint32_t victim = kNone;
    for (std::uint32_t i = 0; i < entries_.size(); ++i) {
        const auto& entry = entries_[i];
        const bool idle = entry.state == NeighbourState::kFailed ||
                          (entry.state == NeighbourState::kStale && used_[i] == 0);
        const bool may_go = entry.state != NeighbourState::kFree && (!entry.needed || (needed && idle));
        if (may_go && (victim == kNone || entry.heard < entries_[victim].heard)) {
            victim = i;
        }
    }
    return victim;
}

std::uint32_t NeighbourTable::make(Instant now, std::uint32_t ip, bool needed) {
    const bool full = size_ == entries_.size();
    if (full || (!needed && unneeded_ >= entries_.size() / 2)) {
        const auto victim = pick_victim(needed);
        if (victim == kNone) {
            base::count(stats_.neighbour_table_full);
            return kNone;
        }
        drop(victim);
    }
    std::uint32_t index = 0;
    while (entries_[index].state != NeighbourState::kFree) {
        ++index;
    }
    entries_[index] = Entry{};
    entries_[index].ip = ip;
    entries_[index].needed = needed;
    entries_[index].heard = now;
    used_[index] = 0;
    ++size_;
    unneeded_ += needed ? 0 : 1;
    link(index);
    return index;
}

void NeighbourTable::drop(std::uint32_t index) {
    unlink(index);
    --size_;
    unneeded_ -= entries_[index].needed ? 0 : 1;
    set_state(index, NeighbourState::kFree);
    entries_[index].due = Instant::never();
}

std::uint32_t NeighbourTable::need(Instant now, std::uint32_t ip) {
    auto index = find(ip);
    if (index == kNone) {
        index = make(now, ip, true);
        if (index != kNone) {
            set_state(index, NeighbourState::kIncomplete);
            set_due(index, now);
        }
        return index;
    }
    auto& entry = entries_[index];
    unneeded_ -= entry.needed ? 0 : 1;
    entry.needed = true;
    if (entry.state == NeighbourState::kFailed && now >= entry.heard + options_.failed_pause) {
        entry.asked = 0;
        set_state(index, NeighbourState::kIncomplete);
        set_due(index, now);
    }
    return index;
}

void NeighbourTable::confirm(Instant now, std::uint32_t index, const wire::MacAddress& mac) {
    auto& entry = entries_[index];
    entry.heard = now;
    if (entry.mac != mac) {
        entry.mac = mac;
        ++version_;
    }
    if (entry.state == NeighbourState::kReachable) {
        return;  // its timer looks at `heard` when it fires
    }
    entry.asked = 0;
    used_[index] = 0;
    set_state(index, NeighbourState::kReachable);
    set_due(index, now + options_.reachable_time - options_.refresh_before);
}

void NeighbourTable::on_arp(Instant now, std::uint32_t ip, const wire::MacAddress& mac, bool create) {
    auto index = find(ip);
    if (index == kNone) {
        if (!create) {
            return;
        }
        index = make(now, ip, false);
        if (index == kNone) {
            return;
        }
    } else if (usable(index) && entries_[index].mac != mac) {
        base::count(stats_.neighbour_moves);
    }
    confirm(now, index, mac);
}

void NeighbourTable::on_heard(Instant now, std::uint32_t ip, const wire::MacAddress& mac) {
    const auto index = find(ip);
    if (index == kNone) {
        return;
    }
    auto& entry = entries_[index];
    if (!usable(index) || entry.mac == mac) {
        confirm(now, index, mac);
        return;
    }
    if (entry.state != NeighbourState::kProbing) {
        // Moved, or somebody lies. Everybody is asked, and the answer decides.
        set_state(index, NeighbourState::kProbing);
        entry.asked = static_cast<std::uint8_t>(options_.unicast_probes);
        set_due(index, now);
    }
}

/// What a due entry needs. Sets the next due time of all but asking entries, which asked() sets.
NeighbourTable::Step NeighbourTable::advance(Instant now, std::uint32_t index) {
    auto& entry = entries_[index];
    switch (entry.state) {
        case NeighbourState::kFree: entry.due = Instant::never(); return Step::kNone;
        case NeighbourState::kIncomplete:
            if (entry.asked < options_.attempts) {
                return Step::kAsk;
            }
            break;
        case NeighbourState::kProbing:
            if (entry.asked < options_.unicast_probes + options_.broadcast_probes) {
                return Step::kAsk;
            }
            break;
        case NeighbourState::kReachable:
            if (const auto check_at = entry.heard + options_.reachable_time - options_.refresh_before;
                now < check_at) {
                entry.due = check_at;
            } else if (used_[index] != 0) {
                entry.asked = 0;
                set_state(index, NeighbourState::kProbing);
                return Step::kAsk;
            } else {
                set_state(index, NeighbourState::kStale);
                entry.due = now + kStaleCheck;
            }
            return Step::kNone;
        case NeighbourState::kStale:
            if (used_[index] != 0) {
                entry.asked = 0;
                set_state(index, NeighbourState::kProbing);
                return Step::kAsk;
            }
            entry.due = now + kStaleCheck;
            if (now >= entry.heard + options_.forget_unused) {
                drop(index);
            }
            return Step::kNone;
        case NeighbourState::kFailed: drop(index); return Step::kNone;
    }
    base::count(stats_.neighbour_failures);
    entry.heard = now;  // the pause counts from here
    set_state(index, NeighbourState::kFailed);
    entry.due = now + options_.forget_unused;
    return Step::kFail;
}

wire::MacAddress NeighbourTable::question_destination(std::uint32_t index) const {
    const auto& entry = entries_[index];
    const bool unicast = entry.state == NeighbourState::kProbing && entry.asked < options_.unicast_probes;
    return unicast ? entry.mac : wire::MacAddress::broadcast();
}

void NeighbourTable::asked(Instant now, std::uint32_t index, bool sent) {
    auto& entry = entries_[index];
    entry.asked = static_cast<std::uint8_t>(entry.asked + (sent ? 1 : 0));
    entry.due = now + (entry.state == NeighbourState::kProbing ? options_.probe_retry : options_.retry);
}

}  // namespace fulmar::net
