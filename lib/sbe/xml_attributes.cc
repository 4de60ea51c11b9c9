#include <algorithm>
#include <charconv>

#include "sbe/schema_text.h"
#include "sbe/xml_reader.h"

namespace fulmar::sbe::detail {

std::optional<std::string_view> XmlAttributes::find(const char* name) {
    known_.emplace_back(name);
    const pugi::xml_attribute attribute = node_.attribute(name);
    if (!attribute) {
        return std::nullopt;
    }
    if (!is_xml_text(attribute.value())) {
        reader_.refuse(node_, std::string(name) + " holds bytes that are no text");
    }
    return attribute.value();
}

std::string XmlAttributes::text(const char* name) {
    return std::string(find(name).value_or(""));
}

std::string XmlAttributes::token(const char* name) {
    return std::string(trimmed(find(name).value_or("")));
}

std::string XmlAttributes::required_token(const char* name) {
    std::string value = token(name);
    if (value.empty()) {
        reader_.refuse(node_, std::string("it has no ") + name);
    }
    return value;
}

std::optional<std::uint32_t> XmlAttributes::number(const char* name, std::uint32_t max) {
    const auto value = find(name);
    if (!value) {
        return std::nullopt;
    }
    const std::string_view digits = trimmed(*value);
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc{} || end != digits.data() + digits.size() || number > max) {
        reader_.refuse(
            node_, std::string(name) + " " + quoted(*value) + " is no number of 0 to " + std::to_string(max));
        return std::nullopt;
    }
    return number;
}

std::uint16_t XmlAttributes::required_id() {
    if (node_.attribute("id").empty()) {
        reader_.refuse(node_, "it has no id");
    }
    return static_cast<std::uint16_t>(number("id", UINT16_MAX).value_or(0));
}

std::optional<ir::Presence> XmlAttributes::presence() {
    const std::string word = token("presence");
    if (word == "required") {
        return ir::Presence::kRequired;
    }
    if (word == "optional") {
        return ir::Presence::kOptional;
    }
    if (word == "constant") {
        return ir::Presence::kConstant;
    }
    if (!word.empty()) {
        reader_.refuse(node_, "presence " + quoted(word) + " is none of required, optional and constant");
    }
    return std::nullopt;
}

void XmlAttributes::named(ir::Named& named) {
    named.name = required_token("name");
    named.description = text("description");
    named.semantic_type = text("semanticType");
    named.since_version = number("sinceVersion").value_or(0);
    named.deprecated = number("deprecated");
    named.origin = reader_.origin(node_);
}

void XmlAttributes::finish() {
    std::vector<std::string_view> seen;  // never more than there are known ones
    for (const pugi::xml_attribute attribute : node_.attributes()) {
        const std::string_view name = attribute.name();
        if (name == "xmlns" || name.find(':') != std::string_view::npos) {
            continue;  // of another namespace
        }
        if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
            return reader_.refuse(node_, "SBE knows no attribute " + quoted(name) + " here");
        }
        if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
            return reader_.refuse(node_, "it has attribute " + quoted(name) + " twice");
        }
        seen.push_back(name);
    }
}

}  // namespace fulmar::sbe::detail
