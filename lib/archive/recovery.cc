#include "archive/recovery.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "archive/recording_writer.h"

namespace fulmar::archive {

namespace {

using port::DirectoryEntry;
using port::StorageCompletion;
using Op = port::StorageRequest::Op;
using Code = StorageCompletion::Code;

constexpr std::string_view kDeletedSuffix = ".del";
constexpr std::size_t kRecordingsPerPoll = 1024;

bool is_segment_with(std::string_view name, std::string_view suffix) {
    if (!name.ends_with(suffix)) {
        return false;
    }
    name.remove_suffix(suffix.size());
    return parse_segment_name(name) || parse_sidecar_name(name);
}

}  // namespace

Recovery::Recovery(StorageHub& hub, Catalog& catalog, const RecoveryOptions& options)
    : StorageTask(hub), hub_(hub), catalog_(catalog), options_(options) {}

void Recovery::poll() {
    switch (phase_) {
        case Phase::kList:
        case Phase::kRemove:
            StorageTask::poll();
            if (StorageTask::is_done() && error()) {
                phase_ = Phase::kDone;
            }
            return;
        case Phase::kRecordings: return next_recording();
        case Phase::kRecord: recovery_->poll(); return recovery_->is_done() ? end_recovery() : void();
        case Phase::kCut: cut_->poll(); return cut_->is_done() ? end_cut() : void();
        case Phase::kDone: return;
    }
}

void Recovery::step() {
    if (phase_ == Phase::kList) {
        ask({.op = Op::kList});
    } else if (phase_ == Phase::kRemove) {
        if (leftovers_.empty()) {
            phase_ = Phase::kRecordings;
        } else {
            ask({.op = Op::kRemove, .name = leftovers_.back()});
        }
    }
}

void Recovery::on_answer(StorageCompletion& completion) {
    if (!completion.ok() && completion.code != Code::kNotFound) {
        return fail(storage_error(completion, phase_ == Phase::kList ? "cannot list the archive's directory"
                                                                     : "cannot remove what was left behind"));
    }
    if (phase_ == Phase::kList) {
        sort_in(completion.entries);
        phase_ = Phase::kRemove;
    } else {
        leftovers_.pop_back();
    }
}

void Recovery::sort_in(const std::vector<DirectoryEntry>& entries) {
    std::vector<SegmentName> sidecars;
    for (const DirectoryEntry& entry : entries) {
        if (const auto segment = parse_segment_name(entry.name)) {
            segments_.push_back({segment->recording_id, segment->base, entry.length});
        } else if (const auto sidecar = parse_sidecar_name(entry.name)) {
            sidecars.push_back(*sidecar);
        } else if (is_segment_with(entry.name, kPreparedSuffix) ||
                   is_segment_with(entry.name, kDeletedSuffix)) {
            leftovers_.push_back(entry.name);
        }
    }
    std::sort(segments_.begin(), segments_.end(), [](const File& a, const File& b) {
        return std::tie(a.recording_id, a.base) < std::tie(b.recording_id, b.base);
    });
    // A sidecar is made before its segment has a name, and goes after it has none any more.
    for (const SegmentName& sidecar : sidecars) {
        if (file_at(sidecar.recording_id, sidecar.base) == nullptr) {
            leftovers_.push_back(sidecar_name(sidecar.recording_id, sidecar.base));
        }
    }
    if (!leftovers_.empty()) {
        notes_.push_back(
            "removed " + std::to_string(leftovers_.size()) + " files that were half made or half deleted");
    }
    note_orphans();
}

void Recovery::note_orphans() {
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        const std::int64_t id = segments_[i].recording_id;
        const bool first_of_it = i == 0 || segments_[i - 1].recording_id != id;
        if (first_of_it && catalog_.find(id) == catalog_.size()) {
            notes_.push_back("recording " + std::to_string(id) + ": the catalog does not have it, and " +
                             std::to_string(files_of(id).size()) + " segments of it are there");
        }
    }
}

std::span<const Recovery::File> Recovery::files_of(std::int64_t recording_id) const {
    const auto [begin, end] = std::equal_range(segments_.begin(), segments_.end(), File{recording_id, 0, 0},
        [](const File& a, const File& b) { return a.recording_id < b.recording_id; });
    return {begin, end};
}

const Recovery::File* Recovery::file_at(std::int64_t recording_id, std::int64_t base) const {
    const auto files = files_of(recording_id);
    const auto found = std::lower_bound(files.begin(), files.end(), base,
        [](const File& file, std::int64_t wanted) { return file.base < wanted; });
    return found == files.end() || found->base != base ? nullptr : &*found;
}

