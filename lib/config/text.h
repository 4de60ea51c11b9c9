/// Small parsers that every configuration source shares: numbers, booleans, quoting for messages, and the
/// nearest known word for "did you mean".
/// threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fulmar::config {

/// The whole text as a decimal number with optional minus; nullopt when it is not one or overflows.
[[nodiscard]] std::optional<std::int64_t> parse_int64(std::string_view text);
[[nodiscard]] std::optional<std::int32_t> parse_int32(std::string_view text);

/// "true" or "false", any case.
[[nodiscard]] std::optional<bool> parse_bool(std::string_view text);

/// `'text'` fit for one line: cut to a readable length, control characters shown as `?`.
[[nodiscard]] std::string quoted(std::string_view text);

[[nodiscard]] std::string_view trimmed(std::string_view text);
[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] std::string to_upper(std::string_view text);

/// Insertions, deletions, replacements and swaps of neighbours between two words.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The known word closest to `word`, or empty when none is close enough to be a slip of the hand.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

/// `, did you mean 'x'?` or empty.
[[nodiscard]] std::string suggestion(std::string_view word, std::span<const std::string_view> known);

}  // namespace fulmar::config
