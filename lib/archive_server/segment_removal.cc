#include "archive_server/segment_removal.h"

#include <algorithm>
#include <utility>

#include "archive/segment.h"
#include "archive/sidecar.h"

namespace fulmar::archive {
namespace {

using Op = port::StorageRequest::Op;
using Code = port::StorageCompletion::Code;

/// What a stock archive calls a segment that it is about to delete.
constexpr std::string_view kDeletedSuffix = ".del";

}  // namespace

SegmentRemoval::SegmentRemoval(StorageHub& hub, const Range& range) : StorageTask(hub), range_(range) {}

void SegmentRemoval::step() {
    switch (state_) {
        case State::kListing: ask({.op = Op::kList}); return;
        case State::kWaiting:
            if (!is_allowed_) {
                return;
            }
            state_ = State::kRemoving;
            [[fallthrough]];
        case State::kRemoving:
            if (!names_.empty()) {
                ask({.op = Op::kRemove, .name = names_.back()});
                return;
            }
            state_ = State::kSyncing;
            [[fallthrough]];
        case State::kSyncing:
        case State::kSyncingSidecars: ask({.op = Op::kSyncDirectory}); return;
        case State::kRemovingSidecars:
            if (!sidecars_.empty()) {
                ask({.op = Op::kRemove, .name = sidecars_.back()});
                return;
            }
            state_ = State::kSyncingSidecars;
            ask({.op = Op::kSyncDirectory});
            return;
    }
}

void SegmentRemoval::on_answer(port::StorageCompletion& completion) {
    const bool is_gone = completion.op == Op::kRemove && completion.code == Code::kNotFound;
    if (!completion.ok() && !is_gone) {
        fail(storage_error(
            completion, "cannot delete segments of recording " + std::to_string(range_.recording_id)));
        return;
    }
    switch (state_) {
        case State::kListing: sort_in(completion.entries); return;
        case State::kRemoving: names_.pop_back(); return;
        case State::kSyncing: state_ = State::kRemovingSidecars; return;
        case State::kRemovingSidecars: sidecars_.pop_back(); return;
        case State::kSyncingSidecars: finish(); return;
        case State::kWaiting: return;
    }
}

void SegmentRemoval::sort_in(const std::vector<port::DirectoryEntry>& entries) {
    struct Found {
        std::int64_t base;
        std::string name;
    };
    std::vector<Found> segments;
    const auto is_in_range = [&](const SegmentName& file) {
        return file.recording_id == range_.recording_id && file.base >= range_.from && file.base < range_.to;
    };
    for (const port::DirectoryEntry& entry : entries) {
        std::string_view name = entry.name;
        if (name.ends_with(kDeletedSuffix)) {
            name.remove_suffix(kDeletedSuffix.size());
        }
        if (const auto segment = parse_segment_name(name); segment && is_in_range(*segment)) {
            segments.push_back({segment->base, entry.name});
        } else if (const auto sidecar = parse_sidecar_name(name); sidecar && is_in_range(*sidecar)) {
            sidecars_.push_back(entry.name);
        }
    }
    // The last goes first, so that a recording which was half removed has no holes.
    std::sort(
        segments.begin(), segments.end(), [](const Found& a, const Found& b) { return a.base < b.base; });
    for (Found& segment : segments) {
        bases_.push_back(segment.base);
        names_.push_back(std::move(segment.name));
    }
    state_ = State::kWaiting;
}

}  // namespace fulmar::archive
