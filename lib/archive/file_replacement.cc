#include "archive/file_replacement.h"

#include <algorithm>
#include <utility>

namespace fulmar::archive {

using Op = port::StorageRequest::Op;
using Code = port::StorageCompletion::Code;

FileReplacement::FileReplacement(StorageHub& hub, std::string name, std::span<const std::byte> bytes)
    : StorageTask(hub), name_(std::move(name)), bytes_(bytes) {}

void FileReplacement::step() {
    switch (state_) {
        case State::kRemoveOlder: return ask({.op = Op::kRemove, .name = unfinished_name()});
        case State::kCreate:
            return ask({.op = Op::kCreate, .length = bytes_.size(), .name = unfinished_name()});
        case State::kWrite:
            return ask({.op = Op::kWrite,
                .file = file_,
                .offset = written_,
                .data = bytes_.subspan(written_, std::min(kWriteMax, bytes_.size() - written_))});
        case State::kSync: return ask({.op = Op::kSync, .file = file_});
        case State::kReplace: return ask({.op = Op::kReplace, .name = unfinished_name(), .new_name = name_});
        case State::kSyncDirectory: return ask({.op = Op::kSyncDirectory});
    }
}

void FileReplacement::on_answer(port::StorageCompletion& completion) {
    const bool is_gone = state_ == State::kRemoveOlder && completion.code == Code::kNotFound;
    if (!completion.ok() && !is_gone) {
        return fail(storage_error(completion, "cannot write a new " + name_));
    }
    switch (state_) {
        case State::kRemoveOlder: state_ = State::kCreate; return;
        case State::kCreate:
            file_ = completion.file;
            state_ = State::kWrite;
            return;
        case State::kWrite:
            written_ += std::min(kWriteMax, bytes_.size() - written_);
            state_ = written_ < bytes_.size() ? State::kWrite : State::kSync;
            return;
        case State::kSync: state_ = State::kReplace; return;
        case State::kReplace: state_ = State::kSyncDirectory; return;
        case State::kSyncDirectory: return finish();
    }
}

}  // namespace fulmar::archive
