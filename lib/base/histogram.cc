#include "base/histogram.h"

#include <algorithm>
#include <cmath>

namespace fulmar::base {

Histogram::Histogram() : counts_(index_of(kHighestTrackable) + 1, 0) {}

void Histogram::add(const Histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        counts_[i] += other.counts_[i];
    }
    total_ += other.total_;
    sum_ += other.sum_;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
}

void Histogram::reset() {
    *this = Histogram();
}

std::int64_t Histogram::highest_equivalent(std::size_t index) {
    constexpr std::size_t half = std::size_t{1} << (kSubBucketBits - 1);
    if (index < 2 * half) {
        return static_cast<std::int64_t>(index);
    }
    const std::size_t bucket = (index >> (kSubBucketBits - 1)) - 1;
    const std::size_t sub_bucket = (index & (half - 1)) + half;
    return static_cast<std::int64_t>(((sub_bucket + 1) << bucket) - 1);
}

std::int64_t Histogram::value_at_percentile(double percentile) const {
    if (total_ == 0) {
        return 0;
    }
    const double wanted = std::ceil(std::clamp(percentile, 0.0, 100.0) / 100.0 * static_cast<double>(total_));
    const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        if (seen >= rank) {
            return std::min(highest_equivalent(i), max_);
        }
    }
    return max_;
}

std::size_t Histogram::used_length() const {
    std::size_t length = counts_.size();
    while (length > 0 && counts_[length - 1] == 0) {
        --length;
    }
    return length;
}

}  // namespace fulmar::base
