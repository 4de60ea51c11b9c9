/// A small open-addressing hash table from 64-bit keys, iterated in insertion-independent but seed-free
/// order (by slot), so that simulations repeat. Grows only on insert, which only control paths do.
/// threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace fulmar::agent {

template <class V>
class FlatTable {
  public:
    [[nodiscard]] V* find(std::uint64_t key) {
        if (slots_.empty()) {
            return nullptr;
        }
        for (std::size_t i = index(key);; i = (i + 1) & mask()) {
            if (!slots_[i].used) {
                return nullptr;
            }
            if (slots_[i].key == key) {
                return &slots_[i].value;
            }
        }
    }

    /// The value at key, default-constructed if it was absent.
    V& at(std::uint64_t key) {
        if (V* found = find(key)) {
            return *found;
        }
        if ((count_ + 1) * 2 > slots_.size()) {
            grow();
        }
        ++count_;
        return place(key, V{});
    }

    bool erase(std::uint64_t key) {
        if (slots_.empty()) {
            return false;
        }
        std::size_t i = index(key);
        while (slots_[i].used && slots_[i].key != key) {
            i = (i + 1) & mask();
        }
        if (!slots_[i].used) {
            return false;
        }
        slots_[i].used = false;
        slots_[i].value = V{};
        --count_;
        close_hole(i);
        return true;
    }

    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] bool empty() const { return count_ == 0; }

    /// Calls visit(key, value&); the table must not change meanwhile.
    template <class Visit>
    void for_each(Visit&& visit) {
        for (auto& slot : slots_) {
            if (slot.used) {
                visit(slot.key, slot.value);
            }
        }
    }

  private:
    struct Slot {
        std::uint64_t key = 0;
        V value{};
        bool used = false;
    };

    [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }
    [[nodiscard]] std::size_t index(std::uint64_t key) const {
        return static_cast<std::size_t>((key * 0x9e3779b97f4a7c15ULL) >> 32) & mask();
    }
    V& place(std::uint64_t key, V&& value) {
        std::size_t i = index(key);
        while (slots_[i].used) {
            i = (i + 1) & mask();
        }
        slots_[i].key = key;
        slots_[i].value = std::move(value);
        slots_[i].used = true;
        return slots_[i].value;
    }
    void grow() {
        std::vector<Slot> old = std::move(slots_);
        slots_ = std::vector<Slot>(old.empty() ? 8 : old.size() * 2);
        for (auto& slot : old) {
            if (slot.used) {
                place(slot.key, std::move(slot.value));
            }
        }
    }
    /// Moves later members of the probe chain back over an erased slot.
    void close_hole(std::size_t hole) {
        for (std::size_t i = (hole + 1) & mask(); slots_[i].used; i = (i + 1) & mask()) {
            const std::size_t home = index(slots_[i].key);
            if (((i - home) & mask()) >= ((i - hole) & mask())) {
                slots_[hole] = std::move(slots_[i]);
                slots_[i].used = false;
                slots_[i].value = V{};
                hole = i;
            }
        }
    }

    std::vector<Slot> slots_;
    std::size_t count_ = 0;
};

}  // namespace fulmar::agent
