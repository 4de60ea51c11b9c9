/// From C++ descriptions to the schema model, and so to the standard XML that other languages' tools read.
///
///     const auto xml = sbe::write_schema<NewOrder, CancelOrder, ExecutionReport>();
///
/// Types are written in the order of their first use. Two anonymous things get names: an array (`char[8]`
/// becomes the type `char_8`) and a constant that is no enumerator (a type of its field's name). threads:
/// pure functions.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "fulmar/result.h"
#include "fulmar/sbe/ir.h"
#include "fulmar/sbe/resolved_schema.h"
#include "fulmar/sbe/schema_xml.h"
#include "fulmar/sbe/value.h"

namespace fulmar::sbe {

namespace detail {

template <class T>
consteval ir::Primitive primitive_for() {
    using enum ir::Primitive;
    if constexpr (std::is_same_v<T, char>) {
        return kChar;
    } else if constexpr (std::is_floating_point_v<T>) {
        return sizeof(T) == 4 ? kFloat : kDouble;
    } else if constexpr (std::is_signed_v<T>) {
        return sizeof(T) == 1 ? kInt8 : sizeof(T) == 2 ? kInt16 : sizeof(T) == 4 ? kInt32 : kInt64;
    } else {
        return sizeof(T) == 1 ? kUint8 : sizeof(T) == 2 ? kUint16 : sizeof(T) == 4 ? kUint32 : kUint64;
    }
}

/// Makes a schema of descriptions, type by type as they are first used.
class Describer {
  public:
    ir::Schema schema;

    template <class S>
    void begin() {
        schema.package = S::kPackage;
        schema.id = S::kId;
        schema.version = S::kVersion;
        schema.semantic_version = S::kOptions.semantic_version;
        schema.description = S::kOptions.description;
        schema.byte_order = S::kBigEndian ? ir::ByteOrder::kBigEndian : ir::ByteOrder::kLittleEndian;
        schema.header_type = type_name<typename S::Header>();
    }

    template <class M>
    void add_message() {
        ir::Message message;
        message.id = M::kId;
        fill_block<M>(message);
        schema.messages.push_back(std::move(message));
    }

  private:
    template <class Body>
    void fill_block(ir::Block& block) {
        name(block, Body::kName, Body::kOptions);
        if (Body::kOptions.block_length >= 0) {
            block.block_length = static_cast<std::uint32_t>(Body::kOptions.block_length);
        }
        each(typename Body::Members{}, [&]<class T>(std::type_identity<T>) {
            if constexpr (T::kRole == Role::kField) {
                block.fields.push_back(field<T>());
            } else if constexpr (T::kRole == Role::kGroup) {
                ir::Group group;
                group.id = T::kId;
                group.dimension_type = type_name<typename T::DimensionType>();
                fill_block<T>(group);
                block.groups.push_back(std::move(group));
            } else if constexpr (T::kRole == Role::kData) {
                ir::Data data;
                name(data, T::kName, T::kOptions);
                data.id = T::kId;
                data.type = add_var_data<typename T::Type>();
                block.data.push_back(std::move(data));
            }
        });
    }

    template <class F>
    ir::Field field() {
        ir::Field field;
        name(field, F::kName, F::kOptions);
        field.id = F::kId;
        field.time_unit = F::kOptions.time_unit;
        field.epoch = F::kOptions.epoch;
        if (F::kOptions.offset >= 0) {
            field.offset = static_cast<std::uint32_t>(F::kOptions.offset);
        }
        if constexpr (F::kValue.given() && shape_of<typename F::Type>() == Shape::kEnum) {
            field.type = type_name<typename F::Type>();
            field.presence = ir::Presence::kConstant;
            field.value_ref = value_ref<typename F::Type>(F::kValue);
        } else if constexpr (F::kValue.given()) {
            field.type = add_type(encoding<typename F::Type>(F::kName, Options{}, F::kValue));
        } else {
            field.type = type_name<typename F::Type>();
            if (F::kOptions.optional) {
                field.presence = ir::Presence::kOptional;
            }
        }
        return field;
    }

