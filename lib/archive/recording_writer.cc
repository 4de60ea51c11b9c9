#include "archive/recording_writer.h"

#include <algorithm>
#include <utility>

#include "archive/checksum.h"
#include "base/assert.h"
#include "base/plant.h"
#include "base/statistic.h"
#include "wire/frame.h"

namespace fulmar::archive {

using port::StorageCompletion;
using port::StorageRequest;
using Op = StorageRequest::Op;

RecordingWriter::RecordingWriter(StorageHub& hub, std::int64_t recording_id, const SegmentShape& shape,
    std::int64_t start_position, std::int64_t position, const WriterOptions& options)
    : hub_(hub),
      recording_id_(recording_id),
      shape_(shape),
      start_position_(start_position),
      options_(options),
      submitted_(position),
      data_written_(position),
      written_(position),
      durable_(position),
      durable_in_sidecar_(position),
      marked_(position),
      blocks_(options.writes_max) {
    FULMAR_ASSERT(base::is_power_of_two(options.writes_max), "a ring of blocks");
    FULMAR_ASSERT(position >= start_position && position % wire::kFrameAlignment == 0, "a frame's place");
    segments_.reserve(kSegmentsMax);
    if (options.extends) {
        Truncation::Cut cut{.recording_id = recording_id,
            .shape = shape,
            .start_position = start_position,
            .position = position};
        if (!Truncation::lies_in_segment(cut)) {
            cut.bases.push_back(
                segment_base(start_position, position, shape.term_length, shape.segment_length));
        }
        extension_ = std::make_unique<Truncation>(hub, std::move(cut));
    } else {
        FULMAR_ASSERT(position == start_position, "a new recording begins at its start");
    }
}

int RecordingWriter::poll(Instant now) {
    now_ = now;
    if (segments_.empty() && finish_ <= Finish::kDrain && !error_) {
        open_first();
    }
    for (const auto& segment : segments_) {
        if (segment->error()) {
            break_with(*segment->error());  // before anything is concluded from what has completed
        }
    }
    advance_written();
    if (!broken_) {
        prepare_next();
        name_segments();
    }
    int done = drive_round();
    for (const auto& segment : segments_) {
        done += segment->poll();
    }
    retire_segments();
    drive_finish();
    return done;
}

void RecordingWriter::open_first() {
    std::optional<std::uint64_t> next_slot;
    bool is_there = false;
    if (extension_) {
        extension_->poll();
        if (!extension_->is_done()) {
            return;
        }
        if (extension_->error()) {
            return break_with(*extension_->error());
        }
        is_there = extension_->is_segment_kept();
        next_slot = extension_->has_sidecar() ? std::optional(extension_->next_slot()) : std::nullopt;
        extension_.reset();
    }
    if (finish_ != Finish::kNot) {
        return;
    }
    const OpenSegment::Place place{recording_id_,
        segment_base(start_position_, submitted_, shape_.term_length, shape_.segment_length),
        shape_.segment_length};
    segments_.push_back(is_there ? std::make_unique<OpenSegment>(hub_, place, submitted_, next_slot)
                                 : std::make_unique<OpenSegment>(hub_, place, submitted_));
}

void RecordingWriter::prepare_next() {
    if (segments_.empty() || finish_ != Finish::kNot || error_) {
        return;
    }
    retry_blocked();
    const OpenSegment& last = *segments_.back();
    // Not at once: a short recording takes the space of one segment, not of two.
    const bool half_full = submitted_ - last.base() >= shape_.segment_length / 2;
    if (ready_ && current_ + 1 == segments_.size() && half_full && segments_.size() < kSegmentsMax) {
        segments_.push_back(std::make_unique<OpenSegment>(
            hub_, OpenSegment::Place{recording_id_, last.end(), shape_.segment_length}, last.end()));
    }
}

void RecordingWriter::retry_blocked() {
    OpenSegment& last = *segments_.back();
    if (!last.blocked()) {
        blocked_retried_ = blocked_retried_ && !last.is_prepared();
        return;
    }
    const bool is_needed = !ready_ || submitted_ == last.base();
    if (is_needed && blocked_retried_) {
        fail_with(*last.blocked());
    } else if (is_needed) {
        blocked_retried_ = true;
        last.prepare_again();
    }
}

void RecordingWriter::name_segments() {
    for (std::size_t i = 0; i <= current_ && i < segments_.size(); ++i) {
        // Not before all that comes before it is written: who finds the last segment looks no further.
        if (!ready_ || written_ >= segments_[i]->base()) {
            segments_[i]->name();
        }
    }
    ready_ = ready_ || (!segments_.empty() && segments_.front()->is_named());
}

void RecordingWriter::retire_segments() {
    while (current_ > 0 && finish_ == Finish::kNot) {
        OpenSegment& oldest = *segments_.front();
        const bool synced = options_.sync == SyncPolicy::kNone || durable_ >= oldest.end();
        if (oldest.is_closed()) {
            segments_.erase(segments_.begin());
            --current_;
            continue;
        }
        if (broken_ || written_ < oldest.end() || !synced || oldest.is_syncing()) {
            return;
        }
        if (options_.sync == SyncPolicy::kNone) {
            note_unsynced(oldest);
        }
        oldest.close();
        return;
    }
}

void RecordingWriter::note_unsynced(const OpenSegment& segment) {
    if (unsynced_bases_.empty() || unsynced_bases_.back() < segment.base()) {
        unsynced_bases_.push_back(segment.base());
    }
}

OpenSegment* RecordingWriter::segment_for_next() const {
    if (!ready_ || error_ || finish_ != Finish::kNot) {
        return nullptr;
    }
    OpenSegment* const current = segments_[current_].get();
    if (submitted_ < current->end()) {
        return current;
    }
    const bool next = current_ + 1 < segments_.size() && segments_[current_ + 1]->is_prepared();
    return next ? segments_[current_ + 1].get() : nullptr;
}

std::size_t RecordingWriter::room() const {
    OpenSegment* const segment = segment_for_next();
    if (segment == nullptr || !segment->checksums().has_room() ||
        blocks_end_ - blocks_begin_ == blocks_.size()) {
        return 0;
    }
    return static_cast<std::size_t>(segment->end() - submitted_);
}

bool RecordingWriter::write(std::span<const std::byte> block, std::int64_t position) {
    FULMAR_ASSERT(position == submitted_, "blocks follow one another");
    FULMAR_ASSERT(
        block.size() >= wire::kDataHeaderLength && block.size() % wire::kFrameAlignment == 0, "whole frames");
    if (room() < block.size()) {
        return false;
    }
    OpenSegment& segment = *segment_for_next();
    const bool padding = wire::is_padding(block.data());
    Block& entry = block_at(blocks_end_);
    std::span<const std::byte> bytes = padding ? block.first(wire::kDataHeaderLength) : block;
    if (options_.checksum_frames && !padding) {
        entry.copy.assign(block.begin(), block.end());
        archive::checksum_frames(entry.copy);
        bytes = entry.copy;
    }
    StorageRequest request{.op = Op::kWrite,
        .token = blocks_end_,
        .file = segment.file(),
        .offset = static_cast<std::uint64_t>(position - segment.base()),
        .data = bytes};
    if (!hub_.submit(*this, request)) {
        return false;
    }
    const auto length = static_cast<std::int64_t>(block.size());
    segment.checksums().add(padding ? SidecarKind::kPadding : SidecarKind::kData, length, bytes);
    entry.end = submitted_ + length;
    entry.bytes = bytes.size();
    entry.submitted = now_;
    entry.done = false;
    ++blocks_end_;
    ++writes_under_way_;
    current_ += segments_[current_].get() != &segment ? 1 : 0;
    submitted_ += length;
    last_block_ = now_;
    return true;
}

void RecordingWriter::on_storage(StorageCompletion& completion) {
    if (completion.token == kDirectoryToken) {
        round_->directory_under_way = false;
        if (!completion.ok() && !FULMAR_PLANTED(kSyncErrorSwallowed)) {
            break_with(storage_error(completion, "cannot sync the directory"));
        }
        return;
    }
    --writes_under_way_;
    block_at(completion.token).done = true;
    if (!completion.ok()) {
        break_with(storage_error(completion,
            "cannot write " +
                segment_name(recording_id_,
                    segment_base(start_position_, block_at(completion.token).end - wire::kFrameAlignment,
                        shape_.term_length, shape_.segment_length))));
    }
}

void RecordingWriter::advance_written() {
    if (broken_) {
        return;  // what comes after the block that failed is not contiguous
    }
    while (blocks_begin_ < blocks_end_ && block_at(blocks_begin_).done) {
        const Block& block = block_at(blocks_begin_++);
        data_written_ = block.end;
        const auto took = static_cast<std::uint64_t>((now_ - block.submitted).ns);
        base::count(counts_.bytes, block.bytes);
        base::count(counts_.writes);
        base::count(counts_.write_ns_total, took);
        base::count(counts_.write_ns_max, took - std::min(took, counts_.write_ns_max));
    }
    std::int64_t written = data_written_;
    for (const auto& segment : segments_) {
        if (!segment->is_named()) {
            written = std::min(written, segment->base());
        }
        if (segment->base() >= written) {
            break;
        }
        if (const std::int64_t covered = segment->checksums().covered();
            covered < std::min(written, segment->end())) {
            written = covered;
        }
    }
    written_ = std::max(written_, written);
}

std::int64_t RecordingWriter::end_position() const {
    if (!broken_) {
        return submitted_;
    }
    return options_.sync == SyncPolicy::kNone ? written_ : durable_;
}

void RecordingWriter::fail_with(const Error& error) {
    if (!error_) {
        error_ = Error{error.code, "recording " + std::to_string(recording_id_) + ": " + error.message};
    }
}

void RecordingWriter::break_with(const Error& error) {
    fail_with(error);
    broken_ = true;
}

}  // namespace fulmar::archive
