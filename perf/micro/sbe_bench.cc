// An order message into bytes and back, in nanoseconds: the fixed block alone, and whole with a group of four
// and a text. Beside each stands its floor, the same content moved as plain structs:
//   block/copy    memcpy of a struct that is ready           block/fill   the struct filled member by member,
//   then memcpy block/encode  Encoder, header and nulls included         block/decode checked Decoder into
//   the struct block/use     every field read and summed, no copy kept  order/…      with group and text
// sbe_instructions counts the instructions of the same kernels.
#include <benchmark/benchmark.h>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "sbe_kernels.h"
#include "sbe_sample.h"

namespace fulmar::bench {
namespace {

/// Runs `work` and stops the program when it fails: a benchmark of failures would be fast.
template <class Work>
void time(benchmark::State& state, Work work) {
    for (auto _ : state) {
        const auto done = work();
        if (done == 0) {
            std::abort();
        }
        benchmark::DoNotOptimize(done);
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

void block_copy(benchmark::State& state) {
    Fixture<OrderBlock> f;
    time(state, [&] { return copy_block(f.buffer, f.order.block); });
}
void block_fill(benchmark::State& state) {
    Fixture<OrderBlock> f;
    time(state, [&] { return fill_block(f.buffer, f.order.block); });
}
void block_encode(benchmark::State& state) {
    Fixture<OrderBlock> f;
    time(state, [&] { return encode_block(f.buffer, f.order.block); });
}
void block_uncopy(benchmark::State& state) {
    Fixture<OrderBlock> f;
    copy_block(f.buffer, f.order.block);
    time(state, [&] { return uncopy_block(f.buffer, f.out); });
}
void block_decode(benchmark::State& state) {
    Fixture<OrderBlock> f;
    const std::size_t length = encode_block(f.buffer, f.order.block);
    time(state, [&] { return decode_block(f.buffer, length, f.out); });
}
void block_trusted(benchmark::State& state) {
    Fixture<OrderBlock> f;
    encode_block(f.buffer, f.order.block);
    time(state, [&] { return trusted_block(f.buffer, f.out); });
}
void block_use_copy(benchmark::State& state) {
    Fixture<OrderBlock> f;
    copy_block(f.buffer, f.order.block);
    time(state, [&] { return use_copied_block(f.buffer); });
}
void block_use_decoded(benchmark::State& state) {
    Fixture<OrderBlock> f;
    const std::size_t length = encode_block(f.buffer, f.order.block);
    time(state, [&] { return use_decoded_block(f.buffer, length); });
}
void order_copy(benchmark::State& state) {
    Fixture<Order> f;
    time(state, [&] { return copy_order(f.buffer, f.order); });
}
void order_encode(benchmark::State& state) {
    Fixture<Order> f;
    time(state, [&] { return encode_order(f.buffer, f.order); });
}
void order_uncopy(benchmark::State& state) {
    Fixture<Order> f;
    copy_order(f.buffer, f.order);
    time(state, [&] { return uncopy_order(f.buffer, f.out); });
}
void order_decode(benchmark::State& state) {
    Fixture<Order> f;
    const std::size_t length = encode_order(f.buffer, f.order);
    time(state, [&] { return decode_order(f.buffer, length, f.out); });
    Order again = f.out;
    if (std::memcmp(&again.block.symbol, &f.order.block.symbol, 8) != 0 ||
        std::memcmp(again.text, f.order.text, kText) != 0) {
        std::abort();
    }
}

BENCHMARK(block_copy)->Name("block/encode/0_copy");
BENCHMARK(block_fill)->Name("block/encode/1_fill_and_copy");
BENCHMARK(block_encode)->Name("block/encode/2_sbe");
BENCHMARK(block_uncopy)->Name("block/decode/0_copy");
BENCHMARK(block_trusted)->Name("block/decode/1_sbe_trusted");
BENCHMARK(block_decode)->Name("block/decode/2_sbe_checked");
BENCHMARK(block_use_copy)->Name("block/use/0_copy");
BENCHMARK(block_use_decoded)->Name("block/use/1_sbe_checked");
BENCHMARK(order_copy)->Name("order/encode/0_copy");
BENCHMARK(order_encode)->Name("order/encode/1_sbe");
BENCHMARK(order_uncopy)->Name("order/decode/0_copy");
BENCHMARK(order_decode)->Name("order/decode/1_sbe_checked");

}  // namespace
}  // namespace fulmar::bench

BENCHMARK_MAIN();
