#include "archive_server/replay_reader.h"

#include <algorithm>
#include <cstring>

#include "archive/checksum.h"
#include "archive/storage_task.h"
#include "base/assert.h"
#include "base/plant.h"
#include "wire/frame.h"

namespace fulmar::archive {
namespace {

using Op = port::StorageRequest::Op;

enum Token : std::uint64_t { kReadFirst = 0, kReadSecond = 1, kOpen = 2, kClose = 3 };

}  // namespace

ReplayReader::ReplayReader(const Subject& subject, StorageHub& storage)
    : subject_(subject),
      storage_(storage),
      sidecar_(storage, subject.recording_id, subject.shape.segment_length),
      read_position_(subject.position) {
    for (Piece& piece : pieces_) {
        piece.memory.resize(kHeadroom + static_cast<std::size_t>(subject_.read_length));
        piece.blocks_.reserve(kBlocksMax);
    }
}

void ReplayReader::fail(std::string why) {
    if (!failure_) {
        failure_ = Failure{.why = std::move(why)};
    }
}

void ReplayReader::fail_damaged(std::int64_t begin, std::int64_t end, const std::string& why) {
    const std::string id = std::to_string(subject_.recording_id);
    fail("positions " + std::to_string(begin) + " to " + std::to_string(end) +
         " are not what was recorded: " + segment_name(subject_.recording_id, segment_base_) + ": " + why +
         "; mend them from a copy with `fulmar archive repair --recording " + id + " --from DIR`");
    failure_->is_damage = true;
}

bool ReplayReader::is_busy() const {
    return is_opening_ || is_closing_ || sidecar_.is_busy() ||
           std::any_of(pieces_.begin(), pieces_.end(),
               [](const Piece& piece) { return piece.state_ == Piece::State::kReading; });
}

bool ReplayReader::close() {
    sidecar_.poll();
    if (is_busy()) {
        return false;
    }
    if (!sidecar_.is_closed()) {
        sidecar_.close();
    }
    if (file_ != port::FileHandle::kNone) {
        port::StorageRequest request{.op = Op::kClose, .token = kClose, .file = file_};
        if (storage_.submit(*this, request)) {
            is_closing_ = true;
            file_ = port::FileHandle::kNone;
        }
    }
    return file_ == port::FileHandle::kNone && !is_busy();
}

/// True: the segment that is read next is open, and its sidecar if it has one.
bool ReplayReader::open_segment() {
    const std::int64_t base = segment_base(
        subject_.start_position, read_position_, subject_.shape.term_length, subject_.shape.segment_length);
    if (base == segment_base_ && file_ != port::FileHandle::kNone) {
        return true;
    }
    if (!close()) {
        return false;  // of the segment before
    }
    port::StorageRequest request{
        .op = Op::kOpen, .token = kOpen, .name = segment_name(subject_.recording_id, base)};
    if (storage_.submit(*this, request)) {
        is_opening_ = true;
        segment_base_ = base;
    }
    return false;
}

int ReplayReader::poll(Instant now, const Range& range) {
    count_reads(now);
    sidecar_.poll();
    if (sidecar_.error()) {
        fail(*sidecar_.error());
    }
    if (failure_) {
        return 0;
    }
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        Piece& piece = pieces_[(front_ + i) % 2];
        if (piece.state_ == Piece::State::kReading) {
            return 0;  // the other one is read when this one is there: pieces come in order
        }
        if (piece.state_ == Piece::State::kReady) {
            continue;
        }
        if (piece.state_ == Piece::State::kFree &&
            (read_position_ >= range.until || !open_segment() || !plan(piece, range))) {
            return 0;
        }
        return submit(piece, now) ? 1 : 0;
    }
    return 0;
}

bool ReplayReader::plan(Piece& piece, const Range& range) {
    using Next = SidecarReader::Next;
    const Next next = sidecar_.next(read_position_, range.recorded);
    if (next == Next::kWait) {
        return false;
    }
    if (next == Next::kNone) {
        return plan_uncovered(piece, range.until);
    }
    const SidecarEntry& entry = sidecar_.entry();
    if (entry.position > read_position_) {
        return plan_uncovered(piece, std::min(range.until, entry.position));
    }
    if (entry.kind == SidecarKind::kPadding && entry.position < read_position_) {
        return plan_uncovered(piece, range.until);  // within padding there is nothing
    }
    if (entry.end() > range.recorded) {
        // Its end is on its way or, after the writer failed, will never be.
        return !range.may_grow && plan_uncovered(piece, range.until);
    }
    plan_blocks(piece, range);
    return true;
}

bool ReplayReader::plan_uncovered(Piece& piece, std::int64_t until) {
    const std::int64_t segment_end = segment_base_ + subject_.shape.segment_length;
    const std::int64_t end = std::min({until, segment_end, read_position_ + subject_.read_length});
    piece.blocks_.clear();
    begin(piece, read_position_, end - read_position_);
    read_position_ = end;
    return true;
}

