/// The texts of a schema: what is a name, values as text and back, and the one line that says what is wrong
/// where. threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fulmar/result.h"
#include "fulmar/sbe/ir.h"

namespace fulmar::sbe::detail {

/// Of the standard's symbolic names.
inline constexpr std::size_t kNameLengthMax = 64;

/// A letter or underscore, then letters, digits and underscores; at most kNameLengthMax.
[[nodiscard]] bool is_symbolic_name(std::string_view text);

[[nodiscard]] bool is_xml_character(std::uint32_t code);
/// UTF-8 of characters that XML 1.0 can hold.
[[nodiscard]] bool is_xml_text(std::string_view text);

/// `'text'` fit for one line: cut to a readable length, what is not printable shown as `?`.
[[nodiscard]] std::string quoted(std::string_view text);

[[nodiscard]] std::string_view trimmed(std::string_view text);

/// A number of this primitive; a char is one character. nullopt when it is none or out of range.
[[nodiscard]] std::optional<ir::Value> value_of(std::string_view text, ir::Primitive primitive);
/// The same, but a char may also be a decimal code of two or more digits: a null value of char need not be
/// printable.
[[nodiscard]] std::optional<ir::Value> limit_of(std::string_view text, ir::Primitive primitive);
[[nodiscard]] std::string value_text(const ir::Value& value, ir::Primitive primitive);
[[nodiscard]] std::string limit_text(const ir::Value& value, ir::Primitive primitive);

/// Of the alternative that this primitive's values have, and within its range.
[[nodiscard]] bool fits(const ir::Value& value, ir::Primitive primitive);

/// `Enum.Value` taken apart; nullopt when it is not of this form.
struct ValueRef {
    std::string_view enumeration;
    std::string_view value;
};
[[nodiscard]] std::optional<ValueRef> value_ref_of(std::string_view text);

/// What the names that may stand for a single primitive stand for: an encodingType's look-up, by hash because
/// schemas come from outside.
class PrimitiveNames {
  public:
    explicit PrimitiveNames(const ir::Schema& schema);
    [[nodiscard]] std::optional<ir::Primitive> find(std::string_view name) const;

  private:
    std::unordered_map<std::string_view, const ir::Encoding*> types_;  // null: a type, but no encoding
};

/// `orders.xml:12: ` or empty.
[[nodiscard]] std::string origin_text(const std::vector<std::string>& sources, ir::Origin origin);

}  // namespace fulmar::sbe::detail
