/// HMAC-SHA-256 under one key, ready to be used many times.
///
/// What the key adds to the digest's state is kept, so that a short message costs the digest of itself and of
/// one block more, and nothing is allocated. threads: values. source: RFC 2104; FIPS 180-4.
#pragma once

#include <array>
#include <cstddef>
#include <openssl/sha.h>
#include <span>

namespace fulmar::cluster {

inline constexpr std::size_t kSecretBytes = 32;
using Secret = std::array<std::byte, kSecretBytes>;

/// As many of the code's bytes as travel.
inline constexpr std::size_t kMacBytes = 16;

class MacKey {
  public:
    using Code = std::array<std::byte, 32>;

    explicit MacKey(const Secret& secret);

    [[nodiscard]] Code sign(std::span<const std::byte> message) const;
    /// Puts the first kMacBytes of the code there.
    void sign(std::span<const std::byte> message, std::span<std::byte, kMacBytes> mac) const;
    /// Takes the same time wherever they differ.
    [[nodiscard]] bool is_signed(
        std::span<const std::byte> message, std::span<const std::byte, kMacBytes> mac) const;

  private:
    SHA256_CTX inner_{};
    SHA256_CTX outer_{};
};

}  // namespace fulmar::cluster
