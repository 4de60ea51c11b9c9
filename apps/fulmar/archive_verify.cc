// fulmar archive verify: whether the segments hold what the catalog and their checksums say, frame by frame.
#include <algorithm>
#include <fmt/core.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "apps/fulmar/archive_directory.h"
#include "apps/fulmar/archive_storage.h"
#include "apps/fulmar/archive_verbs.h"
#include "archive/segment_check.h"

namespace fulmar::cli {

namespace {

using archive::kNullValue;
using archive::Recording;

/// What a recording's segments hold, and what is wrong with them.
struct Verdict {
    std::int64_t end = 0;
    std::uint64_t frames = 0;
    std::uint64_t sidecars = 0;  ///< segments that have one
    std::vector<std::string> faults;
};

/// Holds each block against the checksum beside it. Of a recording that was not stopped only what was durable
/// counts: behind it lies what is on its way, or what the next start of its archive cuts.
void verify_checksums(ArchiveStorage& storage, const ArchiveDirectory& directory, const Recording& recording,
    const archive::SegmentShape& shape, Verdict& verdict) {
    const bool stopped = recording.stop_position != kNullValue;
    std::int64_t durable = stopped ? recording.stop_position : recording.start_position;
    std::vector<archive::SegmentCheck::Fault> faults;
    for (const SegmentFile& file : directory.segments(recording.id)) {
        const std::int64_t from = std::max(file.base, recording.start_position);
        const std::int64_t until = std::min(file.base + shape.segment_length, recording.stop_position);
        if (file.base + shape.segment_length <= from || (stopped && from >= until)) {
            continue;  // detached, or behind the end
        }
        archive::SegmentCheck check(storage.hub(), {.recording_id = recording.id,
                                                       .shape = shape,
                                                       .base = file.base,
                                                       .from = from,
                                                       .until = stopped ? until : kNullValue,
                                                       .session_id = recording.session_id});
        storage.run(check);
        durable = std::max(durable, check.durable());
        verdict.sidecars += check.has_sidecar() ? 1 : 0;
        if (check.has_sidecar()) {  // the frames alone were judged already
            faults.insert(faults.end(), check.faults().begin(), check.faults().end());
        }
    }
    for (const auto& fault : faults) {
        if (fault.begin < durable) {
            verdict.faults.push_back(fmt::format("{}: from {} to {}", fault.why, fault.begin, fault.end));
        }
    }
}

/// Walks one segment; returns the position up to which it is sound.
std::int64_t verify_segment(const ArchiveDirectory& directory, const Recording& recording,
    const archive::SegmentShape& shape, const SegmentFile& file, std::int64_t end, Verdict& verdict) {
    const std::string name = archive::segment_name(recording.id, file.base);
    const std::int64_t from = std::max(file.base, recording.start_position);
    const auto fault = [&](std::string what) { verdict.faults.push_back(name + ": " + std::move(what)); };
    if (file.length != static_cast<std::uint64_t>(shape.segment_length)) {
        fault(fmt::format(
            "has {} bytes, a segment of this recording has {}", file.length, shape.segment_length));
    }
    const auto mapping = directory.map(recording.id, file.base);
    if (!mapping) {
        fault(mapping.error().message);
        return from;
    }
    const archive::SegmentWalk walk = archive::walk_segment(shape, file.base, from, (*mapping)->bytes());
    verdict.frames += walk.frames;
    const std::int64_t due = std::min(end, file.base + shape.segment_length);
    if (walk.fault != archive::FrameFault::kNone) {
        fault(fmt::format("at position {}: {}", walk.position, to_string(walk.fault)));
    } else if (end != kNullValue && walk.position < due) {
        fault(
            fmt::format("frames end at {}, {} bytes before they should", walk.position, due - walk.position));
    } else if (end != kNullValue && walk.position > due) {
        fault(fmt::format("frames go on to {}, beyond the stop position {}", walk.position, end));
    }
    return walk.position;
}

Verdict verify(const ArchiveDirectory& directory, const Recording& recording) {
    Verdict verdict{.end = recording.start_position, .frames = 0, .sidecars = 0, .faults = {}};
    const auto shape = archive::SegmentShape::of(recording);
    if (!shape) {
        verdict.faults.push_back(shape.error().message);
        return verdict;
    }
    std::int64_t expected = archive::segment_base(
        recording.start_position, recording.start_position, shape->term_length, shape->segment_length);
    for (const SegmentFile& file : directory.segments(recording.id)) {
        const std::string name = archive::segment_name(recording.id, file.base);
        if (file.base < expected) {
            continue;  // detached from the front, and kept
        }
        if (recording.stop_position != kNullValue && file.base >= recording.stop_position &&
            file.base != expected) {
            verdict.faults.push_back(name + ": lies beyond the stop position");
            continue;
        }
        if (file.base != expected) {
            verdict.faults.push_back(archive::segment_name(recording.id, expected) + ": is missing");
        }
        verdict.end = verify_segment(directory, recording, *shape, file, recording.stop_position, verdict);
        expected = file.base + shape->segment_length;
    }
    if (recording.stop_position != kNullValue && verdict.end < recording.stop_position &&
        verdict.faults.empty()) {
        verdict.faults.push_back(archive::segment_name(recording.id, expected) +
                                 ": is missing, and with it all from " + std::to_string(verdict.end));
    }
    return verdict;
}

void print(const Recording& recording, const Verdict& verdict, bool json) {
    if (json) {
        print_json({{"recording_id", recording.id}, {"start_position", recording.start_position},
            {"stop_position", recording.stop_position}, {"end_position", verdict.end},
            {"frames", verdict.frames}, {"sidecars", verdict.sidecars}, {"faults", verdict.faults},
            {"pass", verdict.faults.empty()}});
        return;
    }
    fmt::print("recording {}: {} frames from {} to {}{}\n", recording.id, verdict.frames,
        recording.start_position, verdict.end, verdict.faults.empty() ? "" : ", NOT sound");
    for (const std::string& fault : verdict.faults) {
        fmt::print("  {}\n", fault);
    }
}

int run(const ArchiveOptions& options) {
    const auto directory = ArchiveDirectory::open(options.dir);
    if (!directory) {
        return report("archive verify", directory.error());
    }
    const auto selected = directory->select(options.ids);
    if (!selected) {
        return report("archive verify", selected.error());
    }
    auto storage = ArchiveStorage::open(options.dir, true);
    if (!storage) {
        return report("archive verify", storage.error());
    }
    std::size_t bad = 0;
    for (const std::size_t index : *selected) {
        const Recording recording = directory->catalog().at(index);
        Verdict verdict = verify(*directory, recording);
        if (const auto shape = archive::SegmentShape::of(recording)) {
            verify_checksums(*storage, *directory, recording, *shape, verdict);
        }
        bad += verdict.faults.empty() ? 0 : 1;
        print(recording, verdict, options.json);
    }
    if (options.json) {
        print_json({{"recordings", selected->size()}, {"bad", bad}, {"pass", bad == 0}});
    } else {
        fmt::print("{} recordings, {} of them not sound\n", selected->size(), bad);
    }
    return bad == 0 ? kExitPass : kExitFailed;
}

}  // namespace

Run add_archive_verify(CLI::App& archive) {
    auto options = std::make_shared<ArchiveOptions>();
    auto* verb =
        archive.add_subcommand("verify", "check the segments against the catalog and their checksums");
    add_archive_options(*verb, *options);
    verb->footer(
        "Exit status 1 when a recording is not sound. A recording that is active, or whose archive died, is "
        "checked up\n"
        "to the end of its last segment.");
    return [options] { return run(*options); };
}

}  // namespace fulmar::cli
