#include "drivers/storage_fault/fault_storage.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace fulmar::drivers {

using port::FileHandle;
using port::StorageCompletion;
using port::StorageRequest;
using Op = StorageRequest::Op;
using Code = StorageCompletion::Code;

FaultStorage::FaultStorage(
    std::unique_ptr<port::Storage> inner, const StorageFaultSpec& spec, port::Clock& clock)
    : inner_(std::move(inner)), spec_(spec), clock_(clock) {
    start_streams();
    Job mount;
    mount.request.op = Op::kList;
    mount.steps.push_back({.op = Op::kList});
    queue_.push_back(std::move(mount));
    begun_ = true;
}

void FaultStorage::start_streams() {
    streams_.clear();
    for (std::uint64_t kind = 0; kind < static_cast<std::uint64_t>(Kind::kCount); ++kind) {
        streams_.emplace_back(spec_.seed, kind);
    }
}

void FaultStorage::set_spec(const StorageFaultSpec& spec) {
    spec_ = spec;
    space_taken_ = 0;
    start_streams();
}

bool FaultStorage::drawn(Kind kind, double probability, std::uint64_t& counter) {
    const bool happens = probability > 0 && draws(kind).chance(probability);
    base::count(counter, happens ? 1 : 0);
    return happens;
}

bool FaultStorage::submit(StorageRequest& request) {
    if (under_way() >= kCapacity) {
        return false;
    }
    queue_.emplace_back().request = std::move(request);
    return true;
}

int FaultStorage::poll(std::vector<StorageCompletion>& completions, int limit) {
    completions.clear();
    const Instant now = clock_.now();
    work(now);
    bool waits = false;  // something before it does
    for (auto at = finished_.begin();
         at != finished_.end() && completions.size() < static_cast<std::size_t>(std::max(limit, 0));) {
        const Op op = at->completion.op;
        const bool last = op == Op::kSync || op == Op::kClose || op == Op::kSyncDirectory;
        if (at->due > now || (last && waits)) {
            waits = true;
            ++at;
        } else {
            completions.push_back(std::move(at->completion));
            at = finished_.erase(at);
        }
    }
    return static_cast<int>(completions.size());
}

void FaultStorage::work(Instant now) {
    while (!queue_.empty()) {
        Job& job = queue_.front();
        if (step_under_way_) {
            if (inner_->poll(polled_, 1) == 0) {
                return;
            }
            step_under_way_ = false;
            const StorageRequest step = std::move(job.steps.front());
            job.steps.pop_front();
            on_step(job, step, polled_[0]);
        }
        if (!begun_) {
            begun_ = true;
            begin(job);
        }
        if (!job.steps.empty()) {
            StorageRequest step = job.steps.front();
            step_under_way_ = inner_->submit(step);
            FULMAR_ASSERT(step_under_way_, "the Storage below has room for one request");
            continue;
        }
        end(job);
        if (mounting_) {
            mounting_ = false;
        } else {
            const bool slow = drawn(Kind::kSlow, spec_.slow, counts_.slowed);
            finished_.push_back({std::move(job.completion), slow ? now + spec_.delay : now});
        }
        queue_.pop_front();
        begun_ = false;
    }
}

void FaultStorage::refuse(Job& job, Code code, std::string why) {
    job.completion.code = code;
    job.completion.detail = std::move(why);
}

void FaultStorage::begin(Job& job) {
    const StorageRequest& request = job.request;
    base::count(counts_.requests);
    job.completion.op = request.op;
    job.completion.token = request.token;
    job.completion.file = request.file;
    const auto reserved = [](const std::string& name) { return name.starts_with(kHeldPrefix); };
    if (!port::is_well_formed(request) || reserved(request.name) || reserved(request.new_name)) {
        refuse(job, Code::kInvalid, "a name or range that no file can have");
        return;
    }
    switch (request.op) {
        case Op::kOpen: begin_open(job); break;
        case Op::kCreate: begin_create(job); break;
        case Op::kRename: begin_rename(job); break;
        case Op::kReplace: begin_replace(job); break;
        case Op::kRemove: begin_remove(job); break;
        case Op::kSyncDirectory: begin_sync_directory(job); break;
        case Op::kList: list(job); break;
        case Op::kFreeSpace: job.steps.push_back({.op = Op::kFreeSpace}); break;
        default: begin_on_file(job);
    }
}

