#include "archive_server/catalog_file.h"

#include <algorithm>
#include <utility>

#include "base/plant.h"

namespace fulmar::archive {

CatalogFile::CatalogFile(StorageHub& hub, port::FileHandle file, Catalog catalog, bool syncs)
    : hub_(hub), file_(file), catalog_(std::move(catalog)), syncs_(syncs), visible_(catalog_.size()) {}

CatalogFile::Ticket CatalogFile::commit() {
    constexpr std::size_t kLengthField = sizeof(std::int32_t);
    for (const Catalog::Changed& changed : catalog_.take_changes()) {
        const auto bytes = catalog_.bytes().subspan(changed.offset, changed.length);
        add_write(changed.offset, bytes, false);
        writes_.back()->is_whole = changed.is_whole;
        if (changed.is_new_entry && !FULMAR_PLANTED(kEntryWrittenAtOnce)) {
            std::fill_n(writes_.back()->bytes.begin(), kLengthField, std::byte{0});
            add_write(changed.offset, bytes.first(kLengthField), true);
        }
    }
    sizes_.push_back({committed_, catalog_.size()});
    if (FULMAR_PLANTED(kCatalogToldEarly)) {
        set_persisted(committed_);
    }
    return committed_;
}

void CatalogFile::set_persisted(Ticket ticket) {
    persisted_ = ticket;
    while (!sizes_.empty() && sizes_.front().ticket <= ticket) {
        visible_ = sizes_.front().entries;
        sizes_.pop_front();
    }
}

void CatalogFile::add_write(std::uint64_t offset, std::span<const std::byte> bytes, bool is_last) {
    auto write = std::make_unique<Write>();
    write->ticket = ++committed_;
    write->offset = offset;
    write->bytes.assign(bytes.begin(), bytes.end());
    write->is_last = is_last;
    writes_.push_back(std::move(write));
}

int CatalogFile::poll() {
    int work = 0;
    if (error_ || is_syncing_) {
        return 0;
    }
    close_replaced();
    if (!writes_.empty() && writes_.front()->is_whole) {
        return poll_replacement();
    }
    if (waits_for_sync()) {
        port::StorageRequest request{
            .op = port::StorageRequest::Op::kSync, .token = kSyncToken, .file = file_};
        if (hub_.submit(*this, request)) {
            is_syncing_ = true;
            syncing_ = written_;
            ++work;
        }
        return work;
    }
    // Requests may overtake each other, and two changes may lie over one another: one at a time.
    if (!writes_.empty() && !writes_.front()->is_submitted) {
        Write& write = *writes_.front();
        port::StorageRequest request{.op = port::StorageRequest::Op::kWrite,
            .token = write.ticket,
            .file = file_,
            .offset = write.offset,
            .data = write.bytes};
        if (hub_.submit(*this, request)) {
            write.is_submitted = true;
            ++work;
        }
    }
    if (!syncs_) {
        set_persisted(written_);
    }
    return work;
}

/// What it holds is synced, whatever is else: nothing but the old catalog or the new one may be there.
int CatalogFile::poll_replacement() {
    const Write& write = *writes_.front();
    if (replacement_ == nullptr) {
        replacement_ = std::make_unique<FileReplacement>(hub_, kCatalogFileName, write.bytes);
    }
    replacement_->poll();
    if (!replacement_->is_done()) {
        return 0;
    }
    if (const auto& error = replacement_->error()) {
        fail(error->code, error->message);
        return 1;
    }
    replaced_ = std::exchange(file_, replacement_->file());
    replacement_.reset();
    written_ = write.ticket;
    writes_.pop_front();
    set_persisted(written_);
    return 1;
}

void CatalogFile::close_replaced() {
    port::StorageRequest request{
        .op = port::StorageRequest::Op::kClose, .token = kCloseToken, .file = replaced_};
    if (replaced_ != port::FileHandle::kNone && hub_.submit(*this, request)) {
        replaced_ = port::FileHandle::kNone;
    }
}

void CatalogFile::fail(ErrorCode code, const std::string& why) {
    error_ = Error{code, std::string(kCatalogFileName) + ": " + why +
                             ": the archive takes no more changes; mend the disk and start it again"};
}

void CatalogFile::on_storage(port::StorageCompletion& completion) {
    if (completion.token == kCloseToken) {
        return;
    }
    if (!completion.ok()) {
        const bool full = completion.code == port::StorageCompletion::Code::kNoSpace;
        fail(full ? ErrorCode::kStorageSpace : ErrorCode::kGeneric,
            std::string(port::to_string(completion.code)) + " (" + completion.detail + ")");
        return;
    }
    if (completion.token == kSyncToken) {
        is_syncing_ = false;
        set_persisted(syncing_);
        return;
    }
    written_ = completion.token;
    writes_.pop_front();
}

}  // namespace fulmar::archive