    /// The name of a type, which stands in the schema from then on unless it is a primitive's.
    template <class T>
    std::string type_name() {
        using E = Encoding<T>;
        if constexpr (std::is_arithmetic_v<T>) {
            return std::string(to_string(primitive_for<T>()));
        } else if constexpr (std::is_array_v<T>) {
            const std::string primitive(to_string(primitive_for<typename E::Element>()));
            return add_type(encoding<T>(primitive + "_" + std::to_string(E::kCount), Options{}, Literal{}));
        } else if constexpr (E::kKind == TypeKind::kPrimitive) {
            return add_type(encoding<T>(T::kName, T::kOptions, E::kValue));
        } else if constexpr (E::kKind == TypeKind::kEnum) {
            return add_type(enumeration<T>());
        } else if constexpr (E::kKind == TypeKind::kSet) {
            return add_type(set<T>());
        } else {
            return add_type(composite<T>());
        }
    }

    template <class T>
    static ir::Encoding encoding(
        std::string_view type_name, const Options& options, const Literal& constant) {
        using E = Encoding<T>;
        using Element = typename E::Element;
        constexpr bool text = std::is_same_v<Element, char>;
        ir::Encoding encoding;
        name(encoding, type_name, options);
        encoding.primitive = primitive_for<Element>();
        encoding.length = E::kCount;
        encoding.character_encoding = options.character_encoding;
        encoding.time_unit = options.time_unit;
        encoding.epoch = options.epoch;
        encoding.null_value = value<Element>(options.null);
        encoding.min_value = value<Element>(options.min);
        encoding.max_value = value<Element>(options.max);
        if (options.optional) {
            encoding.presence = ir::Presence::kOptional;
        }
        if (constant.given()) {
            encoding.presence = ir::Presence::kConstant;
            encoding.constant = text ? ir::Value{std::string(constant.view())} : value<Element>(constant);
            if (text && constant.kind != Literal::Kind::kText) {
                encoding.constant = ir::Value{std::string(1, constant.as<char>())};
            }
        }
        return encoding;
    }

    template <class T>
    ir::Enum enumeration() {
        using Element = typename Encoding<T>::Element;
        ir::Enum enumeration;
        name(enumeration, T::kName, T::kOptions);
        enumeration.encoding_type = to_string(primitive_for<Element>());
        if constexpr (T::kOptions.null.given()) {
            // A null value belongs to what an enum is encoded as, which has to be a type of its own then.
            ir::Encoding encoding;
            encoding.name = std::string(T::kName) + "Encoding";
            encoding.primitive = primitive_for<Element>();
            encoding.presence = ir::Presence::kOptional;
            encoding.null_value = value<Element>(T::kOptions.null);
            enumeration.encoding_type = add_type(std::move(encoding));
        }
        each(typename T::Values{}, [&]<class V>(std::type_identity<V>) {
            if constexpr (V::kRole == Role::kValue) {
                ir::EnumValue one;
                name(one, V::kName, V::kOptions);
                one.value = *value<Element>(Literal(V::kValue));
                enumeration.values.push_back(std::move(one));
            }
        });
        return enumeration;
    }

    template <class T>
    static ir::Set set() {
        ir::Set set;
        name(set, T::kName, T::kOptions);
        set.encoding_type = to_string(primitive_for<typename Encoding<T>::Element>());
        each(typename T::ChoiceList{}, [&]<class C>(std::type_identity<C>) {
            if constexpr (C::kRole == Role::kValue) {
                ir::Choice choice;
                name(choice, C::kName, C::kOptions);
                choice.bit = C::kBit;
                set.choices.push_back(std::move(choice));
            }
        });
        return set;
    }

    template <class T>
    ir::Composite composite() {
        ir::Composite composite;
        name(composite, T::kName, T::kOptions);
        each(typename T::Members{}, [&]<class F>(std::type_identity<F>) {
            if constexpr (F::kRole == Role::kField) {
                composite.members.push_back(member<F>());
            }
        });
        return composite;
    }

    template <class F>
    ir::Member member() {
        using T = typename F::Type;
        ir::Member member;
        if constexpr (F::kValue.given() && shape_of<T>() == Shape::kEnum) {
            type_name<T>();
            ir::Encoding constant;
            name(constant, F::kName, F::kOptions);
            constant.primitive = primitive_for<typename Encoding<T>::Element>();
            constant.presence = ir::Presence::kConstant;
            constant.value_ref = value_ref<T>(F::kValue);
            member.type = std::move(constant);
        } else if constexpr (std::is_arithmetic_v<T> || std::is_array_v<T> || F::kValue.given()) {
            member.type = encoding<T>(F::kName, F::kOptions, F::kValue);
        } else {
            ir::Ref ref;
            name(ref, F::kName, F::kOptions);
            ref.type = type_name<T>();
            member.type = std::move(ref);
        }
        if (F::kOptions.offset >= 0) {
            member.offset = static_cast<std::uint32_t>(F::kOptions.offset);
        }
        return member;
    }

