// What has to be true when the process is back.
#include <algorithm>

#include "archive/segment_check.h"
#include "archive/sidecar.h"
#include "tests/sim/archive_disk_inside.h"

namespace fulmar::sim::disk {

void DiskWorld::recover() {
    for (int i = 0; disk_draws_.chance(0.2) && i < 3; ++i) {
        interrupt_recovery();
    }
    start_storage(disk_draws_.chance(0.3) ? "read:0.002,flip-read:0.002" : "");
    Recovery recovery(*hub_, catalog_, {.now_ms = 5});
    run_task(recovery);
    count(DiskCount::kRecovery);
    if (recovery.error()) {
        return fail("recovery: " + recovery.error()->message);
    }
    for (const auto& subject : subjects_) {
        if (!failed() && !subject->given_up) {
            judge(*subject, recovery);
        }
    }
    check_names();
    if (spoilt_ && !failed()) {
        mend();
    }
}

void DiskWorld::interrupt_recovery() {
    start_storage("");
    Catalog catalog = catalog_;
    Recovery recovery(*hub_, catalog, {.now_ms = 5});
    const std::uint64_t turns = disk_draws_.below(60);
    for (std::uint64_t i = 0; i < turns && !recovery.is_done(); ++i) {
        turn();
        recovery.poll();
    }
    count(DiskCount::kRecoveryInterrupted);
    die(false);
}

void DiskWorld::judge(Subject& subject, const Recovery& recovery) {
    const std::string who = "recording " + std::to_string(subject.id) + ": ";
    const std::int64_t in_catalog = catalog_.at(catalog_.find(subject.id)).stop_position;
    const bool was_active = subject.stop == kNullValue;
    const std::int64_t stop = in_catalog != kNullValue ? in_catalog : recovery.stop_position(subject.id);
    const bool is_spoilt = spoilt_ && spoilt_->id == subject.id;
    std::vector<Damage> damages;
    for (const Damage& damage : recovery.damages()) {
        if (damage.recording_id == subject.id) {
            damages.push_back(damage);
        }
    }
    if (in_catalog == kNullValue && damages.empty()) {
        return fail(who + "recovery left it active");
    }
    verify(subject, stop, damages);
    if (!is_spoilt && !damages.empty()) {
        return fail(who + "called damaged, and is not: " + to_string(damages.front()));
    }
    if (stop < subject.told && !(is_spoilt && stop >= spoilt_->certain)) {
        return fail(who + "ends at " + std::to_string(stop) + ", and was told durable up to " +
                    std::to_string(subject.told));
    }
    if (stop > subject.submitted) {
        return fail(who + "ends behind what was written");
    }
    count(DiskCount::kWindow, stop < subject.told ? 1 : 0);
    count(DiskCount::kDamageFound, damages.size());
    count(DiskCount::kCut, was_active && stop < subject.submitted ? 1 : 0);
    check_bytes(subject, stop, damages);
    mix(stop);
    if (is_spoilt) {
        spoilt_->told = !damages.empty();
    }
    if (was_active) {
        subject.wiped = true;
    }
    if (damages.empty() || in_catalog != kNullValue) {
        subject.stop = stop;
    }
    if (damages.empty()) {
        subject.told = subject.told_before = subject.submitted = stop;
        subject.stream.cut(stop);
    }
}

void DiskWorld::verify(const Subject& subject, std::int64_t stop, std::vector<Damage>& damages) {
    for (std::int64_t base = subject.base_of(subject.stream.start());
         base < stop && stop > subject.stream.start(); base += subject.shape.segment_length) {
        SegmentCheck check(*hub_, {.recording_id = subject.id,
                                      .shape = subject.shape,
                                      .base = base,
                                      .from = std::max(base, subject.stream.start()),
                                      .until = std::min(stop, base + subject.shape.segment_length)});
        run_task(check);
        if (!check.is_there()) {
            damages.push_back({subject.id, base, base + subject.shape.segment_length, "missing"});
        }
        for (const SegmentCheck::Fault& fault : check.faults()) {
            damages.push_back({subject.id, fault.begin, fault.end, fault.why});
        }
    }
}

void DiskWorld::check_bytes(const Subject& subject, std::int64_t stop, const std::vector<Damage>& damages) {
    const auto& frames = subject.stream.frames();
    if (stop != subject.stream.end() && !std::binary_search(frames.begin(), frames.end(), stop)) {
        return fail("a recording that ends within a frame");
    }
    const auto is_told = [&damages](std::int64_t position) {
        return std::any_of(damages.begin(), damages.end(),
            [position](const Damage& damage) { return damage.begin <= position && position < damage.end; });
    };
    for (std::int64_t base = subject.base_of(subject.stream.start());
         base < stop && stop > subject.stream.start() && !failed(); base += subject.shape.segment_length) {
        const Bytes bytes = content(segment_name(subject.id, base));
        const std::int64_t from = std::max(base, subject.stream.start());
        const std::int64_t end = base + subject.shape.segment_length;
        const std::int64_t to = std::min(end, stop);
        const auto recorded = subject.stream.recorded(from, to);
        for (std::int64_t at = from; at < (subject.wiped ? end : to); ++at) {
            const std::byte expected = at < to ? recorded[static_cast<std::size_t>(at - from)] : std::byte{0};
            const auto offset = static_cast<std::size_t>(at - base);
            if (offset >= bytes.size() ||
                (bytes[offset] != expected && !is_told(at) && !subject.stream.is_padding(at))) {
                return fail("recording " + std::to_string(subject.id) + ": wrong at " + std::to_string(at) +
                            ", and ends at " + std::to_string(stop));
            }
        }
    }
}

void DiskWorld::check_names() {
    for (const port::DirectoryEntry& entry : disk_.list()) {
        const auto segment = parse_segment_name(entry.name);
        const auto sidecar = parse_sidecar_name(entry.name);
        if (entry.name.starts_with(FaultStorage::kHeldPrefix)) {
            continue;
        }
        if (!segment && !sidecar) {
            return fail(entry.name + " was left behind");
        }
        const auto& name = segment ? *segment : *sidecar;
        const Subject& subject = *subjects_[static_cast<std::size_t>(name.recording_id)];
        if (subject.wiped && !subject.given_up && !spoilt_ && subject.stop != kNullValue &&
            name.base > subject.stop) {
            return fail(entry.name + " lies behind the stop position");
        }
    }
}

}  // namespace fulmar::sim::disk
