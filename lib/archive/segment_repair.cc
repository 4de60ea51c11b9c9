#include "archive/segment_repair.h"

#include <algorithm>
#include <utility>

#include "archive/checksum.h"
#include "base/bytes.h"
#include "wire/frame.h"

namespace fulmar::archive {

namespace {

using port::FileHandle;
using port::StorageCompletion;
using Op = port::StorageRequest::Op;

constexpr std::size_t kSlotsWindow = 64 * 1024;

/// Whether the frames of `bytes`, which begin at `position`, are whole and end where it ends.
bool are_frames(const SegmentShape& shape, std::int64_t position, std::span<const std::byte> bytes) {
    const SegmentWalk walk = walk_segment(shape, position, position, bytes);
    return walk.fault == FrameFault::kNone && walk.position - position == std::ssize(bytes);
}

/// Calls `change` with each frame, the last of which may be cut short.
template <class Change>
void for_frames(std::span<std::byte> bytes, Change&& change) {
    while (bytes.size() >= wire::kDataHeaderLength) {
        const auto length = base::load_le<std::int32_t>(bytes.data(), wire::field::kFrameLength);
        if (length <= 0) {
            return;
        }
        const auto frame =
            bytes.first(std::min(bytes.size(), static_cast<std::size_t>(wire::align_frame(length))));
        change(frame);
        bytes = bytes.subspan(frame.size());
    }
}

}  // namespace

SegmentRepair::SegmentRepair(StorageHub& hub, const Subject& subject, GoodBytes& good)
    : StorageTask(hub), subject_(subject), good_(good) {}

void SegmentRepair::step() {
    const std::int64_t id = subject_.recording_id;
    switch (state_) {
        case State::kOpenData: return ask({.op = Op::kOpen, .name = segment_name(id, subject_.base)});
        case State::kOpenSidecar: return ask({.op = Op::kOpen, .name = sidecar_name(id, subject_.base)});
        case State::kReadSlots: {
            const std::size_t read = slots_.size();
            slots_.resize(read + kSlotsWindow);
            return ask(
                {.op = Op::kRead, .file = sidecar_, .offset = read, .into = std::span(slots_).subspan(read)});
        }
        case State::kReadBlock:
            ours_.resize(static_cast<std::size_t>(piece().entry.covered()));
            return ask({.op = Op::kRead,
                .file = data_,
                .offset = static_cast<std::uint64_t>(piece().entry.position - subject_.base),
                .into = ours_});
        case State::kAskGood:
            theirs_.assign(ours_.size(), std::byte{0});
            good_.ask(piece().entry.position, theirs_);
            state_ = State::kAwaitGood;
            return;
        case State::kAwaitGood: return good_.has_answer() ? on_good() : void();
        case State::kWriteBlock:
            return ask({.op = Op::kWrite,
                .file = data_,
                .offset = static_cast<std::uint64_t>(piece().entry.position - subject_.base),
                .data = theirs_});
        case State::kWriteSlots:
            prepare_slots();
            return ask({.op = Op::kWrite,
                .file = sidecar_,
                .offset = piece().slot * kSidecarSlotLength,
                .data = slots_});
        case State::kSyncData: return ask({.op = Op::kSync, .file = data_});
        case State::kSyncSidecar: return ask({.op = Op::kSync, .file = sidecar_});
        case State::kCloseSidecar: return ask({.op = Op::kClose, .file = sidecar_});
        case State::kCloseData: return ask({.op = Op::kClose, .file = data_});
    }
}

void SegmentRepair::on_answer(StorageCompletion& completion) {
    if (!completion.ok()) {
        return fail(storage_error(completion, "recording " + std::to_string(subject_.recording_id) +
                                                  ": cannot repair " +
                                                  segment_name(subject_.recording_id, subject_.base)));
    }
    switch (state_) {
        case State::kOpenData:
            data_ = completion.file;
            state_ = State::kOpenSidecar;
            return;
        case State::kOpenSidecar:
            sidecar_ = completion.file;
            state_ = State::kReadSlots;
            return;
        case State::kReadSlots: return on_slots(completion.value);
        case State::kReadBlock: return on_block(completion.value);
        case State::kWriteBlock:
            repaired_bytes_ += theirs_.size();
            ++piece_;
            return begin_piece();
        case State::kWriteSlots:
            ++repaired_checksums_;
            ++piece_;
            return begin_piece();
        case State::kSyncData: state_ = State::kSyncSidecar; return;
        case State::kSyncSidecar: state_ = State::kCloseSidecar; return;
        case State::kCloseSidecar: state_ = State::kCloseData; return;
        case State::kCloseData: return finish();
        case State::kAskGood:
        case State::kAwaitGood: return;
    }
}

void SegmentRepair::on_slots(std::size_t bytes) {
    const bool more = bytes == kSlotsWindow;
    slots_.resize(slots_.size() - kSlotsWindow + bytes);
    if (!more) {
        make_pieces();
        begin_piece();
    }
}

void SegmentRepair::make_pieces() {
    std::int64_t position = subject_.from;
    std::uint64_t free_slot = 1;
    const auto add_lost = [&](std::int64_t end, std::uint64_t next_slot) {
        if (end > position && next_slot > free_slot) {
            pieces_.push_back({.entry = {.position = position, .length = end - position},
                .lost = true,
                .slot = free_slot,
                .slots = next_slot - free_slot});
        }
    };
    const std::uint64_t count = slots_.size() / kSidecarSlotLength;
    for (std::uint64_t number = 1; number < count; ++number) {
        const auto slot =
            read_sidecar_slot(std::span<const std::byte>(slots_).subspan(number * kSidecarSlotLength),
                subject_.base, number, subject_.shape.segment_length);
        const bool is_entry =
            slot.state == SidecarSlot::State::kEntry && slot.entry.kind != SidecarKind::kMark;
        if (!is_entry || slot.entry.position < position || slot.entry.end() > subject_.until) {
            continue;
        }
        add_lost(slot.entry.position, number);
        pieces_.push_back({.entry = slot.entry, .slot = number});
        position = slot.entry.end();
        free_slot = number + 1;
    }
    add_lost(subject_.until, std::max(count, free_slot + 1));
}

void SegmentRepair::begin_piece() {
    attempts_ = 0;
    state_ = piece_ < pieces_.size() ? State::kReadBlock : State::kSyncData;
}

void SegmentRepair::on_block(std::size_t bytes) {
    const bool whole = bytes == ours_.size();
    if (!piece().lost && whole && crc32c(ours_) == piece().entry.checksum) {
        ++piece_;
        return begin_piece();
    }
    if (piece().lost || ++attempts_ == kReadAttempts) {
        state_ = State::kAskGood;
    }
}

void SegmentRepair::on_good() {
    if (!good_.why_not().empty()) {
        return remains(good_.why_not());
    }
    // First as the other copy has it, then with the ids that our own block and catalog know of.
    const auto ours = base::load_le<std::int32_t>(ours_.data(), wire::field::kSessionId);
    const bool fits = accept(0, false) || accept(ours, true) || accept(subject_.session_id, true);
    if (!fits) {
        return remains(piece().lost ? "the other copy differs, and nothing says which one is right"
                                    : "the other copy does not match the checksum either");
    }
    state_ = piece().lost ? State::kWriteSlots : State::kWriteBlock;
    step();
}

bool SegmentRepair::accept(std::int32_t session_id, bool change_ids) {
    if (change_ids) {
        for_frames(theirs_, [&](std::span<std::byte> frame) {
            base::store_le(frame.data(), wire::field::kStreamId, subject_.shape.stream_id);
            const bool checksum = subject_.checksum_frames && !wire::is_padding(frame.data());
            base::store_le(
                frame.data(), wire::field::kSessionId, checksum ? frame_checksum(frame) : session_id);
        });
    }
    if (piece().lost) {
        return theirs_ == ours_ && are_frames(subject_.shape, piece().entry.position, ours_);
    }
    return crc32c(theirs_) == piece().entry.checksum;
}

void SegmentRepair::prepare_slots() {
    // One entry for all that its slots may have covered; those that it leaves free are empty from now on.
    SidecarEntry entry = piece().entry;
    entry.checksum = crc32c(ours_);
    slots_.assign(static_cast<std::size_t>(piece().slots) * kSidecarSlotLength, std::byte{0});
    write_sidecar_entry(slots_.data(), subject_.base, piece().slot, entry);
}

void SegmentRepair::remains(std::string why) {
    remaining_.push_back(
        {subject_.recording_id, piece().entry.position, piece().entry.end(), std::move(why)});
    ++piece_;
    begin_piece();
    step();
}

}  // namespace fulmar::archive
