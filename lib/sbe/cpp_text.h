/// Pieces of C++ source: identifiers that are free and legal, literals, and template expressions laid out in
/// lines. Private to lib/sbe. threads: values, no sharing.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fulmar/sbe/ir.h"

namespace fulmar::sbe::detail {

/// `order_entry`, `orderEntry` and `ORDER_ENTRY` are `OrderEntry`.
[[nodiscard]] std::string camel_case(std::string_view name);

/// A package as a namespace: `com.example.orders` is `com::example::orders`.
[[nodiscard]] std::string namespace_of(std::string_view package);

/// Names of one scope, each given out once.
class CppNames {
  public:
    /// The name, with a number behind it where it is taken.
    std::string take(const std::string& name);

  private:
    std::unordered_map<std::string, int> taken_;  // with the number that was given out last
};

[[nodiscard]] std::string_view cpp_type(ir::Primitive primitive);
/// `"text"`, with what a literal cannot hold escaped.
[[nodiscard]] std::string string_literal(std::string_view text);
/// Of the type that the primitive's values have as template arguments.
[[nodiscard]] std::string value_literal(const ir::Value& value, ir::Primitive primitive);

/// `head<args...>`, or just `head`.
struct CppExpression {
    std::string head;
    std::vector<CppExpression> args{};
};

/// On one line where it fits behind `before` and in front of `after`; else what is no template stays with the
/// head, and everything from the first template on has a line of its own.
[[nodiscard]] std::string laid_out(
    const CppExpression& expression, std::string_view before, std::string_view after);

}  // namespace fulmar::sbe::detail
