#include "archive/truncation.h"

#include <algorithm>
#include <utility>

#include "archive/checksum.h"
#include "base/assert.h"
#include "base/plant.h"

namespace fulmar::archive {

namespace {

using port::FileHandle;
using port::StorageCompletion;
using port::StorageRequest;
using Op = StorageRequest::Op;
using Code = StorageCompletion::Code;

constexpr std::size_t kBufferLength = 64 * 1024;

}  // namespace

bool Truncation::lies_in_segment(const Cut& cut) {
    const std::int64_t base =
        segment_base(cut.start_position, cut.position, cut.shape.term_length, cut.shape.segment_length);
    return cut.position > std::max(base, cut.start_position);
}

Truncation::Truncation(StorageHub& hub, Cut cut)
    : StorageTask(hub),
      cut_(std::move(cut)),
      base_(segment_base(cut_.start_position, std::max(cut_.start_position, cut_.position - 1),
          cut_.shape.term_length, cut_.shape.segment_length)),
      state_(cut_.position > cut_.start_position ? State::kOpenData : State::kRemoveSegment),
      buffer_(kBufferLength) {
    FULMAR_ASSERT(cut_.position >= cut_.start_position, "nothing was recorded before the start");
    // From the last to the first: what remains after an interruption has no hole.
    std::sort(cut_.bases.begin(), cut_.bases.end());
}

void Truncation::step() {
    const auto offset = static_cast<std::uint64_t>(cut_.position - base_);
    const auto segment_length = static_cast<std::uint64_t>(cut_.shape.segment_length);
    switch (state_) {
        case State::kOpenData: return ask({.op = Op::kOpen, .name = segment_name(cut_.recording_id, base_)});
        case State::kLengthen: return ask({.op = Op::kResize, .file = data_, .length = segment_length});
        case State::kOpenSidecar:
            return ask({.op = Op::kOpen, .name = sidecar_name(cut_.recording_id, base_)});
        case State::kReadSlots: return ask_for_slots();
        case State::kReadBlock:
            return ask({.op = Op::kRead,
                .file = data_,
                .offset = static_cast<std::uint64_t>(spanning_.position + block_read_ - base_),
                .into = std::span(buffer_).first(static_cast<std::size_t>(
                    std::min<std::int64_t>(kBufferLength, spanning_.covered() - block_read_)))});
        case State::kZeroData:
            if (FULMAR_PLANTED(kExtendsOverOldTail)) {
                state_ = State::kSyncData;
                return step();
            }
            return ask({.op = Op::kZero, .file = data_, .offset = offset, .length = segment_length - offset});
        case State::kSyncData: return ask({.op = Op::kSync, .file = data_});
        case State::kWriteSlots:
            prepare_slots();
            return ask({.op = Op::kWrite,
                .file = sidecar_,
                .offset = next_slot_ * kSidecarSlotLength,
                .data = std::span(buffer_).first(slots_length_)});
        case State::kZeroSlots: {
            const std::uint64_t from = next_slot_ * kSidecarSlotLength + slots_length_;
            return ask({.op = Op::kZero,
                .file = sidecar_,
                .offset = from,
                .length = sidecar_length_ - std::min(sidecar_length_, from)});
        }
        case State::kSyncSidecar: return ask({.op = Op::kSync, .file = sidecar_});
        case State::kCloseSidecar: return ask({.op = Op::kClose, .file = sidecar_});
        case State::kCloseData: return ask({.op = Op::kClose, .file = data_});
        case State::kRemoveSegment: return remove_next(segment_name);
        case State::kSyncDirectory: return ask({.op = Op::kSyncDirectory});
        case State::kRemoveSidecar: return remove_next(sidecar_name);
    }
}

void Truncation::remove_next(std::string (*name)(std::int64_t, std::int64_t)) {
    if (removed_ < cut_.bases.size()) {
        const std::int64_t base = cut_.bases[cut_.bases.size() - 1 - removed_];
        return ask({.op = Op::kRemove, .name = name(cut_.recording_id, base)});
    }
    removed_ = 0;
    if (state_ == State::kRemoveSidecar) {
        return finish();
    }
    state_ = State::kSyncDirectory;
    step();
}

void Truncation::ask_for_slots() {
    ask({.op = Op::kRead,
        .file = sidecar_,
        .offset = read_slot_ * kSidecarSlotLength,
        .into = std::span(buffer_)});
}

void Truncation::on_answer(StorageCompletion& completion) {
    const bool may_be_gone =
        state_ == State::kOpenSidecar || state_ == State::kRemoveSegment || state_ == State::kRemoveSidecar;
    if (!completion.ok() && !(may_be_gone && completion.code == Code::kNotFound)) {
        const bool reads = completion.op == Op::kRead;
        return reads && ++read_errors_ < kReadAttempts ? void() : fail_with(completion);
    }
    read_errors_ = 0;
    switch (state_) {
        case State::kOpenData:
        case State::kOpenSidecar: return on_opened(completion);
        case State::kLengthen: state_ = State::kOpenSidecar; break;
        case State::kReadSlots: return on_slots(completion.value);
        case State::kReadBlock: return on_block(completion.value);
        case State::kZeroData: state_ = State::kSyncData; break;
        case State::kSyncData:
            state_ = sidecar_ != FileHandle::kNone ? State::kCloseSidecar : State::kCloseData;
            break;
        case State::kWriteSlots: state_ = State::kZeroSlots; break;
        case State::kZeroSlots: state_ = State::kSyncSidecar; break;
        case State::kSyncSidecar:
            // The mark's slot is the next entry's.
            next_slot_ += slots_length_ / kSidecarSlotLength - 1;
            state_ = State::kZeroData;
            break;
        case State::kCloseSidecar: state_ = State::kCloseData; break;
        case State::kCloseData: state_ = State::kRemoveSegment; break;
        case State::kRemoveSegment:
        case State::kRemoveSidecar: ++removed_; break;
        case State::kSyncDirectory: state_ = State::kRemoveSidecar; break;
    }
}

void Truncation::on_opened(const StorageCompletion& completion) {
    if (state_ == State::kOpenSidecar) {
        sidecar_ = completion.ok() ? completion.file : FileHandle::kNone;
        sidecar_length_ = completion.value;
        state_ = completion.ok() ? State::kReadSlots : State::kZeroData;
        return;
    }
    data_ = completion.file;
    if (completion.value < static_cast<std::uint64_t>(cut_.position - base_)) {
        return fail({ErrorCode::kGeneric,
            "recording " + std::to_string(cut_.recording_id) + ": " + segment_name(cut_.recording_id, base_) +
                " has " + std::to_string(completion.value) + " bytes and does not reach position " +
                std::to_string(cut_.position)});
    }
    const bool whole = completion.value == static_cast<std::uint64_t>(cut_.shape.segment_length);
    state_ = whole ? State::kOpenSidecar : State::kLengthen;
}

void Truncation::on_slots(std::size_t bytes) {
    for (std::size_t at = 0; at + kSidecarSlotLength <= bytes; at += kSidecarSlotLength, ++read_slot_) {
        const auto slot =
            read_sidecar_slot(std::span(buffer_).subspan(at), base_, read_slot_, cut_.shape.segment_length);
        if (!is_slot_kept(slot)) {
            spans_ = slot.entry.position < cut_.position;
            spanning_ = slot.entry;
            state_ = spans_ ? State::kReadBlock : State::kWriteSlots;
            return;
        }
    }
    if (bytes < buffer_.size()) {
        state_ = State::kWriteSlots;
    }
}

bool Truncation::is_slot_kept(const SidecarSlot& slot) {
    using SlotState = SidecarSlot::State;
    const bool is_entry = slot.state == SlotState::kEntry && slot.entry.kind != SidecarKind::kMark;
    if (is_entry && slot.entry.end() > cut_.position) {
        return false;
    }
    // A bad slot in front of the cut stays what it is: what it says might be mended.
    if (is_entry || (slot.state == SlotState::kBad && read_slot_ > 0)) {
        next_slot_ = read_slot_ + 1;
    }
    return true;
}

void Truncation::on_block(std::size_t bytes) {
    // Padding is covered by its header alone, on whichever side of the cut it ends.
    const std::int64_t kept_length =
        spanning_.kind == SidecarKind::kPadding ? spanning_.covered() : cut_.position - spanning_.position;
    const auto read = std::span<const std::byte>(buffer_).first(bytes);
    const auto kept = read.first(static_cast<std::size_t>(
        std::clamp<std::int64_t>(kept_length - block_read_, 0, static_cast<std::int64_t>(bytes))));
    kept_checksum_ = crc32c(kept, kept_checksum_);
    whole_checksum_ = crc32c(read, whole_checksum_);
    block_read_ += static_cast<std::int64_t>(bytes);
    if (bytes != 0 && block_read_ < spanning_.covered()) {
        return;
    }
    // A disk may misread once: only what it says again and again is believed to be bad.
    if (whole_checksum_ != spanning_.checksum && ++block_attempts_ < kReadAttempts) {
        block_read_ = 0;
        kept_checksum_ = whole_checksum_ = 0;
        return;
    }
    state_ = State::kWriteSlots;
}

void Truncation::prepare_slots() {
    SidecarEntry mark{.kind = SidecarKind::kMark, .position = cut_.position, .durable = cut_.position};
    std::byte* at = buffer_.data();
    slots_length_ = kSidecarSlotLength;
    if (spans_) {
        SidecarEntry kept = spanning_;
        kept.length = cut_.position - spanning_.position;
        // What was damaged before it was shortened has a wrong checksum afterwards, too.
        kept.checksum =
            cut_.is_kept_sound ? kept_checksum_ : kept_checksum_ ^ whole_checksum_ ^ spanning_.checksum;
        kept.durable = cut_.position;
        write_sidecar_entry(at, base_, next_slot_, kept);
        at += kSidecarSlotLength;
        slots_length_ += kSidecarSlotLength;
    }
    write_sidecar_entry(at, base_, next_slot_ + (spans_ ? 1 : 0), mark);
}

void Truncation::fail_with(const StorageCompletion& completion) {
    fail(storage_error(completion, "recording " + std::to_string(cut_.recording_id) + ": cannot cut it at " +
                                       std::to_string(cut_.position)));
}

}  // namespace fulmar::archive
