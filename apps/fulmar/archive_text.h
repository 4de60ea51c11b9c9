/// Recordings on the terminal, whether a directory or a running archive tells of them.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "archive/catalog.h"

namespace fulmar::cli {

/// `end`: how far it goes, which an active recording's descriptor does not say.
[[nodiscard]] nlohmann::ordered_json to_json(const archive::Recording& recording, std::int64_t end);
[[nodiscard]] std::string stop_text(const archive::Recording& recording);
/// A table: its heading, and a row for each.
void print_heading();
void print_row(const archive::Recording& recording, std::int64_t end);

}  // namespace fulmar::cli