void Recovery::next_recording() {
    for (std::size_t looked_at = 0; looked_at < kRecordingsPerPoll; ++looked_at, ++index_) {
        if (index_ == catalog_.size()) {
            phase_ = Phase::kDone;
            return;
        }
        if (catalog_.find(catalog_.id_at(index_)) != index_) {
            continue;
        }
        const Recording recording = catalog_.at(index_);
        const auto shape = SegmentShape::of(recording);
        if (!shape) {
            damages_.push_back(
                {recording.id, recording.start_position, recording.stop_position, shape.error().message});
            continue;
        }
        if (recording.stop_position == kNullValue) {
            return begin_recovery(recording, *shape);
        }
        check_stopped(recording, *shape);
        if (phase_ != Phase::kRecordings) {
            return;
        }
    }
}

void Recovery::check_stopped(const Recording& recording, const SegmentShape& shape) {
    const std::int64_t stop = recording.stop_position;
    if (stop > recording.start_position) {
        const std::int64_t base =
            segment_base(recording.start_position, stop - 1, shape.term_length, shape.segment_length);
        const std::int64_t begin = std::max(base, recording.start_position);
        const File* last = file_at(recording.id, base);
        if (last == nullptr) {
            damages_.push_back({recording.id, begin, stop, segment_name(recording.id, base) + " is missing"});
            return;
        }
        if (last->length != static_cast<std::uint64_t>(shape.segment_length)) {
            damages_.push_back({recording.id, begin, stop,
                segment_name(recording.id, base) + " has " + std::to_string(last->length) + " bytes, not " +
                    std::to_string(shape.segment_length)});
            return;
        }
    }
    // Who truncated it was interrupted. A segment that begins at the stop position may be one that Aeron made
    // for what was to follow.
    Truncation::Cut cut{.recording_id = recording.id,
        .shape = shape,
        .start_position = recording.start_position,
        .position = stop,
        .bases = {}};
    for (const File& file : files_of(recording.id)) {
        if (file.base > stop) {
            cut.bases.push_back(file.base);
        }
    }
    if (!cut.bases.empty()) {
        notes_.push_back(
            "recording " + std::to_string(recording.id) + ": went on cutting it at " + std::to_string(stop));
        cut_ = std::make_unique<Truncation>(hub_, std::move(cut));
        phase_ = Phase::kCut;
    }
}

void Recovery::end_cut() {
    if (cut_->error()) {
        const Recording recording = catalog_.at(index_);
        damages_.push_back(
            {recording.id, recording.stop_position, recording.stop_position, cut_->error()->message});
    }
    cut_.reset();
    ++index_;
    phase_ = Phase::kRecordings;
}

void Recovery::begin_recovery(const Recording& recording, const SegmentShape& shape) {
    RecordingRecovery::Subject subject{.recording_id = recording.id,
        .shape = shape,
        .start_position = recording.start_position,
        .bases = {},
        .checksum_frames = options_.checksum_frames,
        .session_id = recording.session_id};
    const std::int64_t first = segment_base(
        recording.start_position, recording.start_position, shape.term_length, shape.segment_length);
    for (const File& file : files_of(recording.id)) {
        const bool in_place = file.base >= first && (file.base - first) % shape.segment_length == 0;
        if (in_place) {  // not one that was detached and kept
            subject.bases.push_back(file.base);
        }
    }
    recovery_ = std::make_unique<RecordingRecovery>(hub_, std::move(subject));
    phase_ = Phase::kRecord;
}

void Recovery::end_recovery() {
    const auto recovery = std::exchange(recovery_, nullptr);
    const std::int64_t id = catalog_.id_at(index_);
    const std::int64_t stop = recovery->stop_position();
    for (const Damage& damage : recovery->damages()) {
        damages_.push_back(damage);
    }
    if (recovery->error()) {
        damages_.push_back({id, stop, stop, recovery->error()->message});
    }
    if (recovery->damages().empty() && !recovery->error()) {
        catalog_.set_stop(index_, stop, options_.now_ms);
        const std::int64_t cut = recovery->found_end() - stop;
        notes_.push_back("recording " + std::to_string(id) + ": was not stopped; ends at " +
                         std::to_string(stop) +
                         (cut > 0 ? ", with " + std::to_string(cut) + " bytes cut that never became durable"
                                  : std::string()));
    } else {
        damaged_stops_.push_back({id, stop});
    }
    ++index_;
    phase_ = Phase::kRecordings;
}

bool Recovery::is_extendable(std::int64_t recording_id) const {
    return std::none_of(damages_.begin(), damages_.end(),
        [recording_id](const Damage& damage) { return damage.recording_id == recording_id; });
}

std::int64_t Recovery::stop_position(std::int64_t recording_id) const {
    const auto found = std::find_if(damaged_stops_.begin(), damaged_stops_.end(),
        [recording_id](const DamagedStop& stop) { return stop.recording_id == recording_id; });
    return found == damaged_stops_.end() ? kNullValue : found->position;
}

}  // namespace fulmar::archive
