#include "archive_server/segment_ops.h"

#include <algorithm>

namespace fulmar::archive {

SegmentOps::SegmentOps(ServerContext& context, Recordings& recordings, Replays& replays)
    : context_(context), recordings_(recordings), replays_(replays) {}

bool SegmentOps::is_busy(std::int64_t recording_id) const {
    return std::any_of(jobs_.begin(), jobs_.end(),
        [&](const auto& job) { return job->recording_id == recording_id || job->other_id == recording_id; });
}

bool SegmentOps::is_idle() const {
    return std::all_of(jobs_.begin(), jobs_.end(), [](const auto& job) { return job->is_stuck; });
}

std::optional<Recording> SegmentOps::free_recording(Asker asker, std::int64_t recording_id) {
    const Catalog& catalog = context_.catalog.catalog();
    const std::size_t index = catalog.find(recording_id);
    if (index == catalog.size()) {
        context_.sessions.unknown_recording(asker, recording_id);
        return std::nullopt;
    }
    if (is_busy(recording_id)) {
        context_.sessions.error(asker, ArchiveErrorCode::kGeneric,
            "another delete operation in progress for recording id: " + std::to_string(recording_id));
        return std::nullopt;
    }
    return context_.recording_at(index);
}

SegmentOps::Job& SegmentOps::add_job(Asker asker, std::int64_t recording_id) {
    Job& job = *jobs_.emplace_back(std::make_unique<Job>());
    job.asker = asker;
    job.recording_id = recording_id;
    job.ticket = context_.catalog.commit();
    return job;
}

void SegmentOps::begin_removal(Asker asker, const SegmentRemoval::Range& range) {
    add_job(asker, range.recording_id).removal = std::make_unique<SegmentRemoval>(context_.storage, range);
}

void SegmentOps::truncate(Asker asker, std::int64_t recording_id, std::int64_t position) {
    const auto recording = free_recording(asker, recording_id);
    if (!recording) {
        return;
    }
    if (recordings_.is_active(recording_id)) {
        context_.sessions.error(
            asker, ArchiveErrorCode::kActiveRecording, "cannot truncate active recording");
        return;
    }
    if (position < recording->start_position || position > recording->stop_position ||
        position % wire::kFrameAlignment != 0) {
        context_.sessions.error(asker, ArchiveErrorCode::kInvalidPosition,
            "invalid position " + std::to_string(position) +
                ": start=" + std::to_string(recording->start_position) +
                " stop=" + std::to_string(recording->stop_position) +
                " alignment=" + std::to_string(wire::kFrameAlignment));
        return;
    }
    auto shape = SegmentShape::of(*recording);
    if (!shape) {
        context_.sessions.error(asker, ArchiveErrorCode::kGeneric, shape.error().message);
        return;
    }
    Catalog& catalog = context_.catalog.catalog();
    catalog.set_stop(catalog.find(recording_id), position, recording->stop_timestamp);
    // Cut back to before its damage, a recording is sound again.
    if (const auto found = context_.damaged.find(recording_id);
        found != context_.damaged.end() && position <= found->second.begin) {
        context_.damaged.erase(found);
    }
    replays_.stop_all_quietly(recording_id);
    Job& job = add_job(asker, recording_id);
    job.cut = Truncation::Cut{.recording_id = recording_id,
        .shape = *shape,
        .start_position = recording->start_position,
        .position = position};
    // The segment that the position lies in stays, unless nothing of it does.
    const std::int64_t base =
        segment_base(recording->start_position, position, shape->term_length, shape->segment_length);
    const bool stays = position != recording->start_position && position != base;
    job.removal = std::make_unique<SegmentRemoval>(
        context_.storage, SegmentRemoval::Range{.recording_id = recording_id,
                              .from = stays ? base + shape->segment_length
                                            : (position == recording->start_position ? 0 : base)});
}

void SegmentOps::purge_recording(Asker asker, std::int64_t recording_id) {
    const auto recording = free_recording(asker, recording_id);
    if (!recording) {
        return;
    }
    if (replays_.is_replaying(recording_id)) {
        context_.sessions.error(asker, ArchiveErrorCode::kActiveRecording,
            "cannot purge recording with active replay " + std::to_string(recording_id));
        return;
    }
    if (recordings_.is_active(recording_id)) {
        context_.sessions.error(asker, ArchiveErrorCode::kActiveRecording,
            "cannot purge active recording " + std::to_string(recording_id));
        return;
    }
    Catalog& catalog = context_.catalog.catalog();
    catalog.set_state(catalog.find(recording_id), RecordingState::kDeleted);
    begin_removal(asker, {.recording_id = recording_id});
}

bool SegmentOps::may_detach(Asker asker, const Recording& recording, std::int64_t new_start_position) {
    const auto base_of = [&](std::int64_t position) {
        return segment_base(
            recording.start_position, position, recording.term_buffer_length, recording.segment_file_length);
    };
    const auto refuse = [&](const std::string& why) {
        context_.sessions.error(asker, ArchiveErrorCode::kGeneric, why);
        return false;
    };
    const std::string wanted = "newStartPosition=" + std::to_string(new_start_position);
    if (new_start_position < recording.start_position || new_start_position != base_of(new_start_position)) {
        return refuse("invalid segment start: " + wanted);
    }
    const std::int64_t lowest = base_of(recording.start_position) + recording.segment_file_length;
    if (new_start_position < lowest) {
        return refuse("invalid detach: " + wanted + " lowerBound=" + std::to_string(lowest));
    }
    const auto live = recordings_.progress(recording.id);
    const std::int64_t end =
        live != nullptr ? live->position.load(std::memory_order_acquire) : recording.stop_position;
    if (new_start_position > base_of(end)) {
        return refuse("invalid detach: in use, " + wanted + " upperBound=" + std::to_string(base_of(end)));
    }
    const std::int64_t replayed = replays_.lowest_position(recording.id);
    if (replayed != INT64_MAX && new_start_position > base_of(replayed)) {
        return refuse("invalid detach: replay in progress, " + wanted +
                      " upperBound=" + std::to_string(base_of(replayed)));
    }
    return true;
}

void SegmentOps::set_start(std::int64_t recording_id, std::int64_t position) {
    Catalog& catalog = context_.catalog.catalog();
    catalog.set_start_position(catalog.find(recording_id), position);
}

void SegmentOps::detach(Asker asker, std::int64_t recording_id, std::int64_t new_start_position) {
    const auto recording = free_recording(asker, recording_id);
    if (recording && may_detach(asker, *recording, new_start_position)) {
        set_start(recording_id, new_start_position);
        add_job(asker, recording_id);
    }
}

void SegmentOps::delete_detached(Asker asker, std::int64_t recording_id) {
    const auto recording = free_recording(asker, recording_id);
    if (recording) {
        begin_removal(asker, {.recording_id = recording_id,
                                 .to = segment_base(recording->start_position, recording->start_position,
                                     recording->term_buffer_length, recording->segment_file_length)});
    }
}

void SegmentOps::purge_segments(Asker asker, std::int64_t recording_id, std::int64_t new_start_position) {
    const auto recording = free_recording(asker, recording_id);
    if (recording && may_detach(asker, *recording, new_start_position)) {
        set_start(recording_id, new_start_position);
        begin_removal(asker, {.recording_id = recording_id, .to = new_start_position});
    }
}

void SegmentOps::attach(Asker asker, std::int64_t recording_id) {
    const auto recording = free_recording(asker, recording_id);
    if (!recording) {
        return;
    }
    auto shape = SegmentShape::of(*recording);
    if (!shape) {
        context_.sessions.error(asker, ArchiveErrorCode::kGeneric, shape.error().message);
        return;
    }
    Job& job = add_job(asker, recording_id);
    const std::int64_t base = segment_base(
        recording->start_position, recording->start_position, shape->term_length, shape->segment_length);
    job.attach = std::make_unique<SegmentAttach>(context_.storage, recording_id, *shape, base);
}

std::string SegmentOps::why_not_joined(const Recording& source, const Recording& destination) {
    std::string why;
    const auto same = [&](const char* name, std::int64_t ours, std::int64_t theirs) {
        if (why.empty() && ours != theirs) {
            why = std::string("invalid migrate: src ") + name + "=" + std::to_string(ours) + " dst " + name +
                  "=" + std::to_string(theirs);
        }
    };
    same("segmentFileLength", source.segment_file_length, destination.segment_file_length);
    same("termBufferLength", source.term_buffer_length, destination.term_buffer_length);
    same("initialTermId", source.initial_term_id, destination.initial_term_id);
    same("streamId", source.stream_id, destination.stream_id);
    same("mtuLength", source.mtu_length, destination.mtu_length);
    if (!why.empty()) {
        return why;
    }
    std::int64_t joint = 0;
    if (source.stop_position == destination.start_position) {
        joint = source.stop_position;
    } else if (source.start_position == destination.stop_position) {
        joint = source.start_position;
    } else {
        return "invalid migrate: src and dst are not contiguous srcStartPosition=" +
               std::to_string(source.start_position) +
               " srcStopPosition=" + std::to_string(source.stop_position) +
               " dstStartPosition=" + std::to_string(destination.start_position) +
               " dstStopPosition=" + std::to_string(destination.stop_position);
    }
    for (const Recording* side : {&source, &destination}) {
        if (segment_base(side->start_position, joint, side->term_buffer_length, side->segment_file_length) !=
            joint) {
            return std::string("invalid migrate: join position is not on a segment boundary of ") +
                   (side == &source ? "src" : "dst") + " recording " + std::to_string(joint);
        }
    }
    return "";
}

void SegmentOps::migrate(Asker asker, std::int64_t source_id, std::int64_t destination_id) {
    const auto source = free_recording(asker, source_id);
    const auto destination = source ? free_recording(asker, destination_id) : std::nullopt;
    if (!source || !destination) {
        return;
    }
    if (recordings_.is_active(source_id)) {
        context_.sessions.error(asker, ArchiveErrorCode::kActiveRecording,
            "cannot migrate active source recording " + std::to_string(source_id));
        return;
    }
    if (replays_.is_replaying(source_id)) {
        context_.sessions.error(asker, ArchiveErrorCode::kActiveRecording,
            "cannot migrate recording with active replay " + std::to_string(source_id));
        return;
    }
    if (std::string why = why_not_joined(*source, *destination); !why.empty()) {
        context_.sessions.error(asker, ArchiveErrorCode::kGeneric, why);
        return;
    }
    Job& job = add_job(asker, source_id);
    job.other_id = destination_id;
    job.plan = {.source_id = source_id,
        .destination_id = destination_id,
        .source_start = source->start_position,
        .source_stop = source->stop_position,
        .destination_start = destination->start_position,
        .destination_stop = destination->stop_position};
}

}  // namespace fulmar::archive
