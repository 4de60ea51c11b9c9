/// Writes the C++ description of a schema that resolves: types in front of what uses them, then messages.
/// Private to lib/sbe. threads: one, for the time of one schema.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "fulmar/result.h"
#include "fulmar/sbe/ir.h"
#include "sbe/cpp_text.h"
#include "sbe/schema_text.h"

namespace fulmar::sbe::detail {

class CppWriter {
  public:
    explicit CppWriter(const ir::Schema& schema);
    [[nodiscard]] fulmar::Result<std::string> write();

  private:
    /// What a described enum is called: its values and its description.
    struct EnumNames {
        std::string cpp_enum;
        std::string description;
        std::unordered_map<std::string_view, std::string> values;
    };

    /// Where the next member of a block or composite stands by SBE's rules, and where the description would
    /// put it. They differ behind constants that have an offset.
    class Placing {
      public:
        /// The At option that puts it right, if it needs one.
        std::optional<CppExpression> place(
            std::optional<std::uint32_t> offset, std::uint32_t size, std::uint32_t since, bool is_constant);
        /// The BlockLength option, if it needs one.
        [[nodiscard]] std::optional<CppExpression> length(std::optional<std::uint32_t> declared) const;
        [[nodiscard]] std::uint32_t end() const { return end_; }

      private:
        std::uint32_t end_ = 0;
        std::uint32_t described_end_ = 0;
        std::uint32_t since_ = 0;
    };

    // cpp_writer.cc: schema, messages
    void collect_data_types(const ir::Block& block);
    std::string schema();
    void message(const ir::Message& message);
    void block(const ir::Block& block, CppExpression& expression);
    CppExpression field(const ir::Field& field, Placing& placing);
    CppExpression constant_field(const ir::Field& field);
    CppExpression group(const ir::Group& group);
    CppExpression data(const ir::Data& data);

    // cpp_types.cc; each gives the C++ name of what it described
    std::string type_named(std::string_view name);
    std::string type(const ir::Encoding& encoding, const std::string& schema_name);
    std::string type(const ir::Enum& enumeration, const std::string& schema_name);
    std::string type(const ir::Set& set, const std::string& schema_name);
    std::string type(const ir::Composite& composite, const std::string& schema_name);
    const EnumNames& enum_names(std::string_view name);
    EnumNames describe_enum(const ir::Enum& enumeration, const std::string& schema_name);
    /// `Enum.Value` as description and enumerator.
    struct Enumerator {
        std::string description;
        std::string value;
    };
    Enumerator enumerator(std::string_view value_ref);
    CppExpression member(const ir::Composite& composite, const ir::Member& member, Placing& placing);
    CppExpression encoding_member(const ir::Encoding& encoding);
    /// Of a member that is an enum, a set or a composite.
    std::string inner_type(const ir::Composite& composite, const ir::Member& member);
    std::string required_type(const ir::Encoding& encoding);
    std::string var_data(const ir::Composite& composite);
    void encoding_options(const ir::Encoding& encoding, CppExpression& expression);
    [[nodiscard]] std::uint32_t size_of_type(std::string_view name);
    [[nodiscard]] std::uint32_t size_of(const ir::Encoding& encoding) const;
    [[nodiscard]] std::uint32_t size_of(const ir::Enum& enumeration) const;
    [[nodiscard]] std::uint32_t size_of(const ir::Set& set) const;
    [[nodiscard]] std::uint32_t size_of(const ir::Ref& ref);
    [[nodiscard]] std::uint32_t size_of(const ir::Composite& composite);
    [[nodiscard]] bool is_constant_type(std::string_view name) const;
    [[nodiscard]] const ir::Type* find(std::string_view name) const;
    /// A name for a type that stood inside a composite without one of its own.
    std::string free_type_name(const ir::Composite& composite, const std::string& name);

    /// Adds `struct name : expression {};`.
    void define(const std::string& name, const CppExpression& expression);
    /// Keeps the first thing that cannot be described.
    void refuse(std::string_view kind, const ir::Named& named, std::string_view why);

    const ir::Schema& schema_;
    PrimitiveNames primitives_;
    std::unordered_map<std::string_view, const ir::Type*> types_;
    std::unordered_set<std::string> type_names_;       // in the schema that comes out of the description
    std::unordered_set<std::string_view> data_types_;  // composites that are variable-length data
    std::unordered_map<std::string_view, std::string> described_;
    std::unordered_map<std::string_view, EnumNames> enums_;
    std::unordered_map<const ir::Composite*, std::uint32_t> composite_sizes_;
    std::unordered_map<std::string_view, std::string> required_types_;
    CppNames names_;
    std::string out_;
    std::optional<fulmar::Error> error_;
};

/// SemanticType, Description, Since and Deprecated.
void add_named_options(const ir::Named& named, CppExpression& expression);
void add(CppExpression& expression, std::optional<CppExpression> option);
[[nodiscard]] CppExpression text_option(std::string_view option, std::string_view text);
[[nodiscard]] CppExpression number_option(std::string_view option, std::uint32_t number);

}  // namespace fulmar::sbe::detail
