#include "archive_server/replay_session.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/bytes.h"
#include "wire/frame.h"

namespace fulmar::archive {
namespace {

enum Token : std::uint64_t { kReadFirst = 0, kReadSecond = 1, kOpen = 2, kClose = 3 };

}  // namespace

ReplaySession::ReplaySession(Init init, StorageHub& storage)
    : init_(std::move(init)),
      storage_(storage),
      deadline_(init_.now + init_.connect_timeout),
      read_position_(init_.position),
      position_(init_.position),
      position_told_(init_.position) {
    for (Piece& piece : pieces_) {
        piece.memory.resize(kHeadroom + static_cast<std::size_t>(init_.read_length));
    }
}

std::int64_t ReplaySession::limit() {
    std::int64_t recorded = init_.stop_position;
    if (init_.live != nullptr) {
        // SYNC(recording.ended): acquire; the position read after it is final.
        const bool has_ended = init_.live->has_ended.load(std::memory_order_acquire);
        // SYNC(recording.position): acquire; the bytes below are in the files.
        recorded = init_.live->position.load(std::memory_order_acquire);
        if (has_ended) {
            init_.end = std::min(init_.end, recorded);
        }
    }
    if (init_.limit_counter_id != kNullCounterId) {
        const std::int64_t value = init_.counters.value(init_.limit_counter_id);
        if (init_.counters.is_allocated(init_.limit_counter_id) &&
            init_.counters.registration_id(init_.limit_counter_id) == init_.limit_registration_id) {
            init_.limit = std::max(init_.limit, value);
        } else {
            init_.end = std::min(init_.end, init_.limit);  // it will not move any more
        }
        recorded = std::min(recorded, init_.limit);
    }
    return std::min(recorded, init_.end);
}

int ReplaySession::poll(Instant now) {
    if (state_ == State::kEnded) {
        return 0;
    }
    count_reads(now);
    if (is_stopping_ && state_ != State::kEnding) {
        end(Outcome::kStopped);
    }
    int work = 0;
    if (state_ == State::kEnding) {
        if (is_busy()) {
            return 0;
        }
        if (file_ != port::FileHandle::kNone) {
            port::StorageRequest request{
                .op = port::StorageRequest::Op::kClose, .token = kClose, .file = file_};
            if (storage_.submit(*this, request)) {
                is_closing_ = true;
                file_ = port::FileHandle::kNone;
            }
            return 1;
        }
        state_ = State::kEnded;
        return 1;
    }
    work += read_ahead(now);
    switch (state_) {
        case State::kOpening:
            if (pieces_[0].state == Piece::State::kReady) {
                const Run run = next_run(pieces_[0], INT64_MAX);
                if (run.is_damaged || run.is_cut) {
                    fail(ArchiveErrorCode::kInvalidPosition,
                        "position " + std::to_string(init_.position) + " is not the beginning of a frame");
                } else {
                    state_ = State::kAwaiting;
                }
                work += 1;
            } else if (limit() <= init_.position) {
                state_ = State::kAwaiting;  // there is nothing yet to look at
                work += 1;
            } else if (now > deadline_) {
                fail(ArchiveErrorCode::kGeneric,
                    "the segment of position " + std::to_string(init_.position) + " did not appear in time");
            }
            break;
        case State::kAwaiting:
            if (init_.publication->is_connected()) {
                state_ = State::kReplaying;
                work += 1;
            } else if (now > deadline_) {
                fail(ArchiveErrorCode::kGeneric,
                    "no subscriber came to the replay within the connect timeout");
            }
            break;
        case State::kReplaying: work += offer(); break;
        case State::kEnding:
        case State::kEnded: break;
    }
    return work;
}

void ReplaySession::count_reads(Instant now) {
    for (Piece& piece : pieces_) {
        if (!piece.is_counted && piece.state == Piece::State::kReady) {
            const auto took = static_cast<std::uint64_t>((now - piece.asked).ns);
            reads_.add({.bytes = piece.end - piece.begin, .ns_total = took, .ns_max = took});
            piece.is_counted = true;
        }
    }
}

bool ReplaySession::is_busy() const {
    return is_opening_ || is_closing_ || pieces_[0].state == Piece::State::kReading ||
           pieces_[1].state == Piece::State::kReading;
}

void ReplaySession::end(Outcome outcome) {
    outcome_ = outcome;
    state_ = State::kEnding;
}

void ReplaySession::fail(ArchiveErrorCode code, std::string why) {
    error_code_ = code;
    error_ = "replay of recording " + std::to_string(init_.recording_id) + ": " + why;
    end(Outcome::kFailed);
}

bool ReplaySession::open_segment() {
    const std::int64_t base = segment_base(
        init_.start_position, read_position_, init_.shape.term_length, init_.shape.segment_length);
    if (base == segment_base_ && file_ != port::FileHandle::kNone) {
        return true;
    }
    if (is_busy()) {
        return false;  // of the segment before
    }
    if (file_ != port::FileHandle::kNone) {
        port::StorageRequest request{.op = port::StorageRequest::Op::kClose, .token = kClose, .file = file_};
        if (storage_.submit(*this, request)) {
            is_closing_ = true;
            file_ = port::FileHandle::kNone;
        }
        return false;
    }
    port::StorageRequest request{.op = port::StorageRequest::Op::kOpen,
        .token = kOpen,
        .name = segment_name(init_.recording_id, base)};
    if (storage_.submit(*this, request)) {
        is_opening_ = true;
        segment_base_ = base;
    }
    return false;
}

int ReplaySession::read_ahead(Instant now) {
    int work = 0;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        Piece& piece = pieces_[(offering_ + i) % 2];
        if (piece.state != Piece::State::kFree) {
            continue;
        }
        const std::int64_t end = limit();
        if (read_position_ >= end || is_stopping_ || !open_segment()) {
            break;
        }
        const std::int64_t segment_end = segment_base_ + init_.shape.segment_length;
        const auto length = static_cast<std::size_t>(
            std::min<std::int64_t>({end - read_position_, segment_end - read_position_, init_.read_length}));
        const auto index = static_cast<std::uint64_t>(&piece - pieces_.data());
        port::StorageRequest request{.op = port::StorageRequest::Op::kRead,
            .token = index,
            .file = file_,
            .offset = static_cast<std::uint64_t>(read_position_ - segment_base_),
            .into = std::span(piece.memory).subspan(kHeadroom, length)};
        if (!storage_.submit(*this, request)) {
            break;
        }
        piece.state = Piece::State::kReading;
        piece.asked = now;
        piece.is_counted = false;
        piece.position = read_position_;
        piece.begin = kHeadroom;
        piece.end = kHeadroom + length;
        read_position_ += static_cast<std::int64_t>(length);
        ++work;
        break;  // the other one is read when this one is there: pieces come in order
    }
    return work;
}

