// Header only and without exceptions: a parse error is a value.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0

#include "config/toml_keys.h"

#include <algorithm>
#include <toml++/toml.h>

#include "config/text.h"

namespace fulmar::config {
namespace {

Unexpected<Error> refuse(std::string_view file, std::uint32_t line, std::string message) {
    return fail(ErrorCode::kGeneric,
        "file " + std::string(file) + ":" + std::to_string(line) + ": " + std::move(message));
}

Status flatten(
    const toml::node& node, const std::string& name, std::string_view file, std::vector<TomlKey>& out) {
    const auto line = node.source().begin.line;
    if (const auto* table = node.as_table()) {
        for (const auto& [key, value] : *table) {
            const std::string joined =
                name.empty() ? std::string(key.str()) : name + "." + std::string(key.str());
            FULMAR_TRY_VOID(flatten(value, joined, file, out));
        }
    } else if (const auto* array = node.as_array()) {
        for (const auto& value : *array) {
            if (value.is_table() || value.is_array()) {
                return refuse(file, line, name + " must be a list of plain values");
            }
            FULMAR_TRY_VOID(flatten(value, name, file, out));
        }
    } else if (const auto* text = node.as_string()) {
        out.push_back({name, text->get(), line});
    } else if (const auto* number = node.as_integer()) {
        out.push_back({name, std::to_string(number->get()), line});
    } else if (const auto* flag = node.as_boolean()) {
        out.push_back({name, flag->get() ? "true" : "false", line});
    } else {
        return refuse(file, line, name + " must be text, a whole number, true or false");
    }
    return Done{};
}

}  // namespace

Result<std::vector<TomlKey>> read_toml_keys(
    std::string_view text, std::string_view file, std::string_view section) {
    const toml::parse_result parsed = toml::parse(text, file);
    if (!parsed) {
        const auto& error = parsed.error();
        return refuse(file, error.source().begin.line, std::string(error.description()));
    }
    const toml::node* root = &parsed.table();
    std::vector<TomlKey> out;
    if (!section.empty()) {
        root = parsed.table().get(section);
        if (root == nullptr) {
            return out;
        }
        if (!root->is_table()) {
            return refuse(file, root->source().begin.line, std::string(section) + " must be a table");
        }
    }
    FULMAR_TRY_VOID(flatten(*root, {}, file, out));
    std::stable_sort(
        out.begin(), out.end(), [](const TomlKey& a, const TomlKey& b) { return a.line < b.line; });
    return out;
}

}  // namespace fulmar::config
