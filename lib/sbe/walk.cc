#include "fulmar/sbe/walk.h"

#include <algorithm>
#include <bit>

#include "base/bytes.h"

namespace fulmar::sbe {

namespace {

using ir::Primitive;

template <class T>
T swapped(T value) {
    if constexpr (sizeof(T) == 2) {
        return static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
    } else if constexpr (sizeof(T) == 4) {
        return static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
    } else if constexpr (sizeof(T) == 8) {
        return static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
    } else {
        return value;
    }
}

template <class T>
T load(const std::byte* bytes, std::uint64_t offset, ir::ByteOrder byte_order) {
    const T value = base::load_le<T>(bytes, offset);
    return byte_order == ir::ByteOrder::kBigEndian ? swapped(value) : value;
}

ir::Value load_value(
    const std::byte* bytes, std::uint64_t offset, Primitive primitive, ir::ByteOrder byte_order) {
    const auto as_signed = [](auto number) { return ir::Value{static_cast<std::int64_t>(number)}; };
    const auto as_unsigned = [](auto number) { return ir::Value{static_cast<std::uint64_t>(number)}; };
    switch (primitive) {
        case Primitive::kChar: return as_signed(load<std::uint8_t>(bytes, offset, byte_order));
        case Primitive::kInt8: return as_signed(load<std::int8_t>(bytes, offset, byte_order));
        case Primitive::kInt16: return as_signed(load<std::int16_t>(bytes, offset, byte_order));
        case Primitive::kInt32: return as_signed(load<std::int32_t>(bytes, offset, byte_order));
        case Primitive::kInt64: return as_signed(load<std::int64_t>(bytes, offset, byte_order));
        case Primitive::kUint8: return as_unsigned(load<std::uint8_t>(bytes, offset, byte_order));
        case Primitive::kUint16: return as_unsigned(load<std::uint16_t>(bytes, offset, byte_order));
        case Primitive::kUint32: return as_unsigned(load<std::uint32_t>(bytes, offset, byte_order));
        case Primitive::kUint64: return as_unsigned(load<std::uint64_t>(bytes, offset, byte_order));
        case Primitive::kFloat:
            return {
                static_cast<double>(std::bit_cast<float>(load<std::uint32_t>(bytes, offset, byte_order)))};
        case Primitive::kDouble:
            return {std::bit_cast<double>(load<std::uint64_t>(bytes, offset, byte_order))};
    }
    return {};
}

/// A length or a count. Negative ones, of the signed counts that a schema may have, come out beyond any
/// limit.
std::uint64_t load_count(const std::byte* bytes, IntegerAt at, ir::ByteOrder byte_order) {
    const ir::Value value =
        at.constant ? *at.constant : load_value(bytes, at.offset, at.primitive, byte_order);
    const auto* number = std::get_if<std::int64_t>(&value.data);
    return number != nullptr ? static_cast<std::uint64_t>(*number) : std::get<std::uint64_t>(value.data);
}

/// Where a walk stands. Every step checks against the end before it reads; the first error ends it.
class Walk {
  public:
    Walk(const ResolvedSchema& schema, std::span<const std::byte> message, Visitor& visitor)
        : schema_(schema), message_(message), visitor_(visitor), byte_order_(schema.schema().byte_order) {}

    fulmar::Result<std::size_t, WalkError> run();

  private:
    using Step = fulmar::Result<Done, WalkError>;

    [[nodiscard]] std::uint64_t left() const { return message_.size() - position_; }
    [[nodiscard]] const std::byte* here() const { return message_.data() + position_; }
    [[nodiscard]] bool has(std::uint32_t since_version) const { return since_version <= header_.version; }
    [[nodiscard]] Unexpected<WalkError> refuse(
        WalkFault fault, std::string_view name, std::uint64_t found, std::uint64_t limit) const {
        return {WalkError{fault, name, position_, found, limit}};
    }

    Step block(const BlockLayout& layout, std::uint64_t length, WalkFault truncated);
    Step field(const Element& element, std::uint64_t block_length);
    Step value(const Element& element, std::uint64_t block_length);
    Step group(const GroupLayout& layout);
    Step data(const DataLayout& layout);
    [[nodiscard]] bool takes_bytes(const GroupLayout& layout, std::uint64_t entry_length) const;

