#include "transport/receiver_liveness.h"

namespace fulmar::transport {

void ReceiverLiveness::heard(std::int64_t receiver_id, Instant now) {
    for (std::size_t i = 0; i < count_; ++i) {
        if (entries_[i].receiver_id == receiver_id) {
            entries_[i].heard = now;
            return;
        }
    }
    std::size_t slot = count_;
    if (count_ == kReceiversMax) {
        slot = 0;
        for (std::size_t i = 1; i < count_; ++i) {
            if (entries_[i].heard < entries_[slot].heard) {
                slot = i;
            }
        }
    } else {
        ++count_;
    }
    entries_[slot] = {receiver_id, now};
}

bool ReceiverLiveness::remove(std::int64_t receiver_id) {
    for (std::size_t i = 0; i < count_; ++i) {
        if (entries_[i].receiver_id == receiver_id) {
            entries_[i] = entries_[--count_];
            return true;
        }
    }
    return false;
}

void ReceiverLiveness::forgive(Duration silence) {
    for (std::size_t i = 0; i < count_; ++i) {
        entries_[i].heard = entries_[i].heard + silence;
    }
}

void ReceiverLiveness::expire(Instant now, Duration timeout) {
    for (std::size_t i = 0; i < count_;) {
        if (now - entries_[i].heard > timeout) {
            entries_[i] = entries_[--count_];
        } else {
            ++i;
        }
    }
}

}  // namespace fulmar::transport
