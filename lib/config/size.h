/// Lengths in bytes in configuration: a whole number with optional k, m or g (powers of 1024).
/// threads: pure functions.  source: Aeron channel URIs and properties.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fulmar/result.h"

namespace fulmar::config {

/// errors: kGeneric, one line that quotes the text; never negative.
[[nodiscard]] Result<std::int64_t> parse_size(std::string_view text);

/// The shortest exact form: 64k, 16m, 1g, 1408.
[[nodiscard]] std::string format_size(std::int64_t bytes);

}  // namespace fulmar::config
