/// A small seeded generator (xoshiro256**, seeded by splitmix64). Each concern owns its own stream, so a
/// new draw in one does not shift the others; results are equal on every compiler.
/// threads: one owner.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace fulmar::base {

class Prng {
  public:
    explicit constexpr Prng(std::uint64_t seed, std::uint64_t stream = 0) {
        std::uint64_t state = seed ^ (stream * 0x9e3779b97f4a7c15ULL);
        for (auto& word : state_) {
            word = splitmix(state);
        }
    }

    constexpr std::uint64_t next() {
        const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t t = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= t;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

    /// Uniform in [0, bound); bound > 0. The bias of the multiply-shift is below 2^-32 for 32-bit bounds.
    constexpr std::uint64_t below(std::uint64_t bound) {
        __extension__ using Wide = unsigned __int128;
        return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
    }

    /// Uniform in [low, high], inclusive.
    constexpr std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
    }

    /// Uniform in [0, 1).
    constexpr double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

    /// True with the given probability.
    constexpr bool chance(double probability) { return unit() < probability; }

  private:
    static constexpr std::uint64_t splitmix(std::uint64_t& state) {
        state += 0x9e3779b97f4a7c15ULL;
        std::uint64_t z = state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }

    std::array<std::uint64_t, 4> state_{};
};

}  // namespace fulmar::base
