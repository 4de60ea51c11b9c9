#include "sbe_kernels.h"

#include <cstring>
#include <span>
#include <string_view>

#include "apps/examples/order_entry/messages.h"
#include "fulmar/sbe/decoder.h"
#include "fulmar/sbe/encoder.h"

namespace fulmar::bench {
namespace {

using order_entry::NewOrder;

/// NewOrder without its group and text.
struct OrderOnly
    : sbe::Message<order_entry::Schema, "OrderOnly", 9, sbe::Field<"clOrdId", 11, std::uint64_t>,
          sbe::Field<"transactTime", 60, std::uint64_t>, sbe::Field<"price", 44, order_entry::Price>,
          sbe::Field<"stopPrice", 99, order_entry::OptionalPrice>, sbe::Field<"quantity", 38, std::uint32_t>,
          sbe::Field<"account", 1, std::uint32_t>, sbe::Field<"symbol", 55, order_entry::Symbol>,
          sbe::Field<"side", 54, order_entry::SideType>,
          sbe::Field<"orderType", 40, order_entry::OrderTypeType>,
          sbe::Field<"flags", 18, order_entry::OrderFlags>,
          sbe::Field<"displayQuantity", 1138, std::uint32_t, sbe::Optional, sbe::Since<2>>> {};

template <class E>
[[gnu::always_inline]] inline void put_block(E& to, const OrderBlock& from) {
    to.template set<"clOrdId">(from.cl_ord_id)
        .template set<"transactTime">(from.transact_time)
        .template set<"quantity">(from.quantity)
        .template set<"account">(from.account)
        .template set<"symbol">(std::string_view(from.symbol, sizeof from.symbol))
        .template set<"side">(static_cast<order_entry::Side>(from.side))
        .template set<"orderType">(static_cast<order_entry::OrderType>(from.type))
        .template set<"flags">(order_entry::Flags(from.flags))
        .template set<"displayQuantity">(from.display_quantity);
    to.template composite<"price">().template set<"mantissa">(from.price);
    to.template composite<"stopPrice">().template set<"mantissa">(from.stop_price);
}

template <class D>
[[gnu::always_inline]] inline void get_block(const D& from, OrderBlock& to) {
    to.cl_ord_id = from.template get<"clOrdId">();
    to.transact_time = from.template get<"transactTime">();
    to.price = from.template get<"price">().template get<"mantissa">();
    to.stop_price = from.template get<"stopPrice">().template get_raw<"mantissa">();
    to.quantity = from.template get<"quantity">();
    to.account = from.template get<"account">();
    std::memcpy(to.symbol, from.block().data() + sbe::offset_of<NewOrder, "symbol">, sizeof to.symbol);
    to.side = static_cast<char>(from.template get<"side">());
    to.type = static_cast<std::uint8_t>(from.template get<"orderType">());
    to.flags = from.template get<"flags">().bits();
    to.display_quantity = from.template get_raw<"displayQuantity">();
}

std::uint64_t sum(const OrderBlock& order) {
    return order.cl_ord_id + order.transact_time + static_cast<std::uint64_t>(order.price) +
           static_cast<std::uint64_t>(order.stop_price) + order.quantity + order.account +
           static_cast<std::uint8_t>(order.symbol[0]) + static_cast<std::uint8_t>(order.side) + order.type +
           order.flags + order.display_quantity;
}

}  // namespace

std::size_t copy_block(std::byte* buffer, const OrderBlock& order) {
    std::memcpy(buffer, &order, sizeof order);
    return sizeof order;
}

std::size_t fill_block(std::byte* buffer, const OrderBlock& order) {
    // What one writes without a codec: a struct on the stack, filled member by member, and copied.
    OrderBlock block{};
    block.cl_ord_id = order.cl_ord_id;
    block.transact_time = order.transact_time;
    block.price = order.price;
    block.stop_price = order.stop_price;
    block.quantity = order.quantity;
    block.account = order.account;
    std::memcpy(block.symbol, order.symbol, sizeof block.symbol);
    block.side = order.side;
    block.type = order.type;
    block.flags = order.flags;
    block.display_quantity = order.display_quantity;
    std::memcpy(buffer, &block, sizeof block);
    return sizeof block;
}

std::size_t encode_block(std::byte* buffer, const OrderBlock& order) {
    // By value, as an application has them in registers: what lies behind a reference might be the buffer.
    const OrderBlock values = order;
    sbe::Encoder<OrderOnly> encoder(std::span(buffer, kBufferBytes));
    put_block(encoder, values);
    const auto encoded = encoder.finish();
    return encoded ? encoded->size() : 0;
}

std::size_t uncopy_block(const std::byte* buffer, OrderBlock& order) {
    std::memcpy(&order, buffer, sizeof order);
    return sizeof order;
}

std::size_t decode_block(const std::byte* buffer, std::size_t length, OrderBlock& order) {
    const auto decoded = sbe::Decoder<OrderOnly>::decode(std::span(buffer, length));
    if (!decoded) {
        return 0;
    }
    OrderBlock values;
    get_block(*decoded, values);
    order = values;
    return decoded->encoded_length();
}

std::size_t trusted_block(const std::byte* buffer, OrderBlock& order) {
    const auto decoded = sbe::Decoder<OrderOnly>::trusted(buffer);
    OrderBlock values;
    get_block(decoded, values);
    order = values;
    return decoded.encoded_length();
}

std::uint64_t use_copied_block(const std::byte* buffer) {
    OrderBlock order;
    std::memcpy(&order, buffer, sizeof order);
    return sum(order);
}

std::uint64_t use_decoded_block(const std::byte* buffer, std::size_t length) {
    const auto decoded = sbe::Decoder<OrderOnly>::decode(std::span(buffer, length));
    if (!decoded) {
        return 0;
    }
    OrderBlock order;
    get_block(*decoded, order);
    return sum(order);
}

std::size_t copy_order(std::byte* buffer, const Order& order) {
    std::memcpy(buffer, &order, sizeof order);
    return sizeof order;
}

std::size_t encode_order(std::byte* buffer, const Order& order) {
    const OrderBlock values = order.block;
    sbe::Encoder<NewOrder> encoder(std::span(buffer, kBufferBytes));
    put_block(encoder, values);
    auto legs = encoder.group<"legs">();
    for (const Leg& leg : order.legs) {
        legs.add()
            .set<"legSymbol">(std::string_view(leg.symbol, sizeof leg.symbol))
            .set<"legSide">(static_cast<order_entry::Side>(leg.side))
            .set<"legRatio">(leg.ratio);
    }
    encoder.data<"text">(std::string_view(order.text, sizeof order.text));
    const auto encoded = encoder.finish();
    return encoded ? encoded->size() : 0;
}

std::size_t uncopy_order(const std::byte* buffer, Order& order) {
    std::memcpy(&order, buffer, sizeof order);
    return sizeof order;
}

std::size_t decode_order(const std::byte* buffer, std::size_t length, Order& order) {
    const auto decoded = sbe::Decoder<NewOrder>::decode(std::span(buffer, length));
    if (!decoded || decoded->group<"legs">().size() != kLegs || decoded->data<"text">().size() != kText) {
        return 0;
    }
    OrderBlock values;
    get_block(*decoded, values);
    order.block = values;
    Leg* to = order.legs;
    for (const auto& leg : decoded->group<"legs">()) {
        std::memcpy(to->symbol, leg.block().data(), sizeof to->symbol);
        to->side = static_cast<char>(leg.get<"legSide">());
        to->ratio = leg.get<"legRatio">();
        ++to;
    }
    std::memcpy(order.text, decoded->data<"text">().data(), kText);
    return decoded->encoded_length();
}

}  // namespace fulmar::bench
