#include "archive_server/start_up.h"

#include <algorithm>

namespace fulmar::archive {
namespace {

using Op = port::StorageRequest::Op;
using Code = port::StorageCompletion::Code;

constexpr std::size_t kReadMax = 8 << 20;

}  // namespace

StartUp::StartUp(StorageHub& hub, const RecoveryOptions& recovery, std::size_t catalog_capacity)
    : hub_(hub), recovery_options_(recovery), capacity_(catalog_capacity) {
    // What an earlier life may have left: a catalog is whole before it has its name.
    ask({.op = Op::kRemove, .name = kCatalogUnfinishedName});
}

void StartUp::ask(port::StorageRequest request) {
    waiting_ = std::move(request);
}

int StartUp::poll(Instant) {
    int work = hub_.poll(64);
    if (waiting_ && hub_.submit(*this, *waiting_)) {
        waiting_.reset();
        ++work;
    }
    if (state_ == State::kMigrating) {
        migrate();
    } else if (state_ == State::kRecovering) {
        recovery_->poll();
        if (recovery_->is_done()) {
            recovered();
            ++work;
        }
    }
    return work;
}

void StartUp::migrate() {
    if (migration_ == nullptr) {
        migration_ = std::make_unique<MigrationResume>(hub_, file_, *catalog_);
    }
    migration_->poll();
    if (!migration_->is_done()) {
        return;
    }
    if (migration_->error()) {
        error_ = migration_->error();
        state_ = State::kDone;
        return;
    }
    if (!migration_->note().empty()) {
        notes_.push_back(migration_->note());
    }
    recover();
}

void StartUp::recover() {
    recovery_ = std::make_unique<Recovery>(hub_, *catalog_, recovery_options_);
    state_ = State::kRecovering;
}

void StartUp::recovered() {
    state_ = State::kDone;
    if (recovery_->error()) {
        error_ = recovery_->error();
        return;
    }
    notes_.insert(notes_.end(), recovery_->notes().begin(), recovery_->notes().end());
    for (const Damage& damage : recovery_->damages()) {
        if (recovery_->is_extendable(damage.recording_id)) {
            continue;
        }
        if (damaged_.empty() || damaged_.back().id != damage.recording_id) {
            damaged_.push_back({damage.recording_id, recovery_->stop_position(damage.recording_id),
                damage.begin, to_string(damage)});
        }
        damaged_.back().begin = std::min(damaged_.back().begin, damage.begin);
    }
}

void StartUp::fail(const port::StorageCompletion& completion, std::string_view what) {
    error_ = Error{completion.code == Code::kNoSpace ? ErrorCode::kStorageSpace : ErrorCode::kGeneric,
        "cannot " + std::string(what) + " " + kCatalogFileName + ": " +
            std::string(port::to_string(completion.code)) +
            (completion.detail.empty() ? "" : " (" + completion.detail + ")")};
    state_ = State::kDone;
}

void StartUp::on_storage(port::StorageCompletion& completion) {
    switch (state_) {
        case State::kTidying:
            if (!completion.ok() && completion.code != Code::kNotFound) {
                return fail(completion, "remove what was left beside");
            }
            ask({.op = Op::kOpen, .name = kCatalogFileName});
            state_ = State::kOpening;
            return;
        case State::kOpening:
            if (completion.code == Code::kNotFound) {
                ask({.op = Op::kCreate, .length = capacity_, .name = kCatalogUnfinishedName});
                state_ = State::kCreating;
                return;
            }
            if (!completion.ok()) {
                return fail(completion, "open");
            }
            file_ = completion.file;
            if (completion.value > kCatalogLengthMax) {
                error_ = Error{ErrorCode::kGeneric, std::string(kCatalogFileName) + " has " +
                                                        std::to_string(completion.value) +
                                                        " bytes: that is no catalog"};
                state_ = State::kDone;
                return;
            }
            bytes_.resize(completion.value);
            state_ = State::kReading;
            break;
        case State::kReading:
            if (!completion.ok()) {
                return fail(completion, "read");
            }
            read_ += completion.value;
            if (completion.value == 0 && read_ < bytes_.size()) {
                bytes_.resize(read_);
            }
            break;
        case State::kCreating:
            if (!completion.ok()) {
                return fail(completion, "create");
            }
            file_ = completion.file;
            catalog_ = Catalog::create(capacity_);
            (void)catalog_->take_changes();
            ask({.op = Op::kWrite, .file = file_, .data = catalog_->bytes()});
            state_ = State::kWriting;
            return;
        case State::kWriting:
            if (!completion.ok()) {
                return fail(completion, "write");
            }
            ask({.op = Op::kSync, .file = file_});
            state_ = State::kSyncing;
            return;
        case State::kSyncing:
            if (!completion.ok()) {
                return fail(completion, "sync");
            }
            ask({.op = Op::kRename, .name = kCatalogUnfinishedName, .new_name = kCatalogFileName});
            state_ = State::kRenaming;
            return;
        case State::kRenaming:
            if (!completion.ok()) {
                return fail(completion, "name");
            }
            ask({.op = Op::kSyncDirectory});
            state_ = State::kSyncingName;
            return;
        case State::kSyncingName:
            if (!completion.ok()) {
                return fail(completion, "sync the name of");
            }
            recover();
            return;
        case State::kMigrating:
        case State::kRecovering:
        case State::kDone: return;
    }
    if (read_ < bytes_.size()) {
        ask({.op = Op::kRead,
            .file = file_,
            .offset = read_,
            .into = std::span(bytes_).subspan(read_, std::min(bytes_.size() - read_, kReadMax))});
        return;
    }
    auto catalog = Catalog::open(std::move(bytes_));
    if (catalog) {
        catalog_ = *std::move(catalog);
        state_ = State::kMigrating;
        return;
    }
    error_ = catalog.error();
    state_ = State::kDone;
}

}  // namespace fulmar::archive
