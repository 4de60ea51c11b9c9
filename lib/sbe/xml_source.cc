#include "sbe/xml_source.h"

#include <algorithm>
#include <charconv>

#include "sbe/schema_text.h"

namespace fulmar::sbe::detail {

namespace {

Unexpected<fulmar::Error> refuse(const std::string& name, std::uint32_t line, std::string_view why) {
    return fail(ErrorCode::kGeneric, name + ":" + std::to_string(line) + ": " + std::string(why));
}

/// The character that `&#...;` at the begin of `text` stands for is one that XML can hold. The parser would
/// write any other too, and end a text at a zero.
bool is_character_reference(std::string_view text) {
    constexpr std::size_t kDigitsMax = 8;
    const bool is_hex = text.size() > 2 && text[2] == 'x';
    const std::string_view digits = text.substr(is_hex ? 3 : 2, kDigitsMax + 1);
    const std::size_t count = digits.find(';');
    if (count == std::string_view::npos || count == 0) {
        return false;
    }
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + count, code, is_hex ? 16 : 10);
    return error == std::errc{} && end == digits.data() + count && is_xml_character(code);
}

}  // namespace

Status XmlSource::parse(std::string_view text, const std::string& name) {
    FULMAR_TRY_VOID(check_text(text, name));
    constexpr unsigned kFlags = pugi::parse_default | pugi::parse_ws_pcdata_single | pugi::parse_doctype;
    const pugi::xml_parse_result result =
        document_.load_buffer(text.data(), text.size(), kFlags, pugi::encoding_utf8);
    if (!result) {
        return refuse(
            name, line_of(result.offset), std::string("not well-formed XML: ") + result.description());
    }
    return check_tree(name);
}

Status XmlSource::check_text(std::string_view text, const std::string& name) {
    for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
        line_ends_.push_back(static_cast<std::ptrdiff_t>(at));
    }
    std::size_t begin = 0;
    for (std::size_t end = 0; end != std::string_view::npos; begin = end + 1) {
        end = text.find('\n', begin);
        if (!is_xml_text(text.substr(begin, end - begin))) {
            return refuse(
                name, line_of(static_cast<std::ptrdiff_t>(begin)), "not UTF-8 text that XML can hold");
        }
    }
    for (std::size_t at = text.find("&#"); at != std::string_view::npos; at = text.find("&#", at + 1)) {
        if (!is_character_reference(text.substr(at))) {
            return refuse(name, line_of(static_cast<std::ptrdiff_t>(at)), "a reference to no character");
        }
    }
    return Done{};
}

Status XmlSource::check_tree(const std::string& name) {
    int roots = 0;
    for (const pugi::xml_node child : document_.children()) {
        if (child.type() == pugi::node_doctype) {
            return refuse(name, line_of(child.offset_debug()), "a document type definition is not accepted");
        }
        if (child.type() == pugi::node_element && ++roots > 1) {
            return refuse(name, line_of(child.offset_debug()), "not well-formed XML: a second root element");
        }
    }
    return Done{};
}

std::uint32_t XmlSource::line_of(std::ptrdiff_t offset) const {
    const auto before = std::lower_bound(line_ends_.begin(), line_ends_.end(), offset);
    return static_cast<std::uint32_t>(before - line_ends_.begin()) + 1;
}

std::string text_of(pugi::xml_node node) {
    std::string text;
    for (const pugi::xml_node child : node.children()) {
        if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
            text += child.value();
        }
    }
    return text;
}

std::string_view local_name(std::string_view name) {
    return name.substr(name.find(':') + 1);
}

}  // namespace fulmar::sbe::detail