void ReplaySession::on_storage(port::StorageCompletion& completion) {
    const auto failed = [&](std::string_view what) {
        fail(ArchiveErrorCode::kGeneric,
            std::string(what) + " " + segment_name(init_.recording_id, segment_base_) + ": " +
                std::string(port::to_string(completion.code)) +
                (completion.detail.empty() ? "" : " (" + completion.detail + ")"));
    };
    switch (completion.token) {
        case kOpen:
            is_opening_ = false;
            if (completion.ok()) {
                file_ = completion.file;
            } else {
                failed("cannot open segment");
            }
            return;
        case kClose: is_closing_ = false; return;
        default: break;
    }
    Piece& piece = pieces_[completion.token];
    FULMAR_ASSERT(piece.state == Piece::State::kReading, "a read completes once");
    if (!completion.ok()) {
        piece.state = Piece::State::kFree;
        failed("cannot read segment");
        return;
    }
    if (completion.value < piece.end - piece.begin) {
        piece.state = Piece::State::kFree;
        fail(ArchiveErrorCode::kGeneric, "segment " + segment_name(init_.recording_id, segment_base_) +
                                             " ends " +
                                             std::to_string(piece.end - piece.begin - completion.value) +
                                             " bytes before position " + std::to_string(read_position_));
        return;
    }
    piece.state = Piece::State::kReady;
}

std::int32_t ReplaySession::term_id_at(std::int64_t position) const {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(init_.shape.initial_term_id) +
                                     static_cast<std::uint32_t>(position / init_.shape.term_length));
}

bool ReplaySession::is_frame(const wire::DataHeader& header, std::int64_t position) const {
    const ExclusivePublication& publication = *init_.publication;
    const bool is_ours =
        header.stream_id == init_.shape.stream_id ||
        // It was offered before in vain: then it has the publication's ids already.
        (header.stream_id == publication.stream_id() && header.session_id == publication.session_id());
    const auto offset = static_cast<std::int32_t>(position % init_.shape.term_length);
    return is_ours && header.frame_length >= wire::kDataHeaderLength &&
           header.frame_length <= init_.shape.term_length - offset && header.term_offset == offset &&
           header.term_id == term_id_at(position) &&
           (header.type == wire::FrameType::kData || header.type == wire::FrameType::kPad);
}

