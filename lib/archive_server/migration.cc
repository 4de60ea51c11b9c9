#include "archive_server/migration.h"

namespace fulmar::archive {

using Op = port::StorageRequest::Op;

void Migration::PlanFile::step() {
    if (file_ != port::FileHandle::kNone) {
        ask({.op = Op::kClose, .file = file_});
    } else if (!is_removed_) {
        ask({.op = Op::kRemove, .name = kMigrationFileName});
    } else {
        ask({.op = Op::kSyncDirectory});
    }
}

void Migration::PlanFile::on_answer(port::StorageCompletion& completion) {
    if (!completion.ok()) {
        return fail(storage_error(completion, std::string("cannot get rid of ") + kMigrationFileName));
    }
    if (completion.op == Op::kRemove) {
        is_removed_ = true;
    } else {
        finish();
    }
}

Migration::Migration(StorageHub& hub, CatalogFile& catalog, const MigrationPlan& plan, Begin begin)
    : hub_(hub),
      catalog_(catalog),
      plan_(plan),
      bytes_(plan.write()),
      is_planned_(begin == Begin::kPlanned),
      move_(hub, plan.source_id, plan.destination_id, plan.source_stop, is_planned_),
      plan_written_(hub, kMigrationFileName, bytes_) {}

bool Migration::has_ended(StorageTask& task) {
    task.poll();
    if (task.is_done() && task.error()) {
        error_ = task.error();
        state_ = State::kDone;
        return false;
    }
    return task.is_done();
}

void Migration::poll() {
    switch (state_) {
        case State::kLook:
            move_.poll();
            if (move_.is_done()) {
                error_ = move_.error();
                state_ = State::kDone;
            } else if (move_.has_looked()) {
                state_ = is_planned_ ? State::kMove : State::kPlan;
            }
            return;
        case State::kPlan:
            is_planned_ = true;  // it may be there, even if the storage says otherwise
            if (has_ended(plan_written_)) {
                plan_file_ = std::make_unique<PlanFile>(hub_, plan_written_.file());
                state_ = State::kClosePlan;
            }
            return;
        case State::kClosePlan: state_ = has_ended(*plan_file_) ? State::kMove : state_; return;
        case State::kMove:
            move_.allow();
            if (has_ended(move_)) {
                plan_.apply(catalog_.catalog());
                ticket_ = catalog_.commit();
                state_ = State::kCatalog;
            }
            return;
        case State::kCatalog:
            if (catalog_.error()) {
                error_ = catalog_.error();
                state_ = State::kDone;
            } else if (catalog_.is_persisted(ticket_)) {
                plan_file_ = std::make_unique<PlanFile>(hub_);
                state_ = State::kForget;
            }
            return;
        case State::kForget: state_ = has_ended(*plan_file_) ? State::kDone : state_; return;
        case State::kDone: return;
    }
}

}  // namespace fulmar::archive
