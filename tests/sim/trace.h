/// What happened in a run, folded into one number: two runs of a seed are the same iff their traces are.
/// threads: one.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace fulmar::sim {

/// One per kind of event, so that equal numbers of different kinds do not cancel out.
enum class TraceKind : std::uint64_t {
    kSend = 1,
    kArrive,
    kOffer,
    kDeliver,
    kImage,
    kFault,
    kClient,
    kDriver,
    kCounter,
};

class Trace {
  public:
    void add(TraceKind kind, std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0) {
        mix(static_cast<std::uint64_t>(kind));
        mix(a);
        mix(b);
        mix(c);
        ++events_;
    }
    [[nodiscard]] std::uint64_t hash() const { return state_ ^ events_; }
    [[nodiscard]] std::uint64_t events() const { return events_; }

  private:
    void mix(std::uint64_t word) {
        state_ = std::rotl((state_ ^ word) * 0x9e3779b97f4a7c15ULL, 29) + 0x2545f4914f6cdd1dULL;
    }

    std::uint64_t state_ = 0x6a09e667f3bcc908ULL;
    std::uint64_t events_ = 0;
};

/// A quick digest of bytes; equal on every machine.
[[nodiscard]] inline std::uint64_t digest(std::span<const std::byte> bytes) {
    std::uint64_t state = bytes.size() * 0x9e3779b97f4a7c15ULL;
    std::size_t at = 0;
    for (; at + sizeof(std::uint64_t) <= bytes.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + at, sizeof word);
        state = std::rotl((state ^ word) * 0xbf58476d1ce4e5b9ULL, 31);
    }
    std::uint64_t rest = 0;
    if (at < bytes.size()) {
        std::memcpy(&rest, bytes.data() + at, bytes.size() - at);
    }
    return (std::rotl(state, 17) ^ rest) * 0x94d049bb133111ebULL;
}

}  // namespace fulmar::sim
