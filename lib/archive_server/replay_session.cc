#include "archive_server/replay_session.h"

#include <algorithm>

#include "archive/checksum.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "wire/frame.h"

namespace fulmar::archive {

ReplaySession::ReplaySession(Init init, StorageHub& storage)
    : init_(std::move(init)),
      reader_({.recording_id = init_.recording_id,
                  .shape = init_.shape,
                  .session_id = init_.session_id,
                  .start_position = init_.start_position,
                  .position = init_.position,
                  .read_length = init_.read_length},
          storage),
      deadline_(init_.now + init_.connect_timeout),
      position_(init_.position),
      recorded_(init_.position),
      position_told_(init_.position) {}

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
        may_grow_ = !has_ended;
    }
    recorded_ = recorded;
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
    if (is_stopping_ && state_ != State::kEnding) {
        end(Outcome::kStopped);
    }
    if (state_ == State::kEnding) {
        state_ = reader_.close() ? State::kEnded : State::kEnding;
        return state_ == State::kEnded ? 1 : 0;
    }
    int work = read_ahead(now);
    switch (state_) {
        case State::kOpening:
            look_at_first(now);
            work += state_ != State::kOpening ? 1 : 0;
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

int ReplaySession::read_ahead(Instant now) {
    const std::int64_t until = limit();
    const int work = reader_.poll(now, {.until = until, .recorded = recorded_, .may_grow = may_grow_});
    if (const auto& failure = reader_.failure()) {
        found_damage_ = failure->is_damage;
        fail(ArchiveErrorCode::kGeneric, failure->why);
    }
    return work;
}

void ReplaySession::look_at_first(Instant now) {
    if (reader_.front().is_ready()) {
        const Run run = next_run(reader_.front(), INT64_MAX);
        if (run.is_spoilt) {
            fail_damaged("holds a frame whose checksum does not match");
        } else if (run.is_damaged || run.is_cut) {
            fail(ArchiveErrorCode::kInvalidPosition,
                "position " + std::to_string(init_.position) + " is not the beginning of a frame");
        } else {
            state_ = State::kAwaiting;
        }
    } else if (limit() <= init_.position) {
        state_ = State::kAwaiting;  // there is nothing yet to look at
    } else if (now > deadline_) {
        fail(ArchiveErrorCode::kGeneric,
            "the segment of position " + std::to_string(init_.position) + " did not appear in time");
    }
}

void ReplaySession::end(Outcome outcome) {
    outcome_ = outcome;
    state_ = State::kEnding;
}

void ReplaySession::fail(ArchiveErrorCode code, const std::string& why) {
    error_code_ = code;
    error_ = "replay of recording " + std::to_string(init_.recording_id) + ": " + why;
    end(Outcome::kFailed);
}

void ReplaySession::fail_damaged(const std::string& why) {
    found_damage_ = true;
    fail(ArchiveErrorCode::kGeneric, "position " + std::to_string(position_) + " " + why +
                                         ": the segment is damaged; see `fulmar archive verify`");
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
        if (!stamp(piece, at, length)) {
            run.is_spoilt = at == piece.begin;
            return run;
        }
        run.length += length;
        at += length;
    }
}

/// Gives a frame the publication's ids, once. False: its checksum does not match.
bool ReplaySession::stamp(Piece& piece, std::size_t at, std::size_t length) {
    if (at < piece.stamped) {
        return true;  // it was offered before, in vain
    }
    const auto frame = std::span(piece.memory).subspan(at, length);
    if (init_.checks_frames && !piece.is_covered() && !frame_checksum_matches(frame)) {
        return false;
    }
    base::store_le<std::int32_t>(frame.data(), wire::field::kSessionId, init_.publication->session_id());
    base::store_le<std::int32_t>(frame.data(), wire::field::kStreamId, init_.publication->stream_id());
    piece.stamped = at + length;
    return true;
}

bool ReplaySession::carry_over() {
    if (!reader_.back().is_ready()) {
        return false;
    }
    if (!reader_.carry_over()) {
        fail_damaged("holds no frame that ends where the next one begins");
    }
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
        } else if (!reader_.front().is_ready()) {
            (void)limit();  // a recording that stopped moves the end
            break;
        } else if (!offer_from(reader_.front())) {
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
        reader_.pop();
        return true;
    }
    piece.begin += static_cast<std::size_t>(skip);
    piece.position = position_;
    // Blocks that were read to be checked may go on behind what may be sent.
    const std::int64_t sendable = limit() - position_;
    if (sendable <= 0) {
        return false;
    }
    const Run run = next_run(piece, std::min(init_.publication->available_window(), sendable));
    if (run.is_damaged) {
        fail_damaged("holds no frame of it");
        return true;
    }
    if (run.is_spoilt) {
        fail_damaged("holds a frame whose checksum does not match");
        return true;
    }
    if (run.padding > 0) {
        padding_end_ = position_ + run.padding;
        return true;
    }
    if (run.is_cut) {
        return carry_over();
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
