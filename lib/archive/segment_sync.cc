#include "archive/segment_sync.h"

#include "archive/segment.h"
#include "archive/sidecar.h"

namespace fulmar::archive {

using Op = port::StorageRequest::Op;
using Code = port::StorageCompletion::Code;

SegmentSync::SegmentSync(StorageHub& hub, std::int64_t recording_id, const std::vector<std::int64_t>& bases)
    : StorageTask(hub),
      recording_id_(recording_id),
      state_(bases.empty() ? State::kSyncDirectory : State::kOpen) {
    for (const std::int64_t base : bases) {
        names_.push_back(segment_name(recording_id, base));
        names_.push_back(sidecar_name(recording_id, base));
    }
}

void SegmentSync::step() {
    switch (state_) {
        case State::kOpen: return ask({.op = Op::kOpen, .name = names_.back()});
        case State::kSync: return ask({.op = Op::kSync, .file = file_});
        case State::kClose: return ask({.op = Op::kClose, .file = file_});
        case State::kSyncDirectory: return ask({.op = Op::kSyncDirectory});
    }
}

void SegmentSync::on_answer(port::StorageCompletion& completion) {
    const bool no_sidecar = state_ == State::kOpen && completion.code == Code::kNotFound &&
                            parse_sidecar_name(names_.back()).has_value();
    if (!completion.ok() && !no_sidecar) {
        const std::string of = names_.empty() ? "the directory" : names_.back();
        return fail(
            storage_error(completion, "recording " + std::to_string(recording_id_) + ": cannot sync " + of));
    }
    switch (state_) {
        case State::kOpen:
            file_ = completion.file;
            state_ = no_sidecar ? State::kClose : State::kSync;
            if (!no_sidecar) {
                return;
            }
            [[fallthrough]];
        case State::kClose:
            names_.pop_back();
            state_ = names_.empty() ? State::kSyncDirectory : State::kOpen;
            return;
        case State::kSync: state_ = State::kClose; return;
        case State::kSyncDirectory: return finish();
    }
}

}  // namespace fulmar::archive
