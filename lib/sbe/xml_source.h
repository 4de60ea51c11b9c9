/// One XML document as text and tree: parsed without any expansion, with the line of each element at hand.
/// threads: one.
#pragma once

#include <cstdint>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "fulmar/result.h"

namespace fulmar::sbe::detail {

class XmlSource {
  public:
    /// errors: what is wrong, in which line of `name`.
    [[nodiscard]] Status parse(std::string_view text, const std::string& name);
    [[nodiscard]] pugi::xml_node root() const { return document_.document_element(); }
    [[nodiscard]] std::uint32_t line_of(std::ptrdiff_t offset) const;

  private:
    Status check_text(std::string_view text, const std::string& name);
    Status check_tree(const std::string& name);

    pugi::xml_document document_;
    std::vector<std::ptrdiff_t> line_ends_;
};

/// All text of an element, whatever comments and sections split it.
[[nodiscard]] std::string text_of(pugi::xml_node node);
/// The name without the prefix of its namespace.
[[nodiscard]] std::string_view local_name(std::string_view name);

}  // namespace fulmar::sbe::detail
