#include "sbe/schema_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace fulmar::sbe::detail {

namespace {

using ir::Primitive;
using ir::Value;

constexpr std::size_t kQuotedMax = 80;

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_printable(std::int64_t code) {
    return code >= 0x20 && code <= 0x7E;
}

/// The length of the UTF-8 sequence at the begin of `text` and its code point; length 0 when there is none.
struct CodePoint {
    std::size_t length = 0;
    std::uint32_t code = 0;
};

CodePoint code_point(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) {
        return {1, lead};
    }
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) {
        return {};
    }
    std::uint32_t code = lead & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xC0U) != 0x80) {
            return {};
        }
        code = (code << 6U) | (next & 0x3FU);
    }
    constexpr std::array<std::uint32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
    return code >= kSmallest[length] && code <= 0x10FFFF ? CodePoint{length, code} : CodePoint{};
}

struct SignedRange {
    std::int64_t min;
    std::int64_t max;
};

SignedRange signed_range(Primitive primitive) {
    if (primitive == Primitive::kChar) {
        return {0, std::numeric_limits<std::uint8_t>::max()};
    }
    const unsigned bits = ir::size_of(primitive) * 8;
    const std::int64_t max = std::numeric_limits<std::int64_t>::max() >> (64 - bits);
    return {-max - 1, max};
}

std::uint64_t unsigned_max(Primitive primitive) {
    return std::numeric_limits<std::uint64_t>::max() >> (64 - ir::size_of(primitive) * 8);
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
    if (text.size() > 1 && text.front() == '+' && text[1] != '-') {
        text.remove_prefix(1);
    }
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

/// As a float or a double would read it, so that its shortest text says all of it.
std::optional<Value> floating_of(std::string_view text, Primitive primitive) {
    if (primitive == Primitive::kFloat) {
        const auto number = number_of<float>(text);
        return number ? std::optional<Value>{{static_cast<double>(*number)}} : std::nullopt;
    }
    const auto number = number_of<double>(text);
    return number ? std::optional<Value>{{*number}} : std::nullopt;
}

template <class Number>
std::string shortest(Number number) {
    std::array<char, 64> text{};
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
    return {text.data(), end};
}

std::string floating_text(double number, Primitive primitive) {
    if (std::isnan(number)) {
        return "NaN";
    }
    if (std::isinf(number)) {
        return number < 0 ? "-Infinity" : "Infinity";
    }
    return primitive == Primitive::kFloat ? shortest(static_cast<float>(number)) : shortest(number);
}

}  // namespace

bool is_symbolic_name(std::string_view text) {
    return !text.empty() && text.size() <= kNameLengthMax && is_letter(text.front()) &&
           std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

bool is_xml_character(std::uint32_t code) {
    if (code < 0x20) {
        return code == '\t' || code == '\n' || code == '\r';
    }
    return !(code >= 0xD800 && code <= 0xDFFF) && code != 0xFFFE && code != 0xFFFF;
}

bool is_xml_text(std::string_view text) {
    while (!text.empty()) {
        const CodePoint next = code_point(text);
        if (next.length == 0 || !is_xml_character(next.code)) {
            return false;
        }
        text.remove_prefix(next.length);
    }
    return true;
}

std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text.substr(0, kQuotedMax)) {
        out += is_printable(c) ? c : '?';
    }
    return out + (text.size() > kQuotedMax ? "...'" : "'");
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

std::optional<Value> value_of(std::string_view text, Primitive primitive) {
    std::optional<Value> value;
    if (primitive == Primitive::kChar) {
        if (text.size() == 1 && is_printable(text.front())) {
            value = {static_cast<std::int64_t>(text.front())};
        }
    } else if (ir::is_floating(primitive)) {
        value = floating_of(text, primitive);
    } else if (ir::is_unsigned(primitive)) {
        if (const auto number = number_of<std::uint64_t>(text)) {
            value = {*number};
        }
    } else if (const auto number = number_of<std::int64_t>(text)) {
        value = {*number};
    }
    return value && fits(*value, primitive) ? value : std::nullopt;
}

std::optional<Value> limit_of(std::string_view text, Primitive primitive) {
    if (primitive != Primitive::kChar || text.size() < 2) {
        return value_of(text, primitive);
    }
    const auto code = number_of<std::uint8_t>(text);
    return code ? std::optional<Value>{{static_cast<std::int64_t>(*code)}} : std::nullopt;
}

std::string value_text(const Value& value, Primitive primitive) {
    if (const auto* text = std::get_if<std::string>(&value.data)) {
        return *text;
    }
    if (const auto* number = std::get_if<double>(&value.data)) {
        return floating_text(*number, primitive);
    }
    if (const auto* number = std::get_if<std::uint64_t>(&value.data)) {
        return std::to_string(*number);
    }
    const std::int64_t number = std::get<std::int64_t>(value.data);
    return primitive == Primitive::kChar ? std::string(1, static_cast<char>(number)) : std::to_string(number);
}

std::string limit_text(const Value& value, Primitive primitive) {
    const auto* code = std::get_if<std::int64_t>(&value.data);
    if (primitive == Primitive::kChar && code != nullptr && !is_printable(*code)) {
        return (*code < 10 ? "0" : "") + std::to_string(*code);
    }
    return value_text(value, primitive);
}

bool fits(const Value& value, Primitive primitive) {
    if (ir::is_floating(primitive)) {
        const auto* number = std::get_if<double>(&value.data);
        if (number == nullptr || primitive == Primitive::kDouble || !std::isfinite(*number)) {
            return number != nullptr;
        }
        return std::fabs(*number) <= std::numeric_limits<float>::max() &&
               static_cast<double>(static_cast<float>(*number)) == *number;
    }
    if (ir::is_unsigned(primitive)) {
        const auto* number = std::get_if<std::uint64_t>(&value.data);
        return number != nullptr && *number <= unsigned_max(primitive);
    }
    const auto* number = std::get_if<std::int64_t>(&value.data);
    const SignedRange range = signed_range(primitive);
    return number != nullptr && *number >= range.min && *number <= range.max;
}

std::optional<ValueRef> value_ref_of(std::string_view text) {
    const std::size_t dot = text.find('.');
    if (dot == std::string_view::npos) {
        return std::nullopt;
    }
    const ValueRef ref{text.substr(0, dot), text.substr(dot + 1)};
    if (!is_symbolic_name(ref.enumeration) || !is_symbolic_name(ref.value)) {
        return std::nullopt;
    }
    return ref;
}

PrimitiveNames::PrimitiveNames(const ir::Schema& schema) {
    for (const ir::Type& type : schema.types) {
        types_.emplace(ir::about(type).name, std::get_if<ir::Encoding>(&type));
    }
}

std::optional<Primitive> PrimitiveNames::find(std::string_view name) const {
    const auto found = types_.find(name);
    if (found == types_.end()) {
        return ir::primitive_of(name);
    }
    return found->second == nullptr ? std::nullopt : std::optional(found->second->primitive);
}

std::string origin_text(const std::vector<std::string>& sources, ir::Origin origin) {
    if (origin.line == 0 || origin.source >= sources.size()) {
        return "";
    }
    return sources[origin.source] + ":" + std::to_string(origin.line) + ": ";
}

}  // namespace fulmar::sbe::detail
