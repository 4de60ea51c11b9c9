#include "tests/sim/archive_disk_world.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "archive/recording_writer.h"
#include "archive/recovery.h"
#include "archive/segment_check.h"
#include "archive/sidecar.h"
#include "drivers/storage_fault/fault_storage.h"
#include "drivers/storage_memory/memory_disk.h"
#include "drivers/storage_memory/memory_storage.h"
#include "tests/sim/recorded_stream.h"

namespace fulmar::sim {

namespace {

using namespace archive;
using drivers::FaultStorage;
using drivers::MemoryDisk;
using drivers::MemoryStorage;
using test::RecordedStream;
using Bytes = std::vector<std::byte>;

constexpr std::size_t kStreamMax = 2 << 20;
constexpr int kTurnsMax = 200'000;
constexpr std::size_t kRecordingsMax = 3;

class WorldClock final : public port::Clock {
  public:
    Instant now() override { return now_; }
    std::int64_t epoch_ms() override { return now_.ns / 1'000'000; }
    void advance() { now_ = now_ + microseconds(10); }

  private:
    Instant now_{};
};

/// One recording, and what the world knows of it that the disk must not forget.
struct Subject {
    std::int64_t id = 0;
    SegmentShape shape{};
    WriterOptions options{};
    RecordedStream stream;
    std::unique_ptr<RecordingWriter> writer;
    std::int64_t told = 0;         ///< durable, as its writer said
    std::int64_t told_before = 0;  ///< before the last sync of it completed
    std::int64_t submitted = 0;
    std::int64_t stop = kNullValue;  ///< as the catalog says
    std::size_t block_limit = 4'096;
    bool wiped = true;  ///< nothing lies behind its stop position
    bool given_up = false;

