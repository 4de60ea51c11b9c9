/// Messages of which each is known from its stream and its number, so that a reader can tell what is missing
/// or wrong without anything having been kept.
/// threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/prng.h"

namespace fulmar::lab {

class NumberedMessages {
  public:
    static constexpr std::size_t kLengthMax = 3000;

    explicit NumberedMessages(std::uint64_t stream) : stream_(stream) {}

    /// Good until the next call.
    [[nodiscard]] std::span<const std::byte> message(std::uint64_t number) {
        base::Prng draws(stream_ * 0x9e3779b97f4a7c15ULL + number);
        const auto length = static_cast<std::size_t>(16 + draws.below(kLengthMax - 16));
        bytes_.resize(length + sizeof(std::uint64_t));
        for (std::size_t at = 0; at < length; at += sizeof(std::uint64_t)) {
            const std::uint64_t word = at == 0 ? stream_ : at == 8 ? number : draws.next();
            std::memcpy(bytes_.data() + at, &word, sizeof word);
        }
        return {bytes_.data(), length};
    }
    [[nodiscard]] bool is(std::uint64_t number, std::span<const std::byte> bytes) {
        const auto expected = message(number);
        return expected.size() == bytes.size() &&
               std::memcmp(expected.data(), bytes.data(), bytes.size()) == 0;
    }

  private:
    std::uint64_t stream_;
    std::vector<std::byte> bytes_;
};

}  // namespace fulmar::lab
