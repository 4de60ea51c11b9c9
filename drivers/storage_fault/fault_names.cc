// What files are called: opens, creates, renames and removes.
#include <algorithm>
#include <utility>

#include "drivers/storage_fault/fault_storage.h"

namespace fulmar::drivers {

using port::FileHandle;
using port::StorageRequest;
using Op = StorageRequest::Op;
using Code = port::StorageCompletion::Code;

void FaultStorage::begin_open(Job& job) {
    const auto found = names_.find(job.request.name);
    if (found == names_.end()) {
        refuse(job, Code::kNotFound, job.request.name + ": no such file");
        return;
    }
    job.file = found->second;
    if (const File& file = files_.at(job.file); file.below == FileHandle::kNone) {
        job.steps.push_back({.op = Op::kOpen, .name = file.name_below});
    }
}

void FaultStorage::begin_create(Job& job) {
    const std::string& name = job.request.name;
    if (names_.contains(name)) {
        refuse(job, Code::kExists, name + ": file exists");
        return;
    }
    if (!takes_space(job, job.request.length)) {
        return;
    }
    job.file = ++last_file_;
    NameChange change{job.file, std::string(kHeldPrefix) + std::to_string(++last_held_name_), name};
    File& file = files_[job.file];
    file.name_below = goes_early(change) ? name : change.name;
    job.steps.push_back({.op = Op::kCreate, .length = job.request.length, .name = file.name_below});
    job.early = std::move(change);
}

void FaultStorage::end_open(Job& job) {
    const bool creates = job.request.op == Op::kCreate;
    if (!job.completion.ok()) {
        if (creates && job.file != 0) {
            files_.erase(job.file);
        }
        return;
    }
    File& file = files_.at(job.file);
    if (creates) {
        if (file.name_below != job.early.new_name) {
            held_names_.push_back(job.early);
        }
        on_name_changed(job.early);
    }
    ++file.opened;
    job.completion.file = FileHandle{++last_handle_};
    job.completion.value = file.length;
    handles_.emplace(job.completion.file, job.file);
}

void FaultStorage::begin_close(Job& job) {
    handles_.erase(job.request.file);
    --files_.at(job.file).opened;
    close_below_if_unused(job);
}

void FaultStorage::close_below_if_unused(Job& job) {
    File& file = files_.at(job.file);
    if (file.opened > 0 || file.below == FileHandle::kNone) {
        return;
    }
    if (file.removed) {
        file.dirty.clear();
        file.lost.clear();
    }
    if (file.removed || (is_settled(file) && file.lost.empty())) {
        job.steps.push_back({.op = Op::kClose, .file = std::exchange(file.below, FileHandle::kNone)});
    }
}

void FaultStorage::begin_rename(Job& job) {
    const StorageRequest& request = job.request;
    const auto found = names_.find(request.name);
    if (found == names_.end()) {
        refuse(job, Code::kNotFound, request.name + ": no such file");
    } else if (names_.contains(request.new_name)) {
        refuse(job, Code::kExists, request.new_name + ": file exists");
    } else {
        change_name(job, {found->second, request.name, request.new_name});
    }
}

void FaultStorage::begin_replace(Job& job) {
    const StorageRequest& request = job.request;
    const auto found = names_.find(request.name);
    if (found == names_.end()) {
        refuse(job, Code::kNotFound, request.name + ": no such file");
    } else {
        change_name(job, {found->second, request.name, request.new_name, true});
    }
}

void FaultStorage::begin_remove(Job& job) {
    const auto found = names_.find(job.request.name);
    if (found == names_.end()) {
        refuse(job, Code::kNotFound, job.request.name + ": no such file");
        return;
    }
    job.file = found->second;
    change_name(job, {job.file, job.request.name, {}});
}

void FaultStorage::change_name(Job& job, const NameChange& change) {
    if (!goes_early(change)) {
        held_names_.push_back(change);
        on_name_changed(change);
        return;
    }
    job.early = change;
    job.steps.push_back({.op = change.op(), .name = change.name, .new_name = change.new_name});
}

bool FaultStorage::goes_early(const NameChange& change) {
    const bool builds_on_held =
        std::any_of(held_names_.begin(), held_names_.end(), [&change](const NameChange& held) {
            const auto names = [&held](const std::string& name) {
                return !name.empty() && (name == held.name || name == held.new_name);
            };
            return names(change.name) || names(change.new_name);
        });
    if (builds_on_held || (spec_.hold_unsynced && !spec_.torn)) {
        return false;
    }
    if (spec_.torn) {
        const bool early = draws(Kind::kTear).chance(0.5);
        base::count(counts_.torn_names, early ? 1 : 0);
        return early;
    }
    return true;
}

void FaultStorage::on_name_changed(const NameChange& change) {
    names_.erase(change.name);
    if (change.new_name.empty()) {
        files_.at(change.file).removed = true;
        return;
    }
    if (const auto replaced = names_.find(change.new_name); replaced != names_.end()) {
        files_.at(replaced->second).removed = true;
    }
    names_.insert_or_assign(change.new_name, change.file);
}

void FaultStorage::begin_sync_directory(Job& job) {
    if (drawn(Kind::kSync, spec_.sync_error, counts_.sync_errors)) {
        refuse(job, Code::kIo, "storage-fault: sync");
        return;
    }
    for (const NameChange& change : held_names_) {
        job.steps.push_back({.op = change.op(), .name = change.name, .new_name = change.new_name});
    }
    job.steps.push_back({.op = Op::kSyncDirectory});
}

void FaultStorage::list(Job& job) const {
    for (const auto& [name, file] : names_) {
        job.completion.entries.push_back({name, files_.at(file).length});
    }
}

void FaultStorage::forget_files() {
    std::erase_if(files_, [this](const auto& entry) {
        const auto& [key, file] = entry;
        const auto of_it = [key = key](const NameChange& change) { return change.file == key; };
        return file.removed && file.opened == 0 && file.below == FileHandle::kNone &&
               std::none_of(held_names_.begin(), held_names_.end(), of_it);
    });
}

}  // namespace fulmar::drivers