    Subject(std::int64_t subject_id, const SegmentShape& its_shape, std::int64_t start, std::uint64_t seed)
        : id(subject_id), shape(its_shape), stream(its_shape, start, seed, kStreamMax) {
        told = told_before = submitted = start;
    }
    [[nodiscard]] std::int64_t base_of(std::int64_t position) const {
        return segment_base(stream.start(), position, shape.term_length, shape.segment_length);
    }
};

/// A byte, or a sector, that somebody changed behind everybody's back.
struct Spoilt {
    std::int64_t id = 0;
    std::string file;
    std::uint64_t offset = 0;
    Bytes before;
    Bytes after;
    std::int64_t position = kNullValue;  ///< in the stream, where it is data
    bool told = false;                   ///< recovery named it
    std::int64_t certain = 0;            ///< up to here damage must be told, not cut
};

class World {
  public:
    World(std::uint64_t seed, bool verbose)
        : result_{.seed = seed},
          verbose_(verbose),
          draws_(seed, 1),
          life_draws_(seed, 2),
          disk_draws_(seed, 3),
          disk_(draws_.chance(0.2) ? 900'000 : 64'000'000),
          catalog_(Catalog::create(4'096)),
          storage_seed_(seed * 1'000) {}

    DiskWorldResult run() {
        const std::int64_t lives = draws_.between(3, 6);
        for (std::int64_t life = 0; life < lives && !failed(); ++life) {
            recover();
            if (!failed()) {
                live();
            }
            die(true);
        }
        if (!failed()) {
            recover();
        }
        stop_storage();
        return result_;
    }

  private:
    [[nodiscard]] bool failed() const { return !result_.failure.empty(); }
    void fail(const std::string& why) {
        if (!failed()) {
            result_.failure = why;
        }
        note("FAIL " + why);
    }
    void note(const std::string& what) const {
        if (verbose_) {
            std::fprintf(stderr, "%s\n", what.c_str());
        }
    }
    void count(DiskCount kind, std::uint64_t amount = 1) {
        result_.counts[static_cast<std::size_t>(kind)] += amount;
    }
    void mix(std::int64_t value) {
        result_.hash = (result_.hash ^ static_cast<std::uint64_t>(value)) * 0x100000001b3ULL;
    }

    // The process and its storage.

    void start_storage(const std::string& faults) {
        stop_storage();
        auto memory = std::make_unique<MemoryStorage>(disk_, MemoryStorage::Options{.seed = ++storage_seed_});
        if (faults.empty()) {
            storage_ = std::move(memory);
        } else {
            auto spec = drivers::parse_storage_fault(faults + ",seed:" + std::to_string(storage_seed_));
            FULMAR_ASSERT(spec.has_value(), "a spec of our own");
            auto storage = std::make_unique<FaultStorage>(std::move(memory), *spec, clock_);
            faults_ = storage.get();
            storage_ = std::move(storage);
        }
        hub_ = std::make_unique<StorageHub>(*storage_);
    }
    void stop_storage() {
        if (faults_ != nullptr) {
            const drivers::StorageFaultCounts& seen = faults_->counts();
            count(DiskCount::kSyncError, seen.sync_errors);
            count(DiskCount::kSyncLost, seen.syncs_lost);
            count(DiskCount::kWriteError, seen.write_errors);
            count(DiskCount::kReadError, seen.read_errors);
            count(DiskCount::kMisread, seen.flipped_reads);
            faults_ = nullptr;
        }
        storage_.reset();
        hub_.reset();
        for (auto& subject : subjects_) {
            subject->writer.reset();
        }
    }
    void turn() {
        clock_.advance();
        (void)hub_->poll(64);
    }
    template <class Task>
    void run_task(Task& task) {
        for (int i = 0; !task.is_done(); ++i) {
            if (i == kTurnsMax) {
                return fail("a task that does not end");
            }
            turn();
            task.poll();
        }
    }
    void die(bool may_spoil) {
        for (const auto& subject : subjects_) {
            if (subject->writer) {
                note_positions(*subject);
            }
        }
        stop_storage();
        const auto how = disk_draws_.below(3);
        if (how == 0) {
            count(DiskCount::kKill);
        } else {
            count(how == 1 ? DiskCount::kPowerCut : DiskCount::kTornPowerCut);
            disk_.power_cut({.torn = how == 2}, disk_draws_);
        }
        note(how == 0 ? "killed" : how == 1 ? "power cut" : "torn power cut");
        // Only what had to survive this can be spoilt and be missed.
        if (may_spoil && how != 0 && disk_draws_.chance(0.4)) {
            spoil();
        }
    }

    // Recovery, and what has to be true then.

    void recover() {
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
    void interrupt_recovery() {
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

    void judge(Subject& subject, const Recovery& recovery) {
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

    /// Adds what a look at every block finds.
    void verify(const Subject& subject, std::int64_t stop, std::vector<Damage>& damages) {
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

    void check_bytes(const Subject& subject, std::int64_t stop, const std::vector<Damage>& damages) {
        const auto& frames = subject.stream.frames();
        if (stop != subject.stream.end() && !std::binary_search(frames.begin(), frames.end(), stop)) {
            return fail("a recording that ends within a frame");
        }
        const auto is_told = [&damages](std::int64_t position) {
            return std::any_of(damages.begin(), damages.end(), [position](const Damage& damage) {
                return damage.begin <= position && position < damage.end;
            });
        };
        for (std::int64_t base = subject.base_of(subject.stream.start());
             base < stop && stop > subject.stream.start() && !failed();
             base += subject.shape.segment_length) {
            const Bytes bytes = content(segment_name(subject.id, base));
            const std::int64_t from = std::max(base, subject.stream.start());
            const std::int64_t end = base + subject.shape.segment_length;
            const std::int64_t to = std::min(end, stop);
            const auto recorded = subject.stream.recorded(from, to);
            for (std::int64_t at = from; at < (subject.wiped ? end : to); ++at) {
                const std::byte expected =
                    at < to ? recorded[static_cast<std::size_t>(at - from)] : std::byte{0};
                const auto offset = static_cast<std::size_t>(at - base);
                if (offset >= bytes.size() ||
                    (bytes[offset] != expected && !is_told(at) && !subject.stream.is_padding(at))) {
                    return fail("recording " + std::to_string(subject.id) + ": wrong at " +
                                std::to_string(at) + ", and ends at " + std::to_string(stop));
                }
            }
        }
    }

    void check_names() {
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

    // Silent corruption.

    void spoil() {
        std::vector<Subject*> with_bytes;
        for (const auto& subject : subjects_) {
            if (subject->told > subject->stream.start() && !subject->given_up) {
                with_bytes.push_back(subject.get());
            }
        }
        if (with_bytes.empty()) {
            return;
        }
        Subject& subject = *with_bytes[disk_draws_.below(with_bytes.size())];
        const bool late = subject.told_before < subject.told && disk_draws_.chance(0.2);
        const std::int64_t position =
            disk_draws_.between(late ? subject.told_before : subject.stream.start(), subject.told - 1);
        const std::int64_t base = subject.base_of(position);
        Spoilt spoilt{.id = subject.id, .certain = subject.told_before};
        if (disk_draws_.chance(0.7)) {
            spoilt.file = segment_name(subject.id, base);
            spoilt.offset = static_cast<std::uint64_t>(position - base);
            spoilt.position = position;
        } else {
            spoilt.file = sidecar_name(subject.id, base);
            spoilt.offset = disk_draws_.below(1'024);
        }
        const Bytes bytes = content(spoilt.file);
        if (spoilt.position != kNullValue && disk_draws_.chance(0.4)) {
            // A sector that was meant for another place.
            spoilt.offset -= spoilt.offset % 512;
            const auto from = static_cast<std::ptrdiff_t>(disk_draws_.below(bytes.size() / 512) * 512);
            const auto to = static_cast<std::ptrdiff_t>(spoilt.offset);
            spoilt.before.assign(bytes.begin() + to, bytes.begin() + to + 512);
            spoilt.after.assign(bytes.begin() + from, bytes.begin() + from + 512);
            count(DiskCount::kAstray);
        } else {
            spoilt.before.assign(1, bytes.at(spoilt.offset));
            spoilt.after.assign(1, spoilt.before[0] ^ (std::byte{1} << disk_draws_.below(8)));
            count(DiskCount::kFlipped);
        }
        note("spoilt " + spoilt.file + " at " + std::to_string(spoilt.offset));
        put(spoilt.file, spoilt.offset, spoilt.after);
        spoilt_ = std::move(spoilt);
    }
    /// Puts it right, as a repair would; then nothing may be left to complain about.
    void mend() {
        const Spoilt spoilt = *std::exchange(spoilt_, std::nullopt);
        Subject& subject = *subjects_[static_cast<std::size_t>(spoilt.id)];
        const auto opened = disk_.open(spoilt.file);
        if (opened.code == MemoryDisk::Code::kOk) {
            Bytes now(spoilt.after.size());
            (void)disk_.read(opened.file, spoilt.offset, now);
            disk_.close(opened.file);
            // What was cut with it is gone.
            if (spoilt.told && now == spoilt.after) {
                put(spoilt.file, spoilt.offset, spoilt.before);
            }
        }
        start_storage("");
        Recovery recovery(*hub_, catalog_, {.now_ms = 5});
        run_task(recovery);
        if (recovery.error()) {
            return fail("recovery: " + recovery.error()->message);
        }
        judge(subject, recovery);
    }
    [[nodiscard]] Bytes content(const std::string& name) {
        const auto opened = disk_.open(name);
        if (opened.code != MemoryDisk::Code::kOk) {
            fail(name + " is missing");
            return Bytes(4'096);
        }
        Bytes bytes(disk_.length(opened.file));
        (void)disk_.read(opened.file, 0, bytes);
        disk_.close(opened.file);
        return bytes;
    }
    void put(const std::string& name, std::uint64_t offset, const Bytes& bytes) {
        const auto opened = disk_.open(name);
        FULMAR_ASSERT(opened.code == MemoryDisk::Code::kOk, "it was read before");
        (void)disk_.write(opened.file, offset, bytes);
        disk_.sync(opened.file);
        disk_.close(opened.file);
    }

    // A life of the process.

    void live() {
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
    [[nodiscard]] std::string faults_of_a_life() {
        switch (life_draws_.below(6)) {
            case 0: return "hold-unsynced,torn,sync:0.01,sync-lost:0.01";
            case 1: return "hold-unsynced,write:0.002,slow:0.05,delay:1ms";
            case 2: return "hold-unsynced,sync-lost:0.03";
            default: return {};
        }
    }
    void begin_new() {
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
    void begin_writer(Subject& subject, bool extends) {
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
    void note_positions(Subject& subject) {
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
    void drive(Subject& subject) {
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
    /// As a server does: the writer ends, the catalog says where, and what lies behind it goes.
    void stop(Subject& subject) {
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
        count(
            DiskCount::kNoSpace, writer.error() && writer.error()->code == ErrorCode::kStorageSpace ? 1 : 0);
        std::int64_t end = writer.end_position();
        count(DiskCount::kRollOver,
            static_cast<std::uint64_t>(
                (end - subject.base_of(subject.stream.start())) / subject.shape.segment_length));
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
    void cut(Subject& subject, bool is_kept_sound) {
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

    DiskWorldResult result_;
    const bool verbose_;
    base::Prng draws_;
    base::Prng life_draws_;
    base::Prng disk_draws_;
    MemoryDisk disk_;
    Catalog catalog_;
    std::uint64_t storage_seed_;
    WorldClock clock_;
    std::unique_ptr<port::Storage> storage_;
    FaultStorage* faults_ = nullptr;
    std::unique_ptr<StorageHub> hub_;
    std::vector<std::unique_ptr<Subject>> subjects_;
    std::optional<Spoilt> spoilt_;
};

}  // namespace

DiskWorldResult run_archive_disk_world(std::uint64_t seed, bool verbose) {
    return World(seed, verbose).run();
}

}  // namespace fulmar::sim
