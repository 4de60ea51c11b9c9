/// How the rings touch memory that two threads share: production compiles to plain accesses and
/// std::atomic_ref, a model checker specialises Memory for its own atomic template and sees each access.
/// threads: stateless.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

#include "base/assert.h"
#include "base/bytes.h"

namespace fulmar::ring {

/// Fields of different writers are kept this far apart: two lines, since some processors prefetch pairs.
inline constexpr std::size_t kWriterSpacingBytes = 2 * base::kCacheLineBytes;

template <template <class> class Atom>
struct Memory {
    /// Says that plain bytes are about to be read or written by this thread; for race detectors.
    static void on_read(const void*, std::size_t) {}
    static void on_write(const void*, std::size_t) {}

    template <class T>
    [[nodiscard]] static T load(const std::byte* at, std::memory_order order) {
        return base::atomic_at<T>(const_cast<std::byte*>(at), 0).load(order);
    }
    template <class T>
    static void store(std::byte* at, T value, std::memory_order order) {
        base::atomic_at<T>(at, 0).store(value, order);
    }
    static void zero(std::byte* at, std::size_t length) { std::memset(at, 0, length); }
};

/// Zeroed bytes on a cache-line boundary, allocated once.  threads: immutable after construction.
class AlignedBytes {
  public:
    explicit AlignedBytes(std::size_t length)
        : bytes_(static_cast<std::byte*>(::operator new(length, kAlignment))) {
        // Also touches each page, so that the data path takes no first-use fault.
        std::memset(bytes_.get(), 0, length);
    }
    [[nodiscard]] std::byte* data() const { return bytes_.get(); }

  private:
    static constexpr std::align_val_t kAlignment{kWriterSpacingBytes};
    struct Deleter {
        void operator()(std::byte* bytes) const { ::operator delete(bytes, kAlignment); }
    };
    std::unique_ptr<std::byte, Deleter> bytes_;
};

/// A ring's size is our own choice, never input: a wrong one is a bug.
[[nodiscard]] inline std::size_t checked_capacity(std::size_t capacity, std::size_t least) {
    FULMAR_ASSERT(base::is_power_of_two(capacity), "a ring's capacity is a power of two");
    FULMAR_ASSERT(capacity >= least, "a ring's capacity is below its minimum");
    return capacity;
}

}  // namespace fulmar::ring
