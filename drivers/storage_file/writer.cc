#include "drivers/storage_file/writer.h"

#include <cerrno>
#include <unistd.h>
#include <utility>

#include "base/assert.h"

namespace fulmar::drivers {

using port::StorageRequest;
using Op = StorageRequest::Op;
using Code = port::StorageCompletion::Code;

namespace {

SystemOutcome not_synced(int error) {
    return {Code::kIo, SystemOutcome::failed("cannot sync, now or before", error).detail};
}

}  // namespace

void Writer::SlotList::push(StorageSlot& slot) {
    slot.next = nullptr;
    (first == nullptr ? first : last->next) = &slot;
    last = &slot;
}

Writer::Writer(
    Directory directory, std::unique_ptr<IoEngine> engine, std::size_t batch_max, SlotRing& finished)
    : directory_(std::move(directory)), engine_(std::move(engine)), finished_(finished) {
    touched_.reserve(batch_max);
    parts_.reserve(batch_max);
    firsts_.reserve(batch_max);
    jobs_.reserve(batch_max);
    again_.reserve(batch_max);
    directory_sync_.job = {.kind = IoJob::Kind::kSyncAll, .fd = directory_.fd(), .cookie = kDirectory};
}

Writer::~Writer() {
    FULMAR_ASSERT(!is_syncing(), "what was submitted is carried out before the end");
    for (const auto& [handle, file] : files_) {
        (void)::close(file.fd);
    }
}

void Writer::carry_out(std::span<StorageSlot* const> batch) {
    FULMAR_ASSERT(batch.size() <= parts_.capacity(), "a batch longer than it may be");
    for (StorageSlot* slot : batch) {
        sort_in(*slot);
    }
    transfer();
    for (File* file : touched_) {
        begin_sync(file->sync);
    }
    begin_sync(directory_sync_);
    for (File* file : touched_) {
        file->touched = false;
        close_if_asked(*file);
    }
    touched_.clear();
}

void Writer::sort_in(StorageSlot& slot) {
    const StorageRequest& request = slot.request;
    slot.completion.op = request.op;
    slot.completion.code = Code::kOk;
    slot.completion.token = request.token;
    slot.completion.file = request.file;
    slot.completion.value = 0;
    if (!port::is_well_formed(request)) {
        finish(slot, {Code::kInvalid, "a name or range that no file can have"});
        return;
    }
    switch (request.op) {
        case Op::kClose:
        case Op::kRead:
        case Op::kWrite:
        case Op::kZero:
        case Op::kResize:
        case Op::kSync: sort_in_on_file(slot); break;
        case Op::kSyncDirectory: directory_sync_.asking.push(slot); break;
        default: on_name(slot);
    }
}

void Writer::sort_in_on_file(StorageSlot& slot) {
    const StorageRequest& request = slot.request;
    const auto found = files_.find(static_cast<std::uint32_t>(request.file));
    if (found == files_.end()) {
        finish(slot, {Code::kInvalid, "not an open file"});
        return;
    }
    File& file = found->second;
    touch(file);
    switch (request.op) {
        case Op::kClose: file.closes.push(slot); break;
        case Op::kRead: reads_.push(slot); break;
        case Op::kWrite:
            if (request.data.empty()) {
                finish(slot);
            } else {
                file.writes.push(slot);
            }
            break;
        case Op::kZero: finish(slot, zero_range(file.fd, request.offset, request.length)); break;
        case Op::kResize: finish(slot, resize_file(file.fd, request.length)); break;
        default: file.sync.asking.push(slot);
    }
}

void Writer::on_name(StorageSlot& slot) {
    const StorageRequest& request = slot.request;
    switch (request.op) {
        case Op::kOpen:
        case Op::kCreate: open(slot); break;
        case Op::kRename: finish(slot, directory_.rename(request.name, request.new_name)); break;
        case Op::kReplace: finish(slot, directory_.replace(request.name, request.new_name)); break;
        case Op::kRemove: finish(slot, directory_.remove(request.name)); break;
        case Op::kList: finish(slot, directory_.list(slot.completion.entries)); break;
        default: finish(slot, directory_.free_space(slot.completion.value));
    }
}

void Writer::open(StorageSlot& slot) {
    Directory::OpenFile opened;
    const bool creates = slot.request.op == Op::kCreate;
    SystemOutcome outcome = creates ? directory_.create_file(slot.request.name, slot.request.length, opened)
                                    : directory_.open_file(slot.request.name, opened);
    if (outcome.ok()) {
        if (creates) {
            unknown_inodes_.erase(opened.inode);  // the number of a file that is gone
        }
        File& file = files_[++last_handle_];
        file.handle = last_handle_;
        file.fd = opened.fd;
        file.inode = opened.inode;
        file.sync.job = {.kind = IoJob::Kind::kSyncData, .fd = opened.fd, .cookie = last_handle_};
        slot.completion.file = port::FileHandle{last_handle_};
        slot.completion.value = opened.length;
    }
    finish(slot, std::move(outcome));
}

void Writer::transfer() {
    for (StorageSlot* slot = std::exchange(reads_, {}).first; slot != nullptr;) {
        StorageSlot* next = slot->next;  // `slot` may be over and done with after this
        const auto into = slot->request.into;
        if (into.empty()) {
            finish(*slot);
        } else {
            parts_.push_back({into.data(), into.size()});
            const int fd = files_.at(static_cast<std::uint32_t>(slot->request.file)).fd;
            queue(IoJob::Kind::kRead, fd, slot->request.offset, {&parts_.back(), 1}, *slot);
        }
        slot = next;
    }
    for (File* file : touched_) {
        queue_writes(*file);
    }
    while (!jobs_.empty()) {
        engine_->run(jobs_, *this);
        jobs_.swap(again_);
        again_.clear();
    }
    parts_.clear();
    firsts_.clear();
}

void Writer::queue_writes(File& file) {
    for (StorageSlot* slot = std::exchange(file.writes, {}).first; slot != nullptr;) {
        StorageSlot* const first = slot;
        const std::size_t first_part = parts_.size();
        std::uint64_t end = first->request.offset;
        while (slot != nullptr && slot->request.offset == end &&
               parts_.size() - first_part < IoEngine::kPartsMax) {
            const auto data = slot->request.data;
            parts_.push_back({const_cast<std::byte*>(data.data()), data.size()});
            end += data.size();
            slot = slot->next;
        }
        queue(IoJob::Kind::kWrite, file.fd, first->request.offset, std::span(parts_).subspan(first_part),
            *first);
    }
}

void Writer::queue(
    IoJob::Kind kind, int fd, std::uint64_t offset, std::span<iovec> parts, StorageSlot& first) {
    firsts_.push_back(&first);
    jobs_.push_back({.kind = kind, .fd = fd, .offset = offset, .parts = parts, .cookie = firsts_.size() - 1});
}

void Writer::begin_sync(Sync& sync) {
    if (sync.asking.first == nullptr || sync.is_under_way) {
        return;
    }
    if (is_unknown(sync.job)) {
        return finish_all(sync.asking, not_synced(EIO));
    }
    sync.served = std::exchange(sync.asking, {});
    sync.is_under_way = true;
    ++syncs_under_way_;
    engine_->begin(sync.job);
}

bool Writer::is_unknown(const IoJob& sync) const {
    return sync.cookie == kDirectory
               ? directory_unknown_
               : unknown_inodes_.contains(files_.at(static_cast<std::uint32_t>(sync.cookie)).inode);
}

void Writer::close_if_asked(File& file) {
    if (file.closes.first == nullptr || file.sync.is_under_way) {
        return;
    }
    StorageSlot* const first = file.closes.first;
    StorageSlot* const others = first->next;
    SlotList twice{others, others == nullptr ? nullptr : file.closes.last};
    (void)::close(file.fd);
    files_.erase(file.handle);
    finish(*first);
    finish_all(twice, {Code::kInvalid, "not an open file"});
}

void Writer::on_done(IoJob& job, std::int64_t result) {
    const bool syncs = job.kind == IoJob::Kind::kSyncData || job.kind == IoJob::Kind::kSyncAll;
    const bool interrupted = result == -EINTR || result == -EAGAIN;
    if (interrupted && syncs) {
        engine_->begin(job);
    } else if (interrupted) {
        again_.push_back(job);
    } else if (syncs) {
        on_synced(job, result < 0 ? static_cast<int>(-result) : 0);
    } else if (result < 0) {
        on_transfer_failed(job, static_cast<int>(-result));
    } else if (job.kind == IoJob::Kind::kRead) {
        on_read(job, static_cast<std::uint64_t>(result));
    } else if (result == 0) {
        on_transfer_failed(job, EIO);  // would be for ever
    } else {
        on_written(job, static_cast<std::uint64_t>(result));
    }
}

void Writer::on_read(IoJob& job, std::uint64_t count) {
    StorageSlot& slot = *firsts_[job.cookie];
    slot.completion.value += count;
    iovec& part = job.parts[0];
    if (count == 0 || count == part.iov_len) {
        finish(slot);
        return;
    }
    part = {static_cast<std::byte*>(part.iov_base) + count, part.iov_len - count};
    job.offset += count;
    again_.push_back(job);
}

void Writer::on_written(IoJob& job, std::uint64_t count) {
    StorageSlot*& slot = firsts_[job.cookie];
    job.offset += count;
    while (count > 0) {
        iovec& part = job.parts[0];
        if (count < part.iov_len) {
            part = {static_cast<std::byte*>(part.iov_base) + count, part.iov_len - count};
            break;
        }
        count -= part.iov_len;
        job.parts = job.parts.subspan(1);
        finish(*std::exchange(slot, slot->next));
    }
    if (!job.parts.empty()) {
        again_.push_back(job);
    }
}

void Writer::on_transfer_failed(IoJob& job, int error) {
    StorageSlot* slot = firsts_[job.cookie];
    for (std::size_t i = 0; i < job.parts.size(); ++i) {
        StorageSlot* next = slot->next;
        finish(*slot,
            SystemOutcome::failed(job.kind == IoJob::Kind::kRead ? "cannot read" : "cannot write", error));
        slot = next;
    }
}

void Writer::on_synced(IoJob& job, int error) {
    const bool of_directory = job.cookie == kDirectory;
    File* const file = of_directory ? nullptr : &files_.at(static_cast<std::uint32_t>(job.cookie));
    Sync& sync = of_directory ? directory_sync_ : file->sync;
    SystemOutcome outcome;
    if (error != 0) {
        outcome = not_synced(error);
        if (of_directory) {
            directory_unknown_ = true;
        } else {
            unknown_inodes_.insert(file->inode);
        }
    } else if (is_unknown(job)) {
        outcome = not_synced(EIO);  // it failed by another handle meanwhile
    }
    sync.is_under_way = false;
    --syncs_under_way_;
    finish_all(sync.served, outcome);
    begin_sync(sync);
    // Not in the middle of a batch, which may have to do with the file yet.
    if (file != nullptr && !file->touched) {
        close_if_asked(*file);
    }
}

void Writer::finish_all(SlotList& list, const SystemOutcome& outcome) {
    for (StorageSlot* slot = std::exchange(list, {}).first; slot != nullptr;) {
        StorageSlot* next = slot->next;  // `slot` may be over and done with after this
        finish(*slot, outcome);
        slot = next;
    }
}

void Writer::finish(StorageSlot& slot, SystemOutcome outcome) {
    slot.completion.code = outcome.code;
    slot.completion.detail = std::move(outcome.detail);
    const bool pushed = finished_.try_push(&slot);
    FULMAR_ASSERT(pushed, "there is room for every request under way");
}

void Writer::touch(File& file) {
    if (!file.touched) {
        file.touched = true;
        touched_.push_back(&file);
    }
}

}  // namespace fulmar::drivers
