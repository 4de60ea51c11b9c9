/// The message authentication code against published answers and OpenSSL's own, and the text of a key.
#include "cluster/mac.h"

#include <algorithm>
#include <openssl/hmac.h>
#include <string>
#include <vector>

#include "base/prng.h"
#include "cluster/member_key.h"
#include "tests/unit/sbe_golden.h"

namespace fulmar::cluster {
namespace {

/// HMAC fills a short key with zeros, so a key of fewer bytes is one of ours.
Secret secret(std::span<const std::byte> key) {
    Secret made{};
    REQUIRE(key.size() <= made.size());
    std::copy(key.begin(), key.end(), made.begin());
    return made;
}

std::string code(std::string_view key, std::string_view text) {
    return test::to_hex(MacKey(secret(std::as_bytes(std::span(key)))).sign(std::as_bytes(std::span(text))));
}

}  // namespace

TEST_CASE("mac: RFC 4231, test cases 1, 2, 3 and 4") {
    CHECK(code(std::string(20, '\x0b'), "Hi There") ==
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK(code("Jefe", "what do ya want for nothing?") ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(code(std::string(20, '\xaa'), std::string(50, '\xdd')) ==
          "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    std::string counted;
    for (char c = 1; c <= 25; ++c) {
        counted += c;
    }
    CHECK(code(counted, std::string(50, '\xcd')) ==
          "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
}

TEST_CASE("mac: what OpenSSL says of the same") {
    base::Prng prng(1);
    for (int i = 0; i < 2'000; ++i) {
        Secret key;
        std::generate(key.begin(), key.end(), [&] { return static_cast<std::byte>(prng.next()); });
        std::vector<std::byte> text(prng.below(300));
        std::generate(text.begin(), text.end(), [&] { return static_cast<std::byte>(prng.next()); });
        MacKey::Code theirs;
        REQUIRE(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                    reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                    reinterpret_cast<unsigned char*>(theirs.data()), nullptr) != nullptr);
        const MacKey ours(key);
        REQUIRE(ours.sign(text) == theirs);
        std::array<std::byte, kMacBytes> mac;
        ours.sign(text, mac);
        REQUIRE(std::equal(mac.begin(), mac.end(), theirs.begin()));
        REQUIRE(ours.is_signed(text, mac));
        mac[prng.below(mac.size())] ^= static_cast<std::byte>(1 << prng.below(8));
        REQUIRE_FALSE(ours.is_signed(text, mac));
    }
}

TEST_CASE("member key: 64 digits, however they are laid out") {
    Secret expected{};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        expected[i] = static_cast<std::byte>(i * 8 + 7);
    }
    const std::string digits = test::to_hex(expected);
    std::string upper = digits;
    std::transform(upper.begin(), upper.end(), upper.begin(),
        [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c; });
    for (const std::string& text :
        {digits, digits + "\n", upper, "# of the 3rd of May\n" + digits + " # deadbeef",
            digits.substr(0, 32) + "\r\n\t" + digits.substr(32)}) {
        const auto key = parse_member_key(text);
        REQUIRE(key);
        CHECK(*key == expected);
    }
}

TEST_CASE("member key: anything else is refused, and not repeated") {
    const std::string digits(64, 'a');
    for (const std::string& text : {std::string(), std::string("# none"), digits.substr(1), digits + "a",
             digits.substr(1) + "g", "0x" + digits, "#" + digits, digits + std::string(1, '\0')}) {
        const auto key = parse_member_key(text);
        REQUIRE_FALSE(key);
        CHECK(key.error().message.find("64 hexadecimal digits") != std::string::npos);
        CHECK(key.error().message.find("aaaa") == std::string::npos);
        CHECK(key.error().message.find('\n') == std::string::npos);
    }
}

}  // namespace fulmar::cluster
