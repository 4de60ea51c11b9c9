#include "fulmar/sbe/walk.h"

#include <bit>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "fulmar/sbe/schema_xml.h"

namespace fulmar::sbe {

namespace {

const std::string kTypes =
    "<composite name='v'><type name='length' primitiveType='uint16'/>"
    "<type name='varData' primitiveType='uint8' length='0'/></composite>"
    "<type name='symbol' primitiveType='char' length='4'/>"
    "<enum name='Side' encodingType='char'><validValue name='Buy'>1</validValue></enum>"
    "<set name='Flags' encodingType='uint8'><choice name='A'>0</choice><choice name='B'>3</choice></set>"
    "<composite name='Decimal'><type name='mantissa' primitiveType='int32'/>"
    "<type name='exponent' primitiveType='int8' presence='constant'>-2</type></composite>"
    "<composite name='tiny'><type name='blockLength' primitiveType='uint8'/>"
    "<type name='numInGroup' primitiveType='int8'/></composite>";

ResolvedSchema schema_of(
    const std::string& types, const std::string& message, const std::string& attributes = "") {
    const auto schema =
        read_xml("<messageSchema package='p' id='9' version='2' " + attributes + "><types>" + types +
                 "</types><message name='M' id='5'>" + message + "</message></messageSchema>");
    REQUIRE_MESSAGE(schema, (schema ? "" : schema.error().message));
    auto resolved = ResolvedSchema::resolve(*schema);
    REQUIRE_MESSAGE(resolved, (resolved ? "" : resolved.error().message));
    return std::move(resolved).value();
}

/// Bytes put together by hand, in either order.
struct Bytes {
    bool big = false;
    std::vector<std::byte> all{};

    Bytes& put(std::uint64_t value, int width) {
        for (int i = 0; i < width; ++i) {
            const int shift = 8 * (big ? width - 1 - i : i);
            all.push_back(static_cast<std::byte>(value >> shift));
        }
        return *this;
    }
    Bytes& zeros(std::size_t count) {
        all.resize(all.size() + count);
        return *this;
    }
    Bytes& u8(std::uint64_t value) { return put(value, 1); }
    Bytes& u16(std::uint64_t value) { return put(value, 2); }
    Bytes& u32(std::uint64_t value) { return put(value, 4); }
    Bytes& u64(std::uint64_t value) { return put(value, 8); }
    Bytes& text(std::string_view text) {
        for (const char c : text) {
            u8(static_cast<unsigned char>(c));
        }
        return *this;
    }
    Bytes& header(std::uint64_t block_length, std::uint64_t version = 2) {
        return u16(block_length).u16(5).u16(9).u16(version);
    }
};

/// Writes down what it is shown.
class Notes : public Visitor {
  public:
    std::string notes;

