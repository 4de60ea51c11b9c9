/// Walks the bytes of one message that only its schema describes, and calls a visitor for each part.
/// The sender's version counts: fields it did not know yet are absent, what it knows beyond us is skipped.
/// Groups or data that a newer version put behind ours are not seen, so the length of such a message is a
/// lower bound. units: lengths and positions in bytes.  threads: pure; the visitor runs on the caller's
/// thread. Does not allocate. errors: values naming the part and why; nothing is read beyond the span.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "fulmar/result.h"
#include "fulmar/sbe/resolved_schema.h"

namespace fulmar::sbe {

/// Entries of one message that take no bytes, hence that bytes do not bound.
inline constexpr std::uint64_t kEmptyEntriesMax = 65534;

struct HeaderValues {
    std::uint64_t block_length = 0;
    std::uint64_t template_id = 0;
    std::uint64_t schema_id = 0;
    std::uint64_t version = 0;
};

/// One field or member in the bytes of a message.
class FieldValue {
  public:
    FieldValue(const Element& element, const std::byte* block, ir::ByteOrder byte_order)
        : element_(element), bytes_(block), byte_order_(byte_order) {}

    [[nodiscard]] const Element& element() const { return element_; }
    [[nodiscard]] std::string_view name() const { return element_.named->name; }
    /// The sender's version did not have it yet; then nothing else may be asked for.
    [[nodiscard]] bool is_absent() const { return bytes_ == nullptr; }
    /// Optional, and the null value. Of an array of char the first one decides for all.
    [[nodiscard]] bool is_null(std::uint32_t index = 0) const;
    [[nodiscard]] std::uint32_t length() const { return element_.length; }
    /// A number of the primitive's kind, or the text of a constant. A set is its bits.
    [[nodiscard]] ir::Value value(std::uint32_t index = 0) const;
    /// Of char: up to the first zero.
    [[nodiscard]] std::string_view text() const;
    /// Of an enum: null when the schema does not know the value.
    [[nodiscard]] const ir::EnumValue* enumerator() const;

  private:
    const Element& element_;
    const std::byte* bytes_;  // of the block; of the message for a constant outside any
    ir::ByteOrder byte_order_;
};

class Visitor {
  public:
    virtual ~Visitor() = default;

    virtual void on_message_begin(const BlockLayout& message, const HeaderValues& header) = 0;
    virtual void on_message_end() = 0;
    /// Whatever is no composite; and a composite that is absent.
    virtual void on_value(const FieldValue& value) = 0;
    virtual void on_composite_begin(const Element& composite) = 0;
    virtual void on_composite_end() = 0;
    /// An absent group has no entries.
    virtual void on_group_begin(const GroupLayout& group, std::uint64_t count) = 0;
    virtual void on_entry_begin() = 0;
    virtual void on_entry_end() = 0;
    virtual void on_group_end() = 0;
    virtual void on_data(const DataLayout& data, std::span<const std::byte> bytes) = 0;
    virtual void on_absent_data(const DataLayout& data) = 0;
};

enum class WalkFault : std::uint8_t {
    kHeaderTruncated,
    kSchemaId,
    kTemplateId,
    kBlockTruncated,
    kBlockTooShort,  ///< for a field that its version has
    kGroupTruncated,
    kGroupCount,
    kEmptyEntries,
    kDataTruncated,
};

struct WalkError {
    WalkFault fault = WalkFault::kHeaderTruncated;
    std::string_view name;       ///< of message, field, group or data; lives as long as the schema
    std::uint64_t position = 0;  ///< in the message, where the trouble is
    std::uint64_t found = 0;     ///< the length, count or id that was read
    std::uint64_t limit = 0;     ///< what there is room for, or what it should have been

    /// `data 'text' at 34: 900 bytes, but only 12 are left`
    [[nodiscard]] std::string text() const;
};

/// Its length, header included, when the whole message is sound. What was visited before an error was sound.
[[nodiscard]] fulmar::Result<std::size_t, WalkError> walk(
    const ResolvedSchema& schema, std::span<const std::byte> message, Visitor& visitor);

}  // namespace fulmar::sbe
