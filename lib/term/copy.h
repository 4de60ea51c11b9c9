/// Copying payloads of the sizes that dominate: a few overlapping moves instead of a call.
/// threads: none of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace fulmar::term::detail {

template <std::size_t kBytes>
inline void copy_ends(std::byte* to, const std::byte* from, std::size_t length) {
    struct Block {
        std::byte bytes[kBytes];
    };
    // Both ends are read before either is written, so lengths in [kBytes, 2 * kBytes] are covered.
    Block head;
    Block tail;
    std::memcpy(&head, from, kBytes);
    std::memcpy(&tail, from + length - kBytes, kBytes);
    std::memcpy(to, &head, kBytes);
    std::memcpy(to + length - kBytes, &tail, kBytes);
}

/// memcpy with the short lengths inline. The ranges must not overlap.
inline void copy_payload(std::byte* to, const std::byte* from, std::size_t length) {
    if (length > 64) {
        std::memcpy(to, from, length);
    } else if (length >= 32) {
        copy_ends<32>(to, from, length);
    } else if (length >= 16) {
        copy_ends<16>(to, from, length);
    } else if (length >= 8) {
        copy_ends<8>(to, from, length);
    } else if (length >= 4) {
        copy_ends<4>(to, from, length);
    } else if (length >= 2) {
        copy_ends<2>(to, from, length);
    } else if (length == 1) {
        *to = *from;
    }
}

}  // namespace fulmar::term::detail
