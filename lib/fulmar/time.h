/// Durations and instants of the monotonic clock, as strong types in nanoseconds.
/// threads: values, no sharing.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace fulmar {

/// A length of time.  units: nanoseconds.
struct Duration {
    std::int64_t ns = 0;

    constexpr auto operator<=>(const Duration&) const = default;
    constexpr Duration operator+(Duration other) const { return {ns + other.ns}; }
    constexpr Duration operator-(Duration other) const { return {ns - other.ns}; }
    constexpr Duration operator*(std::int64_t factor) const { return {ns * factor}; }
    constexpr Duration operator/(std::int64_t divisor) const { return {ns / divisor}; }
};

constexpr Duration nanoseconds(std::int64_t n) {
    return {n};
}
constexpr Duration microseconds(std::int64_t n) {
    return {n * 1'000};
}
constexpr Duration milliseconds(std::int64_t n) {
    return {n * 1'000'000};
}
constexpr Duration seconds(std::int64_t n) {
    return {n * 1'000'000'000};
}

/// A point on the monotonic clock of one process or one simulation; never wall time.
struct Instant {
    std::int64_t ns = 0;

    static constexpr Instant never() { return {std::numeric_limits<std::int64_t>::max()}; }

    constexpr auto operator<=>(const Instant&) const = default;
    constexpr Instant operator+(Duration d) const { return {ns + d.ns}; }
    constexpr Instant operator-(Duration d) const { return {ns - d.ns}; }
    constexpr Duration operator-(Instant other) const { return {ns - other.ns}; }
};

constexpr Instant earlier(Instant a, Instant b) {
    return a < b ? a : b;
}

}  // namespace fulmar
