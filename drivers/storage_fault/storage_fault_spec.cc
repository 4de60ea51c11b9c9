#include "drivers/storage_fault/storage_fault_spec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "config/duration.h"
#include "config/size.h"

namespace fulmar::drivers {

namespace {

struct Probability {
    std::string_view name;
    double StorageFaultSpec::*value;
};
constexpr std::array<Probability, 8> kProbabilities{{
    {"read", &StorageFaultSpec::read_error},
    {"write", &StorageFaultSpec::write_error},
    {"sync", &StorageFaultSpec::sync_error},
    {"sync-lost", &StorageFaultSpec::sync_lost},
    {"misdirect", &StorageFaultSpec::misdirect},
    {"flip-read", &StorageFaultSpec::flip_read},
    {"flip-rest", &StorageFaultSpec::flip_rest},
    {"slow", &StorageFaultSpec::slow},
}};
constexpr std::string_view kParts =
    "hold-unsynced, torn, or name:value with read, write, sync, sync-lost, misdirect, flip-read, flip-rest, "
    "slow, delay, sector, space, seed";

/// The message stays one readable line whatever was given.
Unexpected<Error> bad_part(std::string_view part, std::string_view why) {
    constexpr std::size_t kQuotedMax = 48;
    std::string quoted(part.substr(0, kQuotedMax));
    std::replace_if(
        quoted.begin(), quoted.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return fail(ErrorCode::kGeneric, "storage-fault: '" + quoted + "' " + std::string(why));
}

template <class T>
bool parse_whole(std::string_view text, T& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

Status parse_flag(std::string_view part, StorageFaultSpec& spec) {
    if (part == "hold-unsynced") {
        spec.hold_unsynced = true;
    } else if (part == "torn") {
        spec.torn = true;
    } else {
        return bad_part(part, "is not one of " + std::string(kParts));
    }
    return Done{};
}

Status parse_value(
    std::string_view part, std::string_view name, std::string_view value, StorageFaultSpec& spec) {
    for (const Probability& probability : kProbabilities) {
        if (name == probability.name) {
            double parsed = 0;
            // The comparison also refuses "nan".
            if (!parse_whole(value, parsed) || !(parsed >= 0.0 && parsed <= 1.0)) {
                return bad_part(part, "wants a probability from 0 to 1");
            }
            spec.*probability.value = parsed + 0.0;  // -0 becomes 0
            return Done{};
        }
    }
    if (name == "delay") {
        const auto delay = config::parse_duration(value);
        // Without a unit it would be nanoseconds, which nobody means.
        if (!delay || *delay > kStorageDelayMax || !value.ends_with('s')) {
            return bad_part(part, "wants a time up to 60s in ns, us, ms or s, such as 10ms");
        }
        spec.delay = *delay;
    } else if (name == "sector") {
        const auto size = config::parse_size(value);
        if (!size || (*size != 512 && *size != 4'096)) {
            return bad_part(part, "wants 512 or 4k");
        }
        spec.sector_bytes = static_cast<std::uint64_t>(*size);
    } else if (name == "space") {
        const auto size = config::parse_size(value);
        if (!size) {
            return bad_part(part, "wants a number of bytes, such as 64m");
        }
        spec.space = static_cast<std::uint64_t>(*size);
    } else if (name == "seed") {
        if (!parse_whole(value, spec.seed)) {
            return bad_part(part, "wants a whole number");
        }
    } else {
        return bad_part(part, "is not one of " + std::string(kParts));
    }
    return Done{};
}

std::string number(double value) {
    std::array<char, 32> text;
    const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), result.ptr};
}

/// Whether a part of this name comes before `end` in `text`.
bool is_given(std::string_view text, std::size_t end, std::string_view name) {
    for (std::size_t at = 0; at < end;) {
        const auto next = std::min(text.find(',', at), text.size());
        const auto part = text.substr(at, next - at);
        if (part.substr(0, part.find(':')) == name) {
            return true;
        }
        at = next + 1;
    }
    return false;
}

}  // namespace

Result<StorageFaultSpec> parse_storage_fault(std::string_view text) {
    StorageFaultSpec spec;
    if (text.empty() || text == "none") {
        return spec;
    }
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find(',', at), text.size());
        const auto part = text.substr(at, end - at);
        const auto colon = part.find(':');
        const auto name = part.substr(0, colon);
        if (colon == std::string_view::npos) {
            FULMAR_TRY_VOID(parse_flag(part, spec));
        } else {
            FULMAR_TRY_VOID(parse_value(part, name, part.substr(colon + 1), spec));
        }
        if (is_given(text, at, name)) {
            return bad_part(part, "is given twice");
        }
        at = end + 1;
    }
    // Without it the bytes are the system's, and nobody can make it lose them.
    if (!spec.hold_unsynced && (spec.torn || spec.sync_lost > 0)) {
        return bad_part(spec.torn ? "torn" : "sync-lost", "needs hold-unsynced");
    }
    return spec;
}

std::string to_string(const StorageFaultSpec& spec) {
    std::string text;
    const auto add = [&text](std::string_view part) {
        text += text.empty() ? "" : ",";
        text += part;
    };
    if (spec.hold_unsynced) {
        add("hold-unsynced");
    }
    if (spec.torn) {
        add("torn");
    }
    for (const Probability& probability : kProbabilities) {
        if (spec.*probability.value > 0) {
            add(std::string(probability.name) + ":" + number(spec.*probability.value));
        }
    }
    const StorageFaultSpec plain;
    if (spec.delay != plain.delay) {
        add("delay:" + config::format_duration(spec.delay));
    }
    if (spec.sector_bytes != plain.sector_bytes) {
        add("sector:" + config::format_size(static_cast<std::int64_t>(spec.sector_bytes)));
    }
    if (spec.space != plain.space) {
        add("space:" + config::format_size(static_cast<std::int64_t>(spec.space)));
    }
    if (spec.seed != plain.seed) {
        add("seed:" + std::to_string(spec.seed));
    }
    return text.empty() ? "none" : text;
}

}  // namespace fulmar::drivers
