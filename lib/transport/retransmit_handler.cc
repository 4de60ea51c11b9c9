#include "transport/retransmit_handler.h"

#include <algorithm>

namespace fulmar::transport {

using State = RetransmitHandler::Range::State;

RetransmitHandler::Verdict RetransmitHandler::on_nak(
    Instant now, std::int64_t position, std::int32_t length) {
    Range* free_slot = nullptr;
    for (std::size_t i = 0; i < slots(); ++i) {
        Range& range = ranges_[i];
        if (range.state == State::kLinger && now >= range.deadline) {
            drop(range);
        }
        if (range.state == State::kFree) {
            free_slot = free_slot == nullptr ? &range : free_slot;
        } else if (position >= range.begin && position < range.end) {
            return Verdict::kRepeat;
        }
    }
    if (free_slot == nullptr) {
        return Verdict::kOverflow;
    }
    *free_slot = {position, position, position + length, now + options_.delay, State::kDelayed};
    ++active_;
    return Verdict::kAccepted;
}

RetransmitHandler::Range* RetransmitHandler::due(Instant now) {
    if (active_ == 0) {
        return nullptr;
    }
    for (std::size_t n = 0; n < slots(); ++n) {
        Range& range = ranges_[cursor_];
        if (range.state == State::kSending || (range.state == State::kDelayed && now >= range.deadline)) {
            range.state = State::kSending;
            return &range;
        }
        cursor_ = cursor_ + 1 < slots() ? cursor_ + 1 : 0;
    }
    return nullptr;
}

void RetransmitHandler::sent(Range& range, Instant now) {
    range.state = State::kLinger;
    range.deadline = now + options_.linger;
}

void RetransmitHandler::drop(Range& range) {
    range.state = State::kFree;
    --active_;
}

void RetransmitHandler::untake(std::int64_t position) {
    for (std::size_t i = 0; i < slots(); ++i) {
        Range& range = ranges_[i];
        if (range.state != State::kFree && position >= range.begin && position < range.end) {
            range.next = std::min(range.next, position);
            range.state = State::kSending;
        }
    }
}

void RetransmitHandler::on_timer(Instant now) {
    if (active_ == 0) {
        return;
    }
    for (std::size_t i = 0; i < slots(); ++i) {
        if (ranges_[i].state == State::kLinger && now >= ranges_[i].deadline) {
            drop(ranges_[i]);
        }
    }
}

}  // namespace fulmar::transport
