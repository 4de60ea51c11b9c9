/// Turns the elements of a schema's XML into ir values. The first thing wrong is kept and ends the reading;
/// what is made after it is thrown away. Private to lib/sbe. threads: one, for the time of one schema.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fulmar/sbe/schema_xml.h"
#include "sbe/schema_text.h"
#include "sbe/xml_source.h"

namespace fulmar::sbe::detail {

inline constexpr std::size_t kIncludeDepthMax = 8;
inline constexpr std::size_t kIncludesMax = 64;

class XmlReader;

/// The attributes of one element. Reading one makes it known; finish() refuses those nobody asked for.
class XmlAttributes {
  public:
    XmlAttributes(XmlReader& reader, pugi::xml_node node) : reader_(reader), node_(node) {}

    [[nodiscard]] std::optional<std::string_view> find(const char* name);
    /// Empty when there is none.
    [[nodiscard]] std::string text(const char* name);
    /// Surrounding blanks do not count; an error when there is none.
    [[nodiscard]] std::string required_token(const char* name);
    [[nodiscard]] std::string token(const char* name);
    [[nodiscard]] std::optional<std::uint32_t> number(const char* name, std::uint32_t max = UINT32_MAX);
    [[nodiscard]] std::uint16_t required_id();
    [[nodiscard]] std::optional<ir::Presence> presence();
    /// Name, description, semanticType, sinceVersion, deprecated and where it stands.
    void named(ir::Named& named);
    void finish();

  private:
    XmlReader& reader_;
    pugi::xml_node node_;
    std::vector<std::string_view> known_;
};

class XmlReader {
  public:
    explicit XmlReader(const XmlOptions& options) : options_(options) {}

    [[nodiscard]] fulmar::Result<ir::Schema> read(std::string_view text);

    /// Keeps the error unless there is one already.
    void refuse(pugi::xml_node node, std::string_view why);
    [[nodiscard]] ir::Origin origin(pugi::xml_node node) const;

  private:
    /// Child elements, with the root of an included document in the place of its include.
    using Each = std::function<void(pugi::xml_node)>;
    void for_each_child(pugi::xml_node node, const Each& each);
    void include(pugi::xml_node node, const Each& each);
    /// Empty when that failed.
    std::optional<IncludedXml> fetch(pugi::xml_node node);
    void refuse_unknown(pugi::xml_node node);
    /// Elements that hold neither elements nor text.
    void expect_empty(pugi::xml_node node);

    void schema(pugi::xml_node node);
    void types(pugi::xml_node node);
    ir::Encoding encoding(pugi::xml_node node);
    void encoding_values(pugi::xml_node node, XmlAttributes& attributes, ir::Encoding& encoding);
    void encoding_constant(pugi::xml_node node, bool has_length, ir::Encoding& encoding);
    ir::Enum enumeration(pugi::xml_node node);
    ir::Set set(pugi::xml_node node);
    ir::Composite composite(pugi::xml_node node);
    void member(pugi::xml_node node, ir::Composite& composite);
    ir::Ref ref(pugi::xml_node node);
    void block(pugi::xml_node node, XmlAttributes& attributes, ir::Block& block);
    void block_part(pugi::xml_node child, ir::Block& block);
    ir::Field field(pugi::xml_node node);
    ir::Group group(pugi::xml_node node);
    ir::Data data(pugi::xml_node node);

    /// Values of enums wait as text until all types are known.
    void settle_enums();
    void settle_enums(const PrimitiveNames& primitives, ir::Composite& composite);
    void settle_enum(const PrimitiveNames& primitives, ir::Enum& enumeration);

    const XmlOptions& options_;
    ir::Schema schema_;
    std::optional<fulmar::Error> error_;
    const XmlSource* source_ = nullptr;
    std::uint32_t source_index_ = 0;
    std::size_t bytes_ = 0;
    std::size_t include_depth_ = 0;
    std::uint32_t nesting_ = 0;
};

}  // namespace fulmar::sbe::detail
