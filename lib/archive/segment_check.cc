#include "archive/segment_check.h"

#include <algorithm>
#include <utility>

#include "archive/checksum.h"
#include "wire/frame.h"

namespace fulmar::archive {

namespace {

using port::FileHandle;
using port::StorageCompletion;
using Op = port::StorageRequest::Op;
using Code = StorageCompletion::Code;

constexpr std::size_t kWindow = std::size_t{1} << 20;
constexpr std::size_t kSlotsWindow = 32 * 1024;
constexpr std::int64_t kPage = 4096;
constexpr int kSlotsReadAgainMax = 64;  // of one sidecar: one that is bad throughout is not read for ever

/// Whether every page of the file that a frame reaches into behind its first holds something: pages are what
/// goes to the disk or does not.
bool reaches_every_page(std::span<const std::byte> frame, std::int64_t offset) {
    for (std::int64_t page = base::align_up(offset + 1, kPage);
         page < offset + static_cast<std::int64_t>(frame.size()); page += kPage) {
        const auto part = frame.subspan(static_cast<std::size_t>(page - offset));
        const auto length = std::min(part.size(), static_cast<std::size_t>(kPage));
        const auto of_page = part.first(length);
        if (std::all_of(of_page.begin(), of_page.end(), [](std::byte b) { return b == std::byte{0}; })) {
            return false;
        }
    }
    return true;
}

}  // namespace

SegmentCheck::SegmentCheck(StorageHub& hub, const Subject& subject)
    : StorageTask(hub), subject_(subject), position_(subject.from), slots_(kSlotsWindow), buffer_(kWindow) {}

void SegmentCheck::step() {
    const std::int64_t id = subject_.recording_id;
    const std::int64_t base = subject_.base;
    switch (state_) {
        case State::kOpenData: return ask({.op = Op::kOpen, .name = segment_name(id, base)});
        case State::kOpenSidecar: return ask({.op = Op::kOpen, .name = sidecar_name(id, base)});
        case State::kReadSlots:
            return ask({.op = Op::kRead,
                .file = sidecar_,
                .offset = slot_ * kSidecarSlotLength,
                .into = std::span(slots_)});
        case State::kReadBlock:
            return ask_to_read(data_, entry_.position + block_read_ - base, entry_.covered() - block_read_);
        case State::kWalk: return ask_to_read(data_, walk_position_ - base, walk_end_ - walk_position_);
        case State::kLastFrame: return ask_to_read(data_, last_frame_ - base, position_ - last_frame_);
        case State::kCloseSidecar: return ask({.op = Op::kClose, .file = sidecar_});
        case State::kCloseData: return is_there() ? ask({.op = Op::kClose, .file = data_}) : finish();
    }
}

void SegmentCheck::ask_to_read(FileHandle file, std::int64_t offset, std::int64_t length) {
    ask({.op = Op::kRead,
        .file = file,
        .offset = static_cast<std::uint64_t>(offset),
        .into = std::span(buffer_).first(std::min(kWindow, static_cast<std::size_t>(length)))});
}

void SegmentCheck::on_answer(StorageCompletion& completion) {
    switch (state_) {
        case State::kOpenData:
        case State::kOpenSidecar: return on_opened(completion);
        case State::kCloseSidecar: state_ = State::kCloseData; return;
        case State::kCloseData: return finish();
        default: return on_read(completion);
    }
}

void SegmentCheck::on_opened(const StorageCompletion& completion) {
    const bool of_data = state_ == State::kOpenData;
    if (!completion.ok() && completion.code != Code::kNotFound) {
        const std::int64_t end = subject_.until == kNullValue ? segment_end() : subject_.until;
        fault(position_, end, completion.detail, true);
        return close();
    }
    if (of_data) {
        if (!completion.ok()) {
            state_ = State::kCloseData;
            return;
        }
        data_ = completion.file;
        length_ = static_cast<std::int64_t>(completion.value);
        state_ = State::kOpenSidecar;
    } else if (completion.ok()) {
        sidecar_ = completion.file;
        state_ = State::kReadSlots;
    } else {
        begin_walk(subject_.until == kNullValue ? segment_end() : subject_.until);
    }
}

void SegmentCheck::on_read(const StorageCompletion& completion) {
    if (!completion.ok()) {
        return ++read_errors_ < kReadAttempts ? void() : on_unreadable(completion.detail);
    }
    read_errors_ = 0;
    switch (state_) {
        case State::kReadSlots: return on_slots(completion.value);
        case State::kReadBlock: return on_block(completion.value);
        case State::kWalk: return on_window(completion.value);
        default: return on_last_frame(completion.value);
    }
}

void SegmentCheck::on_unreadable(const std::string& detail) {
    attempts_ = 0;
    read_errors_ = 0;
    const std::int64_t end = subject_.until == kNullValue ? segment_end() : subject_.until;
    switch (state_) {
        case State::kReadBlock:
            fault(entry_.position, entry_.end(), detail, true);
            position_ = entry_.end();
            state_ = State::kReadSlots;
            return;
        case State::kWalk:
            fault(walk_position_, walk_end_, detail, true);
            position_ = walk_end_;
            break;
        default: fault(position_, end, detail, true);
    }
    close();
}

void SegmentCheck::on_slots(std::size_t bytes) {
    for (std::size_t at = 0; at + kSidecarSlotLength <= bytes; at += kSidecarSlotLength) {
        const auto slot = read_sidecar_slot(std::span<const std::byte>(slots_).subspan(at), subject_.base,
            slot_, subject_.shape.segment_length);
        if (slot.state == SidecarSlot::State::kBad && slots_read_again_ < kSlotsReadAgainMax &&
            may_read_again()) {
            ++slots_read_again_;
            return;  // from this slot on
        }
        attempts_ = 0;
        ++slot_;
        if (take_slot(slot)) {
            return;
        }
    }
    if (bytes < slots_.size()) {
        end_slots();
    }
}

/// Whether something is to be judged before the next slot is looked at.
bool SegmentCheck::take_slot(const SidecarSlot& slot) {
    using SlotState = SidecarSlot::State;
    const bool is_entry = slot.state == SlotState::kEntry;
    if (is_entry && slot.entry.kind == SidecarKind::kMark) {
        durable_ = std::max(durable_, slot.entry.durable);
        return false;
    }
    // One that goes back is not ours: entries follow one another.
    if (!is_entry || slot.entry.position < position_) {
        // The header says nothing that is not known; whether an empty slot was lost shows when an entry
        // follows.
        slots_bad_ = slots_bad_ || (slot_ > 1 && slot.state != SlotState::kEmpty);
        return false;
    }
    if (subject_.until != kNullValue && slot.entry.end() > subject_.until) {
        end_slots();  // of a stream that was cut here; what remains is judged by its frames
        return true;
    }
    entry_ = slot.entry;
    if (entry_.position > position_) {
        entry_waits_ = true;
        // Only the first entry may begin behind what another archive wrote: others follow one another.
        slots_bad_ = slot_ > 2;
        begin_walk(entry_.position);
    } else {
        begin_block();
    }
    return true;
}

void SegmentCheck::begin_block() {
    entry_waits_ = false;
    slots_bad_ = false;
    durable_ = std::max(durable_, entry_.durable);
    block_read_ = 0;
    checksum_ = 0;
    state_ = State::kReadBlock;
}

void SegmentCheck::on_block(std::size_t bytes) {
    checksum_ = crc32c(std::span<const std::byte>(buffer_).first(bytes), checksum_);
    block_read_ += static_cast<std::int64_t>(bytes);
    if (bytes > 0 && block_read_ < entry_.covered()) {
        return;
    }
    const bool whole = block_read_ == entry_.covered();
    const bool matches = whole && block_matches(bytes);
    if (!matches && may_read_again()) {
        block_read_ = 0;
        checksum_ = 0;
        return;
    }
    attempts_ = 0;
    if (!whole) {
        fault(entry_.position, entry_.end(), "the file ends within it");
    } else if (!matches) {
        fault(entry_.position, entry_.end(), "its checksum does not match");
    }
    position_ = entry_.end();
    state_ = State::kReadSlots;
}

/// `bytes`: of the last read, which was of the whole block unless that is longer than the buffer.
bool SegmentCheck::block_matches(std::size_t bytes) const {
    if (checksum_ == entry_.checksum) {
        return true;
    }
    const bool is_here = bytes == static_cast<std::size_t>(entry_.covered());
    return subject_.session_id && is_here &&
           crc32c_before_frame_checksums(
               std::span<const std::byte>(buffer_).first(bytes), *subject_.session_id) == entry_.checksum;
}

void SegmentCheck::end_slots() {
    if (subject_.until != kNullValue && position_ < subject_.until) {
        slots_bad_ = slots_bad_ || subject_.covered;
        begin_walk(subject_.until);
    } else {
        close();
    }
}

void SegmentCheck::begin_walk(std::int64_t end) {
    walk_position_ = position_;
    walk_end_ = end;
    state_ = State::kWalk;
}

void SegmentCheck::on_window(std::size_t bytes) {
    const auto window = std::span<const std::byte>(buffer_).first(bytes);
    const SegmentWalk walk = walk_segment(subject_.shape, walk_position_, walk_position_, window);
    const std::int64_t end = std::min(walk.position, walk_end_);
    if ((walk.fault != FrameFault::kNone || walk.position == walk_position_) && may_read_again()) {
        return;
    }
    if (subject_.checksum_frames && !check_frames(window, end)) {
        return;
    }
    attempts_ = 0;
    const bool moved = walk.position > walk_position_;
    last_frame_ = moved ? walk.last_frame : last_frame_;
    walk_position_ = end;
    if (walk.fault != FrameFault::kNone) {
        end_walk(std::string(to_string(walk.fault)));
    } else if (walk.position > walk_end_) {
        walk_position_ = walk.last_frame;
        end_walk("a frame reaches past " + std::to_string(walk_end_));
    } else if (!moved || walk.position == walk_end_) {
        end_walk({});
    }
}

/// False: to be read once more.
bool SegmentCheck::check_frames(std::span<const std::byte> bytes, std::int64_t end) {
    std::vector<Fault> found;
    for (std::int64_t at = walk_position_; at < end;) {
        const auto frame = bytes.subspan(static_cast<std::size_t>(at - walk_position_));
        const std::int64_t length = wire::align_frame(wire::read_data_header(frame.data()).frame_length);
        if (!frame_checksum_matches(frame.first(std::min(frame.size(), static_cast<std::size_t>(length))))) {
            found.push_back({at, at + length, "the frame's checksum does not match", false});
        }
        at += length;
    }
    if (!found.empty() && may_read_again()) {
        return false;
    }
    faults_.insert(faults_.end(), found.begin(), found.end());
    return true;
}

void SegmentCheck::end_walk(std::string why) {
    const bool reached = walk_position_ == walk_end_;
    const bool open_end = subject_.until == kNullValue && !entry_waits_;
    if (!reached && why.empty() && !open_end) {
        why = "its frames end at " + std::to_string(walk_position_);
    }
    if (slots_bad_) {
        // Sound frames say nothing about what is in them.
        fault(
            position_, walk_end_, "its checksums are lost; " + (why.empty() ? "its frames are sound" : why));
    } else if (!why.empty()) {
        fault(walk_position_, walk_end_, std::move(why));
    }
    slots_bad_ = false;
    position_ = open_end ? walk_position_ : walk_end_;
    if (open_end && faults_.size() == 1 && faults_[0].begin == last_frame_) {
        // Nobody knows up to where this stream was synced, so a bad last frame is one that was on its way.
        faults_.clear();
        position_ = last_frame_;
        return close();
    }
    if (entry_waits_) {
        begin_block();
    } else if (open_end && last_frame_ != kNullValue && faults_.empty()) {
        begin_last_frame();
    } else {
        close();
    }
}

void SegmentCheck::begin_last_frame() {
    state_ = State::kLastFrame;
}

void SegmentCheck::on_last_frame(std::size_t bytes) {
    const auto frame = std::span<const std::byte>(buffer_).first(bytes);
    // The same for one of which a page never arrived.
    if (bytes >= wire::kDataHeaderLength && !wire::is_padding(frame.data()) &&
        !reaches_every_page(frame, last_frame_ - subject_.base)) {
        position_ = last_frame_;
    }
    close();
}

void SegmentCheck::fault(std::int64_t begin, std::int64_t end, std::string why, bool unreadable) {
    faults_.push_back(
        {begin, end, segment_name(subject_.recording_id, subject_.base) + ": " + why, unreadable});
}

}  // namespace fulmar::archive
