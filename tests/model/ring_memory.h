/// ring::Memory for SimAtomic: the in-process rings run on the model without a changed line.
#pragma once

#include <cstring>

#include "ring/memory.h"
#include "sim_atomic.h"

namespace fulmar::ring {

template <>
struct Memory<model::SimAtomic> {
    static void on_read(const void* at, std::size_t length) { model::sim_plain_read(at, length); }
    static void on_write(const void* at, std::size_t length) { model::sim_plain_write(at, length); }

    template <class T>
    static T load(const std::byte* at, std::memory_order order, FULMAR_SITE_ARGS) {
        return model::from_word<T>(model::sim_load(at, sizeof(T), order, {file, line}));
    }
    template <class T>
    static void store(std::byte* at, T value, std::memory_order order, FULMAR_SITE_ARGS) {
        model::sim_store(at, sizeof(T), model::to_word(value), order, {file, line});
    }
    static void zero(std::byte* at, std::size_t length) {
        model::sim_plain_write(at, length);
        std::memset(at, 0, length);
    }
};

}  // namespace fulmar::ring
