/// Every construct of SBE 1.0 as C++ descriptions, in a little-endian and a big-endian schema, for the tests
/// of this folder.
#pragma once

#include <cstdint>

#include "fulmar/sbe/decoder.h"
#include "fulmar/sbe/encoder.h"

namespace fulmar::sbe::test {

struct Little : Schema<"test.constructs", 0x0102, 3> {};
struct Big : Schema<"test.constructs", 0x0102, 3, BigEndian> {};

enum class Side : char { kBuy = 'B', kSell = 'S' };
struct SideType : Enum<"Side", Side, Value<"Buy", Side::kBuy>, Value<"Sell", Side::kSell>> {};
enum class Level : std::uint16_t { kLow = 1, kHigh = 0x1234 };
struct LevelType : Enum<"Level", Level, Value<"Low", Level::kLow>, Value<"High", Level::kHigh>> {};
struct Flags : Set<"Flags", std::uint16_t, Choice<"First", 0>, Choice<"Ninth", 8>, Choice<"Last", 15>> {};

struct Price
    : Composite<"Price", Member<"mantissa", std::int64_t>, ConstantMember<"exponent", std::int8_t, -4>> {};
struct Nested : Composite<"Nested", Member<"kind", std::uint8_t>, Member<"level", LevelType>,
                    Member<"price", Price>, Member<"late", std::uint16_t, At<12>>, Member<"code", char[3]>> {
};
struct Capacity : Type<"capacity_t", std::int32_t, Optional, Null<0>> {};
struct Venue : ConstantType<"Venue", char[4], "XFUL"> {};
struct SmallDimension
    : Composite<"smallDimension", Member<"blockLength", std::uint16_t>, Member<"numInGroup", std::uint8_t>> {
};
struct WideDimension
    : Composite<"wideDimension", Member<"blockLength", std::uint32_t>, Member<"numInGroup", std::uint32_t>> {
};
struct Short : VarData<"Short", std::uint8_t, CharacterEncoding<"US-ASCII">> {};
struct Middle : VarData<"Middle", std::uint16_t> {};

template <class S>
struct Numbers
    : Message<S, "Numbers", 1, Field<"i8", 1, std::int8_t>, Field<"u8", 2, std::uint8_t>,
          Field<"i16", 3, std::int16_t>, Field<"u16", 4, std::uint16_t>, Field<"i32", 5, std::int32_t>,
          Field<"u32", 6, std::uint32_t>, Field<"i64", 7, std::int64_t>, Field<"u64", 8, std::uint64_t>,
          Field<"f32", 9, float>, Field<"f64", 10, double>, Field<"letter", 11, char>> {};

template <class S>
struct Shapes : Message<S, "Shapes", 2, Field<"side", 1, SideType>, Field<"level", 2, LevelType>,
                    Field<"flags", 3, Flags>, Field<"nested", 4, Nested>, Field<"name", 5, char[5]>,
                    Field<"ratios", 6, std::uint16_t[3]>, Constant<"venue", 7, char[4], "XFUL">,
                    Constant<"usual", 8, SideType, Side::kSell>, Constant<"answer", 9, std::uint8_t, 42>,
                    Field<"place", 10, Venue>> {};

template <class S>
struct Options : Message<S, "Options", 3, Field<"i32", 1, std::int32_t, Optional>,
                     Field<"u64", 2, std::uint64_t, Optional>, Field<"f64", 3, double, Optional>,
                     Field<"letter", 4, char, Optional>, Field<"level", 5, LevelType, Optional>,
                     Field<"capacity", 6, Capacity>, Field<"name", 7, char[2], Optional>> {};

template <class S>
struct Spaced : Message<S, "Spaced", 4, BlockLength<16>, Field<"a", 1, std::uint8_t>,
                    Field<"b", 2, std::uint16_t, At<4>>> {};

template <class S>
struct Grown : Message<S, "Grown", 5, Field<"a", 1, std::uint32_t>, Field<"b", 2, std::uint16_t, Since<2>>,
                   Field<"c", 3, std::uint16_t, Optional, Since<3>>,
                   Group<"g", 10, Field<"x", 11, std::uint8_t>, Field<"y", 12, std::uint8_t, Since<2>>>,
                   Group<"h", 13, Since<3>, Field<"z", 14, std::uint8_t>>, Data<"old", 20, Short>,
                   Data<"fresh", 21, Short, Since<3>>> {};

template <class S>
struct Groups : Message<S, "Groups", 6, Field<"id", 1, std::uint16_t>,
                    Group<"flat", 10, Field<"a", 11, std::uint8_t>, Field<"b", 12, std::uint16_t>>,
                    Group<"deep", 20, Dimension<SmallDimension>, Field<"c", 21, std::uint8_t>,
                        Group<"inner", 22, Dimension<WideDimension>, Field<"d", 23, std::uint16_t>,
                            Data<"note", 24, Short>>,
                        Data<"tail", 25, Middle>>,
                    Data<"text", 30, VarAscii>, Data<"blob", 31>> {};

struct Empty : Message<Little, "Empty", 7> {};

}  // namespace fulmar::sbe::test
