// fulmar archive repair: mends damaged blocks of a recording from another copy of it, and makes segments that
// are gone again.
#include <algorithm>
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "apps/fulmar/archive_directory.h"
#include "apps/fulmar/archive_storage.h"
#include "apps/fulmar/archive_verbs.h"
#include "archive/replica_bytes.h"
#include "archive/segment_check.h"
#include "archive/segment_rebuild.h"
#include "archive/segment_repair.h"
#include "drivers/archive_runtime/directory_lock.h"

namespace fulmar::cli {

namespace {

using archive::Damage;
using archive::kNullValue;
using archive::Recording;
using archive::SegmentCheck;
using archive::SegmentRepair;
using archive::SegmentShape;

struct RepairOptions {
    std::string dir;
    std::string from;
    std::int64_t recording = 0;
    std::optional<std::int64_t> from_recording;
    bool checksum_frames = false;
    bool json = false;
};

struct Outcome {
    std::uint64_t segments = 0;  ///< that were gone
    std::uint64_t bytes = 0;
    std::uint64_t checksums = 0;
    std::vector<Damage> remaining;
};

/// A recording in one of the directories.
struct Copy {
    Recording recording;
    SegmentShape shape;
    std::int64_t end = 0;
};

Result<Copy> find(const ArchiveDirectory& directory, std::int64_t id) {
    FULMAR_TRY(selected, directory.select({id}));
    const Recording recording = directory.catalog().at(selected.front());
    FULMAR_TRY(shape, SegmentShape::of(recording));
    return Copy{recording, shape, directory.end_position(recording)};
}

Status check_same_stream(const Copy& damaged, const Copy& good) {
    if (damaged.shape.initial_term_id != good.shape.initial_term_id ||
        damaged.shape.term_length != good.shape.term_length) {
        return fail(ErrorCode::kGeneric,
            fmt::format("recording {} there is of another stream: its initial term id and term length are {} "
                        "and {}, not {} and {}; name the copy with --from-recording",
                good.recording.id, good.shape.initial_term_id, good.shape.term_length,
                damaged.shape.initial_term_id, damaged.shape.term_length));
    }
    return Done{};
}

/// Where the frames of a segment end: of a recording that was not stopped its checksums say it.
std::int64_t end_of(ArchiveStorage& storage, const Copy& copy, std::int64_t base) {
    const std::int64_t segment_end = base + copy.shape.segment_length;
    if (copy.recording.stop_position != kNullValue) {
        return std::min(segment_end, copy.recording.stop_position);
    }
    SegmentCheck check(storage.hub(), {.recording_id = copy.recording.id,
                                          .shape = copy.shape,
                                          .base = base,
                                          .from = std::max(base, copy.recording.start_position)});
    storage.run(check);
    return std::min(segment_end, std::max(check.end(), check.durable()));
}

/// Bases of segments that should be there and are not. Of a recording that was not stopped nobody knows what
/// was behind its last one.
std::vector<std::int64_t> missing_segments(const ArchiveDirectory& directory, const Copy& copy) {
    const std::vector<SegmentFile>& files = directory.segments(copy.recording.id);
    const std::int64_t start = copy.recording.start_position;
    std::int64_t end = copy.recording.stop_position;
    if (end == kNullValue) {
        end = files.empty() ? start : files.back().base;
    }
    std::vector<std::int64_t> missing;
    for (std::int64_t base =
             archive::segment_base(start, start, copy.shape.term_length, copy.shape.segment_length);
         base < end && start < end; base += copy.shape.segment_length) {
        const bool is_there = std::any_of(
            files.begin(), files.end(), [base](const SegmentFile& file) { return file.base == base; });
        if (!is_there) {
            missing.push_back(base);
        }
    }
    return missing;
}

SegmentRepair::Subject subject_of(
    const Copy& copy, const RepairOptions& options, std::int64_t base, std::int64_t until) {
    return {.recording_id = copy.recording.id,
        .shape = copy.shape,
        .session_id = copy.recording.session_id,
        .base = base,
        .from = std::max(base, copy.recording.start_position),
        .until = until,
        .checksum_frames = options.checksum_frames};
}

template <class Task>
void run_both(Task& task, ArchiveStorage& storage, ArchiveStorage& other) {
    for (task.poll(); !task.is_done(); task.poll()) {
        other.poll();
        storage.poll();
    }
}

/// Why the copy cannot be trusted with a range that nothing of ours vouches for; empty: its own checksums do.
std::string why_not_sound(ArchiveStorage& storage, const Copy& copy, const RepairOptions& options,
    std::int64_t from, std::int64_t until) {
    const std::int64_t start = copy.recording.start_position;
    if (from < start || until > copy.end) {
        return fmt::format("the other copy has {} to {}", start, copy.end);
    }
    const std::int32_t length = copy.shape.segment_length;
    for (std::int64_t base = archive::segment_base(start, from, copy.shape.term_length, length); base < until;
         base += length) {
        SegmentCheck check(storage.hub(), {.recording_id = copy.recording.id,
                                              .shape = copy.shape,
                                              .base = base,
                                              .from = std::max(base, start),
                                              .until = std::min(base + length, copy.end),
                                              .checksum_frames = options.checksum_frames});
        storage.run(check);
        const std::string name = archive::segment_name(copy.recording.id, base);
        if (!check.is_there()) {
            return "the other copy has no " + name;
        }
        if (!check.faults().empty()) {
            return "the other copy is damaged: " + check.faults().front().why;
        }
        if (!check.has_sidecar() && !options.checksum_frames) {
            return "nothing vouches for " + name + " of the other copy: it has no checksums";
        }
    }
    return {};
}

/// True: the segment is there again, to be judged by its checksums.
bool rebuild_segment(ArchiveStorage& storage, ArchiveStorage& other, const RepairOptions& options,
    const Copy& copy, const Copy& good_copy, archive::GoodBytes& good, std::int64_t base, Outcome& outcome) {
    const std::int64_t stop = copy.recording.stop_position;
    const std::int64_t segment_end = base + copy.shape.segment_length;
    const auto subject =
        subject_of(copy, options, base, stop == kNullValue ? segment_end : std::min(segment_end, stop));
    std::string why = why_not_sound(other, good_copy, options, subject.from, subject.until);
    if (why.empty()) {
        archive::SegmentRebuild rebuild(storage.hub(), subject, good);
        run_both(rebuild, storage, other);
        if (!rebuild.error()) {
            ++outcome.segments;
            outcome.bytes += rebuild.bytes();
            outcome.checksums += rebuild.checksums();
            return true;
        }
        why = rebuild.error()->message;
    }
    outcome.remaining.push_back({copy.recording.id, subject.from, subject.until,
        archive::segment_name(copy.recording.id, base) + " is missing: " + why});
    return false;
}

Status repair_segment(ArchiveStorage& storage, ArchiveStorage& other, const RepairOptions& options,
    const Copy& copy, archive::GoodBytes& good, std::int64_t base, Outcome& outcome) {
    const auto subject = subject_of(copy, options, base, end_of(storage, copy, base));
    if (subject.from >= subject.until) {
        return Done{};
    }
    SegmentRepair repair(storage.hub(), subject, good);
    run_both(repair, storage, other);
    if (repair.error()) {
        return Unexpected{*repair.error()};
    }
    outcome.bytes += repair.repaired_bytes();
    outcome.checksums += repair.repaired_checksums();
    outcome.remaining.insert(outcome.remaining.end(), repair.remaining().begin(), repair.remaining().end());
    return Done{};
}

Result<Outcome> repair(const RepairOptions& options) {
    FULMAR_TRY(lock, drivers::DirectoryLock::take(options.dir));
    FULMAR_TRY(directory, ArchiveDirectory::open(options.dir));
    FULMAR_TRY(other_directory, ArchiveDirectory::open(options.from));
    FULMAR_TRY(copy, find(directory, options.recording));
    FULMAR_TRY(good, find(other_directory, options.from_recording.value_or(options.recording)));
    FULMAR_TRY_VOID(check_same_stream(copy, good));
    FULMAR_TRY(storage, ArchiveStorage::open(options.dir, false));
    FULMAR_TRY(other, ArchiveStorage::open(options.from, true));
    archive::ReplicaBytes bytes(
        other.hub(), good.recording.id, good.shape, good.recording.start_position, good.end);
    Outcome outcome;
    for (const std::int64_t base : missing_segments(directory, copy)) {
        if (rebuild_segment(storage, other, options, copy, good, bytes, base, outcome)) {
            FULMAR_TRY_VOID(repair_segment(storage, other, options, copy, bytes, base, outcome));
        }
    }
    for (const SegmentFile& file : directory.segments(options.recording)) {
        if (file.base + copy.shape.segment_length > copy.recording.start_position) {
            FULMAR_TRY_VOID(repair_segment(storage, other, options, copy, bytes, file.base, outcome));
        }
    }
    return outcome;
}

int run(const RepairOptions& options) {
    const auto outcome = repair(options);
    if (!outcome) {
        return report("archive repair", outcome.error());
    }
    const bool pass = outcome->remaining.empty();
    if (options.json) {
        nlohmann::ordered_json remaining = nlohmann::ordered_json::array();
        for (const Damage& damage : outcome->remaining) {
            remaining.push_back({{"begin", damage.begin}, {"end", damage.end}, {"why", damage.why}});
        }
        print_json({{"recording_id", options.recording}, {"rebuilt_segments", outcome->segments},
            {"repaired_bytes", outcome->bytes}, {"repaired_checksums", outcome->checksums},
            {"remaining", remaining}, {"pass", pass}});
    } else {
        fmt::print("recording {}: {} bytes and {} checksums repaired, {} segments made again\n",
            options.recording, outcome->bytes, outcome->checksums, outcome->segments);
        for (const Damage& damage : outcome->remaining) {
            fmt::print("  still damaged from {} to {}: {}\n", damage.begin, damage.end, damage.why);
        }
    }
    return pass ? kExitPass : kExitFailed;
}

}  // namespace

Run add_archive_repair(CLI::App& archive) {
    auto options = std::make_shared<RepairOptions>();
    auto* verb = archive.add_subcommand("repair", "mend a damaged recording from another copy of it");
    add_archive_directory(*verb, options->dir, options->json);
    verb->add_option("--recording", options->recording, "the recording to mend")
        ->required()
        ->check(CLI::NonNegativeNumber);
    verb->add_option("--from", options->from, "another archive's directory that has a copy")->required();
    verb->add_option("--from-recording", options->from_recording, "its id there; default: the same")
        ->check(CLI::NonNegativeNumber);
    verb->add_flag("--record-checksum", options->checksum_frames, "frames carry Aeron's checksum");
    verb->footer(
        "No archive may run on the directory. A block is replaced only by one that its checksum vouches "
        "for,\n"
        "and a segment that is gone is made again when its own checksums or those of the copy vouch for "
        "it.\n"
        "Exit status 1 when something remains damaged.");
    return [options] { return run(*options); };
}

}  // namespace fulmar::cli
