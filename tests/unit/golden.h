/// Reads the recorded bytes under tests/golden. A missing or empty file fails the test that asked for it.
#pragma once

#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace fulmar::test {

inline std::string read_golden(const std::string& path) {
    std::ifstream file(std::string(FULMAR_GOLDEN_DIR) + "/" + path, std::ios::binary);
    REQUIRE_MESSAGE(file.good(), "missing golden file ", path);
    std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    REQUIRE_MESSAGE(!content.empty(), "empty golden file ", path);
    return content;
}

/// tests/golden/shm/<name>.bin
inline std::vector<std::byte> golden_shm(const std::string& name) {
    const std::string content = read_golden("shm/" + name + ".bin");
    const auto* bytes = reinterpret_cast<const std::byte*>(content.data());
    return {bytes, bytes + content.size()};
}

/// tests/golden/wire/<name>.hex: comment lines open with '#', the rest is hexadecimal.
inline std::vector<std::byte> golden_wire(const std::string& name) {
    const std::string content = read_golden("wire/" + name + ".hex");
    std::string digits;
    bool in_comment = false;
    for (const char c : content) {
        if (c == '#' || c == '\n') {
            in_comment = c == '#';
        } else if (!in_comment && c != ' ' && c != '\r') {
            digits += c;
        }
    }
    REQUIRE(digits.size() % 2 == 0);
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    }
    REQUIRE_MESSAGE(!bytes.empty(), "golden file without bytes ", name);
    return bytes;
}

}  // namespace fulmar::test
