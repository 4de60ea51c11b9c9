// How operations on segments go on once they were begun.
#include <algorithm>

#include "archive_server/segment_ops.h"

namespace fulmar::archive {

int SegmentOps::poll() {
    int work = 0;
    for (auto& job : jobs_) {
        if (job->is_stuck || !context_.catalog.is_persisted(job->ticket)) {
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
    job.is_over = !job.is_stuck;
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

bool SegmentOps::is_migrating() const {
    return std::any_of(jobs_.begin(), jobs_.end(),
        [](const auto& job) { return job->migration != nullptr && !job->is_answered; });
}

int SegmentOps::poll_migration(Job& job) {
    if (job.migration == nullptr) {
        if (is_migrating()) {
            return 0;  // there is one plan at a time
        }
        job.migration = std::make_unique<Migration>(context_.storage, context_.catalog, job.plan);
        return 1;
    }
    if (job.is_answered) {
        return poll_removal(job);
    }
    job.migration->poll();
    if (!job.migration->is_done()) {
        return 0;
    }
    if (job.migration->error()) {
        job.is_stuck = job.migration->is_half_done();
        Error error = *job.migration->error();
        if (job.is_stuck) {
            error.message += "; segments of recording " + std::to_string(job.recording_id) +
                             " are half moved to recording " + std::to_string(job.other_id) +
                             ": start the archive again, and it goes on";
        }
        fail(job, error);
        return 1;
    }
    context_.sessions.ok(job.asker, job.migration->count());
    job.is_answered = true;
    // What is left of the source holds nothing: the segment that begins where it ended.
    job.removal = std::make_unique<SegmentRemoval>(
        context_.storage, SegmentRemoval::Range{.recording_id = job.recording_id});
    job.removal->allow();
    return 1;
}

}  // namespace fulmar::archive
