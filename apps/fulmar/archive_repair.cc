// fulmar archive repair: mends damaged blocks of a recording from another copy of it.
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

Status repair_segment(ArchiveStorage& storage, ArchiveStorage& other, const RepairOptions& options,
    const Copy& copy, archive::GoodBytes& good, std::int64_t base, Outcome& outcome) {
    const std::int64_t from = std::max(base, copy.recording.start_position);
    const std::int64_t until = end_of(storage, copy, base);
    if (from >= until) {
        return Done{};
    }
    SegmentRepair repair(storage.hub(),
        {.recording_id = copy.recording.id,
            .shape = copy.shape,
            .session_id = copy.recording.session_id,
            .base = base,
            .from = from,
            .until = until,
            .checksum_frames = options.checksum_frames},
        good);
    for (repair.poll(); !repair.is_done(); repair.poll()) {
        other.poll();
        storage.poll();
    }
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
        print_json({{"recording_id", options.recording}, {"repaired_bytes", outcome->bytes},
            {"repaired_checksums", outcome->checksums}, {"remaining", remaining}, {"pass", pass}});
    } else {
        fmt::print("recording {}: {} bytes and {} checksums repaired\n", options.recording, outcome->bytes,
            outcome->checksums);
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
        "for.\n"
        "Exit status 1 when something remains damaged.");
    return [options] { return run(*options); };
}

}  // namespace fulmar::cli
