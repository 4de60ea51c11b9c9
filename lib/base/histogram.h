/// A histogram of latencies with three significant digits at constant cost: the bucket layout of
/// HdrHistogram, so that its tools can read what we write.
/// units: whatever is recorded, nanoseconds by custom.  threads: one writer.
/// source: HdrHistogram, sub-buckets of 2048.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fulmar::base {

class Histogram {
  public:
    static constexpr int kSignificantDigits = 3;
    static constexpr int kSubBucketBits = 11;                                 ///< 2048 >= 2 * 10^3
    static constexpr std::int64_t kHighestTrackable = std::int64_t{1} << 37;  ///< over two minutes in ns

    Histogram();

    /// Values outside [0, kHighestTrackable] count as the nearest end.
    void record(std::int64_t value) {
        value = value < 0 ? 0 : (value > kHighestTrackable ? kHighestTrackable : value);
        ++counts_[index_of(value)];
        ++total_;
        sum_ += static_cast<double>(value);
        min_ = value < min_ ? value : min_;
        max_ = value > max_ ? value : max_;
    }
    void add(const Histogram& other);
    void reset();

    [[nodiscard]] std::uint64_t total() const { return total_; }
    [[nodiscard]] std::int64_t min() const { return total_ == 0 ? 0 : min_; }
    [[nodiscard]] std::int64_t max() const { return max_; }
    [[nodiscard]] double mean() const { return total_ == 0 ? 0.0 : sum_ / static_cast<double>(total_); }
    /// Smallest recorded value (at our resolution) that `percentile` % of all are not above; 0 when empty.
    [[nodiscard]] std::int64_t value_at_percentile(double percentile) const;

    /// Counts in bucket order, trailing zeros cut, as the HdrHistogram encodings want them.
    [[nodiscard]] std::size_t used_length() const;
    [[nodiscard]] std::uint64_t count_at(std::size_t index) const { return counts_[index]; }
    [[nodiscard]] static std::int64_t highest_equivalent(std::size_t index);

  private:
    [[nodiscard]] static std::size_t index_of(std::int64_t value) {
        constexpr std::uint64_t mask = (std::uint64_t{1} << kSubBucketBits) - 1;
        const auto bits = static_cast<std::uint64_t>(value);
        const int bucket = 64 - std::countl_zero(bits | mask) - kSubBucketBits;
        const auto sub_bucket = static_cast<std::size_t>(bits >> bucket);
        return (static_cast<std::size_t>(bucket) << (kSubBucketBits - 1)) + sub_bucket;
    }

    std::vector<std::uint64_t> counts_;
    std::uint64_t total_ = 0;
    double sum_ = 0;
    std::int64_t min_ = kHighestTrackable;
    std::int64_t max_ = 0;
};

}  // namespace fulmar::base
