/// An order-entry protocol as C++ types: new order, cancel, execution report. The same description encodes,
/// decodes and writes the XML schema that other languages generate their side from (`fulmar sbe export
/// example`).
#pragma once

#include <cstdint>

#include "fulmar/sbe/value.h"

namespace order_entry {

namespace sbe = fulmar::sbe;

/// Version 2 added NewOrder's display quantity and ExecutionReport's text.
struct Schema : sbe::Schema<"fulmar.example.orderentry", 91, 2, sbe::Description<"Order entry example">> {};

// ---- types

enum class Side : char { kBuy = '1', kSell = '2' };
struct SideType : sbe::Enum<"Side", Side, sbe::Value<"Buy", Side::kBuy>, sbe::Value<"Sell", Side::kSell>> {};

enum class OrderType : std::uint8_t { kMarket = 1, kLimit = 2, kStopLimit = 3 };
struct OrderTypeType
    : sbe::Enum<"OrderType", OrderType, sbe::Value<"Market", OrderType::kMarket>,
          sbe::Value<"Limit", OrderType::kLimit>, sbe::Value<"StopLimit", OrderType::kStopLimit>> {};

enum class ExecutionType : std::uint8_t { kNew = 0, kTrade = 1, kCanceled = 2, kRejected = 3 };
struct ExecutionTypeType
    : sbe::Enum<"ExecutionType", ExecutionType, sbe::Value<"New", ExecutionType::kNew>,
          sbe::Value<"Trade", ExecutionType::kTrade>, sbe::Value<"Canceled", ExecutionType::kCanceled>,
          sbe::Value<"Rejected", ExecutionType::kRejected>> {};

struct OrderFlags : sbe::Set<"OrderFlags", std::uint8_t, sbe::Choice<"PostOnly", 0>,
                        sbe::Choice<"ReduceOnly", 1>, sbe::Choice<"Hidden", 2>> {};
using Flags = sbe::Choices<OrderFlags>;

/// mantissa × 10⁻⁴; the exponent takes no bytes.
struct Price : sbe::Composite<"Price", sbe::Member<"mantissa", std::int64_t>,
                   sbe::ConstantMember<"exponent", std::int8_t, -4>> {};
/// A price that may lack, as the stop price of an order without one.
struct OptionalPrice : sbe::Composite<"OptionalPrice", sbe::Member<"mantissa", std::int64_t, sbe::Optional>,
                           sbe::ConstantMember<"exponent", std::int8_t, -4>> {};
struct Symbol : sbe::Type<"Symbol", char[8], sbe::CharacterEncoding<"US-ASCII">> {};
struct Text : sbe::VarData<"Text", std::uint16_t, sbe::CharacterEncoding<"UTF-8">> {};

// ---- messages; a line a member, as in the schema
// clang-format off

/// gateway → venue
struct NewOrder : sbe::Message<Schema, "NewOrder", 1,
    sbe::Field<"clOrdId", 11, std::uint64_t>,
    sbe::Field<"transactTime", 60, std::uint64_t, sbe::SemanticType<"UTCTimestamp">, sbe::TimeUnit<"nanosecond">>,
    sbe::Field<"price", 44, Price>,
    sbe::Field<"stopPrice", 99, OptionalPrice>,
    sbe::Field<"quantity", 38, std::uint32_t>,
    sbe::Field<"account", 1, std::uint32_t>,
    sbe::Field<"symbol", 55, Symbol>,
    sbe::Field<"side", 54, SideType>,
    sbe::Field<"orderType", 40, OrderTypeType>,
    sbe::Field<"flags", 18, OrderFlags>,
    sbe::Constant<"venue", 207, char[4], "XFUL">,
    sbe::Field<"displayQuantity", 1138, std::uint32_t, sbe::Optional, sbe::Since<2>>,
    sbe::Group<"legs", 555,
        sbe::Field<"legSymbol", 600, Symbol>,
        sbe::Field<"legSide", 624, SideType>,
        sbe::Field<"legRatio", 623, std::uint8_t>>,
    sbe::Data<"text", 58, Text>> {};

/// gateway → venue
struct CancelOrder : sbe::Message<Schema, "CancelOrder", 2,
    sbe::Field<"clOrdId", 11, std::uint64_t>,
    sbe::Field<"origClOrdId", 41, std::uint64_t>,
    sbe::Field<"symbol", 55, Symbol>,
    sbe::Field<"side", 54, SideType>> {};

/// venue → gateway
struct ExecutionReport : sbe::Message<Schema, "ExecutionReport", 3,
    sbe::Field<"clOrdId", 11, std::uint64_t>,
    sbe::Field<"orderId", 37, std::uint64_t>,
    sbe::Field<"leavesQuantity", 151, std::uint32_t>,
    sbe::Field<"executionType", 150, ExecutionTypeType>,
    sbe::Field<"side", 54, SideType>,
    sbe::Group<"fills", 1362,
        sbe::Field<"fillPrice", 1364, Price>,
        sbe::Field<"fillQuantity", 1365, std::uint32_t>,
        sbe::Group<"contraParties", 382,
            sbe::Field<"contraQuantity", 437, std::uint32_t>,
            sbe::Data<"contraBroker", 375, Text>>>,
    sbe::Data<"text", 58, Text, sbe::Since<2>>> {};

// clang-format on

/// All of them, to export and to dispatch on.
using Messages = sbe::Messages<NewOrder, CancelOrder, ExecutionReport>;

}  // namespace order_entry