    const ResolvedSchema& schema_;
    std::span<const std::byte> message_;
    Visitor& visitor_;
    ir::ByteOrder byte_order_;
    HeaderValues header_;
    std::uint64_t position_ = 0;
    std::uint64_t empty_entries_ = 0;
};

fulmar::Result<std::size_t, WalkError> Walk::run() {
    const HeaderLayout& header = schema_.header();
    const ir::Schema& schema = schema_.schema();
    if (left() < header.size) {
        return refuse(WalkFault::kHeaderTruncated, schema.header_type, header.size, left());
    }
    header_.block_length = load_count(here(), header.block_length, byte_order_);
    header_.template_id = load_count(here(), header.template_id, byte_order_);
    header_.schema_id = load_count(here(), header.schema_id, byte_order_);
    header_.version = load_count(here(), header.version, byte_order_);
    if (header_.schema_id != schema.id) {
        return refuse(WalkFault::kSchemaId, schema.header_type, header_.schema_id, schema.id);
    }
    const BlockLayout* layout = schema_.message(header_.template_id);
    if (layout == nullptr) {
        return refuse(WalkFault::kTemplateId, schema.header_type, header_.template_id, 0);
    }
    position_ = header.size;
    visitor_.on_message_begin(*layout, header_);
    FULMAR_TRY_VOID(block(*layout, header_.block_length, WalkFault::kBlockTruncated));
    visitor_.on_message_end();
    return static_cast<std::size_t>(position_);
}

Walk::Step Walk::block(const BlockLayout& layout, std::uint64_t length, WalkFault truncated) {
    if (length > left()) {
        return refuse(truncated, layout.named->name, length, left());
    }
    for (const Element& element : layout.fields) {
        FULMAR_TRY_VOID(field(element, length));
    }
    position_ += length;
    for (const GroupLayout& nested : layout.groups) {
        FULMAR_TRY_VOID(group(nested));
    }
    for (const DataLayout& tail : layout.data) {
        FULMAR_TRY_VOID(data(tail));
    }
    return Done{};
}

Walk::Step Walk::field(const Element& element, std::uint64_t block_length) {
    if (!has(element.since_version)) {
        visitor_.on_value(FieldValue(element, nullptr, byte_order_));
        return Done{};
    }
    return value(element, block_length);
}

/// Versions add fields; what a composite consists of is the same in all of them.
Walk::Step Walk::value(const Element& element, std::uint64_t block_length) {
    if (element.kind == ElementKind::kComposite) {
        visitor_.on_composite_begin(element);
        for (const Element& member : element.members) {
            FULMAR_TRY_VOID(value(member, block_length));
        }
        visitor_.on_composite_end();
        return Done{};
    }
    const std::uint64_t end = std::uint64_t{element.offset} + element.size;
    if (element.size != 0 && end > block_length) {
        return refuse(WalkFault::kBlockTooShort, element.named->name, block_length, end);
    }
    visitor_.on_value(FieldValue(element, here(), byte_order_));
    return Done{};
}

Walk::Step Walk::group(const GroupLayout& layout) {
    const std::string_view name = layout.named->name;
    if (!has(layout.named->since_version)) {
        visitor_.on_group_begin(layout, 0);
        visitor_.on_group_end();
        return Done{};
    }
    if (left() < layout.header_size) {
        return refuse(WalkFault::kGroupTruncated, name, layout.header_size, left());
    }
    const std::uint64_t entry_length = load_count(here(), layout.entry_length, byte_order_);
    const std::uint64_t count = load_count(here(), layout.entry_count, byte_order_);
    position_ += layout.header_size;
    if (entry_length != 0 && count > left() / entry_length) {
        return refuse(WalkFault::kGroupCount, name, count, left() / entry_length);
    }
    if (!takes_bytes(layout, entry_length)) {
        if (count > kEmptyEntriesMax - empty_entries_) {
            return refuse(WalkFault::kEmptyEntries, name, count, kEmptyEntriesMax - empty_entries_);
        }
        empty_entries_ += count;
    }
    visitor_.on_group_begin(layout, count);
    for (std::uint64_t i = 0; i < count; ++i) {
        visitor_.on_entry_begin();
        FULMAR_TRY_VOID(block(layout, entry_length, WalkFault::kGroupTruncated));
        visitor_.on_entry_end();
    }
    visitor_.on_group_end();
    return Done{};
}

bool Walk::takes_bytes(const GroupLayout& layout, std::uint64_t entry_length) const {
    const auto is_there = [this](const auto& part) { return has(part.named->since_version); };
    return entry_length != 0 || std::any_of(layout.groups.begin(), layout.groups.end(), is_there) ||
           std::any_of(layout.data.begin(), layout.data.end(), is_there);
}

Walk::Step Walk::data(const DataLayout& layout) {
    const std::string_view name = layout.named->name;
    if (!has(layout.named->since_version)) {
        visitor_.on_absent_data(layout);
        return Done{};
    }
    if (left() < layout.header_size) {
        return refuse(WalkFault::kDataTruncated, name, layout.header_size, left());
    }
    const std::uint64_t length = load_count(here(), layout.length, byte_order_);
    if (length > left() - layout.header_size) {
        return refuse(WalkFault::kDataTruncated, name, length, left() - layout.header_size);
    }
    position_ += layout.header_size;
    visitor_.on_data(layout, message_.subspan(position_, length));
    position_ += length;
    return Done{};
}

}  // namespace

bool FieldValue::is_null(std::uint32_t index) const {
    if (element_.presence != ir::Presence::kOptional || element_.kind == ElementKind::kSet) {
        return false;
    }
    return value(element_.primitive == Primitive::kChar ? 0 : index) == element_.null_value;
}

ir::Value FieldValue::value(std::uint32_t index) const {
    if (element_.constant) {
        return *element_.constant;
    }
    const std::uint64_t offset =
        std::uint64_t{element_.offset} + std::uint64_t{index} * ir::size_of(element_.primitive);
    return load_value(bytes_, offset, element_.primitive, byte_order_);
}

std::string_view FieldValue::text() const {
    if (element_.constant) {
        const auto* text = std::get_if<std::string>(&element_.constant->data);
        return text == nullptr ? std::string_view() : *text;
    }
    const std::string_view all(reinterpret_cast<const char*>(bytes_) + element_.offset, element_.length);
    return all.substr(0, all.find('\0'));
}

const ir::EnumValue* FieldValue::enumerator() const {
    const ir::Value mine = value();
    for (const ir::EnumValue& candidate : element_.enumeration->values) {
        if (candidate.value == mine) {
            return &candidate;
        }
    }
    return nullptr;
}

std::string WalkError::text() const {
    const auto number = [](std::uint64_t value) { return std::to_string(value); };
    const std::string where = " '" + std::string(name) + "' at " + number(position) + ": ";
    const std::string room = ", but only " + number(limit) + " are left";
    switch (fault) {
        case WalkFault::kHeaderTruncated:
            return "header" + where + "needs " + number(found) + " bytes" + room;
        case WalkFault::kSchemaId:
            return "header" + where + "schema id " + number(found) + ", expected " + number(limit);
        case WalkFault::kTemplateId:
            return "header" + where + "template id " + number(found) + " is not in the schema";
        case WalkFault::kBlockTruncated:
            return "message" + where + "block of " + number(found) + " bytes" + room;
        case WalkFault::kBlockTooShort:
            return "field" + where + "ends at " + number(limit) + " of its block, which has only " +
                   number(found) + " bytes";
        case WalkFault::kGroupTruncated: return "group" + where + "needs " + number(found) + " bytes" + room;
        case WalkFault::kGroupCount:
            return "group" + where + number(found) + " entries, but there is room for only " + number(limit);
        case WalkFault::kEmptyEntries:
            return "group" + where + number(found) + " entries of no length, more than " + number(limit);
        case WalkFault::kDataTruncated: return "data" + where + number(found) + " bytes" + room;
    }
    return "message" + where + "bad";
}

fulmar::Result<std::size_t, WalkError> walk(
    const ResolvedSchema& schema, std::span<const std::byte> message, Visitor& visitor) {
    return Walk(schema, message, visitor).run();
}

}  // namespace fulmar::sbe
