/// SimAtomic stands in for std::atomic as the Atom parameter of lock-free code, SimVar for a plain variable
/// whose races are to be found, SimAtomicRef for std::atomic_ref.
/// threads: fibres of a model::Program.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "sim_access.h"

#define FULMAR_SITE_ARGS const char *file = __builtin_FILE(), int line = __builtin_LINE()

namespace fulmar::model {

template <class T>
[[nodiscard]] std::uint64_t to_word(T value) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
    std::uint64_t word = 0;
    std::memcpy(&word, &value, sizeof value);
    return word;
}
template <class T>
[[nodiscard]] T from_word(std::uint64_t word) {
    T value;
    std::memcpy(&value, &word, sizeof value);
    return value;
}

template <class T>
class SimAtomicRef {
  public:
    explicit SimAtomicRef(T& target) : at_(&target) {}

    T load(std::memory_order order, FULMAR_SITE_ARGS) const {
        return from_word<T>(sim_load(at_, sizeof(T), order, {file, line}));
    }
    void store(T value, std::memory_order order, FULMAR_SITE_ARGS) const {
        sim_store(at_, sizeof(T), to_word(value), order, {file, line});
    }
    T fetch_add(T delta, std::memory_order order, FULMAR_SITE_ARGS) const {
        const auto old = from_word<T>(sim_modify_begin(at_, sizeof(T), order, {file, line}));
        // Unsigned, as atomics wrap.
        const auto sum = static_cast<T>(static_cast<std::uint64_t>(old) + static_cast<std::uint64_t>(delta));
        sim_modify_end(at_, sizeof(T), to_word(sum), order, {file, line});
        return old;
    }
    T exchange(T value, std::memory_order order, FULMAR_SITE_ARGS) const {
        const auto old = from_word<T>(sim_modify_begin(at_, sizeof(T), order, {file, line}));
        sim_modify_end(at_, sizeof(T), to_word(value), order, {file, line});
        return old;
    }
    bool compare_exchange_strong(T& expected, T desired, std::memory_order order, FULMAR_SITE_ARGS) const {
        const auto old = from_word<T>(sim_modify_begin(at_, sizeof(T), order, {file, line}));
        if (to_word(old) != to_word(expected)) {
            expected = old;
            return false;
        }
        sim_modify_end(at_, sizeof(T), to_word(desired), order, {file, line});
        return true;
    }
    bool compare_exchange_weak(
        T& expected, T desired, std::memory_order order, std::memory_order, FULMAR_SITE_ARGS) const {
        return compare_exchange_strong(expected, desired, order, file, line);
    }
    bool compare_exchange_strong(
        T& expected, T desired, std::memory_order order, std::memory_order, FULMAR_SITE_ARGS) const {
        return compare_exchange_strong(expected, desired, order, file, line);
    }

  private:
    T* at_;
};

template <class T>
class SimAtomic {
  public:
    SimAtomic() = default;
    SimAtomic(T value) : value_(value) {}
    SimAtomic(const SimAtomic&) = delete;
    SimAtomic& operator=(const SimAtomic&) = delete;

    T load(std::memory_order order, FULMAR_SITE_ARGS) const { return ref().load(order, file, line); }
    void store(T value, std::memory_order order, FULMAR_SITE_ARGS) { ref().store(value, order, file, line); }
    T fetch_add(T delta, std::memory_order order, FULMAR_SITE_ARGS) {
        return ref().fetch_add(delta, order, file, line);
    }
    T exchange(T value, std::memory_order order, FULMAR_SITE_ARGS) {
        return ref().exchange(value, order, file, line);
    }
    bool compare_exchange_weak(
        T& expected, T desired, std::memory_order order, std::memory_order, FULMAR_SITE_ARGS) {
        return ref().compare_exchange_strong(expected, desired, order, file, line);
    }
    bool compare_exchange_strong(
        T& expected, T desired, std::memory_order order, std::memory_order, FULMAR_SITE_ARGS) {
        return ref().compare_exchange_strong(expected, desired, order, file, line);
    }

  private:
    [[nodiscard]] SimAtomicRef<T> ref() const { return SimAtomicRef<T>(const_cast<T&>(value_)); }
    // A word of its own, as the model keeps history by words.
    alignas(8) T value_{};
};

/// A plain variable of the program under test.
template <class T>
class SimVar {
  public:
    [[nodiscard]] T get() const {
        sim_plain_read(&value_, sizeof value_);
        return value_;
    }
    void set(T value) {
        sim_plain_write(&value_, sizeof value_);
        value_ = value;
    }

  private:
    alignas(8) T value_{};
};

}  // namespace fulmar::model