void ReplayReader::plan_blocks(Piece& piece, const Range& range) {
    const std::int64_t wanted = read_position_;
    const std::int64_t from = sidecar_.entry().position;
    std::int64_t length = 0;
    piece.blocks_.clear();
    for (;;) {
        const SidecarEntry& entry = sidecar_.entry();
        piece.blocks_.push_back({entry.length, entry.covered(), entry.checksum});
        length += entry.covered();
        read_position_ = entry.end();
        // Behind the header of padding the file has a hole, which nobody reads.
        if (entry.kind == SidecarKind::kPadding || piece.blocks_.size() == kBlocksMax ||
            read_position_ >= range.until ||
            sidecar_.next(read_position_, range.recorded) != SidecarReader::Next::kEntry ||
            entry.position != read_position_ || entry.end() > range.recorded ||
            length + entry.covered() > subject_.read_length) {
            break;
        }
    }
    begin(piece, from, length);
    piece.begin += static_cast<std::size_t>(wanted - from);
    piece.position = wanted;
}

void ReplayReader::begin(Piece& piece, std::int64_t from, std::int64_t length) {
    const std::size_t end = kHeadroom + static_cast<std::size_t>(length);
    if (end > piece.memory.size()) {
        piece.memory.resize(end);  // a block longer than any before, and than what is read at once
    }
    piece.from_ = piece.position = from;
    piece.begin = piece.stamped = kHeadroom;
    piece.end = end;
    piece.attempts_ = 0;
    piece.state_ = Piece::State::kPlanned;
}

bool ReplayReader::submit(Piece& piece, Instant now) {
    port::StorageRequest request{.op = Op::kRead,
        .token = static_cast<std::uint64_t>(&piece - pieces_.data()),
        .file = file_,
        .offset = static_cast<std::uint64_t>(piece.from_ - segment_base_),
        .into = std::span(piece.memory).subspan(kHeadroom, piece.end - kHeadroom)};
    if (!storage_.submit(*this, request)) {
        return false;
    }
    piece.state_ = Piece::State::kReading;
    piece.asked_ = now;
    piece.is_counted_ = false;
    return true;
}

void ReplayReader::on_storage(port::StorageCompletion& completion) {
    const auto failed = [&](const char* what) {
        fail(storage_error(completion, what + segment_name(subject_.recording_id, segment_base_)).message);
    };
    switch (completion.token) {
        case kOpen:
            is_opening_ = false;
            if (completion.ok()) {
                file_ = completion.file;
                sidecar_.open(segment_base_);
            } else {
                failed("cannot open segment ");
            }
            return;
        case kClose: is_closing_ = false; return;
        default: break;
    }
    Piece& piece = pieces_[completion.token];
    FULMAR_ASSERT(piece.state_ == Piece::State::kReading, "a read completes once");
    if (completion.ok()) {
        return check(piece, completion.value);
    }
    piece.state_ = Piece::State::kPlanned;
    if (++piece.attempts_ == kReadAttempts) {
        failed("cannot read segment ");
    }
}

void ReplayReader::check(Piece& piece, std::size_t bytes) {
    const std::size_t wanted = piece.end - kHeadroom;
    piece.state_ = Piece::State::kPlanned;  // to be read again, unless all is well
    ++piece.attempts_;
    if (bytes < wanted) {
        if (piece.attempts_ == kReadAttempts) {
            const auto lacking = static_cast<std::int64_t>(bytes);
            fail_damaged(piece.from_ + lacking, read_position_, "the file ends before them");
        }
        return;
    }
    std::int64_t position = piece.from_;
    std::size_t at = kHeadroom;
    for (const Piece::Block& block : piece.blocks_) {
        const auto covered = static_cast<std::size_t>(block.covered);
        const auto content = std::span<const std::byte>(piece.memory).subspan(at, covered);
        // What the file does not have of a block has to be padding.
        const bool is_whole =
            block.length == block.covered ||
            wire::align_frame(wire::read_data_header(content.data()).frame_length) >= block.length;
        if ((crc32c(content) != block.checksum || !is_whole) && !FULMAR_PLANTED(kReplayUnchecked)) {
            if (piece.attempts_ == kReadAttempts) {
                fail_damaged(position, position + block.length, "its checksum does not match");
            }
            return;
        }
        position += block.length;
        at += covered;
    }
    piece.state_ = Piece::State::kReady;
}

void ReplayReader::pop() {
    front().state_ = Piece::State::kFree;
    front_ = 1 - front_;
}

bool ReplayReader::carry_over() {
    Piece& from = front();
    Piece& to = back();
    FULMAR_ASSERT(to.is_ready(), "there is somewhere to carry it");
    const std::size_t left = from.end - from.begin;
    if (left > kHeadroom || to.position != from.position + static_cast<std::int64_t>(left)) {
        return false;
    }
    to.begin -= left;
    to.position -= static_cast<std::int64_t>(left);
    to.stamped = to.begin;
    std::memcpy(to.memory.data() + to.begin, from.memory.data() + from.begin, left);
    pop();
    return true;
}

void ReplayReader::count_reads(Instant now) {
    for (Piece& piece : pieces_) {
        if (!piece.is_counted_ && piece.is_ready()) {
            const auto took = static_cast<std::uint64_t>((now - piece.asked_).ns);
            reads_.add({.bytes = piece.end - kHeadroom, .ns_total = took, .ns_max = took});
            piece.is_counted_ = true;
        }
    }
}

}  // namespace fulmar::archive
