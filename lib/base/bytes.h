/// Reading and writing little-endian values in byte buffers, alignment, and the atomic access to
/// shared memory that every shared layout goes through.
/// threads: plain loads and stores race like any other; the `_acquire`/`_release` ones state pairs at
/// their call sites.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace fulmar::base {

static_assert(std::endian::native == std::endian::little, "wire and shared memory are little-endian");

inline constexpr std::size_t kCacheLineBytes = 64;

template <class T>
[[nodiscard]] T load_le(const std::byte* bytes, std::size_t offset) {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, bytes + offset, sizeof value);
    return value;
}

template <class T>
void store_le(std::byte* bytes, std::size_t offset, T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(bytes + offset, &value, sizeof value);
}

/// A field of shared memory as an atomic. The address must be naturally aligned.
template <class T>
[[nodiscard]] std::atomic_ref<T> atomic_at(std::byte* bytes, std::size_t offset) {
    return std::atomic_ref<T>(*reinterpret_cast<T*>(bytes + offset));
}

template <class T>
[[nodiscard]] T load_acquire(const std::byte* bytes, std::size_t offset) {
    return atomic_at<T>(const_cast<std::byte*>(bytes), offset).load(std::memory_order_acquire);
}

template <class T>
[[nodiscard]] T load_relaxed(const std::byte* bytes, std::size_t offset) {
    return atomic_at<T>(const_cast<std::byte*>(bytes), offset).load(std::memory_order_relaxed);
}

template <class T>
void store_release(std::byte* bytes, std::size_t offset, T value) {
    atomic_at<T>(bytes, offset).store(value, std::memory_order_release);
}

template <class T>
void store_relaxed(std::byte* bytes, std::size_t offset, T value) {
    atomic_at<T>(bytes, offset).store(value, std::memory_order_relaxed);
}

/// Plain bytes of shared memory, written or cleared by whoever owns them at the moment; atomic fields hand
/// the ownership on. Functions, so that the model checker sees what is done to memory that it watches.
inline void store_bytes(std::byte* to, const std::byte* from, std::size_t length) {
    std::memcpy(to, from, length);
}
inline void zero_bytes(std::byte* at, std::size_t length) {
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
