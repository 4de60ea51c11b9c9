/// How a row's text becomes a member of DriverSettings and back; one pair of functions per member type.
/// threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "config/setting_table.h"

namespace fulmar::config {

/// errors of both: kGeneric, what the value must be.
[[nodiscard]] Result<bool> parse_switch(std::string_view text);
[[nodiscard]] Result<IdleStrategy> parse_idle_strategy(std::string_view text);

namespace detail {

/// errors of all: kGeneric, what the value must be.
[[nodiscard]] Result<std::int64_t> parse_number(const SettingRow& row, std::string_view text);
[[nodiscard]] Result<Duration> parse_time(const SettingRow& row, std::string_view text);
[[nodiscard]] Result<ThreadingMode> parse_threading_mode(std::string_view text);
/// allow or deny, or the class names Aeron's Java driver takes.
[[nodiscard]] Result<bool> parse_termination_validator(std::string_view text);
[[nodiscard]] std::string show_number(SettingUnit unit, std::int64_t value);
[[nodiscard]] std::string show_time(Duration value);

template <auto kMember>
using MemberType = std::remove_reference_t<decltype(std::declval<DriverSettings&>().*kMember)>;

template <auto kMember>
Status set_member(const SettingRow& row, std::string_view text, DriverSettings& out) {
    using Type = MemberType<kMember>;
    if constexpr (std::is_same_v<Type, std::string>) {
        out.*kMember = std::string(text);
    } else if constexpr (std::is_same_v<Type, std::vector<std::string>>) {
        (out.*kMember).emplace_back(text);
    } else if constexpr (std::is_same_v<Type, bool>) {
        FULMAR_TRY(
            value, row.unit == SettingUnit::kBool ? parse_switch(text) : parse_termination_validator(text));
        out.*kMember = value;
    } else if constexpr (std::is_same_v<Type, Duration>) {
        FULMAR_TRY(value, parse_time(row, text));
        out.*kMember = value;
    } else if constexpr (std::is_same_v<Type, ThreadingMode>) {
        FULMAR_TRY(value, parse_threading_mode(text));
        out.*kMember = value;
    } else if constexpr (std::is_same_v<Type, IdleStrategy>) {
        FULMAR_TRY(value, parse_idle_strategy(text));
        out.*kMember = value;
    } else {
        FULMAR_TRY(value, parse_number(row, text));
        out.*kMember = value;
    }
    return Done{};
}

template <auto kMember, SettingUnit kUnit>
std::string show_member(const DriverSettings& settings) {
    using Type = MemberType<kMember>;
    const auto& value = settings.*kMember;
    if constexpr (std::is_same_v<Type, std::string>) {
        return value;
    } else if constexpr (std::is_same_v<Type, std::vector<std::string>>) {
        std::string out;
        for (const std::string& item : value) {
            out += (out.empty() ? "" : " ") + item;
        }
        return out;
    } else if constexpr (std::is_same_v<Type, bool>) {
        if constexpr (kUnit == SettingUnit::kBool) {
            return value ? "true" : "false";
        } else {
            return value ? "allow" : "deny";
        }
    } else if constexpr (std::is_same_v<Type, Duration>) {
        return show_time(value);
    } else if constexpr (std::is_enum_v<Type>) {
        return std::string(to_string(value));
    } else {
        return show_number(kUnit, value);
    }
}

}  // namespace detail

}  // namespace fulmar::config
