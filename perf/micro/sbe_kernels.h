/// The work that sbe_bench times and sbe_instructions counts: one order, with a group of four and a text,
/// into bytes and back. Out of line in a file of their own, so that nothing of them can be computed ahead and
/// their code can be looked at.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fulmar::bench {

/// The order as the application has it.
struct Leg {
    char symbol[8];
    char side;
    std::uint8_t ratio;
};
struct OrderBlock {
    std::uint64_t cl_ord_id;
    std::uint64_t transact_time;
    std::int64_t price;
    std::int64_t stop_price;
    std::uint32_t quantity;
    std::uint32_t account;
    char symbol[8];
    char side;
    std::uint8_t type;
    std::uint8_t flags;
    std::uint32_t display_quantity;
};
inline constexpr std::size_t kLegs = 4;
inline constexpr std::size_t kText = 24;
struct Order {
    OrderBlock block;
    Leg legs[kLegs];
    char text[kText];
};
inline constexpr std::size_t kBufferBytes = 256;

/// Each returns the bytes it wrote or read, 0 for a failure. The floors move the same content as plain
/// structs.
[[gnu::noinline]] std::size_t copy_block(std::byte* buffer, const OrderBlock& order);
[[gnu::noinline]] std::size_t fill_block(std::byte* buffer, const OrderBlock& order);
[[gnu::noinline]] std::size_t encode_block(std::byte* buffer, const OrderBlock& order);
[[gnu::noinline]] std::size_t uncopy_block(const std::byte* buffer, OrderBlock& order);
[[gnu::noinline]] std::size_t decode_block(const std::byte* buffer, std::size_t length, OrderBlock& order);
[[gnu::noinline]] std::size_t trusted_block(const std::byte* buffer, OrderBlock& order);
[[gnu::noinline]] std::uint64_t use_copied_block(const std::byte* buffer);
[[gnu::noinline]] std::uint64_t use_decoded_block(const std::byte* buffer, std::size_t length);
[[gnu::noinline]] std::size_t copy_order(std::byte* buffer, const Order& order);
[[gnu::noinline]] std::size_t encode_order(std::byte* buffer, const Order& order);
[[gnu::noinline]] std::size_t uncopy_order(const std::byte* buffer, Order& order);
[[gnu::noinline]] std::size_t decode_order(const std::byte* buffer, std::size_t length, Order& order);

}  // namespace fulmar::bench
