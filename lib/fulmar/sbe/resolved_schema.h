/// A schema checked and laid out: where each field stands, how long a block is, what a type's name stands
/// for. Whatever reads messages by their schema works on this form; what has one may rely on all of it being
/// sane. units: lengths and offsets in bytes.  threads: values, no sharing; read-only once made. source:
/// SBE 1.0, message schema and field encoding.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "fulmar/result.h"
#include "fulmar/sbe/ir.h"

namespace fulmar::sbe {

inline constexpr std::uint32_t kNestingMax = 16;  ///< groups in groups, composites in composites
inline constexpr std::uint32_t kBlockLengthMax = 16 * 1024 * 1024;
/// Fields of a block, and of a schema with its types, each with all members of its composites.
inline constexpr std::uint32_t kBlockElementsMax = 4096;
inline constexpr std::uint32_t kSchemaElementsMax = 512 * 1024;

/// An integer of a header.
struct IntegerAt {
    std::uint32_t offset = 0;
    ir::Primitive primitive = ir::Primitive::kUint16;
    std::optional<ir::Value> constant;  ///< instead of bytes
};

struct HeaderLayout {
    IntegerAt block_length;
    IntegerAt template_id;
    IntegerAt schema_id;
    IntegerAt version;
    std::uint32_t size = 0;
};

enum class ElementKind : std::uint8_t { kEncoding, kEnum, kSet, kComposite };

/// A field of a block or a member of a composite, at its place. The pointers lead into the schema.
struct Element {
    const ir::Named* named = nullptr;  ///< the field's or member's name
    ElementKind kind = ElementKind::kEncoding;
    const ir::Encoding* encoding = nullptr;  ///< null when a primitive's name is all there is
    const ir::Enum* enumeration = nullptr;   ///< of kEnum
    const ir::Set* set = nullptr;            ///< of kSet
    ir::Presence presence = ir::Presence::kRequired;
    ir::Primitive primitive = ir::Primitive::kUint8;
    std::uint32_t length = 1;         ///< elements of an array
    std::uint32_t offset = 0;         ///< from the begin of the block, through all composites around it
    std::uint32_t size = 0;           ///< 0 of a constant
    std::uint32_t since_version = 0;  ///< of a field; a composite's members come with it, whatever theirs is
    ir::Value null_value;             ///< counts when presence is optional
    std::optional<ir::Value> constant;  ///< of presence constant
    std::vector<Element> members;       ///< of kComposite
};

struct DataLayout {
    const ir::Data* named = nullptr;
    const ir::Encoding* var_data = nullptr;
    IntegerAt length;
    std::uint32_t header_size = 0;  ///< the bytes come behind it
};

struct GroupLayout;

struct BlockLayout {
    const ir::Block* named = nullptr;
    std::uint32_t block_length = 0;
    std::vector<Element> fields;
    std::vector<GroupLayout> groups;
    std::vector<DataLayout> data;
};

struct GroupLayout : BlockLayout {
    IntegerAt entry_length;
    IntegerAt entry_count;
    std::uint32_t header_size = 0;
};

class ResolvedSchema {
  public:
    /// errors: kGeneric with file and line, where the schema came from one, the element, what and why.
    [[nodiscard]] static fulmar::Result<ResolvedSchema> resolve(ir::Schema schema);

    [[nodiscard]] const ir::Schema& schema() const { return *schema_; }
    [[nodiscard]] const HeaderLayout& header() const { return header_; }
    /// In the order of the schema.
    [[nodiscard]] const std::vector<BlockLayout>& messages() const { return messages_; }
    /// Null when the schema has no such template.
    [[nodiscard]] const BlockLayout* message(std::uint64_t template_id) const;

  private:
    friend class Resolver;
    ResolvedSchema() = default;

    std::unique_ptr<const ir::Schema> schema_;  // on the heap, so that pointers into it outlive a move
    HeaderLayout header_;
    std::vector<BlockLayout> messages_;
    std::unordered_map<std::uint64_t, std::size_t> index_by_id_;
};

}  // namespace fulmar::sbe
