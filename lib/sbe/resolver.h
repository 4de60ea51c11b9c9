/// Makes a ResolvedSchema: checks each part of a schema and works out where it stands. Private to lib/sbe.
/// threads: one, for the time of one schema.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fulmar/sbe/resolved_schema.h"

namespace fulmar::sbe {

class Resolver {
  public:
    explicit Resolver(ir::Schema schema);
    [[nodiscard]] fulmar::Result<ResolvedSchema> run() &&;

  private:
    /// Adds a name to the path that errors show, for as long as it lives.
    class Scope {
      public:
        Scope(Resolver& resolver, std::string_view name) : path_(resolver.path_) { path_.push_back(name); }
        ~Scope() { path_.pop_back(); }
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

      private:
        std::vector<std::string_view>& path_;
    };

    /// A constant that `Enum.Value` names.
    struct Referred {
        const ir::Enum* enumeration;
        const ir::EnumValue* value;
        ir::Primitive primitive;
    };

    // resolver_types.cc
    Status index_types();
    Status check_types();
    [[nodiscard]] const ir::Type* type_of(std::string_view name) const;
    fulmar::Result<Element> expand(const ir::Type& type);
    fulmar::Result<Element> expand(const ir::Member& member);
    fulmar::Result<Element> expand_encoding(const ir::Encoding& encoding);
    Status check_limits(const ir::Encoding& encoding);
    fulmar::Result<ir::Value> constant_of(const ir::Encoding& encoding);
    fulmar::Result<Element> expand_enum(const ir::Enum& enumeration);
    Status check_enum_value(const Element& element, const ir::EnumValue& value);
    fulmar::Result<Element> expand_set(const ir::Set& set);
    fulmar::Result<Element> expand_composite(const ir::Composite& composite);
    fulmar::Result<Element> expand_ref(const ir::Ref& ref);
    fulmar::Result<Referred> refer(std::string_view kind, const ir::Named& user, std::string_view value_ref);
    /// What an enum or a set is encoded as.
    fulmar::Result<Element> underlying(
        std::string_view kind, const ir::Named& user, std::string_view encoding_type);
    Status check_named(std::string_view kind, const ir::Named& named);
    Status count_element(const ir::Named& named);

    // resolver_messages.cc
    Status check_schema();
    Status resolve_header();
    Status resolve_message(const ir::Message& message);
    Status resolve_block(std::string_view kind, const ir::Block& block, BlockLayout& layout);
    /// Where the last field ends.
    fulmar::Result<std::uint32_t> place_fields(const ir::Block& block, BlockLayout& layout);
    fulmar::Result<Element> field_element(const ir::Field& field);
    Status settle_presence(const ir::Field& field, Element& element);
    fulmar::Result<GroupLayout> group_layout(const ir::Group& group);
    fulmar::Result<DataLayout> data_layout(const ir::Data& data);
    Status check_unique(const ir::Block& block);
    fulmar::Result<Element> composite_named(
        std::string_view kind, const ir::Named& user, std::string_view name);
    fulmar::Result<IntegerAt> integer_member(
        const Element& composite, std::string_view name, bool may_be_signed);

    [[nodiscard]] Unexpected<fulmar::Error> refuse(
        std::string_view kind, const ir::Named& named, std::string_view why) const;

    ResolvedSchema resolved_;
    const ir::Schema& schema_;
    std::unordered_map<std::string_view, const ir::Type*> types_;
    std::vector<std::string_view> path_;        // names around what is being looked at
    std::vector<const void*> open_composites_;  // being expanded, to notice one inside itself
    std::uint32_t group_depth_ = 0;
    std::uint32_t block_elements_ = 0;
    std::uint32_t schema_elements_ = 0;
};

}  // namespace fulmar::sbe
