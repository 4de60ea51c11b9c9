// How operations on segments go on once they were begun.
#include <algorithm>

#include "archive_server/segment_ops.h"

namespace fulmar::archive {

int SegmentOps::poll() {
    int work = 0;
    for (auto& job : jobs_) {
        if (!context_.catalog.is_persisted(job->ticket)) {
            continue;
        }
        if (job->other_id >= 0) {
            work += poll_migration(*job);
        } else if (job->cut) {
            work += poll_truncation(*job);
        } else if (job->removal != nullptr) {
            work += poll_removal(*job);
        } else if (job->attach != nullptr) {
            work += poll_attach(*job);
        } else {
            context_.sessions.ok(job->asker);  // a detach is in the catalog alone
            job->is_over = true;
        }
    }
    return work + static_cast<int>(std::erase_if(jobs_, [](const auto& job) { return job->is_over; }));
}

void SegmentOps::fail(Job& job, const Error& error) {
    if (!job.is_answered) {
        context_.sessions.error(job.asker, ArchiveErrorCode::kGeneric, error.message);
    }
    context_.report(error.code, error.message);
    job.is_over = true;
}

void SegmentOps::end(Job& job) {
    context_.sessions.signal(
        job.asker, {.signal = RecordingSignal::kDelete, .recording_id = job.recording_id});
    job.is_over = true;
}

int SegmentOps::poll_removal(Job& job) {
    SegmentRemoval& removal = *job.removal;
    removal.poll();
    if (removal.error()) {
        fail(job, *removal.error());
        return 1;
    }
    if (removal.is_counted() && !job.is_answered) {
        context_.sessions.ok(job.asker, static_cast<std::int64_t>(removal.bases().size()));
        job.is_answered = true;
        removal.allow();
        return 1;
    }
    if (removal.is_done()) {
        end(job);
        return 1;
    }
    return 0;
}

int SegmentOps::poll_truncation(Job& job) {
    if (job.truncation == nullptr) {
        SegmentRemoval& removal = *job.removal;  // only to know what there is
        removal.poll();
        if (removal.error()) {
            fail(job, *removal.error());
            return 1;
        }
        if (!removal.is_counted()) {
            return 0;
        }
        if (!job.is_answered) {
            context_.sessions.ok(job.asker, static_cast<std::int64_t>(removal.bases().size()));
            job.is_answered = true;
        }
        if (replays_.is_replaying(job.recording_id)) {
            return 0;  // they were told to stop
        }
        job.cut->bases = removal.bases();
        job.truncation = std::make_unique<Truncation>(context_.storage, *job.cut);
        return 1;
    }
    job.truncation->poll();
    if (!job.truncation->is_done()) {
        return 0;
    }
    if (job.truncation->error()) {
        fail(job, *job.truncation->error());
    } else {
        end(job);
    }
    return 1;
}

int SegmentOps::poll_attach(Job& job) {
    job.attach->poll();
    if (!job.attach->is_done()) {
        return 0;
    }
    if (job.is_answered) {
        job.is_over = true;  // the catalog has it: see below
        context_.sessions.ok(job.asker, job.attach->count());
        return 1;
    }
    if (job.attach->error()) {
        fail(job, *job.attach->error());
        return 1;
    }
    if (job.attach->count() > 0) {
        set_start(job.recording_id, job.attach->start_position());
    }
    job.ticket = context_.catalog.commit();
    job.is_answered = true;
    return 1;
}

int SegmentOps::poll_migration(Job& job) {
    const Catalog& catalog = context_.catalog.catalog();
    if (job.move == nullptr) {
        job.removal->poll();
        if (job.removal->error()) {
            fail(job, *job.removal->error());
            return 1;
        }
        if (!job.removal->is_counted()) {
            return 0;
        }
        const std::int64_t stop = catalog.at(catalog.find(job.recording_id)).stop_position;
        std::vector<std::int64_t> bases = job.removal->bases();
        std::erase_if(bases, [&](std::int64_t base) { return base >= stop; });
        job.move = std::make_unique<SegmentMove>(context_.storage, job.recording_id, job.other_id, bases);
        return 1;
    }
    if (job.is_moved) {
        if (!job.is_answered) {
            job.is_answered = true;
            context_.sessions.ok(job.asker, job.move->count());
            job.removal->allow();
        }
        return poll_removal(job);
    }
    job.move->poll();
    if (!job.move->is_done()) {
        return 0;
    }
    if (job.move->error()) {
        fail(job, *job.move->error());
        return 1;
    }
    const std::size_t from = catalog.find(job.recording_id);
    const std::size_t to = catalog.find(job.other_id);
    const Recording source = catalog.at(from);
    const Recording destination = catalog.at(to);
    Catalog& changed = context_.catalog.catalog();
    if (source.stop_position == destination.start_position) {
        changed.set_start_position(to, source.start_position);
    } else if (!recordings_.is_active(job.other_id)) {
        changed.set_stop(to, source.stop_position, destination.stop_timestamp);
    }
    changed.set_stop(from, source.start_position, source.stop_timestamp);
    job.ticket = context_.catalog.commit();
    job.is_moved = true;
    // What is left of the source holds nothing.
    job.removal = std::make_unique<SegmentRemoval>(
        context_.storage, SegmentRemoval::Range{.recording_id = job.recording_id});
    return 1;
}

}  // namespace fulmar::archive
