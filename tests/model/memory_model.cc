#include "memory_model.h"

#include <cstring>

#include "base/assert.h"

namespace fulmar::model {

namespace {

constexpr std::uintptr_t kWordBytes = 8;
constexpr std::uintptr_t kShadowBytes = 4;
constexpr std::size_t kKeptMax = 10'000;

bool is_acquire(std::memory_order order) {
    return order == std::memory_order_acquire || order == std::memory_order_acq_rel ||
           order == std::memory_order_seq_cst;
}
bool is_release(std::memory_order order) {
    return order == std::memory_order_release || order == std::memory_order_acq_rel ||
           order == std::memory_order_seq_cst;
}

std::uint64_t real_word(std::uintptr_t word) {
    std::uint64_t value = 0;
    std::memcpy(&value, reinterpret_cast<const void*>(word), sizeof value);
    return value;
}

}  // namespace

Lane lane_of(const void* at, std::size_t size) {
    const auto address = reinterpret_cast<std::uintptr_t>(at);
    const auto offset = static_cast<unsigned>(address % kWordBytes);
    FULMAR_ASSERT(offset + size <= kWordBytes, "an atomic crosses a word");
    Lane lane;
    lane.word = address - offset;
    lane.shift = offset * 8;
    lane.mask = size == kWordBytes ? ~std::uint64_t{0} : (std::uint64_t{1} << (size * 8)) - 1;
    lane.halves = (offset < 4 ? 1U : 0U) | (offset + size > 4 ? 2U : 0U);
    return lane;
}

void MemoryModel::reset(bool detect_races) {
    detect_races_ = detect_races;
    clocks_ = {};
    for (std::size_t i = 0; i < clocks_.size(); ++i) {
        clocks_[i].at[i] = 1;
    }
    ++execution_;
    if (locations_.size() + shadows_.size() > kKeptMax) {
        locations_.clear();
        shadows_.clear();
    }
    race_.clear();
}

/// Memory that changed behind our back (set up, or cleared by memset) counts as known to everybody.
MemoryModel::Location& MemoryModel::location(const Lane& lane) {
    Location& location = locations_[lane.word];
    if (location.execution != execution_) {
        location.execution = execution_;
        location.history.clear();
        location.seen = {};
    }
    const std::uint64_t value = real_word(lane.word);
    if (location.history.empty()) {
        location.history.push_back({value, 0, 0, {}});
    } else if (location.history.back().value != value) {
        Store store = location.history.back();
        store.value = value;
        store.epoch = 0;
        location.history.push_back(store);
    }
    return location;
}

const MemoryModel::Store* MemoryModel::last_store(std::uintptr_t word) const {
    const auto found = locations_.find(word);
    const bool live = found != locations_.end() && found->second.execution == execution_;
    return live ? &found->second.history.back() : nullptr;
}

MemoryModel::Shadow& MemoryModel::shadow(std::uintptr_t unit) {
    Shadow& shadow = shadows_[unit];
    if (shadow.execution != execution_) {
        shadow = {};
        shadow.execution = execution_;
    }
    return shadow;
}

std::size_t MemoryModel::oldest_visible(int thread, const Location& location) const {
    std::size_t index = location.history.size() - 1;
    while (index > location.seen[static_cast<std::size_t>(thread)] &&
           !happened_before(thread, location.history[index].thread, location.history[index].epoch)) {
        --index;
    }
    return index;
}

void MemoryModel::acquire(int thread, const Store& store, const Lane& lane, std::memory_order order) {
    if (!is_acquire(order)) {
        return;
    }
    for (unsigned half = 0; half < 2; ++half) {
        if ((lane.halves >> half & 1U) != 0) {
            clock(thread).join(store.released[half]);
        }
    }
}

std::uint64_t MemoryModel::load(
    int thread, const Lane& lane, std::memory_order order, ChooseStore choose_store) {
    check_atomic(thread, lane, false);
    Location& place = location(lane);
    const std::size_t newest_index = place.history.size() - 1;
    const std::size_t oldest = oldest_visible(thread, place);
    std::size_t back = 0;
    if (oldest < newest_index) {
        back = choose_store(newest_index - oldest + 1);
    }
    const std::size_t index = newest_index - back;
    place.seen[static_cast<std::size_t>(thread)] = index;
    acquire(thread, place.history[index], lane, order);
    return place.history[index].value >> lane.shift & lane.mask;
}

std::uint64_t MemoryModel::newest(int thread, const Lane& lane, std::memory_order order) {
    check_atomic(thread, lane, false);
    Location& place = location(lane);
    place.seen[static_cast<std::size_t>(thread)] = place.history.size() - 1;
    acquire(thread, place.history.back(), lane, order);
    return place.history.back().value >> lane.shift & lane.mask;
}

void MemoryModel::store(int thread, const Lane& lane, std::uint64_t value, std::memory_order order) {
    append(thread, lane, value, order, false);
}

void MemoryModel::replace(int thread, const Lane& lane, std::uint64_t value, std::memory_order order) {
    append(thread, lane, value, order, true);
}

void MemoryModel::append(
    int thread, const Lane& lane, std::uint64_t value, std::memory_order order, bool carry_on) {
    check_atomic(thread, lane, true);
    Location& place = location(lane);
    Store store = place.history.back();
    store.value = (store.value & ~(lane.mask << lane.shift)) | ((value & lane.mask) << lane.shift);
    store.thread = thread;
    store.epoch = clock(thread).at[static_cast<std::size_t>(thread)];
    for (unsigned half = 0; half < 2; ++half) {
        if ((lane.halves >> half & 1U) == 0) {
            continue;
        }
        if (!carry_on) {
            store.released[half] = {};
        }
        if (is_release(order)) {
            store.released[half].join(clock(thread));
        }
    }
    place.history.push_back(store);
    place.seen[static_cast<std::size_t>(thread)] = place.history.size() - 1;
    std::memcpy(reinterpret_cast<void*>(lane.word), &store.value, sizeof store.value);
    ++clock(thread).at[static_cast<std::size_t>(thread)];
}

/// An atomic access races with plain writes (and, if it writes, with plain reads) without order.
void MemoryModel::check_atomic(int thread, const Lane& lane, bool writes) {
    if (!detect_races_) {
        return;
    }
    for (unsigned half = 0; half < 2; ++half) {
        if ((lane.halves >> half & 1U) == 0) {
            continue;
        }
        const std::uintptr_t at = lane.word + half * kShadowBytes;
        const auto found = shadows_.find(at / kShadowBytes);
        if (found == shadows_.end()) {
            continue;
        }
        const Shadow& shadow = found->second;
        if (shadow.execution != execution_) {
            continue;
        }
        if (!happened_before(thread, shadow.writer, shadow.written)) {
            report("an atomic access races with a plain write", thread, shadow.writer, at);
        }
        for (int other = 0; writes && other < kThreadsMax; ++other) {
            if (!happened_before(thread, other, shadow.read[static_cast<std::size_t>(other)])) {
                report("an atomic store races with a plain read", thread, other, at);
            }
        }
    }
}

void MemoryModel::plain_read(int thread, const void* address, std::size_t size) {
    if (!detect_races_ || size == 0) {
        return;
    }
    const auto begin = reinterpret_cast<std::uintptr_t>(address);
    for (std::uintptr_t unit = begin / kShadowBytes; unit <= (begin + size - 1) / kShadowBytes; ++unit) {
        Shadow& seen = shadow(unit);
        if (!happened_before(thread, seen.writer, seen.written)) {
            report("a plain read races with a plain write", thread, seen.writer, unit * kShadowBytes);
        }
        seen.read[static_cast<std::size_t>(thread)] = clock(thread).at[static_cast<std::size_t>(thread)];
        const Store* last = last_store(unit * kShadowBytes / kWordBytes * kWordBytes);
        if (last != nullptr && !happened_before(thread, last->thread, last->epoch)) {
            report("a plain read races with an atomic store", thread, last->thread, unit * kShadowBytes);
        }
    }
}

void MemoryModel::plain_write(int thread, const void* address, std::size_t size) {
    if (!detect_races_ || size == 0) {
        return;
    }
    const auto begin = reinterpret_cast<std::uintptr_t>(address);
    for (std::uintptr_t unit = begin / kShadowBytes; unit <= (begin + size - 1) / kShadowBytes; ++unit) {
        Shadow& seen = shadow(unit);
        if (!happened_before(thread, seen.writer, seen.written)) {
            report("two plain writes race", thread, seen.writer, unit * kShadowBytes);
        }
        for (int other = 0; other < kThreadsMax; ++other) {
            if (!happened_before(thread, other, seen.read[static_cast<std::size_t>(other)])) {
                report("a plain write races with a plain read", thread, other, unit * kShadowBytes);
            }
        }
        seen.writer = thread;
        seen.written = clock(thread).at[static_cast<std::size_t>(thread)];
        seen.read = {};
        const Store* last = last_store(unit * kShadowBytes / kWordBytes * kWordBytes);
        if (last != nullptr && !happened_before(thread, last->thread, last->epoch)) {
            report("a plain write races with an atomic store", thread, last->thread, unit * kShadowBytes);
        }
    }
}

void MemoryModel::fork(int parent, int child) {
    clock(child).join(clock(parent));
    ++clock(parent).at[static_cast<std::size_t>(parent)];
}

void MemoryModel::join(int parent, int child) {
    clock(parent).join(clock(child));
}

void MemoryModel::report(const char* what, int thread, int other, std::uintptr_t at) {
    if (race_.empty()) {
        race_ = std::string(what) + ": thread " + std::to_string(thread) + " and thread " +
                std::to_string(other) + " at address ending in " + std::to_string(at % 65536);
    }
}

}  // namespace fulmar::model
