#include "apps/fulmar/sbe_json.h"

#include <charconv>
#include <cmath>
#include <fmt/core.h>

namespace fulmar::cli {

namespace {

using Json = nlohmann::ordered_json;
using sbe::ElementKind;
using sbe::ir::Primitive;

/// A float is shown by its own shortest digits, not by those of the double that holds it.
double shown(double number, Primitive primitive) {
    if (primitive == Primitive::kDouble) {
        return number;
    }
    char text[64];
    const auto printed = std::to_chars(text, text + sizeof text, static_cast<float>(number));
    std::from_chars(text, printed.ptr, number);
    return number;
}

Json number_json(const sbe::ir::Value& value, Primitive primitive) {
    if (const auto* number = std::get_if<std::int64_t>(&value.data)) {
        return *number;
    }
    if (const auto* number = std::get_if<std::uint64_t>(&value.data)) {
        return *number;
    }
    const double number = std::get<double>(value.data);
    if (std::isinf(number)) {
        return number < 0 ? "-Infinity" : "Infinity";
    }
    return std::isnan(number) ? Json(nullptr) : Json(shown(number, primitive));
}

Json set_json(const sbe::FieldValue& value) {
    Json names = Json::array();
    std::uint64_t bits = std::get<std::uint64_t>(value.value().data);
    for (const sbe::ir::Choice& choice : value.element().set->choices) {
        const std::uint64_t bit = std::uint64_t{1} << choice.bit;
        if ((bits & bit) != 0) {
            names.push_back(choice.name);
            bits &= ~bit;
        }
    }
    for (unsigned bit = 0; bits != 0; ++bit, bits >>= 1U) {
        if ((bits & 1U) != 0) {
            names.push_back(bit);  // by its number, where the schema has no name
        }
    }
    return names;
}

Json value_json(const sbe::FieldValue& value) {
    const sbe::Element& element = value.element();
    if (value.is_absent()) {
        return nullptr;
    }
    if (element.kind == ElementKind::kSet) {
        return set_json(value);
    }
    if (value.is_null() && (value.length() == 1 || element.primitive == Primitive::kChar)) {
        return nullptr;
    }
    if (element.kind == ElementKind::kEnum) {
        const sbe::ir::EnumValue* known = value.enumerator();
        return known != nullptr ? Json(known->name) : number_json(value.value(), element.primitive);
    }
    if (element.primitive == Primitive::kChar) {
        return value.text();
    }
    if (value.length() == 1) {
        return number_json(value.value(), element.primitive);
    }
    Json numbers = Json::array();
    for (std::uint32_t i = 0; i < value.length(); ++i) {
        numbers.push_back(value.is_null(i) ? Json(nullptr) : number_json(value.value(i), element.primitive));
    }
    return numbers;
}

}  // namespace

void JsonVisitor::on_message_begin(const sbe::BlockLayout& message, const sbe::HeaderValues& header) {
    message_ = {{"message", message.named->name}, {"template_id", header.template_id},
        {"version", header.version}, {"fields", Json::object()}};
    open_.assign(1, &message_["fields"]);
}

void JsonVisitor::on_message_end() {}

void JsonVisitor::on_value(const sbe::FieldValue& value) {
    (*open_.back())[std::string(value.name())] = value_json(value);
}

void JsonVisitor::on_composite_begin(const sbe::Element& composite) {
    Json& made = (*open_.back())[composite.named->name] = Json::object();
    open_.push_back(&made);
}

void JsonVisitor::on_composite_end() {
    open_.pop_back();
}

void JsonVisitor::on_group_begin(const sbe::GroupLayout& group, std::uint64_t /*count*/) {
    Json& made = (*open_.back())[group.named->name] = Json::array();
    open_.push_back(&made);
}

void JsonVisitor::on_entry_begin() {
    open_.back()->push_back(Json::object());
    open_.push_back(&open_.back()->back());
}

void JsonVisitor::on_entry_end() {
    open_.pop_back();
}

void JsonVisitor::on_group_end() {
    open_.pop_back();
}

void JsonVisitor::on_data(const sbe::DataLayout& data, std::span<const std::byte> bytes) {
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (data.var_data->character_encoding.empty() && data.var_data->primitive != Primitive::kChar) {
        text.clear();
        for (const std::byte byte : bytes) {
            text += fmt::format("{:02x}", static_cast<unsigned>(byte));
        }
    }
    (*open_.back())[data.named->name] = std::move(text);
}

void JsonVisitor::on_absent_data(const sbe::DataLayout& data) {
    (*open_.back())[data.named->name] = nullptr;
}

}  // namespace fulmar::cli
