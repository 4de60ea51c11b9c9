// Calls one kernel so many times: the program under callgrind in sbe_instructions.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "sbe_kernels.h"
#include "sbe_sample.h"

int main(int argc, char** argv) {
    using namespace fulmar::bench;
    if (argc != 3) {
        std::fprintf(stderr, "usage: sbe_calls KERNEL TIMES\n");
        return 2;
    }
    Fixture<Order> whole;
    Fixture<OrderBlock> block;
    const std::string kernel = argv[1];
    std::byte* const to = whole.buffer;
    std::size_t length = 0;
    // The bytes that a reading kernel reads, written before it is counted.
    const auto written_by = [&](auto write, const auto& from) { length = write(to, from); };
    if (kernel == "uncopy_block" || kernel == "use_copied_block") {
        written_by(copy_block, whole.order.block);
    } else if (kernel == "uncopy_order") {
        written_by(copy_order, whole.order);
    } else if (kernel == "decode_order") {
        written_by(encode_order, whole.order);
    } else {
        written_by(encode_block, whole.order.block);
    }
    std::uint64_t done = 1;
    for (long left = std::atol(argv[2]); left > 0 && done != 0; --left) {
        done = kernel == "copy_block"          ? copy_block(to, whole.order.block)
               : kernel == "fill_block"        ? fill_block(to, whole.order.block)
               : kernel == "encode_block"      ? encode_block(to, whole.order.block)
               : kernel == "uncopy_block"      ? uncopy_block(to, block.out)
               : kernel == "trusted_block"     ? trusted_block(to, block.out)
               : kernel == "decode_block"      ? decode_block(to, length, block.out)
               : kernel == "use_copied_block"  ? use_copied_block(to)
               : kernel == "use_decoded_block" ? use_decoded_block(to, length)
               : kernel == "copy_order"        ? copy_order(to, whole.order)
               : kernel == "encode_order"      ? encode_order(to, whole.order)
               : kernel == "uncopy_order"      ? uncopy_order(to, whole.out)
               : kernel == "decode_order"      ? decode_order(to, length, whole.out)
                                               : 0;
    }
    if (done == 0) {
        std::fprintf(stderr, "sbe_calls: kernel '%s' failed or does not exist\n", kernel.c_str());
        return 1;
    }
    return 0;
}
