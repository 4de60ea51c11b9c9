/// One row per driver setting: its names, unit, default, limits and a line of documentation. Parsing,
/// range checks, `--print-config`, help and the reference page all come from here.
/// threads: constants.  source: names and defaults of Aeron's driver; ours where the doc says so.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/settings.h"
#include "fulmar/result.h"

namespace fulmar::config {

enum class SettingUnit : std::uint8_t {
    kText,
    kWord,  ///< one of a list
    kBool,
    kCount,
    kBytes,
    kDuration,        ///< bare numbers are nanoseconds
    kDurationFromMs,  ///< bare numbers are milliseconds, as Aeron has it for this key
    kList,            ///< may be given several times
};

/// What a length must look like besides its limits.
enum class SettingShape : std::uint8_t {
    kAny,
    kPowerOfTwo,
    kMultipleOf32,
    kPowerOfTwoPlusRingTrailer,       ///< 768
    kPowerOfTwoPlusBroadcastTrailer,  ///< 128
};

struct SettingRow {
    std::string_view name;      ///< key in TOML, and `--name` on the command line
    std::string_view property;  ///< aeron.*, empty for our own
    std::string_view env;
    SettingUnit unit = SettingUnit::kText;
    std::string_view default_text;
    std::int64_t min = 0;  ///< bytes, nanoseconds or a count
    std::int64_t max = 0;
    SettingShape shape = SettingShape::kAny;
    std::string_view doc;
    /// Parses, checks and stores. errors: kGeneric, what the value must be, without the key.
    Status (*set)(const SettingRow&, std::string_view, DriverSettings&) = nullptr;
    std::string (*show)(const DriverSettings&) = nullptr;
};

[[nodiscard]] std::span<const SettingRow> setting_rows();

/// Exact TOML name; nullptr when there is none.
[[nodiscard]] const SettingRow* find_setting(std::string_view name);
/// `aeron.*` property; case and `.` against `_` do not matter, as Aeron's launchers map properties to
/// environment names.
[[nodiscard]] const SettingRow* find_setting_by_property(std::string_view property);
[[nodiscard]] const SettingRow* find_setting_by_env(std::string_view env);

/// `64k to 1g, power of two`; empty where nothing limits a value.
[[nodiscard]] std::string describe_limits(const SettingRow& row);

/// Every row at its default; `dir` stays empty, it depends on the user.
[[nodiscard]] DriverSettings default_settings();

[[nodiscard]] std::string_view to_string(ThreadingMode mode);
/// As Aeron writes it: SHARED_NETWORK.
[[nodiscard]] std::string_view aeron_name(ThreadingMode mode);
[[nodiscard]] std::string_view to_string(IdleStrategy strategy);

}  // namespace fulmar::config
