#include "archive/recording_recovery.h"

#include <algorithm>
#include <utility>

#include "base/plant.h"

namespace fulmar::archive {

RecordingRecovery::RecordingRecovery(StorageHub& hub, Subject subject)
    : hub_(hub),
      subject_(std::move(subject)),
      next_(subject_.bases.size()),
      durable_(subject_.start_position),
      found_end_(subject_.start_position),
      stop_(subject_.start_position) {
    if (subject_.bases.empty()) {
        state_ = State::kDone;
    }
}

void RecordingRecovery::poll() {
    switch (state_) {
        case State::kCheck:
            if (check_ == nullptr) {
                begin_check();
            }
            check_->poll();
            if (check_->is_done()) {
                on_checked();
            }
            return;
        case State::kSync:
            sync_->poll();
            if (sync_->is_done()) {
                error_ = sync_->error();
                state_ = error_ ? State::kDone : State::kCut;
            }
            return;
        case State::kCut:
            if (cut_ == nullptr) {
                begin_cut();
            }
            cut_->poll();
            if (cut_->is_done()) {
                error_ = cut_->error();
                state_ = State::kDone;
            }
            return;
        case State::kDone: return;
    }
}

void RecordingRecovery::begin_check() {
    const std::int64_t base = subject_.bases[--next_];
    const bool last = next_ + 1 == subject_.bases.size();
    check_ = std::make_unique<SegmentCheck>(
        hub_, SegmentCheck::Subject{.recording_id = subject_.recording_id,
                  .shape = subject_.shape,
                  .base = base,
                  .from = std::max(base, subject_.start_position),
                  .until = last ? kNullValue : base + subject_.shape.segment_length,
                  .checksum_frames = subject_.checksum_frames,
                  .session_id = subject_.session_id,
                  .covered = !last});
}

void RecordingRecovery::on_checked() {
    const auto check = std::exchange(check_, nullptr);
    const std::int64_t base = subject_.bases[next_];
    if (next_ + 1 == subject_.bases.size()) {
        found_end_ = check->end();
        has_sidecars_ = check->has_sidecar();
    }
    durable_ = std::max(durable_, check->durable());
    faults_.insert(faults_.begin(), check->faults().begin(), check->faults().end());
    const bool looked_far_enough = !has_sidecars_ || durable_ >= base || next_ == 0;
    if (!looked_far_enough) {
        const std::int64_t before = subject_.bases[next_ - 1] + subject_.shape.segment_length;
        if (before != base) {
            faults_.insert(faults_.begin(), {before, base, "its segments are missing", false});
        }
        return;
    }
    // The first one may be missing as well.
    const std::int64_t first = segment_base(subject_.start_position, subject_.start_position,
        subject_.shape.term_length, subject_.shape.segment_length);
    if (next_ == 0 && base != first) {
        faults_.insert(faults_.begin(), {subject_.start_position, base, "its segments are missing", false});
    }
    conclude();
}

void RecordingRecovery::conclude() {
    const std::int64_t durable = FULMAR_PLANTED(kCutTooEarly) ? subject_.start_position : durable_;
    stop_ = std::max(found_end_, durable);
    for (const SegmentCheck::Fault& fault : faults_) {
        const bool was_on_its_way = has_sidecars_ && fault.begin >= durable && !fault.unreadable;
        if (was_on_its_way && FULMAR_PLANTED(kTailUnchecked)) {
            continue;
        }
        if (was_on_its_way) {
            stop_ = fault.begin;
            break;
        }
        damages_.push_back({subject_.recording_id, fault.begin, fault.end, fault.why});
    }
    if (found_end_ < durable) {
        damages_.push_back({subject_.recording_id, found_end_, durable,
            "it was recorded up to there, and neither bytes nor checksums are left"});
    }
    // Where the disk does not even say what it has, or somebody else's frames are garbled, nothing is
    // touched.
    const bool known = std::none_of(faults_.begin(), faults_.end(),
        [this](const SegmentCheck::Fault& fault) { return fault.unreadable || !has_sidecars_; });
    if (known) {
        begin_sync();
    } else {
        state_ = State::kDone;
    }
}

void RecordingRecovery::begin_sync() {
    std::vector<std::int64_t> kept;
    for (const std::int64_t base : subject_.bases) {
        if (base + subject_.shape.segment_length > durable_ && base < stop_) {
            kept.push_back(base);
        }
    }
    sync_ = std::make_unique<SegmentSync>(hub_, subject_.recording_id, kept);
    state_ = State::kSync;
}

void RecordingRecovery::begin_cut() {
    Truncation::Cut cut{.recording_id = subject_.recording_id,
        .shape = subject_.shape,
        .start_position = subject_.start_position,
        .position = stop_,
        .bases = {}};
    for (const std::int64_t base : subject_.bases) {
        if (base >= stop_ || (stop_ == subject_.start_position && base <= stop_)) {
            cut.bases.push_back(base);
        }
    }
    cut_ = std::make_unique<Truncation>(hub_, std::move(cut));
}

}  // namespace fulmar::archive
