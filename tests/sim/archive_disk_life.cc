// What the process does while it lives: records, stops, extends.
#include <algorithm>

#include "archive/truncation.h"
#include "tests/sim/archive_disk_inside.h"

namespace fulmar::sim::disk {

void DiskWorld::live() {
    start_storage(faults_of_a_life());
    for (const auto& subject : subjects_) {
        if (!subject->given_up && draws_.chance(0.8)) {
            begin_writer(*subject, true);
        }
    }
    while (subjects_.size() < kRecordingsMax && draws_.chance(0.6)) {
        begin_new();
    }
    const std::uint64_t turns = life_draws_.below(1'200);
    for (std::uint64_t i = 0; i < turns && !failed(); ++i) {
        turn();
        for (const auto& subject : subjects_) {
            if (subject->writer) {
                drive(*subject);
            }
        }
    }
}

std::string DiskWorld::faults_of_a_life() {
    switch (life_draws_.below(6)) {
        case 0: return "hold-unsynced,torn,sync:0.01,sync-lost:0.01";
        case 1: return "hold-unsynced,write:0.002,slow:0.05,delay:1ms";
        case 2: return "hold-unsynced,sync-lost:0.03";
        default: return {};
    }
}

void DiskWorld::begin_new() {
    const auto terms = std::int32_t{1} << draws_.below(3);
    const SegmentShape shape{.initial_term_id = static_cast<std::int32_t>(draws_.between(-5, 5)),
        .term_length = 65'536,
        .segment_length = 65'536 * terms,
        .mtu = 1'408,
        .stream_id = 9};
    const std::int64_t start = draws_.chance(0.5) ? 0 : draws_.between(0, 5'000) * 32;
    const auto id = catalog_.add({.start_position = start,
        .stop_position = kNullValue,
        .initial_term_id = shape.initial_term_id,
        .segment_file_length = shape.segment_length,
        .term_buffer_length = shape.term_length,
        .mtu_length = shape.mtu,
        .stream_id = shape.stream_id});
    FULMAR_ASSERT(id.has_value() && *id == static_cast<std::int64_t>(subjects_.size()), "ids count up");
    subjects_.push_back(std::make_unique<Subject>(*id, shape, start, draws_.next()));
    begin_writer(*subjects_.back(), false);
}

void DiskWorld::begin_writer(Subject& subject, bool extends) {
    subject.options = {.extends = extends,
        .sync = static_cast<SyncPolicy>(draws_.below(8) < 5 ? 0 : draws_.between(1, 2)),
        .sync_interval = microseconds(200),
        .idle_mark = microseconds(draws_.between(20, 2'000)),
        .writes_max = std::size_t{1} << draws_.between(1, 6)};
    subject.block_limit = std::size_t{1} << draws_.between(8, 16);
    const std::int64_t position = extends ? subject.stop : subject.stream.start();
    if (extends) {
        count(DiskCount::kExtended);
        catalog_.set_stop(catalog_.find(subject.id), kNullValue, kNullValue);
    }
    subject.stop = kNullValue;
    subject.writer = std::make_unique<RecordingWriter>(
        *hub_, subject.id, subject.shape, subject.stream.start(), position, subject.options);
}

void DiskWorld::note_positions(Subject& subject) {
    const std::int64_t durable = subject.writer->durable_position();
    if (durable < subject.told) {
        fail("recording " + std::to_string(subject.id) + ": durable went back from " +
             std::to_string(subject.told) + " to " + std::to_string(durable));
    }
    if (durable > subject.told) {
        subject.told_before = subject.told;
        subject.told = durable;
    }
    subject.submitted = subject.writer->submitted_position();
}

void DiskWorld::drive(Subject& subject) {
    RecordingWriter& writer = *subject.writer;
    (void)writer.poll(clock_.now());
    if (life_draws_.chance(0.2)) {
        (void)subject.stream.grow(life_draws_.between(1, 20'000));
    }
    const bool busy = !life_draws_.chance(0.1);
    while (busy && !writer.error() && writer.submitted_position() < subject.stream.end()) {
        const auto block = subject.stream.block(writer.submitted_position(), subject.block_limit);
        if (!writer.write(block, writer.submitted_position())) {
            break;
        }
        count(DiskCount::kPadding, wire::is_padding(block.data()) ? 1 : 0);
    }
    note_positions(subject);
    if (writer.error() || life_draws_.chance(0.001)) {
        stop(subject);
    }
}

void DiskWorld::stop(Subject& subject) {
    RecordingWriter& writer = *subject.writer;
    writer.finish();
    for (int i = 0; !writer.is_finished(); ++i) {
        if (i == kTurnsMax) {
            return fail("a writer that does not end");
        }
        turn();
        (void)writer.poll(clock_.now());
    }
    note_positions(subject);
    count(DiskCount::kStopped);
    count(DiskCount::kBytes, writer.counts().bytes);
    count(DiskCount::kSync, writer.counts().syncs);
    count(DiskCount::kNoSpace, writer.error() && writer.error()->code == ErrorCode::kStorageSpace ? 1 : 0);
    std::int64_t end = writer.end_position();
    count(DiskCount::kRollOver, static_cast<std::uint64_t>((end - subject.base_of(subject.stream.start())) /
                                                           subject.shape.segment_length));
    if (writer.error()) {
        note(writer.error()->message);
    } else if (end != subject.told) {
        return fail("finished, and not durable");
    }
    if (end < subject.told) {
        return fail("ends before what it told durable");
    }
    const auto& frames = subject.stream.frames();
    if (!writer.error() && !frames.empty() && life_draws_.chance(0.3)) {
        end = std::min(end, frames[life_draws_.below(frames.size())]);
        count(DiskCount::kTruncated);
    }
    // Without syncs, and with a disk that fails: nobody promised anything.
    subject.given_up = end > writer.durable_position();
    const bool failed_in_writing = writer.error().has_value();
    subject.writer.reset();
    subject.told = subject.told_before = end;
    subject.stop = end;
    catalog_.set_stop(catalog_.find(subject.id), end, 1);
    cut(subject, failed_in_writing);
}

void DiskWorld::cut(Subject& subject, bool is_kept_sound) {
    Truncation::Cut cut{.recording_id = subject.id,
        .shape = subject.shape,
        .start_position = subject.stream.start(),
        .position = subject.stop,
        .is_kept_sound = is_kept_sound,
        .bases = {}};
    for (std::int64_t base = subject.base_of(subject.stop); base <= subject.submitted;
         base += subject.shape.segment_length) {
        if (base >= subject.stop || subject.stop == subject.stream.start()) {
            cut.bases.push_back(base);
        }
    }
    Truncation truncation(*hub_, std::move(cut));
    run_task(truncation);
    subject.wiped = !truncation.error();
    subject.submitted = subject.stop;
    if (subject.wiped) {
        subject.stream.cut(subject.stop);
    }
}

}  // namespace fulmar::sim::disk
