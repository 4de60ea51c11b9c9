#include "sbe/cpp_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "sbe/schema_text.h"

namespace fulmar::sbe::detail {

namespace {

using ir::Primitive;

constexpr std::size_t kColumns = 110;
constexpr std::size_t kIndent = 4;

bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
char to_upper(char c) {
    return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
}
char to_lower(char c) {
    return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

/// What no namespace can be called: keywords, other spellings of operators, and words that compilers define
/// as macros. Type names begin with a capital letter, as none of these do.
constexpr std::array<std::string_view, 102> kReserved{"alignas", "alignof", "and", "and_eq", "asm", "auto",
    "bitand", "bitor", "bool", "break", "case", "catch", "char", "char8_t", "char16_t", "char32_t", "class",
    "co_await", "co_return", "co_yield", "compl", "concept", "const", "const_cast", "consteval", "constexpr",
    "constinit", "continue", "decltype", "default", "delete", "do", "double", "dynamic_cast", "else", "enum",
    "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline", "int", "linux",
    "long", "mutable", "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq",
    "posix", "private", "protected", "public", "register", "reinterpret_cast", "requires", "return", "short",
    "signed", "sizeof", "static", "static_assert", "static_cast", "std", "struct", "switch", "template",
    "this", "thread_local", "throw", "true", "try", "typedef", "typeid", "typename", "union", "unix",
    "unsigned", "using", "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq", "i386", "errno",
    "stdin", "stdout", "stderr", "assert"};

/// One part of a package.
std::string namespace_part(std::string_view part) {
    std::string name;
    for (const char c : part) {
        const bool is_word = is_upper(c) || is_lower(c) || is_digit(c);
        if (is_word) {
            name += to_lower(c);
        } else if (!name.empty() && name.back() != '_') {
            name += '_';
        }
    }
    while (!name.empty() && name.back() == '_') {
        name.pop_back();
    }
    if (name.empty() || is_digit(name.front())) {
        name = "n" + name;
    }
    if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end()) {
        name += '_';
    }
    return name;
}

std::string floating_literal(double number, Primitive primitive) {
    const std::string type = primitive == Primitive::kFloat ? "float" : "double";
    if (std::isnan(number)) {
        return "std::numeric_limits<" + type + ">::quiet_NaN()";
    }
    if (std::isinf(number)) {
        return (number < 0 ? "-std::numeric_limits<" : "std::numeric_limits<") + type + ">::infinity()";
    }
    std::string text = value_text({number}, primitive);
    if (text.find_first_of(".e") == std::string::npos) {
        text += ".0";
    }
    return primitive == Primitive::kFloat ? text + "F" : text;
}

std::string char_literal(std::int64_t code) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(code);
    if (byte == '\'' || byte == '\\') {
        return std::string("'\\") + static_cast<char>(byte) + '\'';
    }
    if (byte >= 0x20 && byte <= 0x7E) {
        return std::string("'") + static_cast<char>(byte) + '\'';
    }
    return std::string("'\\x") + kDigits[byte >> 4U] + kDigits[byte & 0xFU] + '\'';
}

std::string on_one_line(const CppExpression& expression) {
    if (expression.args.empty()) {
        return expression.head;
    }
    std::string line = expression.head + '<';
    for (std::size_t i = 0; i < expression.args.size(); ++i) {
        line += (i == 0 ? "" : ", ") + on_one_line(expression.args[i]);
    }
    return line + '>';
}

void lay_out(std::string& out, const CppExpression& expression, std::size_t column, std::size_t indent,
    std::size_t room_after) {
    std::string line = on_one_line(expression);
    if (column + line.size() + room_after <= kColumns || expression.args.empty()) {
        out += line;
        return;
    }
    out += expression.head + '<';
    std::size_t i = 0;
    for (; i < expression.args.size() && expression.args[i].args.empty(); ++i) {
        out += (i == 0 ? "" : ", ") + expression.args[i].head;
    }
    for (; i < expression.args.size(); ++i) {
        out += (i == 0 ? "\n" : ",\n") + std::string(indent + kIndent, ' ');
        const std::size_t closing = i + 1 == expression.args.size() ? room_after + 1 : 1;
        lay_out(out, expression.args[i], indent + kIndent, indent + kIndent, closing);
    }
    out += '>';
}

}  // namespace

std::string camel_case(std::string_view name) {
    const bool has_lower = std::any_of(name.begin(), name.end(), is_lower);
    std::string camel;
    bool begins_word = true;
    for (const char c : name) {
        if (c == '_') {
            begins_word = true;
            continue;
        }
        camel += begins_word ? to_upper(c) : has_lower ? c : to_lower(c);
        begins_word = false;
    }
    return camel.empty() || is_digit(camel.front()) ? "N" + camel : camel;
}

std::string namespace_of(std::string_view package) {
    std::string path;
    for (std::size_t begin = 0; begin <= package.size();) {
        const std::size_t end = std::min(package.find('.', begin), package.size());
        path += (path.empty() ? "" : "::") + namespace_part(package.substr(begin, end - begin));
        begin = end + 1;
    }
    return path == "fulmar::sbe" || path == "fulmar" ? path + "::messages" : path;
}

std::string CppNames::take(const std::string& name) {
    std::string free = name;
    while (!taken_.emplace(free, 1).second) {
        free = name + std::to_string(++taken_[name]);
    }
    return free;
}

std::string_view cpp_type(Primitive primitive) {
    switch (primitive) {
        case Primitive::kChar: return "char";
        case Primitive::kInt8: return "std::int8_t";
        case Primitive::kInt16: return "std::int16_t";
        case Primitive::kInt32: return "std::int32_t";
        case Primitive::kInt64: return "std::int64_t";
        case Primitive::kUint8: return "std::uint8_t";
        case Primitive::kUint16: return "std::uint16_t";
        case Primitive::kUint32: return "std::uint32_t";
        case Primitive::kUint64: return "std::uint64_t";
        case Primitive::kFloat: return "float";
        case Primitive::kDouble: return "double";
    }
    return "void";
}

std::string string_literal(std::string_view text) {
    std::string literal = "\"";
    for (const char c : text) {
        switch (c) {
            case '"': literal += "\\\""; break;
            case '\\': literal += "\\\\"; break;
            case '\t': literal += "\\t"; break;
            case '\n': literal += "\\n"; break;
            case '\r': literal += "\\r"; break;
            default: literal += c;
        }
    }
    return literal + '"';
}

std::string value_literal(const ir::Value& value, Primitive primitive) {
    if (const auto* text = std::get_if<std::string>(&value.data)) {
        return string_literal(*text);
    }
    if (const auto* number = std::get_if<double>(&value.data)) {
        return floating_literal(*number, primitive);
    }
    if (const auto* number = std::get_if<std::uint64_t>(&value.data)) {
        constexpr std::uint64_t kSignedMax = std::numeric_limits<std::int64_t>::max();
        return std::to_string(*number) + (*number > kSignedMax ? "U" : "");
    }
    const std::int64_t number = std::get<std::int64_t>(value.data);
    if (primitive == Primitive::kChar) {
        return char_literal(number);
    }
    if (number == std::numeric_limits<std::int64_t>::min()) {
        return "INT64_MIN";  // whose digits are no literal
    }
    return std::to_string(number);
}

std::string laid_out(const CppExpression& expression, std::string_view before, std::string_view after) {
    std::string out(before);
    lay_out(out, expression, before.size(), 0, after.size());
    return out + std::string(after);
}

}  // namespace fulmar::sbe::detail
