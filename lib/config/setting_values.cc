#include "config/setting_values.h"

#include <array>

#include "base/bytes.h"
#include "config/duration.h"
#include "config/protocol_limits.h"
#include "config/size.h"
#include "config/text.h"

namespace fulmar::config {
namespace {

constexpr std::int64_t kRingTrailerLength = 768;
constexpr std::int64_t kBroadcastTrailerLength = 128;

Unexpected<Error> wrong(std::string message) {
    return fail(ErrorCode::kGeneric, std::move(message));
}

bool has_shape(SettingShape shape, std::int64_t value) {
    switch (shape) {
        case SettingShape::kAny: return true;
        case SettingShape::kPowerOfTwo: return base::is_power_of_two(value);
        case SettingShape::kMultipleOf32: return base::is_aligned<std::int64_t>(value, kFrameAlignment);
        case SettingShape::kPowerOfTwoPlusRingTrailer:
            return base::is_power_of_two(value - kRingTrailerLength);
        case SettingShape::kPowerOfTwoPlusBroadcastTrailer:
            return base::is_power_of_two(value - kBroadcastTrailerLength);
    }
    return false;
}

std::string_view shape_text(SettingShape shape) {
    switch (shape) {
        case SettingShape::kAny: return "";
        case SettingShape::kPowerOfTwo: return ", a power of two";
        case SettingShape::kMultipleOf32: return ", a multiple of 32";
        case SettingShape::kPowerOfTwoPlusRingTrailer: return ", a power of two plus 768";
        case SettingShape::kPowerOfTwoPlusBroadcastTrailer: return ", a power of two plus 128";
    }
    return "";
}

bool is_limited(SettingUnit unit) {
    return unit == SettingUnit::kCount || unit == SettingUnit::kBytes || unit == SettingUnit::kDuration ||
           unit == SettingUnit::kDurationFromMs;
}

std::string show_limit(SettingUnit unit, std::int64_t value) {
    const bool is_time = unit == SettingUnit::kDuration || unit == SettingUnit::kDurationFromMs;
    return is_time ? format_duration(nanoseconds(value)) : detail::show_number(unit, value);
}

Status check_limits(const SettingRow& row, std::int64_t value) {
    if (value < row.min || value > row.max || !has_shape(row.shape, value)) {
        return wrong("must be " + describe_limits(row));
    }
    return Done{};
}

template <class Enum>
struct Word {
    std::string_view text;
    Enum value;
};

constexpr std::array kThreadingModes{Word<ThreadingMode>{"auto", ThreadingMode::kAuto},
    Word<ThreadingMode>{"dedicated", ThreadingMode::kDedicated},
    Word<ThreadingMode>{"shared_network", ThreadingMode::kSharedNetwork},
    Word<ThreadingMode>{"shared", ThreadingMode::kShared},
    Word<ThreadingMode>{"invoker", ThreadingMode::kInvoker},
    Word<ThreadingMode>{"inline", ThreadingMode::kInvoker}};

// Names of Aeron's C driver first, then those its Java driver takes.
constexpr std::array kIdleStrategies{Word<IdleStrategy>{"backoff", IdleStrategy::kBackoff},
    Word<IdleStrategy>{"yield", IdleStrategy::kYield}, Word<IdleStrategy>{"spin", IdleStrategy::kSpin},
    Word<IdleStrategy>{"noop", IdleStrategy::kNoOp}, Word<IdleStrategy>{"sleep", IdleStrategy::kSleep},
    Word<IdleStrategy>{"yielding", IdleStrategy::kYield}, Word<IdleStrategy>{"spinning", IdleStrategy::kSpin},
    Word<IdleStrategy>{"busy_spin", IdleStrategy::kSpin},
    Word<IdleStrategy>{"sleep_ns", IdleStrategy::kSleep},
    Word<IdleStrategy>{"sleeping", IdleStrategy::kSleep},
    Word<IdleStrategy>{"org.agrona.concurrent.backoffidlestrategy", IdleStrategy::kBackoff},
    Word<IdleStrategy>{"org.agrona.concurrent.yieldingidlestrategy", IdleStrategy::kYield},
    Word<IdleStrategy>{"org.agrona.concurrent.busyspinidlestrategy", IdleStrategy::kSpin},
    Word<IdleStrategy>{"org.agrona.concurrent.noopidlestrategy", IdleStrategy::kNoOp},
    Word<IdleStrategy>{"org.agrona.concurrent.sleepingidlestrategy", IdleStrategy::kSleep},
    Word<IdleStrategy>{"org.agrona.concurrent.sleepingmillisidlestrategy", IdleStrategy::kSleep}};

constexpr std::array kValidators{Word<bool>{"allow", true}, Word<bool>{"deny", false},
    Word<bool>{"io.aeron.driver.defaultallowterminationvalidator", true},
    Word<bool>{"io.aeron.driver.defaultdenyterminationvalidator", false}};

constexpr std::array kSwitches{Word<bool>{"true", true}, Word<bool>{"false", false}, Word<bool>{"on", true},
    Word<bool>{"off", false}, Word<bool>{"1", true}, Word<bool>{"0", false}, Word<bool>{"yes", true},
    Word<bool>{"no", false}};

/// Case and `-` against `_` do not matter. shown: how many of the words an error lists.
template <class Enum, std::size_t kCount>
Result<Enum> parse_word(
    std::string_view text, const std::array<Word<Enum>, kCount>& words, std::size_t shown) {
    std::string wanted = to_lower(text);
    for (char& c : wanted) {
        c = c == '-' ? '_' : c;
    }
    std::string list;
    for (std::size_t i = 0; i < kCount; ++i) {
        if (words[i].text == wanted) {
            return words[i].value;
        }
        if (i < shown) {
            list += (i == 0 ? "" : (i + 1 == shown ? " or " : ", ")) + std::string(words[i].text);
        }
    }
    return wrong("must be " + list);
}

}  // namespace

Result<bool> parse_switch(std::string_view text) {
    return parse_word(text, kSwitches, 2);
}

Result<IdleStrategy> parse_idle_strategy(std::string_view text) {
    return parse_word(text, kIdleStrategies, 5);
}

namespace detail {

Result<std::int64_t> parse_number(const SettingRow& row, std::string_view text) {
    if (row.unit == SettingUnit::kBytes) {
        FULMAR_TRY(bytes, parse_size(text));
        FULMAR_TRY_VOID(check_limits(row, bytes));
        return bytes;
    }
    const auto value = parse_int64(text);
    if (!value) {
        return wrong(quoted(text) + " is not a whole number");
    }
    FULMAR_TRY_VOID(check_limits(row, *value));
    return *value;
}

Result<Duration> parse_time(const SettingRow& row, std::string_view text) {
    const bool bare_ms = row.unit == SettingUnit::kDurationFromMs && parse_int64(text).has_value();
    FULMAR_TRY(value, parse_duration(bare_ms ? std::string(text) + "ms" : std::string(text)));
    FULMAR_TRY_VOID(check_limits(row, value.ns));
    return value;
}

Result<ThreadingMode> parse_threading_mode(std::string_view text) {
    return parse_word(text, kThreadingModes, 5);
}

Result<bool> parse_termination_validator(std::string_view text) {
    return parse_word(text, kValidators, 2);
}

std::string show_number(SettingUnit unit, std::int64_t value) {
    return unit == SettingUnit::kBytes ? format_size(value) : std::to_string(value);
}

std::string show_time(Duration value) {
    return format_duration(value);
}

}  // namespace detail

std::string describe_limits(const SettingRow& row) {
    if (!is_limited(row.unit)) {
        return {};
    }
    return show_limit(row.unit, row.min) + " to " + show_limit(row.unit, row.max) +
           std::string(shape_text(row.shape));
}

std::string_view to_string(ThreadingMode mode) {
    switch (mode) {
        case ThreadingMode::kAuto: return "auto";
        case ThreadingMode::kDedicated: return "dedicated";
        case ThreadingMode::kSharedNetwork: return "shared-network";
        case ThreadingMode::kShared: return "shared";
        case ThreadingMode::kInvoker: return "invoker";
    }
    return "?";
}

std::string_view aeron_name(ThreadingMode mode) {
    switch (mode) {
        case ThreadingMode::kAuto: break;  // not a mode to run in
        case ThreadingMode::kDedicated: return "DEDICATED";
        case ThreadingMode::kSharedNetwork: return "SHARED_NETWORK";
        case ThreadingMode::kShared: return "SHARED";
        case ThreadingMode::kInvoker: return "INVOKER";
    }
    return "?";
}

std::string_view to_string(IdleStrategy strategy) {
    switch (strategy) {
        case IdleStrategy::kBackoff: return "backoff";
        case IdleStrategy::kYield: return "yield";
        case IdleStrategy::kSpin: return "spin";
        case IdleStrategy::kNoOp: return "noop";
        case IdleStrategy::kSleep: return "sleep";
    }
    return "?";
}

}  // namespace fulmar::config
