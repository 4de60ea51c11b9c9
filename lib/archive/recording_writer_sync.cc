// Syncs, by policy, and the end of a recording.
#include <algorithm>
#include <limits>
#include <utility>

#include "archive/recording_writer.h"
#include "base/plant.h"
#include "base/statistic.h"

namespace fulmar::archive {

using port::StorageRequest;
using Op = StorageRequest::Op;

std::int64_t RecordingWriter::named_end() const {
    const auto unnamed = std::find_if(
        segments_.begin(), segments_.end(), [](const auto& segment) { return !segment->is_named(); });
    return unnamed == segments_.end() ? std::numeric_limits<std::int64_t>::max() : (*unnamed)->base();
}

bool RecordingWriter::is_round_due() const {
    if (options_.sync == SyncPolicy::kNone || durable_ >= std::min(submitted_, named_end())) {
        return false;
    }
    return options_.sync == SyncPolicy::kBatch || finish_ != Finish::kNot ||
           now_ >= last_round_ + options_.sync_interval;
}

bool RecordingWriter::is_mark_due() const {
    return options_.sync != SyncPolicy::kNone && marked_ < durable_ && durable_ == submitted_ &&
           (finish_ != Finish::kNot || now_ >= last_block_ + options_.idle_mark);
}

int RecordingWriter::drive_round() {
    if (broken_) {
        if (round_ && !round_->directory_under_way) {
            round_.reset();
        }
        return 0;
    }
    if (round_) {
        submit_directory_sync();
        if (!is_round_over()) {
            return flush_checksums();
        }
        end_round();
    }
    if (is_round_due()) {
        return begin_round() ? 1 : 0;
    }
    if (is_mark_due()) {
        return begin_mark() ? 1 : 0;
    }
    return flush_checksums();
}

int RecordingWriter::flush_checksums() {
    int flushed = 0;
    for (const auto& segment : segments_) {
        flushed += segment->checksums().has_entries() && write_checksums(*segment) ? 1 : 0;
    }
    return flushed;
}

bool RecordingWriter::write_checksums(OpenSegment& segment) {
    if (!segment.write_checksums(durable_, epoch_)) {
        return false;
    }
    durable_in_sidecar_ = durable_;
    return true;
}

bool RecordingWriter::begin_round() {
    const std::int64_t position = std::min(submitted_, named_end());
    const auto takes_part = [this, position](const OpenSegment& segment) {
        return segment.base() < position && segment.end() > durable_;
    };
    bool ready = true;
    OpenSegment* last = nullptr;
    for (const auto& segment : segments_) {
        // A sync covers what was submitted before it, so the checksums go first.
        if (takes_part(*segment)) {
            last = segment.get();
            ready = (!last->checksums().has_entries() || write_checksums(*last)) && ready;
        }
    }
    // With each sync goes what the one before achieved: in the entries or, where those are on their way
    // already and say less, in a mark.
    if (!ready || (durable_in_sidecar_ < durable_ && !write_checksums(*last))) {
        return false;
    }
    round_ = Round{.position = position, .began = now_};
    for (const auto& segment : segments_) {
        if (takes_part(*segment)) {
            segment->sync(true);
            round_->directory_wanted = round_->directory_wanted || !segment->is_name_durable();
        }
    }
    if (FULMAR_PLANTED(kRollOverWithoutDirectorySync)) {
        round_->directory_wanted = false;
    }
    if (FULMAR_PLANTED(kAcknowledgedBeforeSync)) {
        durable_ = position;
    }
    submit_directory_sync();
    return true;
}

bool RecordingWriter::begin_mark() {
    OpenSegment& segment = *segments_[current_];
    if (segment.is_syncing() || !write_checksums(segment)) {
        return false;
    }
    round_ = Round{.position = durable_, .began = now_, .mark = true};
    segment.sync(false);
    return true;
}

void RecordingWriter::submit_directory_sync() {
    StorageRequest request{.op = Op::kSyncDirectory, .token = kDirectoryToken};
    if (round_->directory_wanted && hub_.submit(*this, request)) {
        round_->directory_wanted = false;
        round_->directory_under_way = true;
    }
}

bool RecordingWriter::is_round_over() const {
    return !round_->directory_wanted && !round_->directory_under_way &&
           std::none_of(
               segments_.begin(), segments_.end(), [](const auto& segment) { return segment->is_syncing(); });
}

void RecordingWriter::end_round() {
    const Round round = *std::exchange(round_, std::nullopt);
    const auto took = static_cast<std::uint64_t>((now_ - round.began).ns);
    base::count(counts_.syncs);
    base::count(counts_.sync_ns_max, took - std::min(took, counts_.sync_ns_max));
    if (round.mark) {
        marked_ = round.position;
        return;
    }
    durable_ = round.position;
    last_round_ = round.began;
    ++epoch_;
    for (const auto& segment : segments_) {
        if (segment->base() < round.position) {
            segment->set_name_durable();
        }
    }
}

void RecordingWriter::finish() {
    finish_ = std::max(finish_, Finish::kDrain);
}

bool RecordingWriter::is_drained() const {
    if (broken_) {
        return writes_under_way_ == 0 && !round_ && (!extension_ || extension_->is_done());
    }
    const bool durable =
        options_.sync == SyncPolicy::kNone || (durable_ == submitted_ && marked_ == durable_ && !round_);
    return written_ == submitted_ && durable && !extension_;
}

void RecordingWriter::drive_finish() {
    if (finish_ == Finish::kDrain && is_drained()) {
        finish_ = Finish::kClose;
    }
    if (finish_ == Finish::kClose) {
        close_segments();
    }
    if (finish_ == Finish::kSyncClosed) {
        sync_closed_->poll();
        if (sync_closed_->is_done()) {
            if (sync_closed_->error()) {
                break_with(*sync_closed_->error());
            } else {
                durable_ = written_;
            }
            finish_ = Finish::kDone;
        }
    }
}

void RecordingWriter::close_segments() {
    for (const auto& segment : segments_) {
        segment->close();
        (void)segment->poll();
    }
    if (!std::all_of(
            segments_.begin(), segments_.end(), [](const auto& segment) { return segment->is_closed(); })) {
        return;
    }
    const bool sync = options_.sync == SyncPolicy::kNone && durable_ < written_;
    for (const auto& segment : segments_) {
        if (segment->base() < written_) {
            note_unsynced(*segment);
        }
    }
    segments_.clear();
    current_ = 0;
    finish_ = sync ? Finish::kSyncClosed : Finish::kDone;
    if (sync) {
        sync_closed_ = std::make_unique<SegmentSync>(hub_, recording_id_, unsynced_bases_);
    }
}

}  // namespace fulmar::archive
