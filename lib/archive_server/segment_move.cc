#include "archive_server/segment_move.h"

#include <algorithm>

#include "archive/segment.h"
#include "archive/sidecar.h"

namespace fulmar::archive {
namespace {

using Op = port::StorageRequest::Op;
using Code = port::StorageCompletion::Code;

}  // namespace

SegmentMove::SegmentMove(
    StorageHub& hub, std::int64_t from_recording, std::int64_t to_recording, std::int64_t until, bool goes_on)
    : StorageTask(hub), from_(from_recording), to_(to_recording), until_(until), goes_on_(goes_on) {}

void SegmentMove::step() {
    if (!has_looked_) {
        ask({.op = Op::kList});
    } else if (!is_allowed_) {
        return;
    } else if (names_.empty()) {
        ask({.op = Op::kSyncDirectory});
    } else {
        ask({.op = Op::kRename, .name = names_.back().first, .new_name = names_.back().second});
    }
}

void SegmentMove::look(const std::vector<port::DirectoryEntry>& entries) {
    has_looked_ = true;
    for (const port::DirectoryEntry& entry : entries) {
        const auto segment = parse_segment_name(entry.name);
        const auto sidecar = parse_sidecar_name(entry.name);
        const auto file = segment ? segment : sidecar;
        if (file && file->recording_id == from_ && file->base < until_) {
            names_.emplace_back(
                entry.name, segment ? segment_name(to_, file->base) : sidecar_name(to_, file->base));
        }
    }
    // In an order that does not depend on the file system's.
    std::sort(names_.begin(), names_.end());
    for (const port::DirectoryEntry& entry : entries) {
        const bool is_taken = std::any_of(
            names_.begin(), names_.end(), [&](const auto& names) { return names.second == entry.name; });
        if (is_taken && !goes_on_) {
            return fail({ErrorCode::kGeneric,
                "recording " + std::to_string(to_) + " has " + entry.name +
                    " already, from an earlier life; delete its detached segments first"});
        }
    }
}

void SegmentMove::on_answer(port::StorageCompletion& completion) {
    if (completion.op == Op::kList && completion.ok()) {
        return look(completion.entries);
    }
    // A file that has both names is what an interrupted rename leaves where file systems know links alone.
    const bool has_moved = goes_on_ && completion.op == Op::kRename && completion.code == Code::kExists;
    if (!completion.ok() && !has_moved) {
        return fail(storage_error(
            completion, completion.op == Op::kRename
                            ? "cannot rename " + names_.back().first + " to " + names_.back().second
                            : std::string("cannot list or sync names of segments")));
    }
    if (completion.op == Op::kSyncDirectory) {
        return finish();
    }
    count_ += names_.back().first.ends_with(kSegmentSuffix) ? 1 : 0;
    names_.pop_back();
}

}  // namespace fulmar::archive
