/// The order that the benchmark times and the counter counts.
#pragma once

#include <cstring>

#include "sbe_kernels.h"

namespace fulmar::bench {

inline Order sample_order() {
    Order order{};
    order.block = {.cl_ord_id = 7,
        .transact_time = 1'763'000'000'000'000'000,
        .price = 1'015'000,
        .stop_price = 990'000,
        .quantity = 300,
        .account = 12,
        .symbol = {'F', 'U', 'L', 'M'},
        .side = '1',
        .type = 2,
        .flags = 1,
        .display_quantity = 100};
    for (std::size_t leg = 0; leg < kLegs; ++leg) {
        order.legs[leg] = {.symbol = {'L', static_cast<char>('A' + leg)},
            .side = '2',
            .ratio = static_cast<std::uint8_t>(leg + 1)};
    }
    std::memcpy(order.text, "good till the cows come..", kText);
    return order;
}

/// What a kernel reads and writes.
template <class To>
struct Fixture {
    Order order = sample_order();
    To out{};
    alignas(64) std::byte buffer[kBufferBytes]{};
};

}  // namespace fulmar::bench
