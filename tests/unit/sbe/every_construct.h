/// tests/golden/sbe/every_construct.xml as C++ descriptions, in both byte orders.
#pragma once

#include <cstdint>
#include <limits>

#include "fulmar/sbe/description.h"

namespace fulmar::every_construct {

struct Little : sbe::Schema<"fulmar.test.every_construct", 7001, 3> {};
struct Big : sbe::Schema<"fulmar.test.every_construct", 7001, 3, sbe::BigEndian> {};

struct SmallGroup : sbe::Composite<"smallGroup", sbe::Member<"blockLength", std::uint8_t>,
                        sbe::Member<"numInGroup", std::uint8_t, sbe::At<3>>> {};
struct VarString : sbe::VarData<"varString", std::uint32_t, sbe::CharacterEncoding<"UTF-8">> {};
struct VarBytes : sbe::VarData<"varBytes", std::uint16_t> {};

struct Int8 : sbe::Type<"anInt8", std::int8_t, sbe::MinValue<-100>, sbe::MaxValue<100>> {};
struct Int16 : sbe::Type<"anInt16", std::int16_t, sbe::Optional> {};
struct Int32 : sbe::Type<"anInt32", std::int32_t, sbe::Optional, sbe::Null<0>> {};
struct Int64
    : sbe::Type<"anInt64", std::int64_t, sbe::Optional, sbe::Null<std::numeric_limits<std::int64_t>::min()>> {
};
struct Uint32 : sbe::Type<"aUint32", std::uint32_t, sbe::Since<1>, sbe::Deprecated<2>> {};
struct Uint64 : sbe::Type<"aUint64", std::uint64_t, sbe::MaxValue<18446744073709551614U>> {};
struct Float : sbe::Type<"aFloat", float, sbe::Optional, sbe::Null<std::numeric_limits<double>::quiet_NaN()>,
                   sbe::MinValue<-0.5>, sbe::MaxValue<1e10>> {};
struct Double : sbe::Type<"aDouble", double, sbe::MaxValue<0.1>> {};
struct Symbol : sbe::Type<"symbol", char[8], sbe::CharacterEncoding<"US-ASCII">> {};
struct Note : sbe::Type<"note", char[12], sbe::CharacterEncoding<"UTF-8">, sbe::Optional> {};
struct Samples : sbe::Type<"samples", std::int16_t[3]> {};
struct ConstantNumber : sbe::ConstantType<"constantNumber", std::uint16_t, 42> {};
struct ConstantChar : sbe::ConstantType<"constantChar", char, "X"> {};
struct ConstantText : sbe::ConstantType<"constantText", char[7], "R&D <1>"> {};
struct ConstantRoom : sbe::ConstantType<"constantRoom", char[6], "XNAS"> {};

enum class Side : char { kBuy = '1', kSell = '2', kSellShort = '5' };
struct SideType : sbe::Enum<"Side", Side, sbe::Value<"Buy", Side::kBuy>, sbe::Value<"Sell", Side::kSell>,
                      sbe::Value<"SellShort", Side::kSellShort, sbe::Since<2>>> {};
enum class Reason : std::uint16_t { kHalted = 1, kUnknown = 1000 };
struct ReasonType : sbe::Enum<"Reason", Reason, sbe::Null<999>, sbe::Value<"Halted", Reason::kHalted>,
                        sbe::Value<"Unknown", Reason::kUnknown, sbe::Deprecated<3>>> {};
enum class Signed : std::int16_t { kDown = -1, kFlat = 0, kUp = 1 };
struct SignedType : sbe::Enum<"Signed", Signed, sbe::Value<"Down", Signed::kDown>,
                        sbe::Value<"Flat", Signed::kFlat>, sbe::Value<"Up", Signed::kUp>> {};
enum class Direction : std::uint8_t { kLeft = 0, kRight = 1 };
struct DirectionType : sbe::Enum<"direction", Direction, sbe::Value<"Left", Direction::kLeft>,
                           sbe::Value<"Right", Direction::kRight>> {};
struct Conditions : sbe::Set<"Conditions", std::uint8_t, sbe::Choice<"Open", 0>, sbe::Choice<"Crossed", 1>,
                        sbe::Choice<"Late", 7, sbe::Since<2>>> {};
struct WideFlags : sbe::Set<"WideFlags", std::uint64_t, sbe::Choice<"First", 0>, sbe::Choice<"Last", 63>> {};
struct Marks : sbe::Set<"marks", std::uint16_t, sbe::Choice<"A", 0>, sbe::Choice<"B", 15>> {};

struct Decimal : sbe::Composite<"Decimal", sbe::Member<"mantissa", std::int64_t>,
                     sbe::ConstantMember<"exponent", std::int8_t, -3>> {};
struct Timestamp : sbe::Composite<"Timestamp", sbe::Member<"time", std::uint64_t>,
                       sbe::ConstantMember<"unit", std::uint8_t, 9>> {};
struct Inner : sbe::Composite<"inner", sbe::Member<"x", std::int32_t>, sbe::Member<"y", std::int32_t>> {};
struct Everything : sbe::Composite<"Everything", sbe::Member<"count", std::uint8_t>,
                        sbe::Member<"direction", DirectionType>, sbe::Member<"marks", Marks, sbe::At<4>>,
                        sbe::Member<"inner", Inner>, sbe::Member<"price", Decimal, sbe::At<16>>,
                        sbe::Member<"side", SideType>, sbe::Member<"code", char[3]>> {};

template <class S>
struct Fields
    : sbe::Message<S, "Fields", 1, sbe::BlockLength<160>, sbe::Field<"character", 1, char>,
          sbe::Field<"octet", 2, std::uint8_t>, sbe::Field<"small", 3, Int8>,
          sbe::Field<"number16", 4, Int16>, sbe::Field<"number32", 5, Int32, sbe::At<8>>,
          sbe::Field<"number64", 6, Int64>, sbe::Field<"optional64", 7, std::int64_t, sbe::Optional>,
          sbe::Field<"required32", 8, std::int32_t>, sbe::Field<"unsigned64", 9, Uint64>,
          sbe::Field<"ratio", 10, Float>, sbe::Field<"value", 11, Double>, sbe::Field<"symbol", 12, Symbol>,
          sbe::Field<"note", 13, Note>, sbe::Field<"samples", 14, Samples>, sbe::Field<"side", 15, SideType>,
          sbe::Field<"optionalSide", 16, SideType, sbe::Optional>,
          sbe::Field<"reason", 17, ReasonType, sbe::Optional>, sbe::Field<"trend", 18, SignedType>,
          sbe::Field<"conditions", 19, Conditions>, sbe::Field<"wide", 20, WideFlags>,
          sbe::Field<"price", 21, Decimal>, sbe::Field<"everything", 22, Everything>,
          sbe::Field<"transactTime", 23, std::uint64_t>, sbe::Field<"stamp", 24, Timestamp>,
          sbe::Field<"fixedNumber", 25, ConstantNumber>, sbe::Field<"fixedChar", 26, ConstantChar>,
          sbe::Field<"fixedText", 27, ConstantText>, sbe::Field<"fixedRoom", 28, ConstantRoom>,
          sbe::Constant<"fixedUnit", 29, std::uint8_t, 9>,
          sbe::Constant<"fixedSide", 30, SideType, Side::kSell>,
          sbe::Constant<"fixedCode", 31, std::uint8_t, 3>,
          sbe::Field<"added", 32, std::uint16_t, sbe::Since<2>>,
          sbe::Field<"old", 33, Uint32, sbe::Since<3>, sbe::Deprecated<3>>> {};

template <class S>
struct Nested
    : sbe::Message<S, "Nested", 2, sbe::Field<"orderId", 1, std::uint64_t>,
          sbe::Group<"legs", 10, sbe::Field<"instrument", 11, std::uint32_t>,
              sbe::Field<"ratio", 12, std::int16_t>,
              sbe::Group<"fills", 20, sbe::Dimension<SmallGroup>, sbe::BlockLength<8>,
                  sbe::Field<"quantity", 21, std::uint32_t>,
                  sbe::Group<"fees", 30, sbe::Dimension<SmallGroup>, sbe::Field<"amount", 31, Decimal>>,
                  sbe::Data<"venue", 22, VarString>>,
              sbe::Data<"remark", 13, VarString>>,
          sbe::Group<"marks", 40, sbe::Since<2>, sbe::Field<"mark", 41, std::uint8_t>>,
          sbe::Data<"text", 50, VarString>, sbe::Data<"blob", 51, VarBytes, sbe::Since<3>>> {};

template <class S>
struct Empty : sbe::Message<S, "Empty", 3> {};

template <class S>
struct OnlyData : sbe::Message<S, "OnlyData", 4, sbe::Since<1>, sbe::Data<"payload", 1, VarBytes>> {};

template <class S>
using Messages = sbe::Messages<Fields<S>, Nested<S>, Empty<S>, OnlyData<S>>;

}  // namespace fulmar::every_construct
