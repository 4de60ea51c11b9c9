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
        case State::kSyncing: ask({.op = Op::kSyncDirectory}); return;
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
        case State::kListing:
            for (const port::DirectoryEntry& entry : completion.entries) {
                std::string_view name = entry.name;
                if (name.ends_with(kDeletedSuffix)) {
                    name.remove_suffix(kDeletedSuffix.size());
                }
                const auto segment = parse_segment_name(name);
                const auto file = segment ? segment : parse_sidecar_name(name);
                if (!file || file->recording_id != range_.recording_id || file->base < range_.from ||
                    file->base >= range_.to) {
                    continue;
                }
                names_.push_back(entry.name);
                if (segment) {
                    bases_.push_back(segment->base);
                }
            }
            std::sort(bases_.begin(), bases_.end());
            // From the end, so that a recording which was half removed has no holes; sidecars go first.
            std::sort(names_.begin(), names_.end(), [](const std::string& a, const std::string& b) {
                return a.size() != b.size() ? a.size() > b.size() : a > b;
            });
            std::reverse(names_.begin(), names_.end());
            state_ = State::kWaiting;
            return;
        case State::kRemoving: names_.pop_back(); return;
        case State::kSyncing: finish(); return;
        case State::kWaiting: return;
    }
}

}  // namespace fulmar::archive
