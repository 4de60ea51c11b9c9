/// Compares described messages with the bytes and values that tests/golden/sbe keeps: any message, by its
/// description.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "fulmar/sbe/decoder.h"
#include "fulmar/sbe/encoder.h"
#include "tests/unit/golden.h"

namespace fulmar::test {

/// Members keep their order: it is the order of the schema.
using Json = nlohmann::ordered_json;

inline Json golden_sbe(const std::string& name) {
    return Json::parse(read_golden("sbe/" + name + ".json"));
}

inline std::vector<std::byte> from_hex(const std::string& digits) {
    REQUIRE(digits.size() % 2 == 0);
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

inline std::string to_hex(std::span<const std::byte> bytes) {
    std::string digits;
    for (const std::byte byte : bytes) {
        digits += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
        digits += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 15];
    }
    return digits;
}

template <class F>
consteval auto make_name() {
    char text[F::kName.size() + 1]{};
    for (std::size_t i = 0; i < F::kName.size(); ++i) {
        text[i] = F::kName[i];
    }
    return sbe::Name<F::kName.size() + 1>(text);
}
/// A member's name as the template argument that the views want.
template <class F>
inline constexpr auto name_of = make_name<F>();

/// Calls `visit(std::type_identity<T>)` for each T of a description's list.
template <class L, class Visitor>
void for_each_type(Visitor&& visit) {
    [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
        (visit(std::type_identity<sbe::detail::TypeAt<L, kIndex>>{}), ...);
    }
    (std::make_index_sequence<L::kSize>{});
}

template <class T>
inline constexpr bool is_described_composite = sbe::detail::Encoding<T>::kKind == sbe::TypeKind::kComposite;

// ---- reading: the values of a message as the golden files write them

template <class T, class V>
Json value_json(const V& value);

template <class Members, class View>
Json fields_json(const View& view);

template <class F, class View>
Json field_json(const View& view) {
    if constexpr (F::kRole == sbe::Role::kField) {
        return value_json<typename F::Type>(view.template get<name_of<F>>());
    } else if constexpr (F::kRole == sbe::Role::kGroup) {
        Json elements = Json::array();
        for (const auto& element : view.template group<name_of<F>>()) {
            elements.push_back(fields_json<typename F::Members>(element));
        }
        return elements;
    } else if constexpr (F::Type::kText) {
        return std::string(view.template data<name_of<F>>());
    } else {
        return to_hex(view.template data<name_of<F>>());
    }
}

/// A composite is always whole; a block lacks what its message is too old for.
template <class F, class View>
bool carries(const View& view) {
    if constexpr (requires { view.acting_version(); }) {
        return view.template carries<name_of<F>>();
    } else {
        return true;
    }
}

/// Fields, groups and data of a view; what its message is too old for is left out.
template <class Members, class View>
Json fields_json(const View& view) {
    Json fields = Json::object();
    for_each_type<Members>([&]<class F>(std::type_identity<F>) {
        if constexpr (F::kRole != sbe::Role::kOption) {
            if (carries<F>(view)) {
                fields[std::string(F::kName)] = field_json<F>(view);
            }
        }
    });
    return fields;
}

template <class E>
Json enumerator_json(typename E::CppEnum value) {
    Json found = static_cast<std::int64_t>(value);
    for_each_type<typename E::Values>([&]<class V>(std::type_identity<V>) {
        if constexpr (V::kRole == sbe::Role::kValue) {
            if (V::kValue == value) {
                found = std::string(V::kName);
            }
        }
    });
    return found;
}

template <class T, class V>
Json value_json(const V& value) {
    if constexpr (requires { value.has_value(); }) {
        return value.has_value() ? value_json<T>(*value) : Json();
    } else if constexpr (is_described_composite<T>) {
        return fields_json<typename T::Members>(value);
    } else if constexpr (std::is_enum_v<V>) {
        return enumerator_json<T>(value);
    } else if constexpr (std::is_same_v<V, char>) {
        return std::string(1, value);
    } else if constexpr (std::is_arithmetic_v<V>) {
        return value;
    } else if constexpr (std::is_same_v<V, std::string_view>) {
        return std::string(value);
    } else {
        Json list = Json::array();
        if constexpr (requires { value.bits(); }) {
            for_each_type<typename T::ChoiceList>([&]<class C>(std::type_identity<C>) {
                if constexpr (C::kRole == sbe::Role::kValue) {
                    if (value.template has<name_of<C>>()) {
                        list.push_back(std::string(C::kName));
                    }
                }
            });
        } else {
            for (const auto element : value) {
                list.push_back(element);
            }
        }
        return list;
    }
}

// ---- writing: a message from such values

template <class T>
auto value_from(const Json& json) {
    using Encoding = sbe::detail::Encoding<T>;
    using Element = typename Encoding::Element;
    if constexpr (Encoding::kKind == sbe::TypeKind::kEnum) {
        std::optional<typename T::CppEnum> found;
        for_each_type<typename T::Values>([&]<class V>(std::type_identity<V>) {
            if constexpr (V::kRole == sbe::Role::kValue) {
                if (json == std::string(V::kName)) {
                    found = V::kValue;
                }
            }
        });
        REQUIRE_MESSAGE(found.has_value(), "no enumerator ", json.dump());
        return *found;
    } else if constexpr (Encoding::kKind == sbe::TypeKind::kSet) {
        sbe::Choices<T> choices;
        for (const Json& name : json) {
            choices = sbe::Choices<T>(choices.bits() | T::mask(name.get<std::string>()));
        }
        return choices;
    } else if constexpr (std::is_same_v<Element, char>) {
        if constexpr (Encoding::kCount == 1) {
            return json.get<std::string>().at(0);
        } else {
            return std::string_view(json.get_ref<const std::string&>());
        }
    } else {
        return json.get<Element>();
    }
}

template <class Members, class Writer>
void write_fields(const Json& fields, Writer&& writer);

template <class F, class Writer>
void write_field(const Json& json, Writer& writer) {
    using T = typename F::Type;
    if constexpr (is_described_composite<T>) {
        write_fields<typename T::Members>(json, writer.template composite<name_of<F>>());
    } else if constexpr (sbe::detail::shape_of<T>() == sbe::detail::Shape::kArray) {
        using Encoding = sbe::detail::Encoding<T>;
        const auto values = json.get<std::array<typename Encoding::Element, Encoding::kCount>>();
        writer.template set_array<name_of<F>>(std::span(values));
    } else {
        if constexpr (sbe::detail::has_null<F, false>) {
            if (json.is_null()) {
                writer.template set<name_of<F>>(std::nullopt);
                return;
            }
        }
        writer.template set<name_of<F>>(value_from<T>(json));
    }
}

template <class F, class Writer>
void write_data(const Json& json, Writer& writer) {
    const auto text = json.get<std::string>();
    if constexpr (F::Type::kText) {
        writer.template data<name_of<F>>(std::string_view(text));
    } else {
        writer.template data<name_of<F>>(std::span<const std::byte>(from_hex(text)));
    }
}

template <class F, class Writer>
void write_group(const Json& json, Writer& writer) {
    auto group = writer.template group<name_of<F>>();
    for (const Json& element : json) {
        write_fields<typename F::Members>(element, group.add());
    }
}

template <class Members, class Writer>
void write_fields(const Json& fields, Writer&& writer) {
    for_each_type<Members>([&]<class F>(std::type_identity<F>) {
        if constexpr (F::kRole == sbe::Role::kField) {
            if constexpr (!sbe::detail::is_constant<F>) {
                write_field<F>(fields.at(std::string(F::kName)), writer);
            }
        } else if constexpr (F::kRole == sbe::Role::kGroup) {
            write_group<F>(fields.at(std::string(F::kName)), writer);
        } else if constexpr (F::kRole == sbe::Role::kData) {
            write_data<F>(fields.at(std::string(F::kName)), writer);
        }
    });
}

// ---- checks

/// Block length and offsets of the description against those of the recorded codecs. An older schema's codecs
/// know fewer fields.
template <class M>
void check_layout(const Json& golden) {
    using Layout = sbe::detail::LayoutOf<M>;
    CHECK(golden["name"] == std::string(M::kName));
    const bool newest = golden["version"] == M::Schema::kVersion;
    if (newest) {
        CHECK(golden["block_length"] == sbe::block_length<M>);
    }
    std::size_t fields = 0;
    for (const auto& member : Layout::kLaid.members) {
        if (member.bytes != 0 && member.since <= golden["version"]) {
            ++fields;
            CHECK_MESSAGE(golden["offsets"].value(std::string(member.name), -1) ==
                              static_cast<std::int64_t>(member.offset),
                member.name);
        }
    }
    CHECK(golden["offsets"].size() == fields);
}

/// The bytes decode to the values, and these encode to the same bytes where they are of the schema's version.
template <class M>
void check_message(const Json& golden) {
    const std::vector<std::byte> bytes = from_hex(golden["hex"]);
    const auto message = sbe::Decoder<M>::decode(bytes);
    REQUIRE_MESSAGE(message, sbe::to_string(message.error().fault), " in ", message.error().member);
    CHECK(fields_json<typename M::Members>(*message) == golden["fields"]);
    CHECK(message->acting_version() == golden["version"]);
    CHECK(message->acting_block_length() == golden["block_length"]);
    const std::size_t length = sbe::header_length<M> + message->length();
    CHECK(length + golden.value("trailing", 0U) == bytes.size());
    if (golden["version"] != M::Schema::kVersion) {
        return;
    }
    std::vector<std::byte> buffer(length, std::byte{0xa5});
    sbe::Encoder<M> encoder(buffer);
    write_fields<typename M::Members>(golden["fields"], encoder);
    const auto encoded = encoder.finish();
    REQUIRE_MESSAGE(encoded, sbe::to_string(encoded.error().fault), " in ", encoded.error().member);
    CHECK(to_hex(*encoded) == to_hex(std::span(bytes).first(length)));
}

/// Calls `visit(std::type_identity<M>)` with the message of the list that has this template id; false if none
/// has.
template <class... Ms, class Visitor>
bool with_message(sbe::Messages<Ms...>, std::int64_t template_id, Visitor&& visit) {
    return ((Ms::kId == template_id && (visit(std::type_identity<Ms>{}), true)) || ...);
}

/// Every message of a golden file is one of the list and passes, and every message of the list is in the
/// file.
template <class... Ms>
void check_codecs(const std::string& file, sbe::Messages<Ms...> list) {
    const Json golden = golden_sbe(file);
    std::set<std::int64_t> seen;
    for (const Json& entry : golden["messages"]) {
        CAPTURE(entry["name"]);
        CAPTURE(entry["variant"]);
        const bool known = with_message(list, entry["template"], [&]<class M>(std::type_identity<M>) {
            CHECK(golden["schema"] == M::Schema::kId);
            CHECK(golden["version"] == M::Schema::kVersion);
            check_layout<M>(entry);
            check_message<M>(entry);
        });
        CHECK(known);
        seen.insert(entry["template"].get<std::int64_t>());
    }
    CHECK(seen == std::set<std::int64_t>{Ms::kId...});
}

/// Every captured message is one of the list and passes; returns their names with the streams they went over.
template <class List>
std::set<std::string> check_session(const std::string& file, List list) {
    std::set<std::string> seen;
    const Json golden = golden_sbe(file);
    for (const Json& entry : golden["messages"]) {
        CAPTURE(entry["name"]);
        CAPTURE(entry["stream"]);
        CHECK(with_message(
            list, entry["template"], [&]<class M>(std::type_identity<M>) { check_message<M>(entry); }));
        seen.insert(entry["stream"].get<std::string>() + " " + entry["name"].get<std::string>());
    }
    return seen;
}

/// For static_assert: id, block length, and all fields with their offsets, in order.
template <class M>
consteval bool laid(std::uint16_t id, std::uint32_t block_length,
    std::initializer_list<std::pair<std::string_view, std::uint32_t>> fields) {
    const auto* field = fields.begin();
    for (const auto& member : sbe::detail::LayoutOf<M>::kLaid.members) {
        if (member.bytes == 0) {
            continue;
        }
        if (field == fields.end() || field->first != member.name || field->second != member.offset) {
            return false;
        }
        ++field;
    }
    return M::kId == id && sbe::block_length<M> == block_length && field == fields.end();
}

}  // namespace fulmar::test
