#include "transport/group_flow_control.h"

#include <algorithm>

#include "base/plant.h"

namespace fulmar::transport {

std::int64_t GroupFlowControl::lowest() const {
    std::int64_t lowest = INT64_MAX;
    for (std::size_t i = 0; i < count_; ++i) {
        lowest = std::min(lowest, receivers_[i].limit);
    }
    if (FULMAR_PLANTED(kGroupFollowsFastest)) {
        for (std::size_t i = 0; i < count_; ++i) {
            lowest = std::max(lowest, receivers_[i].limit);
        }
    }
    return setup_limit_ ? std::min(lowest, *setup_limit_) : lowest;
}

std::int64_t GroupFlowControl::limit_of_group(std::int64_t limit) const {
    return count_ == 0 || !has_required_receivers() ? limit : std::max(limit, lowest());
}

std::int64_t GroupFlowControl::on_status_message(
    Instant now, const wire::StatusMessage& message, std::int64_t position, std::int64_t limit) {
    const bool is_waited_for = !options_.tag || (message.has_group_tag && message.group_tag == *options_.tag);
    const bool is_leaving = (message.flags & wire::flag::kSmEndOfStream) != 0;
    const std::int64_t receiver_limit = position + message.receiver_window;
    if (is_leaving) {
        remove(message.receiver_id);
    } else if (is_waited_for) {
        std::size_t index = 0;
        while (index < count_ && receivers_[index].id != message.receiver_id) {
            ++index;
        }
        if (index < count_) {
            receivers_[index].limit = std::max(receivers_[index].limit, receiver_limit);
            receivers_[index].heard = now;
        } else if (count_ < kReceiversMax &&
                   (count_ == 0 || receiver_limit >= lowest() - message.receiver_window)) {
            receivers_[count_++] = {message.receiver_id, receiver_limit, now};
            options_.receivers.set_release(static_cast<std::int64_t>(count_));
            setup_limit_.reset();
        }
    }
    if (!has_required_receivers()) {
        return limit;
    }
    // Where nobody is waited for, whoever listens may pull the stream on.
    return count_ == 0 ? std::max(limit, receiver_limit) : limit_of_group(limit);
}

std::int64_t GroupFlowControl::on_idle(Instant now, std::int64_t limit) {
    for (std::size_t i = 0; i < count_;) {
        if (now - receivers_[i].heard > options_.receiver_timeout && !FULMAR_PLANTED(kDeadReceiverStays)) {
            erase(i);
        } else {
            ++i;
        }
    }
    if (setup_limit_ && now > setup_until_) {
        setup_limit_.reset();
    }
    return limit_of_group(limit);
}

void GroupFlowControl::on_setup(Instant now, std::int64_t limit) {
    if (count_ > 0 && !setup_limit_) {
        setup_limit_ = limit;
        setup_until_ = now + options_.receiver_timeout;
    }
}

void GroupFlowControl::remove(std::int64_t receiver_id) {
    for (std::size_t i = 0; i < count_; ++i) {
        if (receivers_[i].id == receiver_id) {
            erase(i);
            return;
        }
    }
}

void GroupFlowControl::erase(std::size_t index) {
    receivers_[index] = receivers_[--count_];
    options_.receivers.set_release(static_cast<std::int64_t>(count_));
}

void GroupFlowControl::forgive(Duration silence) {
    for (std::size_t i = 0; i < count_; ++i) {
        receivers_[i].heard = receivers_[i].heard + silence;
    }
    setup_until_ = setup_until_ + silence;
}

}  // namespace fulmar::transport
