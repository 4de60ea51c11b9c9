// The recordings themselves: from an image to a stop position in the catalog.
#include <algorithm>

#include "archive_server/event_stream.h"
#include "archive_server/recordings.h"
#include "base/assert.h"

namespace fulmar::archive {

void Recordings::on_image(const Arrival& arrival) {
    Subscriber& subscriber = *arrival.subscriber;
    Image& image = *arrival.image;
    auto active = std::make_unique<Active>();
    active->subscriber = &subscriber;
    active->image = &image;
    active->is_extension = subscriber.extends >= 0;
    const bool begun = active->is_extension ? begin_extension(subscriber, image, *active)
                                            : begin_new(subscriber, image, *active);
    if (!begun) {
        subscriber.let_pass.push_back(&image);
        return;
    }
    const Catalog& catalog = context_.catalog.catalog();
    const Recording recording = catalog.at(catalog.find(active->id));
    active->ticket = context_.catalog.commit();
    active->progress = std::make_shared<LivePosition>();
    active->progress->position.store(image.join_position(), std::memory_order_relaxed);
    auto shape = SegmentShape::of(recording);
    FULMAR_ASSERT(shape.has_value(), "a recording of an image has a shape");
    active->init = {.recording_id = active->id,
        .image = &image,
        .mapping = image.keep_mapped(),
        .shape = *shape,
        .start_position = recording.start_position,
        .position = image.join_position(),
        .extends = active->is_extension,
        .block_length_max = std::min(context_.options.file_io_max_length, recording.term_buffer_length),
        .recorded = nullptr,
        .written = nullptr,
        .progress = active->progress};
    ++subscriber.active;
    active_.emplace(active->id, std::move(active));
}

bool Recordings::begin_new(Subscriber& subscriber, Image& image, Active& active) {
    Recording recording;
    recording.control_session_id = 0;
    recording.correlation_id = 0;
    recording.start_timestamp = context_.clock.epoch_ms();
    recording.start_position = image.join_position();
    recording.initial_term_id = image.initial_term_id();
    recording.segment_file_length = std::max(context_.options.segment_file_length, image.term_length());
    recording.term_buffer_length = image.term_length();
    recording.mtu_length = image.mtu();
    recording.session_id = image.session_id();
    recording.stream_id = subscriber.stream_id;
    recording.stripped_channel = subscriber.stripped;
    recording.original_channel = subscriber.original;
    recording.source_identity = image.source_identity();
    auto id = context_.catalog.catalog().add(recording);
    if (!id) {
        context_.sessions.error(subscriber.asker, ArchiveErrorCode::kStorageSpace, id.error().message);
        context_.report(id.error().code, id.error().message);
        return false;
    }
    active.id = *id;
    return true;
}

bool Recordings::begin_extension(Subscriber& subscriber, Image& image, Active& active) {
    Catalog& catalog = context_.catalog.catalog();
    const std::size_t index = catalog.find(subscriber.extends);
    const std::string what = "cannot extend recording " + std::to_string(subscriber.extends) + ": ";
    std::string why;
    if (index == catalog.size()) {
        why = "it was purged";
    } else if (is_active(subscriber.extends)) {
        why = "it is active";
    } else if (std::string busy = refusal(subscriber.extends); !busy.empty()) {
        why = std::move(busy);
    } else {
        const Recording recording = catalog.at(index);
        const auto differs = [&](const char* name, std::int64_t ours, std::int64_t theirs) {
            if (why.empty() && ours != theirs) {
                why = std::string(name) + " of the image is " + std::to_string(theirs) + ", expected " +
                      std::to_string(ours);
            }
        };
        differs("joinPosition", recording.stop_position, image.join_position());
        differs("initialTermId", recording.initial_term_id, image.initial_term_id());
        differs("termBufferLength", recording.term_buffer_length, image.term_length());
        differs("mtuLength", recording.mtu_length, image.mtu());
    }
    if (!why.empty()) {
        context_.sessions.error(subscriber.asker, ArchiveErrorCode::kInvalidExtension, what + why);
        if (subscriber.auto_stop) {
            stop(subscriber);
        }
        return false;
    }
    catalog.extend(
        index, image.session_id(), subscriber.asker.control_session_id, subscriber.asker.correlation_id);
    active.id = subscriber.extends;
    return true;
}

int Recordings::poll_active(Active& active) {
    if (active.state == Active::State::kBeginning) {
        if (!context_.catalog.is_persisted(active.ticket)) {
            return 0;
        }
        if (!active.recorded.is_asked()) {
            // Who sees the counter knows of the recording, and will find it from now on.
            const Catalog& catalog = context_.catalog.catalog();
            const Recording recording = catalog.at(catalog.find(active.id));
            active.recorded = recording_position_counter(context_.client, recording, context_.archive_id);
            active.written = recording_written_counter(context_.client, recording, context_.archive_id);
            return 1;
        }
        if (!active.recorded.poll() || !active.written.poll()) {
            return 0;
        }
        run(active);
        return 1;
    }
    if (active.state == Active::State::kRunning) {
        return tell_progress(active);
    }
    if (active.state == Active::State::kEnding && context_.catalog.is_persisted(active.ticket)) {
        if (is_cutting(active)) {
            return 0;
        }
        end(active);
        gone_.push_back(active.id);
        return 1;
    }
    return 0;
}

int Recordings::tell_progress(Active& active) {
    const std::int64_t position = active.progress->position.load(std::memory_order_acquire);
    if (position <= active.told_at || !context_.events.progress(active.id, active.begun_at, position)) {
        return 0;
    }
    active.told_at = position;
    return 1;
}

void Recordings::run(Active& active) {
    if (active.recorded.get() == nullptr || active.written.get() == nullptr) {
        // Without its counter nobody could follow it: the recording ends where it began.
        const std::string why =
            active.recorded.get() == nullptr ? active.recorded.error() : active.written.error();
        context_.sessions.error(active.subscriber->asker, ArchiveErrorCode::kGeneric,
            "recording " + std::to_string(active.id) + " cannot begin: its counter: " + why);
        Catalog& catalog = context_.catalog.catalog();
        catalog.set_stop(catalog.find(active.id), active.init.position, context_.clock.epoch_ms());
        active.ticket = context_.catalog.commit();
        active.state = Active::State::kEnding;
        pass_on(active);
        return;
    }
    active.init.recorded = active.recorded.get();
    active.init.written = active.written.get();
    active.recorded.set(active.init.position);
    active.written.set(active.init.position);
    const std::int64_t position = active.init.position;
    active.session = std::make_unique<RecordingSession>(
        std::move(active.init), recorder_.storage(), context_.options.writer);
    active.state = Active::State::kRunning;
    recorder_.commands.send({RecorderCommand::Kind::kAdd, active.session.get()});
    if (active.is_stopping) {
        recorder_.commands.send({RecorderCommand::Kind::kStop, active.session.get()});
    }
    active.begun_at = position;
    active.told_at = position;
    const Catalog& catalog = context_.catalog.catalog();
    context_.events.started(catalog.at(catalog.find(active.id)), position);
    context_.sessions.signal(active.subscriber->asker,
        {.signal = active.is_extension ? RecordingSignal::kExtend : RecordingSignal::kStart,
            .recording_id = active.id,
            .subscription_id = active.subscriber->id,
            .position = position});
}

namespace {

void add(WriterCounts& sum, const WriterCounts& more) {
    sum.bytes += more.bytes;
    sum.writes += more.writes;
    sum.syncs += more.syncs;
    sum.write_ns_max = std::max(sum.write_ns_max, more.write_ns_max);
    sum.write_ns_total += more.write_ns_total;
    sum.sync_ns_max = std::max(sum.sync_ns_max, more.sync_ns_max);
}

}  // namespace

void Recordings::pass_on(Active& active) {
    if (active.image != nullptr) {
        active.subscriber->let_pass.push_back(active.image);
    }
}

void Recordings::on_ended(RecordingSession& session) {
    Active& active = *active_.at(session.recording_id());
    add(written_, session.counts());
    Catalog& catalog = context_.catalog.catalog();
    catalog.set_stop(catalog.find(active.id), session.end_position(), context_.clock.epoch_ms());
    active.ticket = context_.catalog.commit();
    active.state = Active::State::kEnding;
    // SYNC(recording.position): release, though nothing of the files changes: after an error it may go back.
    active.progress->position.store(session.end_position(), std::memory_order_release);
    if (session.error()) {
        context_.sessions.error(active.subscriber->asker,
            session.error()->code == ErrorCode::kStorageSpace ? ArchiveErrorCode::kStorageSpace
                                                              : ArchiveErrorCode::kGeneric,
            session.error()->message);
        context_.report(session.error()->code, session.error()->message);
        cut_behind(active);
        pass_on(active);
    }
}

/// What lies behind the end of a recording whose writer failed is neither known to be there nor not to be.
/// It goes when the catalog says where the end is; if that fails as well, the next start or extension cuts.
void Recordings::cut_behind(Active& active) {
    const Catalog& catalog = context_.catalog.catalog();
    const Recording recording = catalog.at(catalog.find(active.id));
    const auto shape = SegmentShape::of(recording);
    FULMAR_ASSERT(shape.has_value(), "it was recorded");
    Truncation::Cut cut{.recording_id = active.id,
        .shape = *shape,
        .start_position = recording.start_position,
        .position = recording.stop_position,
        .is_kept_sound = true};
    const std::int64_t first = segment_base(
        recording.start_position, recording.stop_position, shape->term_length, shape->segment_length);
    for (std::int64_t base = first; base <= active.session->submitted_position();
         base += shape->segment_length) {
        if (base >= cut.position || cut.position == cut.start_position) {
            cut.bases.push_back(base);
        }
    }
    active.cut = std::make_unique<Truncation>(context_.storage, std::move(cut));
}

bool Recordings::is_cutting(Active& active) {
    if (active.cut == nullptr) {
        return false;
    }
    active.cut->poll();
    if (active.cut->is_done() && active.cut->error()) {
        context_.report(active.cut->error()->code, active.cut->error()->message);
    }
    return !active.cut->is_done();
}

void Recordings::end(Active& active) {
    Subscriber& subscriber = *active.subscriber;
    // SYNC(recording.ended): release; position is final.
    active.progress->has_ended.store(true, std::memory_order_release);
    const Signal signal{.signal = RecordingSignal::kStop,
        .recording_id = active.id,
        .subscription_id = subscriber.id,
        .position = active.progress->position.load(std::memory_order_relaxed)};
    if (active.session != nullptr) {
        context_.events.stopped(active.id, active.begun_at, signal.position);
    }
    --subscriber.active;
    if (subscriber.is_stopping) {
        subscriber.held_signals.push_back(signal);
        return;
    }
    context_.sessions.signal(subscriber.asker, signal);
    if (subscriber.auto_stop) {
        stop(subscriber);
    }
}

}  // namespace fulmar::archive
