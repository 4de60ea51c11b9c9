#include "archive_server/segment_move.h"

#include "archive/segment.h"
#include "archive/sidecar.h"

namespace fulmar::archive {
namespace {

using Op = port::StorageRequest::Op;
using Code = port::StorageCompletion::Code;

}  // namespace

SegmentMove::SegmentMove(StorageHub& hub, std::int64_t from_recording, std::int64_t to_recording,
    const std::vector<std::int64_t>& bases)
    : StorageTask(hub) {
    for (auto base = bases.rbegin(); base != bases.rend(); ++base) {
        // The segment before its sidecar: one without is read by its frames alone, the other way round the
        // sidecar would be an orphan.
        names_.emplace_back(sidecar_name(from_recording, *base), sidecar_name(to_recording, *base));
        names_.emplace_back(segment_name(from_recording, *base), segment_name(to_recording, *base));
    }
}

void SegmentMove::step() {
    if (names_.empty()) {
        ask({.op = Op::kSyncDirectory});
        return;
    }
    ask({.op = Op::kRename, .name = names_.back().first, .new_name = names_.back().second});
}

void SegmentMove::on_answer(port::StorageCompletion& completion) {
    // Empty segments and segments of a stock archive have no sidecar; what is moved already is not there.
    if (!completion.ok() && completion.code != Code::kNotFound) {
        fail(storage_error(completion,
            names_.empty() ? std::string("cannot sync names of segments")
                           : "cannot rename " + names_.back().first + " to " + names_.back().second));
        return;
    }
    if (names_.empty()) {
        finish();
        return;
    }
    count_ += completion.ok() && names_.back().first.ends_with(kSegmentSuffix) ? 1 : 0;
    names_.pop_back();
}

}  // namespace fulmar::archive
