#include <array>
#include <limits>
#include <optional>

#include "config/duration.h"
#include "config/size.h"
#include "config/text.h"

namespace fulmar::config {
namespace {

struct Unit {
    std::string_view suffix;
    std::int64_t factor;
};

// Longest suffixes first, as "s" ends all of them.
constexpr std::array kTimeUnits{
    Unit{"ns", 1}, Unit{"us", 1'000}, Unit{"ms", 1'000'000}, Unit{"s", 1'000'000'000}};
constexpr std::array kSizeUnits{
    Unit{"g", std::int64_t{1} << 30}, Unit{"m", std::int64_t{1} << 20}, Unit{"k", std::int64_t{1} << 10}};

/// A whole number, a suffix of the table or none; nullopt when malformed or beyond 63 bits.
template <std::size_t kCount>
std::optional<std::int64_t> parse_with_unit(std::string_view text, const std::array<Unit, kCount>& units) {
    const std::string lowered = to_lower(text);
    std::string_view digits = lowered;
    std::int64_t factor = 1;
    for (const Unit& unit : units) {
        if (digits.ends_with(unit.suffix)) {
            digits.remove_suffix(unit.suffix.size());
            factor = unit.factor;
            break;
        }
    }
    const auto value = parse_int64(digits);
    if (!value || digits.front() == '-' || *value > std::numeric_limits<std::int64_t>::max() / factor) {
        return std::nullopt;
    }
    return *value * factor;
}

template <std::size_t kCount>
std::string format_with_unit(
    std::int64_t value, const std::array<Unit, kCount>& units, std::string_view plain) {
    Unit best{plain, 1};
    for (const Unit& unit : units) {
        if (value != 0 && value % unit.factor == 0 && unit.factor > best.factor) {
            best = unit;
        }
    }
    return std::to_string(value / best.factor) + std::string(best.suffix);
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
    const auto ns = parse_with_unit(text, kTimeUnits);
    if (!ns) {
        return fail(ErrorCode::kGeneric,
            quoted(text) + " is not a duration: write a whole number with ns, us, ms or s, such as 10ms");
    }
    return nanoseconds(*ns);
}

std::string format_duration(Duration duration) {
    return format_with_unit(duration.ns, kTimeUnits, "ns");
}

Result<std::int64_t> parse_size(std::string_view text) {
    const auto bytes = parse_with_unit(text, kSizeUnits);
    if (!bytes) {
        return fail(ErrorCode::kGeneric,
            quoted(text) +
                " is not a length: write a whole number of bytes or one with k, m or g, such as 64k");
    }
    return *bytes;
}

std::string format_size(std::int64_t bytes) {
    return format_with_unit(bytes, kSizeUnits, "");
}

}  // namespace fulmar::config
