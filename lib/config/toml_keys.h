/// A TOML file as flat keys: `[aeron.mtu] length = 8192` and `aeron.mtu.length = 8192` are the same key, an
/// array is the same key several times. Hides the TOML library from everybody else.
/// threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fulmar/result.h"

namespace fulmar::config {

struct TomlKey {
    std::string name;
    std::string value;
    std::uint32_t line = 0;
};

/// Keys in the order of their lines. section: read only this top-level table, its name left out.
/// errors: kGeneric with file, line and what is wrong.
[[nodiscard]] Result<std::vector<TomlKey>> read_toml_keys(
    std::string_view text, std::string_view file, std::string_view section = {});

}  // namespace fulmar::config
