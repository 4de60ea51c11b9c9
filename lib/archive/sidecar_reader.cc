#include "archive/sidecar_reader.h"

#include <utility>

#include "archive/storage_task.h"
#include "base/assert.h"

namespace fulmar::archive {

using Op = port::StorageRequest::Op;
using Code = port::StorageCompletion::Code;

SidecarReader::SidecarReader(StorageHub& hub, std::int64_t recording_id, std::int32_t segment_length)
    : hub_(hub),
      recording_id_(recording_id),
      segment_length_(segment_length),
      window_(kWindowSlots * kSidecarSlotLength) {}

void SidecarReader::open(std::int64_t base) {
    FULMAR_ASSERT(is_closed() && !is_busy(), "one sidecar at a time");
    base_ = base;
    first_ = count_ = 0;
    slot_ = 1;
    is_at_end_ = false;
    attempts_ = 0;
    ask({.op = Op::kOpen, .name = sidecar_name(recording_id_, base)});
}

void SidecarReader::close() {
    FULMAR_ASSERT(!is_busy(), "nothing is under way");
    if (state_ == State::kOpen) {
        ask({.op = Op::kClose, .file = file_});
    }
    state_ = State::kClosed;
}

void SidecarReader::ask(port::StorageRequest request) {
    waiting_ = std::move(request);
    poll();
}

void SidecarReader::poll() {
    if (waiting_ && hub_.submit(*this, *waiting_)) {
        waiting_.reset();
        is_asked_ = true;
    }
}

SidecarReader::Next SidecarReader::read_from_here(std::int64_t recorded) {
    is_at_end_ = false;
    read_recorded_ = recorded;
    ask({.op = Op::kRead, .file = file_, .offset = slot_ * kSidecarSlotLength, .into = std::span(window_)});
    return Next::kWait;
}

SidecarSlot SidecarReader::slot_at(std::uint64_t number) const {
    const auto at = static_cast<std::size_t>((number - first_) * kSidecarSlotLength);
    return read_sidecar_slot(std::span<const std::byte>(window_).subspan(at), base_, number, segment_length_);
}

bool SidecarReader::is_data(const SidecarSlot& slot) {
    return slot.state == SidecarSlot::State::kEntry && slot.entry.kind != SidecarKind::kMark;
}

bool SidecarReader::skip_to_entry() {
    for (std::uint64_t number = slot_ + 1; number < first_ + count_; ++number) {
        if (is_data(slot_at(number))) {
            slot_ = number;
            return true;
        }
    }
    return false;
}

SidecarReader::Next SidecarReader::next(std::int64_t position, std::int64_t recorded) {
    if (state_ == State::kMissing) {
        return Next::kNone;
    }
    if (is_busy() || state_ == State::kClosed || error_) {
        return Next::kWait;
    }
    while (!is_at_end_) {
        if (slot_ == first_ + count_) {
            is_at_end_ = count_ > 0 && count_ < kWindowSlots;
            if (!is_at_end_) {
                return read_from_here(recorded);
            }
            break;
        }
        const SidecarSlot slot = slot_at(slot_);
        if (is_data(slot)) {
            attempts_ = 0;
            if (slot.entry.end() > position) {
                entry_ = slot.entry;
                return Next::kEntry;
            }
            ++slot_;
            continue;
        }
        if (slot.state == SidecarSlot::State::kBad && ++attempts_ < kReadAttempts) {
            return read_from_here(recorded);
        }
        attempts_ = 0;
        if (skip_to_entry()) {
            continue;
        }
        if (slot_ > first_) {
            return read_from_here(recorded);  // a whole window without an entry is needed to believe it
        }
        is_at_end_ = true;
    }
    return recorded > read_recorded_ ? read_from_here(recorded) : Next::kNone;
}

void SidecarReader::on_storage(port::StorageCompletion& completion) {
    is_asked_ = false;
    switch (completion.op) {
        case Op::kOpen:
            if (completion.ok()) {
                file_ = completion.file;
                state_ = State::kOpen;
                return;
            }
            state_ = State::kMissing;
            if (completion.code == Code::kNotFound) {
                return;
            }
            break;
        case Op::kRead:
            if (completion.ok()) {
                first_ = slot_;
                count_ = completion.value / kSidecarSlotLength;
                is_at_end_ = count_ == 0;
                read_errors_ = 0;
                return;
            }
            if (++read_errors_ < kReadAttempts) {
                (void)read_from_here(read_recorded_);
                return;
            }
            break;
        default: return;  // it is closed, whatever the answer was
    }
    error_ = storage_error(completion, "cannot read " + sidecar_name(recording_id_, base_)).message;
}

}  // namespace fulmar::archive
