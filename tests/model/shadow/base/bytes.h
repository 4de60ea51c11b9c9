/// Takes the place of base/bytes.h when shared-memory code is compiled for the model: the same functions,
/// with atomic accesses going through the scheduler and plain ones to the race detector.
/// threads: fibres of a model::Program.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "sim_atomic.h"

/// Lets a model program refuse to be built against the real header.
#define FULMAR_MODEL_SHADOW 1

namespace fulmar::base {

inline constexpr std::size_t kCacheLineBytes = 64;

template <class T>
[[nodiscard]] T load_le(const std::byte* bytes, std::size_t offset) {
    static_assert(std::is_trivially_copyable_v<T>);
    model::sim_plain_read(bytes + offset, sizeof(T));
    T value;
    std::memcpy(&value, bytes + offset, sizeof value);
    return value;
}

template <class T>
void store_le(std::byte* bytes, std::size_t offset, T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    model::sim_plain_write(bytes + offset, sizeof value);
    std::memcpy(bytes + offset, &value, sizeof value);
}

template <class T>
[[nodiscard]] model::SimAtomicRef<T> atomic_at(std::byte* bytes, std::size_t offset) {
    return model::SimAtomicRef<T>(*reinterpret_cast<T*>(bytes + offset));
}

template <class T>
[[nodiscard]] T load_acquire(const std::byte* bytes, std::size_t offset, FULMAR_SITE_ARGS) {
    return atomic_at<T>(const_cast<std::byte*>(bytes), offset).load(std::memory_order_acquire, file, line);
}

template <class T>
[[nodiscard]] T load_relaxed(const std::byte* bytes, std::size_t offset, FULMAR_SITE_ARGS) {
    return atomic_at<T>(const_cast<std::byte*>(bytes), offset).load(std::memory_order_relaxed, file, line);
}

template <class T>
void store_release(std::byte* bytes, std::size_t offset, T value, FULMAR_SITE_ARGS) {
    atomic_at<T>(bytes, offset).store(value, std::memory_order_release, file, line);
}

template <class T>
void store_relaxed(std::byte* bytes, std::size_t offset, T value, FULMAR_SITE_ARGS) {
    atomic_at<T>(bytes, offset).store(value, std::memory_order_relaxed, file, line);
}

inline void store_bytes(std::byte* to, const std::byte* from, std::size_t length) {
    model::sim_plain_write(to, length);
    std::memcpy(to, from, length);
}
/// The race detector learns of the front only, where the next frame's header and payload will lie: a term is
/// cleared in long pieces, and a schedule takes microseconds.
inline void zero_bytes(std::byte* at, std::size_t length) {
    constexpr std::size_t kWatched = 64;
    model::sim_plain_write(at, length < kWatched ? length : kWatched);
    std::memset(at, 0, length);
}

template <class T>
[[nodiscard]] constexpr T align_up(T value, T alignment) {
    return static_cast<T>((value + (alignment - 1)) & ~(alignment - 1));
}

template <class T>
[[nodiscard]] constexpr bool is_aligned(T value, T alignment) {
    return (value & (alignment - 1)) == 0;
}

template <class T>
[[nodiscard]] constexpr bool is_power_of_two(T value) {
    return value > 0 && (value & (value - 1)) == 0;
}

}  // namespace fulmar::base
