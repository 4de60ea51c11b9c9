#include "archive/storage_task.h"

#include <utility>

#include "base/assert.h"

namespace fulmar::archive {

Error storage_error(const port::StorageCompletion& completion, const std::string& what) {
    const bool full = completion.code == port::StorageCompletion::Code::kNoSpace;
    return {full ? ErrorCode::kStorageSpace : ErrorCode::kGeneric,
        what + ": " +
            (completion.detail.empty() ? std::string(to_string(completion.code)) : completion.detail)};
}

void StorageTask::poll() {
    if (waiting_) {
        submit();
    } else if (!asked_) {
        go_on();
    }
}

void StorageTask::go_on() {
    if (done_) {
        return;
    }
    if (!error_) {
        step();
    } else if (open_.empty()) {
        done_ = true;
    } else {
        ask({.op = port::StorageRequest::Op::kClose, .file = open_.back()});
    }
}

void StorageTask::ask(port::StorageRequest request) {
    FULMAR_ASSERT(!asked_ && !done_, "one request at a time, and none behind the end");
    asked_ = true;
    waiting_ = std::move(request);
    submit();
}

void StorageTask::submit() {
    if (hub_.submit(*this, *waiting_)) {
        waiting_.reset();
    }
}

void StorageTask::fail(Error error) {
    error_ = std::move(error);
    done_ = open_.empty();
}

void StorageTask::note_open(const port::StorageCompletion& completion) {
    using Op = port::StorageRequest::Op;
    if ((completion.op == Op::kOpen || completion.op == Op::kCreate) && completion.ok()) {
        open_.push_back(completion.file);
    } else if (completion.op == Op::kClose) {
        std::erase(open_, completion.file);
    }
}

void StorageTask::on_storage(port::StorageCompletion& completion) {
    asked_ = false;
    note_open(completion);
    if (!error_) {
        on_answer(completion);
    }
    if (!asked_) {
        go_on();
    }
}

}  // namespace fulmar::archive
