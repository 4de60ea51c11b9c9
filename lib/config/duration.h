/// Lengths of time in configuration: a whole number with ns, us, ms or s; without a unit, nanoseconds.
/// threads: pure functions.  source: Aeron channel URIs and properties.
#pragma once

#include <string>
#include <string_view>

#include "fulmar/result.h"
#include "fulmar/time.h"

namespace fulmar::config {

/// errors: kGeneric, one line that quotes the text; never negative.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);

/// The shortest exact form: 5s, 100ms, 10us, 7ns.
[[nodiscard]] std::string format_duration(Duration duration);

}  // namespace fulmar::config
