/// What the fuzz targets share. A target takes bytes as if from outside and must neither read beyond them nor
/// find one of its checks broken.
/// threads: one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

/// Stops the run, in every build, where a decoder's promise does not hold.
#define FUZZ_CHECK(condition)      \
    (static_cast<bool>(condition)  \
            ? static_cast<void>(0) \
            : (std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), std::abort()))

namespace fulmar::fuzz {

/// A copy with an alignment that 64-bit atomics may count on, as a mapping has.
inline std::vector<std::byte> copy_of(const std::uint8_t* data, std::size_t size) {
    const auto* bytes = reinterpret_cast<const std::byte*>(data);
    return {bytes, bytes + size};
}

/// Reads every byte, so that a view which leaves its buffer is seen by the address sanitizer.
inline void touch(std::span<const std::byte> bytes) {
    static std::atomic<std::uint8_t> sink;  // keeps the reads
    std::uint8_t sum = 0;
    for (const std::byte byte : bytes) {
        sum = static_cast<std::uint8_t>(sum + static_cast<std::uint8_t>(byte));
    }
    sink.store(sum, std::memory_order_relaxed);
}

inline void touch(std::string_view text) {
    touch(std::as_bytes(std::span(text)));
}

}  // namespace fulmar::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