ReplaySession::Run ReplaySession::next_run(Piece& piece, std::int64_t window) {
    const std::int64_t term_left = init_.shape.term_length - position_ % init_.shape.term_length;
    const std::int64_t room = std::min(window, term_left);
    Run run;
    for (std::size_t at = piece.begin;;) {
        if (at + wire::kDataHeaderLength > piece.end) {
            run.is_cut = at == piece.begin;
            return run;
        }
        std::byte* frame = piece.memory.data() + at;
        const wire::DataHeader header = wire::read_data_header(frame);
        if (!is_frame(header, position_ + static_cast<std::int64_t>(run.length))) {
            run.is_damaged = at == piece.begin;
            return run;
        }
        const auto length = static_cast<std::size_t>(wire::align_frame(header.frame_length));
        if (header.type == wire::FrameType::kPad) {
            if (at == piece.begin) {
                run.padding = static_cast<std::int64_t>(length);
            }
            return run;
        }
        if (at + length > piece.end) {
            run.is_cut = at == piece.begin;
            return run;
        }
        if (static_cast<std::int64_t>(run.length + length) > room) {
            return run;
        }
        base::store_le<std::int32_t>(frame, wire::field::kSessionId, init_.publication->session_id());
        base::store_le<std::int32_t>(frame, wire::field::kStreamId, init_.publication->stream_id());
        run.length += length;
        at += length;
    }
}

bool ReplaySession::carry_over(Piece& from, Piece& to) {
    const std::size_t left = from.end - from.begin;
    if (to.state != Piece::State::kReady || left > kHeadroom) {
        return false;
    }
    to.begin -= left;
    to.position -= static_cast<std::int64_t>(left);
    std::memcpy(to.memory.data() + to.begin, from.memory.data() + from.begin, left);
    from.state = Piece::State::kFree;
    offering_ = 1 - offering_;
    return true;
}

int ReplaySession::offer() {
    if (!init_.publication->is_connected()) {
        end(Outcome::kStopped);
        return 1;
    }
    int work = 0;
    while (state_ == State::kReplaying) {
        if (position_ >= init_.end) {
            end(Outcome::kCompleted);
        } else if (position_ < padding_end_) {
            if (!offer_padding()) {
                break;
            }
        } else if (pieces_[offering_].state != Piece::State::kReady) {
            (void)limit();  // a recording that stopped moves the end
            break;
        } else if (!offer_from(pieces_[offering_])) {
            break;
        }
        ++work;
    }
    return work;
}

bool ReplaySession::offer_padding() {
    // What the unblocker made of dead claims may be longer than a message: it goes out in parts.
    const std::int64_t part = std::min<std::int64_t>(padding_end_ - position_,
        init_.publication->max_message_length() / wire::kFrameAlignment * wire::kFrameAlignment);
    return has_gone([&] {
        return init_.publication->append_padding(static_cast<std::int32_t>(part) - wire::kDataHeaderLength);
    });
}

bool ReplaySession::offer_from(Piece& piece) {
    // Padding reaches over pieces: what it covers is not there to be offered.
    const std::int64_t skip = position_ - piece.position;
    FULMAR_ASSERT(skip >= 0, "a piece begins at or before the position");
    if (static_cast<std::size_t>(skip) >= piece.end - piece.begin) {
        piece.state = Piece::State::kFree;
        offering_ = 1 - offering_;
        return true;
    }
    piece.begin += static_cast<std::size_t>(skip);
    piece.position = position_;
    const Run run = next_run(piece, init_.publication->available_window());
    if (run.is_damaged) {
        fail(ArchiveErrorCode::kGeneric,
            "position " + std::to_string(position_) +
                " holds no frame of it: the segment is damaged; see `fulmar archive verify`");
        return true;
    }
    if (run.padding > 0) {
        padding_end_ = position_ + run.padding;
        return true;
    }
    if (run.is_cut) {
        return carry_over(piece, pieces_[1 - offering_]);
    }
    if (run.length == 0) {
        return false;  // no window
    }
    const std::span<const std::byte> frames(piece.memory.data() + piece.begin, run.length);
    return has_gone([&] { return init_.publication->offer_block(frames); });
}

template <class Send>
bool ReplaySession::has_gone(Send&& send) {
    OfferResult result = send();
    if (result.is_admin_action()) {
        result = send();
    }
    if (!result.is_ok()) {
        if (!result.is_worth_retrying() && !result.is_not_connected()) {
            fail(ArchiveErrorCode::kGeneric, "its stream takes no more: " + std::string(result.to_string()));
            return true;
        }
        return false;
    }
    position_ = result.position();
    position_told_.store(position_, std::memory_order_relaxed);  // relaxed: a hint for who deletes
    return true;
}

}  // namespace fulmar::archive