    template <class T>
    std::string add_var_data() {
        ir::Encoding length;
        length.name = "length";
        length.primitive = primitive_for<typename T::Length>();
        length.max_value = value<typename T::Length>(T::kMax);
        ir::Encoding bytes;
        bytes.name = "varData";
        bytes.primitive = ir::Primitive::kUint8;
        bytes.length = 0;
        bytes.character_encoding = T::kOptions.character_encoding;
        ir::Composite composite;
        name(composite, T::kName, T::kOptions);
        composite.members.push_back({std::move(length), {}});
        composite.members.push_back({std::move(bytes), {}});
        return add_type(std::move(composite));
    }

    /// A type equal to one that stands there already is that one. An unequal one of the same name is added as
    /// it is: resolving the schema says so.
    std::string add_type(ir::Type type) {
        const std::string type_name = about(type).name;
        const ir::Type* known = find_type(schema, type_name);
        if (known == nullptr || !(*known == type)) {
            schema.types.push_back(std::move(type));
        }
        return type_name;
    }

    template <class T>
    static std::string value_ref(const Literal& literal) {
        std::string found;
        each(typename T::Values{}, [&]<class V>(std::type_identity<V>) {
            if constexpr (V::kRole == Role::kValue) {
                if (Literal(V::kValue) == literal) {
                    found = std::string(T::kName) + "." + std::string(V::kName);
                }
            }
        });
        return found;
    }

    template <class Element>
    static std::optional<ir::Value> value(const Literal& literal) {
        if (!literal.given()) {
            return std::nullopt;
        }
        if (literal.kind == Literal::Kind::kText) {
            return ir::Value{static_cast<std::int64_t>(static_cast<unsigned char>(literal.text[0]))};
        }
        if constexpr (std::is_floating_point_v<Element>) {
            return ir::Value{literal.as<double>()};
        } else if constexpr (std::is_signed_v<Element> || std::is_same_v<Element, char>) {
            return ir::Value{static_cast<std::int64_t>(literal.as<Element>())};
        } else {
            return ir::Value{static_cast<std::uint64_t>(literal.as<Element>())};
        }
    }

    static void name(ir::Named& named, std::string_view text, const Options& options) {
        named.name = text;
        named.description = options.description;
        named.semantic_type = options.semantic_type;
        named.since_version = options.since;
        if (options.deprecated != 0) {
            named.deprecated = options.deprecated;
        }
    }

    template <class... Ts, class Visit>
    static void each(List<Ts...>, [[maybe_unused]] Visit visit) {
        (visit(std::type_identity<Ts>{}), ...);
    }
};

}  // namespace detail

/// The schema that these messages, all of one, make up.
template <class First, class... Rest>
[[nodiscard]] ir::Schema describe() {
    static_assert(
        (std::is_same_v<typename First::Schema, typename Rest::Schema> && ...), "messages of one schema");
    detail::Describer describer;
    describer.begin<typename First::Schema>();
    describer.add_message<First>();
    (describer.add_message<Rest>(), ...);
    return std::move(describer.schema);
}

/// The standard XML schema of these messages.
/// errors: kGeneric where two types or messages have one name or id, which no compiler sees.
template <class... Ms>
[[nodiscard]] fulmar::Result<std::string> write_schema() {
    FULMAR_TRY(resolved, ResolvedSchema::resolve(describe<Ms...>()));
    return write_xml(resolved.schema());
}

namespace detail {
template <class L>
struct WriteSchemaOf;
template <class... Ms>
struct WriteSchemaOf<Messages<Ms...>> {
    static fulmar::Result<std::string> write() { return write_schema<Ms...>(); }
};
}  // namespace detail

/// The same of a list: `write_schema_of<archive::Messages>()`.
template <class L>
[[nodiscard]] fulmar::Result<std::string> write_schema_of() {
    return detail::WriteSchemaOf<L>::write();
}

}  // namespace fulmar::sbe
