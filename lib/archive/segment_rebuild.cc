#include "archive/segment_rebuild.h"

#include <algorithm>

#include "archive/checksum.h"
#include "archive/recording_writer.h"
#include "base/bytes.h"
#include "wire/frame.h"

namespace fulmar::archive {

using port::StorageCompletion;
using Op = port::StorageRequest::Op;
using Code = StorageCompletion::Code;

SegmentRebuild::SegmentRebuild(StorageHub& hub, const Subject& subject, GoodBytes& good)
    : StorageTask(hub), subject_(subject), good_(good), position_(subject.from) {}

std::string SegmentRebuild::unfinished_name() const {
    return segment_name(subject_.recording_id, subject_.base) + std::string(kPreparedSuffix);
}

void SegmentRebuild::step() {
    const std::int64_t id = subject_.recording_id;
    const std::int64_t base = subject_.base;
    switch (state_) {
        case State::kRemoveOlder: return ask({.op = Op::kRemove, .name = unfinished_name()});
        case State::kCreate:
            return ask({.op = Op::kCreate,
                .length = static_cast<std::uint64_t>(subject_.shape.segment_length),
                .name = unfinished_name()});
        case State::kAskGood:
            if (position_ == subject_.until) {
                state_ = State::kSync;
                return step();
            }
            window_.resize(static_cast<std::size_t>(std::min(kWindow, subject_.until - position_)));
            good_.ask(position_, window_);
            state_ = State::kAwaitGood;
            return;
        case State::kAwaitGood: return good_.has_answer() ? on_good() : void();
        case State::kWrite:
            return ask({.op = Op::kWrite,
                .file = data_,
                .offset = static_cast<std::uint64_t>(position_ - base),
                .data = frames_});
        case State::kSync: return ask({.op = Op::kSync, .file = data_});
        case State::kCreateSidecar:
            return ask({.op = Op::kCreate,
                .length = std::max<std::uint64_t>(sidecar_length(subject_.shape.segment_length),
                    (entries_.size() + 1) * kSidecarSlotLength),
                .name = sidecar_name(id, base)});
        case State::kWriteSidecar:
            write_sidecar();
            return ask({.op = Op::kWrite, .file = sidecar_, .data = slots_});
        case State::kSyncSidecar: return ask({.op = Op::kSync, .file = sidecar_});
        case State::kCloseSidecar: return ask({.op = Op::kClose, .file = sidecar_});
        case State::kSyncSidecarName:
        case State::kSyncName: return ask({.op = Op::kSyncDirectory});
        case State::kRename:
            return ask({.op = Op::kRename, .name = unfinished_name(), .new_name = segment_name(id, base)});
        case State::kClose: return ask({.op = Op::kClose, .file = data_});
    }
}

void SegmentRebuild::on_answer(StorageCompletion& completion) {
    const bool is_gone = state_ == State::kRemoveOlder && completion.code == Code::kNotFound;
    const bool is_kept = state_ == State::kCreateSidecar && completion.code == Code::kExists;
    if (!completion.ok() && !is_gone && !is_kept) {
        return fail(storage_error(completion, "recording " + std::to_string(subject_.recording_id) +
                                                  ": cannot make " +
                                                  segment_name(subject_.recording_id, subject_.base)));
    }
    switch (state_) {
        case State::kRemoveOlder: state_ = State::kCreate; return;
        case State::kCreate:
            data_ = completion.file;
            state_ = State::kAskGood;
            return;
        case State::kWrite:
            position_ += frames_length_;
            state_ = State::kAskGood;
            return;
        case State::kSync: state_ = State::kCreateSidecar; return;
        case State::kCreateSidecar:
            sidecar_ = completion.file;
            state_ = is_kept ? State::kSyncSidecarName : State::kWriteSidecar;
            return;
        case State::kWriteSidecar: state_ = State::kSyncSidecar; return;
        case State::kSyncSidecar: state_ = State::kCloseSidecar; return;
        case State::kCloseSidecar: state_ = State::kSyncSidecarName; return;
        case State::kSyncSidecarName: state_ = State::kRename; return;
        case State::kRename: state_ = State::kSyncName; return;
        case State::kSyncName: state_ = State::kClose; return;
        case State::kClose: return finish();
        case State::kAskGood:
        case State::kAwaitGood: return;
    }
}

void SegmentRebuild::on_good() {
    const std::string where = segment_name(subject_.recording_id, subject_.base) + ": ";
    if (!good_.why_not().empty()) {
        return fail({ErrorCode::kGeneric, where + good_.why_not()});
    }
    change_ids();
    const SegmentWalk walk = walk_segment(subject_.shape, position_, position_, window_);
    // Of a window's last frame the end may be in the next one; a data frame is whole in some.
    const bool is_stuck = walk.position == position_;
    if (walk.fault != FrameFault::kNone || is_stuck || walk.position > subject_.until) {
        return fail({ErrorCode::kGeneric, where + "the other copy has no frame of this stream at position " +
                                              std::to_string(walk.position) + ": " +
                                              std::string(to_string(walk.fault))});
    }
    frames_length_ = walk.position - position_;
    const auto in_memory = std::min(window_.size(), static_cast<std::size_t>(frames_length_));
    frames_.assign(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(in_memory));
    add_entries(frames_);
    state_ = State::kWrite;
    step();
}

void SegmentRebuild::change_ids() {
    for (std::span<std::byte> rest = window_; rest.size() >= wire::kDataHeaderLength;) {
        const std::int64_t length = wire::align_frame(wire::read_data_header(rest.data()).frame_length);
        if (length <= 0) {
            return;
        }
        const auto frame = rest.first(std::min(rest.size(), static_cast<std::size_t>(length)));
        const bool is_whole = std::ssize(frame) == length;
        const bool checksum = subject_.checksum_frames && is_whole && !wire::is_padding(frame.data());
        base::store_le(frame.data(), wire::field::kStreamId, subject_.shape.stream_id);
        base::store_le(
            frame.data(), wire::field::kSessionId, checksum ? frame_checksum(frame) : subject_.session_id);
        rest = rest.subspan(frame.size());
    }
}

/// As a recording writer makes them: data joins up to kSidecarSpan, padding is alone and covers its header.
void SegmentRebuild::add_entries(std::span<const std::byte> frames) {
    std::int64_t position = position_;
    while (frames.size() >= wire::kDataHeaderLength) {
        const std::int64_t length = wire::align_frame(wire::read_data_header(frames.data()).frame_length);
        const bool is_padding = wire::is_padding(frames.data());
        const auto bytes = frames.first(
            is_padding ? std::size_t{wire::kDataHeaderLength} : static_cast<std::size_t>(length));
        SidecarEntry* last = entries_.empty() ? nullptr : &entries_.back();
        if (!is_padding && last != nullptr && last->kind == SidecarKind::kData &&
            last->length + length <= kSidecarSpan) {
            last->checksum = crc32c(bytes, last->checksum);
            last->length += length;
        } else {
            entries_.push_back({.kind = is_padding ? SidecarKind::kPadding : SidecarKind::kData,
                .position = position,
                .length = length,
                .checksum = crc32c(bytes),
                .durable = subject_.until});
        }
        position += length;
        frames = frames.subspan(std::min(frames.size(), static_cast<std::size_t>(length)));
    }
}

void SegmentRebuild::write_sidecar() {
    slots_.resize((entries_.size() + 1) * kSidecarSlotLength);
    write_sidecar_header(slots_.data(), subject_.base, subject_.shape.segment_length);
    for (std::uint64_t number = 1; number <= entries_.size(); ++number) {
        write_sidecar_entry(slots_.data() + number * kSidecarSlotLength, subject_.base, number,
            entries_[static_cast<std::size_t>(number - 1)]);
    }
}

}  // namespace fulmar::archive
