#include "drivers/storage_file/writer.h"

#include <cerrno>
#include <unistd.h>
#include <utility>

#include "base/assert.h"

namespace fulmar::drivers {

using port::StorageRequest;
using Op = StorageRequest::Op;
using Code = port::StorageCompletion::Code;

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
    transfers_.reserve(batch_max);
    jobs_.reserve(batch_max);
    again_.reserve(batch_max);
}

Writer::~Writer() {
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
    sync();
    close();
    for (File* file : touched_) {
        file->touched = false;
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
        case Op::kSyncDirectory: directory_syncs_.push(slot); break;
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
        case Op::kClose: closes_.push(slot); break;
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
        default: file.syncs.push(slot);
    }
}

void Writer::on_name(StorageSlot& slot) {
    const StorageRequest& request = slot.request;
    switch (request.op) {
        case Op::kOpen:
        case Op::kCreate: open(slot); break;
        case Op::kRename: finish(slot, directory_.rename(request.name, request.new_name)); break;
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
        files_.emplace(++last_handle_, File{.fd = opened.fd, .inode = opened.inode});
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
            queue(IoJob::Kind::kRead, fd, slot->request.offset, {&parts_.back(), 1}, {slot, nullptr});
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
    transfers_.clear();
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
            {first, &file});
    }
}

void Writer::queue(
    IoJob::Kind kind, int fd, std::uint64_t offset, std::span<iovec> parts, Transfer transfer) {
    transfers_.push_back(transfer);
    jobs_.push_back({kind, fd, offset, parts, transfers_.size() - 1});
}

void Writer::sync() {
    for (File* file : touched_) {
        if (file->syncs.first == nullptr) {
            continue;
        }
        if (unknown_inodes_.contains(file->inode)) {
            on_synced({nullptr, file}, EIO);
        } else {
            queue(IoJob::Kind::kSyncData, file->fd, 0, {}, {nullptr, file});
        }
    }
    if (directory_syncs_.first != nullptr) {
        if (directory_unknown_) {
            on_synced({}, EIO);
        } else {
            queue(IoJob::Kind::kSyncAll, directory_.fd(), 0, {}, {});
        }
    }
    while (!jobs_.empty()) {
        engine_->run(jobs_, *this);
        jobs_.swap(again_);
        again_.clear();
    }
    transfers_.clear();
}

void Writer::close() {
    for (StorageSlot* slot = std::exchange(closes_, {}).first; slot != nullptr;) {
        StorageSlot* next = slot->next;
        const auto found = files_.find(static_cast<std::uint32_t>(slot->request.file));
        if (found == files_.end()) {
            finish(*slot, {Code::kInvalid, "not an open file"});  // closed twice in one batch
        } else {
            std::erase(touched_, &found->second);
            (void)::close(found->second.fd);
            files_.erase(found);
            finish(*slot);
        }
        slot = next;
    }
}

void Writer::on_done(IoJob& job, std::int64_t result) {
    const bool syncs = job.kind == IoJob::Kind::kSyncData || job.kind == IoJob::Kind::kSyncAll;
    if (result == -EINTR || result == -EAGAIN) {
        again_.push_back(job);
    } else if (syncs) {
        on_synced(transfers_[job.cookie], result < 0 ? static_cast<int>(-result) : 0);
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
    StorageSlot& slot = *transfers_[job.cookie].first;
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
    StorageSlot*& slot = transfers_[job.cookie].first;
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
    StorageSlot* slot = transfers_[job.cookie].first;
    for (std::size_t i = 0; i < job.parts.size(); ++i) {
        StorageSlot* next = slot->next;
        finish(*slot,
            SystemOutcome::failed(job.kind == IoJob::Kind::kRead ? "cannot read" : "cannot write", error));
        slot = next;
    }
}

void Writer::on_synced(const Transfer& transfer, int error) {
    if (error != 0 && transfer.file != nullptr) {
        unknown_inodes_.insert(transfer.file->inode);
    }
    directory_unknown_ = directory_unknown_ || (error != 0 && transfer.file == nullptr);
    SlotList& syncs = transfer.file != nullptr ? transfer.file->syncs : directory_syncs_;
    for (StorageSlot* slot = std::exchange(syncs, {}).first; slot != nullptr;) {
        StorageSlot* next = slot->next;
        finish(*slot, error == 0 ? SystemOutcome{}
                                 : SystemOutcome{Code::kIo,
                                       SystemOutcome::failed("cannot sync, now or before", error).detail});
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
