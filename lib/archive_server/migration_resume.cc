#include "archive_server/migration_resume.h"

#include <utility>

namespace fulmar::archive {

using Op = port::StorageRequest::Op;
using Code = port::StorageCompletion::Code;

MigrationResume::MigrationResume(StorageHub& hub, port::FileHandle file, Catalog& catalog)
    : StorageTask(hub), catalog_handle_(file), catalog_(catalog) {}

void MigrationResume::step() {
    switch (state_) {
        case State::kTidy:  // a plan that was not whole: nothing has happened
            return ask({.op = Op::kRemove, .name = kMigrationFileName + std::string(kUnfinishedSuffix)});
        case State::kOpen: return ask({.op = Op::kOpen, .name = kMigrationFileName});
        case State::kRead: return ask({.op = Op::kRead, .file = file_, .into = bytes_});
        case State::kClose: return ask({.op = Op::kClose, .file = file_});
        case State::kMigrate: return migrate();
        case State::kRemove: return ask({.op = Op::kRemove, .name = kMigrationFileName});
        case State::kSyncDirectory: return ask({.op = Op::kSyncDirectory});
    }
}

void MigrationResume::on_answer(port::StorageCompletion& completion) {
    const bool is_gone = completion.code == Code::kNotFound;
    if (state_ == State::kOpen && is_gone) {
        return finish();
    }
    if (!completion.ok() && !(state_ == State::kTidy && is_gone)) {
        return fail(storage_error(completion, std::string("cannot go on with ") + kMigrationFileName));
    }
    switch (state_) {
        case State::kTidy: state_ = State::kOpen; return;
        case State::kOpen:
            file_ = completion.file;
            state_ = State::kRead;
            return;
        case State::kRead:
            read_ = completion.value;
            state_ = State::kClose;
            return;
        case State::kClose: return judge();
        case State::kRemove: state_ = State::kSyncDirectory; return;
        case State::kSyncDirectory: return finish();
        case State::kMigrate: return;
    }
}

void MigrationResume::judge() {
    const auto plan = MigrationPlan::read(std::span(bytes_).first(read_));
    if (!plan || !plan->is_of(catalog_)) {
        // It was synced before it got its name, and is removed before anything else happens to its
        // recordings.
        note_ = std::string("removed ") + kMigrationFileName + ", which " +
                (plan ? "is not of these recordings" : "is no plan of a migration");
        state_ = State::kRemove;
        return;
    }
    note_ = "went on moving segments of recording " + std::to_string(plan->source_id) + " to recording " +
            std::to_string(plan->destination_id);
    catalog_file_ = std::make_unique<CatalogFile>(hub(), catalog_handle_, std::move(catalog_), true);
    migration_ = std::make_unique<Migration>(hub(), *catalog_file_, *plan, Migration::Begin::kPlanned);
    state_ = State::kMigrate;
}

void MigrationResume::migrate() {
    (void)catalog_file_->poll();
    migration_->poll();
    if (!migration_->is_done()) {
        return;
    }
    catalog_ = std::move(catalog_file_->catalog());
    if (migration_->error()) {
        fail(*migration_->error());
    } else {
        finish();
    }
}

}  // namespace fulmar::archive