    void on_message_begin(const BlockLayout& message, const HeaderValues& header) override {
        notes += message.named->name + " v" + std::to_string(header.version);
    }
    void on_message_end() override { notes += " end"; }
    void on_value(const FieldValue& value) override {
        notes += " " + std::string(value.name()) + "=";
        if (value.is_absent()) {
            notes += "absent";
        } else if (value.element().kind == ElementKind::kEnum && value.enumerator() != nullptr) {
            notes += value.enumerator()->name;
        } else if (value.element().primitive == ir::Primitive::kChar && value.length() > 1) {
            notes += value.is_null() ? "null" : std::string(value.text());
        } else {
            for (std::uint32_t i = 0; i < value.length(); ++i) {
                notes += (i > 0 ? "," : "") + (value.is_null(i) ? "null" : number(value.value(i)));
            }
        }
    }
    void on_composite_begin(const Element& composite) override { notes += " " + composite.named->name + "{"; }
    void on_composite_end() override { notes += " }"; }
    void on_group_begin(const GroupLayout& group, std::uint64_t count) override {
        notes += " " + group.named->name + "*" + std::to_string(count);
    }
    void on_entry_begin() override { notes += " ["; }
    void on_entry_end() override { notes += " ]"; }
    void on_group_end() override { notes += ";"; }
    void on_data(const DataLayout& data, std::span<const std::byte> bytes) override {
        notes += " " + data.named->name + "=" +
                 std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    void on_absent_data(const DataLayout& data) override { notes += " " + data.named->name + "=absent"; }

  private:
    static std::string number(const ir::Value& value) {
        struct Text {
            std::string operator()(std::int64_t number) { return std::to_string(number); }
            std::string operator()(std::uint64_t number) { return std::to_string(number) + "u"; }
            std::string operator()(double number) { return std::to_string(number); }
            std::string operator()(const std::string& text) { return text; }
        };
        return std::visit(Text{}, value.data);
    }
};

std::string notes_of(const ResolvedSchema& schema, const Bytes& bytes, std::size_t length) {
    Notes notes;
    const auto walked = walk(schema, bytes.all, notes);
    REQUIRE_MESSAGE(walked, (walked ? "" : walked.error().text()), " after ", notes.notes);
    CHECK(*walked == length);
    return notes.notes;
}

std::string error_of(const ResolvedSchema& schema, const Bytes& bytes, WalkFault fault) {
    Notes notes;
    const auto walked = walk(schema, bytes.all, notes);
    REQUIRE_MESSAGE(!walked, notes.notes);
    CHECK(walked.error().fault == fault);
    return walked.error().text();
}

const std::string kEveryField =
    "<field name='c' id='1' type='char'/><field name='i8' id='2' type='int8'/><field name='i16' id='3' "
    "type='int16'/>"
    "<field name='i32' id='4' type='int32'/><field name='i64' id='5' type='int64'/>"
    "<field name='u8' id='6' type='uint8'/><field name='u16' id='7' type='uint16'/>"
    "<field name='u32' id='8' type='uint32'/><field name='u64' id='9' type='uint64'/>"
    "<field name='f' id='10' type='float'/><field name='d' id='11' type='double'/>"
    "<field name='s' id='12' type='symbol'/><field name='side' id='13' type='Side'/>"
    "<field name='flags' id='14' type='Flags'/><field name='price' id='15' type='Decimal'/>";

Bytes every_field(bool big) {
    Bytes bytes{.big = big};
    bytes.header(56).u8('x').u8(0xFE).u16(0xFFFD).u32(0xFFFFFFFC).u64(~std::uint64_t{4});
    bytes.u8(250).u16(65000).u32(4000000000).u64(18000000000000000000U);
    bytes.u32(std::bit_cast<std::uint32_t>(1.5F)).u64(std::bit_cast<std::uint64_t>(-2.25));
    return bytes.text(std::string_view("AB\0C", 4)).u8('1').u8(9).u32(0xFFFFFF85).zeros(4);
}

}  // namespace

TEST_CASE("fields: each primitive in either byte order, constants from the schema") {
    const std::string expected =
        "M v2 c=120 i8=-2 i16=-3 i32=-4 i64=-5 u8=250u u16=65000u u32=4000000000u u64=18000000000000000000u"
        " f=1.500000 d=-2.250000 s=AB side=Buy flags=9u price{ mantissa=-123 exponent=-2 } end";
    CHECK(notes_of(schema_of(kTypes, kEveryField), every_field(false), 64) == expected);
    CHECK(
        notes_of(schema_of(kTypes, kEveryField, "byteOrder='bigEndian'"), every_field(true), 64) == expected);
}

TEST_CASE("nulls: of optional fields, of each element, and of text by its first character") {
    const ResolvedSchema schema =
        schema_of(kTypes + "<type name='a' primitiveType='int16' length='2' presence='optional'/>",
            "<field name='x' id='1' type='uint32' presence='optional'/><field name='y' id='2' type='double' "
            "presence='optional'/>"
            "<field name='s' id='3' type='symbol' presence='optional'/><field name='a' id='4' type='a'/>"
            "<field name='z' id='5' type='uint32'/>");
    Bytes bytes;
    bytes.header(28)
        .u32(0xFFFFFFFF)
        .u64(std::bit_cast<std::uint64_t>(__builtin_nan("")))
        .u32(0)
        .u16(7)
        .u16(0x8000);
    bytes.u32(0xFFFFFFFF).u32(0);
    CHECK(notes_of(schema, bytes, 36) == "M v2 x=null y=null s=null a=7,null z=4294967295u end");
}

const std::string kVersions =
    "<field name='a' id='1' type='uint16'/><field name='b' id='2' type='uint16' sinceVersion='1'/>"
    "<field name='p' id='3' type='Decimal' sinceVersion='2'/>"
    "<group name='g' id='4' sinceVersion='1'><field name='x' id='5' type='uint8'/>"
    "<field name='y' id='6' type='uint8' sinceVersion='2'/></group>"
    "<data name='d' id='7' type='v'/><data name='e' id='8' type='v' sinceVersion='2'/>";

TEST_CASE("versions: what an older sender did not know is absent, what a newer one added is skipped") {
    const ResolvedSchema schema = schema_of(kTypes, kVersions);
    Bytes oldest;
    oldest.header(2, 0).u16(7).u16(2).text("hi");
    CHECK(notes_of(schema, oldest, 14) == "M v0 a=7u b=absent p=absent g*0; d=hi e=absent end");

    Bytes older;
    older.header(4, 1).u16(7).u16(8).u16(1).u16(2).u8(1).u8(2).u16(0);
    CHECK(notes_of(schema, older, 20) ==
          "M v1 a=7u b=8u p=absent g*2 [ x=1u y=absent ] [ x=2u y=absent ]; d= e=absent end");

    Bytes newer;
    newer.header(12, 9)
        .u16(7)
        .u16(8)
        .u32(5)
        .u32(0xEEEEEEEE)
        .u16(3)
        .u16(1)
        .u8(1)
        .u8(2)
        .u8(0xEE)
        .u16(0)
        .u16(1)
        .text("!");
    CHECK(notes_of(schema, newer, 32) ==
          "M v9 a=7u b=8u p{ mantissa=5 exponent=-2 } g*1 [ x=1u y=2u ]; d= e=! end");
}

TEST_CASE("versions: a composite is whole, whatever its members say") {
    const std::string type =
        "<composite name='C'><type name='x' primitiveType='uint8'/>"
        "<type name='y' primitiveType='uint8' sinceVersion='2'/></composite>";
    const ResolvedSchema schema = schema_of(type, "<field name='c' id='1' type='C'/>");
    CHECK(notes_of(schema, Bytes{}.header(2, 0).u8(1).u8(2), 10) == "M v0 c{ x=1u y=2u } end");
    CHECK(error_of(schema, Bytes{}.header(1, 0).u8(1), WalkFault::kBlockTooShort) ==
          "field 'y' at 8: ends at 2 of its block, which has only 1 bytes");
}

TEST_CASE("a block may be shorter than the schema's only where its version explains it") {
    const ResolvedSchema schema = schema_of(kTypes, kVersions);
    Bytes bytes;
    bytes.header(4, 2).u16(7).u16(8).zeros(32);
    CHECK(error_of(schema, bytes, WalkFault::kBlockTooShort) ==
          "field 'mantissa' at 8: ends at 8 of its block, which has only 4 bytes");
    Bytes entry;
    entry.header(8).u16(1).u16(2).u32(3).u16(1).u16(1).zeros(32);
    CHECK(error_of(schema, entry, WalkFault::kBlockTooShort) ==
          "field 'y' at 20: ends at 2 of its block, which has only 1 bytes");
}

const std::string kNested =
    "<group name='g' id='1'><field name='x' id='2' type='uint16'/>"
    "<group name='h' id='3' dimensionType='tiny'><field name='y' id='4' type='uint8'/>"
    "<data name='d' id='5' type='v'/></group><data name='e' id='6' type='v'/></group>"
    "<data name='t' id='7' type='v'/>";

Bytes nested() {
    Bytes bytes;
    bytes.header(0).u16(2).u16(2);
    bytes.u16(10).u8(1).u8(2).u8(11).u16(1).text("a").u8(12).u16(0).u16(2).text("bc");
    return bytes.u16(20).u8(1).u8(0).u16(0).u16(3).text("end");
}

TEST_CASE("groups: in groups, with data of their own and dimensions of other widths") {
    CHECK(notes_of(schema_of(kTypes, kNested), nested(), 38) ==
          "M v2 g*2 [ x=10u h*2 [ y=11u d=a ] [ y=12u d= ]; e=bc ] [ x=20u h*0; e= ]; t=end end");
}

TEST_CASE("truncation: every prefix of a message is an error") {
    const ResolvedSchema schema = schema_of(kTypes, kNested);
    const Bytes whole = nested();
    for (std::size_t length = 0; length < whole.all.size(); ++length) {
        // A vector of its own, so that the address sanitizer sees a read beyond it.
        const std::vector<std::byte> prefix(
            whole.all.begin(), whole.all.begin() + static_cast<std::ptrdiff_t>(length));
        Notes notes;
        CHECK_FALSE(walk(schema, prefix, notes));
    }
}

TEST_CASE("faults: each names its part, its place and the numbers") {
    const ResolvedSchema schema = schema_of(kTypes, kNested);
    CHECK(error_of(schema, Bytes{}.u16(0), WalkFault::kHeaderTruncated) ==
          "header 'messageHeader' at 0: needs 8 bytes, but only 2 are left");
    CHECK(error_of(schema, Bytes{}.u16(0).u16(5).u16(8).u16(2), WalkFault::kSchemaId) ==
          "header 'messageHeader' at 0: schema id 8, expected 9");
    CHECK(error_of(schema, Bytes{}.u16(0).u16(6).u16(9).u16(2), WalkFault::kTemplateId) ==
          "header 'messageHeader' at 0: template id 6 is not in the schema");
    CHECK(error_of(schema, Bytes{}.header(5).u8(0), WalkFault::kBlockTruncated) ==
          "message 'M' at 8: block of 5 bytes, but only 1 are left");
    CHECK(error_of(schema, Bytes{}.header(0).u16(2), WalkFault::kGroupTruncated) ==
          "group 'g' at 8: needs 4 bytes, but only 2 are left");
    CHECK(error_of(schema, Bytes{}.header(0).u16(2).u16(65535).zeros(20), WalkFault::kGroupCount) ==
          "group 'g' at 12: 65535 entries, but there is room for only 10");
    CHECK(error_of(schema, Bytes{}.header(0).u16(2).u16(1).u16(7).u8(1).u8(0xFF).zeros(9),
              WalkFault::kGroupCount) ==
          "group 'h' at 16: 18446744073709551615 entries, but there is room for only 9");
    CHECK(error_of(schema, Bytes{}.header(0).u16(2).u16(0).u16(900).text("x"), WalkFault::kDataTruncated) ==
          "data 't' at 12: 900 bytes, but only 1 are left");
}

TEST_CASE("entries that take no bytes are bounded") {
    const std::string dimensions =
        "<composite name='groupSizeEncoding'><type name='blockLength' primitiveType='uint16'/>"
        "<type name='numInGroup' primitiveType='uint64'/></composite>";
    const ResolvedSchema schema = schema_of(dimensions, "<group name='g' id='1'/>");
    CHECK(notes_of(schema, Bytes{}.header(0).u16(0).u64(2), 18) == "M v2 g*2 [ ] [ ]; end");
    CHECK(error_of(schema, Bytes{}.header(0).u16(0).u64(~std::uint64_t{0}), WalkFault::kEmptyEntries) ==
          "group 'g' at 18: 18446744073709551615 entries of no length, more than 65534");
}

TEST_CASE("header: of any widths and order") {
    const std::string header =
        "<composite name='h'><type name='version' primitiveType='uint8'/><type name='extra' "
        "primitiveType='uint16'/>"
        "<type name='schemaId' primitiveType='uint64'/><type name='templateId' primitiveType='uint8' "
        "offset='12'/>"
        "<type name='blockLength' primitiveType='uint32'/></composite>";
    const ResolvedSchema schema =
        schema_of(header, "<field name='x' id='1' type='uint8'/>", "headerType='h' byteOrder='bigEndian'");
    Bytes bytes{.big = true};
    bytes.u8(2).u16(0xEEEE).u64(9).u8(0xEE).u8(5).u32(1).u8(77);
    CHECK(notes_of(schema, bytes, 18) == "M v2 x=77u end");
}

TEST_CASE("header: what never varies may be a constant") {
    const std::string header =
        "<composite name='messageHeader'><type name='blockLength' primitiveType='uint8'/>"
        "<type name='templateId' primitiveType='uint8'/>"
        "<type name='schemaId' primitiveType='uint16' presence='constant'>9</type>"
        "<type name='version' primitiveType='uint16' presence='constant'>2</type></composite>";
    const ResolvedSchema schema = schema_of(header, "<field name='x' id='1' type='uint8'/>");
    CHECK(notes_of(schema, Bytes{}.u8(1).u8(5).u8(77), 3) == "M v2 x=77u end");
}

}  // namespace fulmar::sbe
