/// Bytes written down as hexadecimal, for the tests of this folder.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "constructs.h"

namespace fulmar::sbe::test {

/// "0a ff" as bytes.
inline std::vector<std::byte> hex(std::string_view text) {
    std::vector<std::byte> bytes;
    std::string digits;
    for (const char c : text) {
        if (c != ' ' && c != '\n') {
            digits += c;
        }
    }
    REQUIRE(digits.size() % 2 == 0);
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

inline std::vector<std::byte> copy(std::span<const std::byte> bytes) {
    return {bytes.begin(), bytes.end()};
}

}  // namespace fulmar::sbe::test
