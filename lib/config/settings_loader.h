/// Gathers settings from their sources: default < file < environment < -D < command line. Each value
/// remembers where it came from. Sources may be applied in any order; the stronger one wins, and a value
/// that is wrong is refused even where a stronger source would have replaced it.
///
/// Our own names are strict: an unknown one is an error with the nearest known name. AERON_* and aeron.*
/// names that this driver does not use are kept in unused(), to be reported once.
/// threads: one owner.  Reads no file and no process environment; callers hand the text in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/setting_table.h"
#include "fulmar/result.h"

namespace fulmar::config {

enum class SettingLayer : std::uint8_t { kDefault, kFile, kEnvironment, kDefine, kCommandLine };

struct SettingOrigin {
    SettingLayer layer = SettingLayer::kDefault;
    std::string where = "default";
};

class SettingsLoader {
  public:
    SettingsLoader();

    /// Keys are TOML names (`mtu-length = "8k"`) or properties (`aeron.mtu.length = 8192`). With `section`,
    /// only that table is read and the rest of the file belongs to somebody else.
    /// errors, of all: kGeneric, one line naming source, key, value and limit.
    Status apply_toml(std::string_view text, std::string_view file, std::string_view section = {});
    /// Java properties, as Aeron's launchers take them.
    Status apply_properties(std::string_view text, std::string_view file);
    /// Who runs us, for the default directory when the environment has no USER. Empty: not known.
    void assume_user(std::string_view name) {
        if (!name.empty()) {
            user_ = name;
        }
    }
    /// A null-terminated array of NAME=value, such as environ. FULMAR_DIR, which clients know too, goes
    /// before AERON_DIR.
    Status apply_environment(const char* const* environment);
    /// `aeron.mtu.length=8k`, with or without the leading -D.
    Status apply_define(std::string_view define);
    /// `--name value` without the dashes.
    Status apply_option(std::string_view name, std::string_view value);

    /// Checks what several settings must satisfy together.
    [[nodiscard]] Result<DriverSettings> finish() const;

    /// Aeron's names that this driver does not use, each with its source; in the order met, once each.
    [[nodiscard]] const std::vector<std::string>& unused() const { return unused_; }
    [[nodiscard]] const SettingOrigin& origin(std::string_view name) const;
    /// `key = value  (origin)`, one line per setting in the table's order.
    [[nodiscard]] std::vector<std::string> print_config() const;

  private:
    Status apply(const SettingRow& row, std::string_view value, SettingLayer layer, std::string where);
    Status apply_name(
        std::string_view name, std::string_view value, SettingLayer layer, const std::string& source);
    /// With the defaults that depend on other settings or on the user filled in.
    [[nodiscard]] DriverSettings resolved() const;
    void note_unused(std::string_view name, const std::string& source);

    DriverSettings settings_;
    std::vector<SettingOrigin> origins_;  ///< by row
    std::vector<std::string> unused_;
    std::string user_ = "default";
};

/// Where Aeron's clients look when nobody names a directory.
[[nodiscard]] std::string default_directory(std::string_view user);

}  // namespace fulmar::config
