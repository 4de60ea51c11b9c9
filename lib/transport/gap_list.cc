#include "transport/gap_list.h"

#include <algorithm>

#include "base/plant.h"

namespace fulmar::transport {

std::size_t GapList::first_ending_after(std::int64_t position) const {
    const auto* const end = gaps_.data() + count_;
    const auto* const found =
        std::partition_point(gaps_.data(), end, [position](const Gap& gap) { return gap.end <= position; });
    return static_cast<std::size_t>(found - gaps_.data());
}

GapList::Fit GapList::fit(std::int64_t begin, std::int64_t end) const {
    if (begin >= hwm_) {
        return Fit::kNew;
    }
    const std::size_t index = first_ending_after(begin);
    if (index == count_ || gaps_[index].begin >= end) {
        return end > hwm_ ? Fit::kPartial : Fit::kDuplicate;
    }
    const Gap& gap = gaps_[index];
    return gap.begin <= begin && end <= gap.end ? Fit::kNew : Fit::kPartial;
}

bool GapList::is_in_gap(std::int64_t position) const {
    const std::size_t index = first_ending_after(position);
    return index < count_ && gaps_[index].begin <= position;
}

bool GapList::push_back(Gap gap) {
    if (count_ == kGapsMax) {
        return false;
    }
    gaps_[count_++] = gap;
    return true;
}

void GapList::erase(std::size_t index) {
    std::copy(gaps_.begin() + static_cast<std::ptrdiff_t>(index) + 1,
        gaps_.begin() + static_cast<std::ptrdiff_t>(count_),
        gaps_.begin() + static_cast<std::ptrdiff_t>(index));
    --count_;
}

bool GapList::arrive(std::int64_t begin, std::int64_t end, Instant first_nak) {
    if (begin >= hwm_) {
        if (begin > hwm_ && !FULMAR_PLANTED(kGapOverrun) && !push_back({hwm_, begin, first_nak, 0})) {
            return false;
        }
        hwm_ = end;
        return true;
    }
    std::size_t index = first_ending_after(begin);
    if (index < count_ && gaps_[index].begin < begin && end < gaps_[index].end) {
        if (count_ == kGapsMax) {
            return false;
        }
        std::copy_backward(gaps_.begin() + static_cast<std::ptrdiff_t>(index),
            gaps_.begin() + static_cast<std::ptrdiff_t>(count_),
            gaps_.begin() + static_cast<std::ptrdiff_t>(count_) + 1);
        ++count_;
        gaps_[index].end = begin;
        gaps_[index + 1].begin = end;
        if (FULMAR_PLANTED(kGapForgetsSplit)) {
            erase(index + 1);
        }
    } else {
        while (index < count_ && gaps_[index].begin < end) {
            Gap& gap = gaps_[index];
            if (begin <= gap.begin && gap.end <= end) {
                erase(index);
                continue;
            }
            if (gap.begin < begin) {
                gap.end = begin;
            } else {
                gap.begin = end;
            }
            ++index;
        }
    }
    hwm_ = std::max(hwm_, end);
    return true;
}

bool GapList::announce(std::int64_t position, Instant first_nak) {
    if (position <= hwm_) {
        return true;
    }
    // A gap at the end grows instead of getting a neighbour.
    if (count_ > 0 && gaps_[count_ - 1].end == hwm_) {
        gaps_[count_ - 1].end = position;
    } else if (!push_back({hwm_, position, first_nak, 0})) {
        return false;
    }
    hwm_ = position;
    return true;
}

Instant GapList::next_deadline() const {
    Instant deadline = Instant::never();
    for (std::size_t i = 0; i < count_; ++i) {
        deadline = earlier(deadline, gaps_[i].next_nak);
    }
    return deadline;
}

}  // namespace fulmar::transport
