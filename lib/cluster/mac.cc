// The digest's functions that keep their state in a value are deprecated in OpenSSL 3. What is to replace
// them allocates twice for each code and takes nearly twice as long.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "cluster/mac.h"

#include <algorithm>
#include <openssl/crypto.h>

namespace fulmar::cluster {
namespace {

SHA256_CTX begin(const Secret& secret, std::byte pad) {
    std::array<std::byte, SHA256_CBLOCK> block;
    block.fill(pad);
    std::transform(secret.begin(), secret.end(), block.begin(), [pad](std::byte b) { return b ^ pad; });
    SHA256_CTX state;
    SHA256_Init(&state);
    SHA256_Update(&state, block.data(), block.size());
    OPENSSL_cleanse(block.data(), block.size());
    return state;
}

MacKey::Code end(SHA256_CTX state, std::span<const std::byte> bytes) {
    static_assert(sizeof(MacKey::Code) == SHA256_DIGEST_LENGTH);
    MacKey::Code code;
    SHA256_Update(&state, bytes.data(), bytes.size());
    SHA256_Final(reinterpret_cast<unsigned char*>(code.data()), &state);
    return code;
}

}  // namespace

MacKey::MacKey(const Secret& secret)
    : inner_(begin(secret, std::byte{0x36})), outer_(begin(secret, std::byte{0x5c})) {}

MacKey::Code MacKey::sign(std::span<const std::byte> message) const {
    return end(outer_, end(inner_, message));
}

void MacKey::sign(std::span<const std::byte> message, std::span<std::byte, kMacBytes> mac) const {
    const Code code = sign(message);
    std::copy_n(code.begin(), kMacBytes, mac.begin());
}

bool MacKey::is_signed(std::span<const std::byte> message, std::span<const std::byte, kMacBytes> mac) const {
    return CRYPTO_memcmp(sign(message).data(), mac.data(), kMacBytes) == 0;
}

}  // namespace fulmar::cluster
