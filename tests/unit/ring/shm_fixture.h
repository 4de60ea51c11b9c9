/// Memory for shared ring and broadcast tests, with the means to write into it what a peer might.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "ring/shm_broadcast.h"
#include "ring/shm_mpsc_ring.h"

namespace fulmar::test {

using Message = std::pair<std::int32_t, std::vector<std::byte>>;

inline std::vector<std::byte> bytes(std::initializer_list<int> values) {
    std::vector<std::byte> result;
    for (const int value : values) {
        result.push_back(static_cast<std::byte>(value));
    }
    return result;
}

inline std::vector<Message> drain(ring::ShmMpscRing& ring, std::size_t limit = 1000) {
    std::vector<Message> messages;
    ring.read(
        [&](std::int32_t type, std::span<const std::byte> body) {
            messages.emplace_back(type, std::vector<std::byte>(body.begin(), body.end()));
        },
        limit);
    return messages;
}

/// Guard words on both sides show a write out of bounds without a sanitizer too.
class RingMemory {
  public:
    explicit RingMemory(std::size_t capacity, std::size_t trailer = ring::kShmRingTrailerBytes)
        : capacity_(capacity), words_((capacity + trailer) / 8 + 2 * kGuardWords, kGuard) {
        for (std::size_t i = kGuardWords; i < words_.size() - kGuardWords; ++i) {
            words_[i] = 0;
        }
    }

    [[nodiscard]] std::byte* data() { return reinterpret_cast<std::byte*>(words_.data() + kGuardWords); }
    [[nodiscard]] std::span<std::byte> span() { return {data(), (words_.size() - 2 * kGuardWords) * 8}; }
    [[nodiscard]] ring::ShmMpscRing ring() { return ring::ShmMpscRing::attach(span()).value(); }

    [[nodiscard]] bool guards_hold() const {
        for (std::size_t i = 0; i < kGuardWords; ++i) {
            if (words_[i] != kGuard || words_[words_.size() - 1 - i] != kGuard) {
                return false;
            }
        }
        return true;
    }

    void put_record(std::size_t offset, std::int32_t length, std::int32_t type) {
        base::store_le(data(), offset, length);
        base::store_le(data(), offset + 4, type);
    }
    void put_trailer(std::size_t field, std::int64_t value) {
        base::store_le(data(), capacity_ + field, value);
    }
    void put_tail(std::int64_t tail) { put_trailer(ring::shm_ring_field::kTail, tail); }
    void put_head(std::int64_t head) { put_trailer(ring::shm_ring_field::kHead, head); }
    [[nodiscard]] std::int64_t trailer(std::size_t field) {
        return base::load_le<std::int64_t>(data(), capacity_ + field);
    }

  private:
    static constexpr std::size_t kGuardWords = 64;
    static constexpr std::uint64_t kGuard = 0xA5A5'A5A5'A5A5'A5A5ULL;
    std::size_t capacity_;
    std::vector<std::uint64_t> words_;
};

}  // namespace fulmar::test
