#include "cluster/member_key.h"

#include <string>

namespace fulmar::cluster {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::string_view kUpperDigits = "0123456789ABCDEF";

Unexpected<Error> refuse(const std::string& why) {
    return fail(ErrorCode::kGeneric,
        "a member key is 64 hexadecimal digits, but " + why + "; make one with: openssl rand -hex 32");
}

}  // namespace

Result<Secret> parse_member_key(std::string_view text) {
    Secret key{};
    std::size_t digits = 0;
    bool in_comment = false;
    for (const char c : text) {
        in_comment = (in_comment || c == '#') && c != '\n';
        if (in_comment || c == '\n' || c == ' ' || c == '\t' || c == '\r') {
            continue;
        }
        const std::size_t lower = kDigits.find(c);
        const std::size_t value = lower != std::string_view::npos ? lower : kUpperDigits.find(c);
        if (value == std::string_view::npos) {
            return refuse("there is something else behind digit " + std::to_string(digits));
        }
        if (digits == 2 * kSecretBytes) {
            return refuse("there are more");
        }
        std::byte& byte = key[digits / 2];
        byte = (byte << 4) | static_cast<std::byte>(value);
        ++digits;
    }
    if (digits != 2 * kSecretBytes) {
        return refuse("there are " + std::to_string(digits));
    }
    return key;
}

}  // namespace fulmar::cluster