void FaultStorage::begin_on_file(Job& job) {
    const auto found = handles_.find(job.request.file);
    if (found == handles_.end()) {
        refuse(job, Code::kInvalid, "not an open file");
        return;
    }
    job.file = found->second;
    switch (job.request.op) {
        case Op::kClose: begin_close(job); break;
        case Op::kRead: begin_read(job); break;
        case Op::kWrite: begin_write(job); break;
        case Op::kZero: begin_zero(job); break;
        case Op::kResize: begin_resize(job); break;
        default: begin_sync(job);
    }
}

void FaultStorage::on_step(Job& job, const StorageRequest& step, StorageCompletion& done) {
    if (!done.ok()) {
        refuse(job, done.code, std::move(done.detail));
        job.steps.clear();
        return;
    }
    switch (step.op) {
        case Op::kOpen:
        case Op::kCreate: {
            File& file = files_.at(job.file);
            file.below = done.file;
            file.length = file.length_below = file.valid_below = done.value;
            break;
        }
        case Op::kWrite:
        case Op::kZero: {
            File& file = files_.at(job.file);
            const auto end = step.offset + (step.op == Op::kWrite ? step.data.size() : step.length);
            if (file.valid_below == file.length_below) {  // else it stays before the cut that is held
                file.valid_below = file.length_below = std::max(file.length_below, end);
            }
            file.length = std::max(file.length, end);
            break;
        }
        case Op::kResize: {
            File& file = files_.at(job.file);
            file.length_below = file.valid_below = step.length;
            if (job.request.op == Op::kResize) {
                file.length = step.length;
            }
            break;
        }
        case Op::kRename:
        case Op::kReplace:
        case Op::kRemove:
            if (mounting_) {
                break;
            }
            if (job.request.op == Op::kSyncDirectory) {
                files_.at(held_names_.front().file).name_below = step.new_name;
                held_names_.pop_front();
            } else {
                on_name_changed(job.early);
                files_.at(job.early.file).name_below = step.new_name;
            }
            break;
        case Op::kList: mount(job, done.entries); break;
        case Op::kFreeSpace:
            job.completion.value = spec_.space == StorageFaultSpec::kSpaceUnlimited
                                       ? done.value
                                       : std::min(done.value, spec_.space - space_taken_);
            break;
        default: break;
    }
}

void FaultStorage::mount(Job& job, const std::vector<port::DirectoryEntry>& entries) {
    for (const auto& entry : entries) {
        if (entry.name.starts_with(kHeldPrefix)) {
            job.steps.push_back({.op = Op::kRemove, .name = entry.name});
            continue;
        }
        File file;
        file.name_below = entry.name;
        file.length = file.length_below = file.valid_below = entry.length;
        files_.emplace(++last_file_, std::move(file));
        names_.emplace(entry.name, last_file_);
    }
}

void FaultStorage::end(Job& job) {
    switch (job.request.op) {
        case Op::kOpen:
        case Op::kCreate: end_open(job); break;
        case Op::kRead: end_read(job); break;
        case Op::kSync: end_sync(job); break;
        case Op::kClose:
        case Op::kRemove:
        case Op::kSyncDirectory: forget_files(); break;
        default: break;
    }
}

std::uint64_t FaultStorage::held_bytes() const {
    std::uint64_t total = 0;
    for (const auto& [key, file] : files_) {
        total += file.dirty.bytes();
    }
    return total;
}

}  // namespace fulmar::drivers
