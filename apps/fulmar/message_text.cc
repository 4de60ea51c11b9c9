#include "apps/fulmar/message_text.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "apps/fulmar/command.h"

namespace fulmar::cli {

namespace {

std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte >= 0x20 && byte != 0x7F) || c == '\t') {
            out += c;
        } else {
            out += fmt::format("\\x{:02x}", byte);
        }
    }
    return out;
}

}  // namespace

void print_message(bool json, std::span<const std::byte> message, const Header& header) {
    const std::string_view text(reinterpret_cast<const char*>(message.data()), message.size());
    if (json) {
        print_json({{"session_id", header.session_id()}, {"stream_id", header.stream_id()},
            {"position", header.position()}, {"length", message.size()}, {"message", text}});
    } else {
        fmt::print("{}\n", printable(text));
        std::fflush(stdout);
    }
}

}  // namespace fulmar::cli
