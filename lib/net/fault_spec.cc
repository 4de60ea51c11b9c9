#include "net/fault_spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

namespace fulmar::net {

namespace {

struct Unit {
    std::string_view suffix;
    std::int64_t ns;
};
constexpr std::array<Unit, 4> kUnits{{{"ns", 1}, {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}}};

/// The message stays one readable line whatever was given.
Unexpected<Error> bad_part(std::string_view part, std::string_view why) {
    constexpr std::size_t kQuotedMax = 48;
    std::string quoted(part.substr(0, kQuotedMax));
    std::replace_if(
        quoted.begin(), quoted.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return fail(ErrorCode::kGeneric, "fault: '" + quoted + "' " + std::string(why));
}

template <class T>
bool parse_whole(std::string_view text, T& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

bool parse_probability(std::string_view text, double& out) {
    double value = 0;
    // The comparison also refuses "nan".
    if (!parse_whole(text, value) || !(value >= 0.0 && value <= 1.0)) {
        return false;
    }
    out = value + 0.0;  // -0 becomes 0
    return true;
}

bool parse_delay(std::string_view text, Duration& out) {
    for (const auto& unit : kUnits) {
        std::int64_t amount = 0;
        if (text.ends_with(unit.suffix) &&
            parse_whole(text.substr(0, text.size() - unit.suffix.size()), amount)) {
            if (amount < 0 || amount > kFaultDelayMax.ns / unit.ns) {
                return false;
            }
            out = {amount * unit.ns};
            return true;
        }
    }
    return false;
}

bool parse_direction(std::string_view text, FaultDirection& out) {
    if (text == "both") {
        out = FaultDirection::kBoth;
    } else if (text == "rx") {
        out = FaultDirection::kRx;
    } else if (text == "tx") {
        out = FaultDirection::kTx;
    } else {
        return false;
    }
    return true;
}

enum class Key : std::uint8_t { kLoss, kDup, kReorder, kDelay, kCorrupt, kSeed, kDir };
constexpr std::array<std::string_view, 7> kKeys{"loss", "dup", "reorder", "delay", "corrupt", "seed", "dir"};

Status parse_value(Key key, std::string_view part, std::string_view value, FaultSpec& spec) {
    const auto probability = [part, value](double& out) -> Status {
        if (!parse_probability(value, out)) {
            return bad_part(part, "wants a probability from 0 to 1");
        }
        return Done{};
    };
    switch (key) {
        case Key::kLoss: return probability(spec.loss);
        case Key::kDup: return probability(spec.duplicate);
        case Key::kReorder: return probability(spec.reorder);
        case Key::kCorrupt: return probability(spec.corrupt);
        case Key::kDelay:
            if (!parse_delay(value, spec.delay)) {
                return bad_part(part, "wants a time up to 60s in ns, us, ms or s, such as 50us");
            }
            return Done{};
        case Key::kSeed:
            if (!parse_whole(value, spec.seed)) {
                return bad_part(part, "wants a whole number");
            }
            return Done{};
        case Key::kDir:
            if (!parse_direction(value, spec.direction)) {
                return bad_part(part, "wants rx, tx or both");
            }
            return Done{};
    }
    return Done{};
}

std::string number(double value) {
    std::array<char, 32> text;
    const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), result.ptr};
}

std::string delay_text(Duration delay) {
    const Unit* best = &kUnits[0];
    for (const auto& unit : kUnits) {
        if (delay.ns % unit.ns == 0) {
            best = &unit;
        }
    }
    return std::to_string(delay.ns / best->ns) + std::string(best->suffix);
}

}  // namespace

Result<FaultSpec> parse_fault_spec(std::string_view text) {
    FaultSpec spec;
    if (text.empty() || text == "none") {
        return spec;
    }
    unsigned seen = 0;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find('+', at), text.size());
        const auto part = text.substr(at, end - at);
        at = end + 1;
        const auto colon = part.find(':');
        const auto name = part.substr(0, colon);
        std::size_t index = 0;
        while (index < kKeys.size() && kKeys[index] != name) {
            ++index;
        }
        if (index == kKeys.size() || colon == std::string_view::npos) {
            return bad_part(
                part, "is not one of loss, dup, reorder, delay, corrupt, seed, dir as name:value");
        }
        if ((seen & (1U << index)) != 0) {
            return bad_part(part, "is given twice");
        }
        seen |= 1U << index;
        FULMAR_TRY_VOID(parse_value(static_cast<Key>(index), part, part.substr(colon + 1), spec));
    }
    return spec;
}

std::string to_string(const FaultSpec& spec) {
    std::string text;
    const auto add = [&text](std::string_view key, const std::string& value) {
        if (!text.empty()) {
            text += '+';
        }
        text += key;
        text += ':';
        text += value;
    };
    const auto add_probability = [&add](std::string_view key, double value) {
        if (value > 0) {
            add(key, number(value));
        }
    };
    add_probability("loss", spec.loss);
    add_probability("dup", spec.duplicate);
    add_probability("reorder", spec.reorder);
    if (spec.delay.ns > 0) {
        add("delay", delay_text(spec.delay));
    }
    add_probability("corrupt", spec.corrupt);
    if (spec.seed != FaultSpec{}.seed) {
        add("seed", std::to_string(spec.seed));
    }
    if (spec.direction != FaultDirection::kBoth) {
        add("dir", spec.direction == FaultDirection::kRx ? "rx" : "tx");
    }
    return text.empty() ? "none" : text;
}

}  // namespace fulmar::net
