#include "port/endpoint.h"

#include <charconv>

namespace fulmar::port {
namespace {

constexpr std::size_t kV6Groups = 8;

/// A whole string of decimal digits up to `max`, without leading zeros: 010 is ten to some and eight to
/// others, so it is refused.
std::optional<std::uint32_t> parse_decimal(std::string_view text, std::uint32_t max) {
    if (text.empty() || (text.size() > 1 && text.front() == '0')) {
        return std::nullopt;
    }
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value > max) {
        return std::nullopt;
    }
    return value;
}

std::optional<IpAddress> parse_v4(std::string_view text) {
    std::uint32_t value = 0;
    for (int octet = 0; octet < 4; ++octet) {
        const std::size_t dot = text.find('.');
        if ((dot == std::string_view::npos) != (octet == 3)) {
            return std::nullopt;
        }
        const auto part = parse_decimal(text.substr(0, dot), 255);
        if (!part) {
            return std::nullopt;
        }
        value = (value << 8) | *part;
        text.remove_prefix(octet == 3 ? text.size() : dot + 1);
    }
    return IpAddress::from_v4(value);
}

/// Groups on one side of "::"; the last may be a dotted quad, which counts as two.
struct Groups {
    std::array<std::uint16_t, kV6Groups> value{};
    std::size_t count = 0;

    bool push(std::uint32_t group) {
        if (count == kV6Groups) {
            return false;
        }
        value[count++] = static_cast<std::uint16_t>(group);
        return true;
    }
};

bool parse_group(std::string_view text, bool last, Groups& out) {
    if (last && text.find('.') != std::string_view::npos) {
        const auto v4 = parse_v4(text);
        return v4 && out.push(v4->to_v4() >> 16) && out.push(v4->to_v4() & 0xFFFF);
    }
    if (text.empty() || text.size() > 4) {
        return false;
    }
    std::uint32_t group = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), group, 16);
    return error == std::errc{} && end == text.data() + text.size() && out.push(group);
}

bool parse_groups(std::string_view text, bool ends_address, Groups& out) {
    if (text.empty()) {
        return true;
    }
    while (true) {
        const std::size_t colon = text.find(':');
        const bool last = colon == std::string_view::npos;
        if (!parse_group(text.substr(0, colon), last && ends_address, out)) {
            return false;
        }
        if (last) {
            return true;
        }
        text.remove_prefix(colon + 1);
    }
}

std::optional<IpAddress> parse_v6(std::string_view text) {
    Groups head;
    Groups tail;
    const std::size_t gap = text.find("::");
    const bool has_gap = gap != std::string_view::npos;
    if (!parse_groups(text.substr(0, gap), !has_gap, head)) {
        return std::nullopt;
    }
    if (has_gap && !parse_groups(text.substr(gap + 2), true, tail)) {
        return std::nullopt;
    }
    const std::size_t given = head.count + tail.count;
    if (has_gap ? given >= kV6Groups : given != kV6Groups) {
        return std::nullopt;
    }
    IpAddress address;
    address.family = IpAddress::Family::kV6;
    const auto store = [&address](std::size_t index, std::uint16_t group) {
        address.bytes[2 * index] = static_cast<std::uint8_t>(group >> 8);
        address.bytes[2 * index + 1] = static_cast<std::uint8_t>(group & 0xFF);
    };
    for (std::size_t i = 0; i < head.count; ++i) {
        store(i, head.value[i]);
    }
    for (std::size_t i = 0; i < tail.count; ++i) {
        store(kV6Groups - tail.count + i, tail.value[i]);
    }
    return address;
}

void append_hex(std::string& out, std::uint32_t value) {
    std::array<char, 8> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
    out.append(digits.data(), end);
}

/// RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as "::".
std::string format_v6(const IpAddress& ip) {
    std::array<std::uint32_t, kV6Groups> groups{};
    for (std::size_t i = 0; i < kV6Groups; ++i) {
        groups[i] = (std::uint32_t{ip.bytes[2 * i]} << 8) | ip.bytes[2 * i + 1];
    }
    std::size_t best = kV6Groups;
    std::size_t best_length = 1;
    for (std::size_t i = 0; i < kV6Groups; ++i) {
        std::size_t length = 0;
        while (i + length < kV6Groups && groups[i + length] == 0) {
            ++length;
        }
        if (length > best_length) {
            best = i;
            best_length = length;
        }
    }
    std::string out;
    for (std::size_t i = 0; i < kV6Groups;) {
        if (i == best) {
            out += "::";
            i += best_length;
            continue;
        }
        if (!out.empty() && out.back() != ':') {
            out += ':';
        }
        append_hex(out, groups[i++]);
    }
    return out;
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
    return text.find(':') == std::string_view::npos ? parse_v4(text) : parse_v6(text);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view host = text.substr(0, colon);
    const auto port = parse_decimal(text.substr(colon + 1), 65535);
    const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) {
        host = host.substr(1, host.size() - 2);
    }
    const auto ip = parse_ip(host);
    if (!port || !ip || ip->is_v4() == bracketed) {
        return std::nullopt;
    }
    return Endpoint{*ip, static_cast<std::uint16_t>(*port)};
}

bool prefix_matches(const IpAddress& a, const IpAddress& b, int length) {
    if (a.family != b.family) {
        return false;
    }
    const int bits_max = a.is_v4() ? 32 : 128;
    const int bits = length < bits_max ? length : bits_max;
    for (int bit = 0; bit < bits; ++bit) {
        const auto index = static_cast<std::size_t>(bit / 8);
        const int mask = 0x80 >> (bit % 8);
        if (((a.bytes[index] ^ b.bytes[index]) & mask) != 0) {
            return false;
        }
    }
    return true;
}

std::string to_string(const IpAddress& ip) {
    switch (ip.family) {
        case IpAddress::Family::kNone: return "none";
        case IpAddress::Family::kV6: return format_v6(ip);
        case IpAddress::Family::kV4: break;
    }
    std::string out;
    for (std::size_t i = 0; i < 4; ++i) {
        if (i > 0) {
            out += '.';
        }
        out += std::to_string(ip.bytes[i]);
    }
    return out;
}

std::string to_string(const Endpoint& endpoint) {
    const std::string port = ":" + std::to_string(endpoint.port);
    if (endpoint.ip.family == IpAddress::Family::kV6) {
        return "[" + to_string(endpoint.ip) + "]" + port;
    }
    return to_string(endpoint.ip) + port;
}

}  // namespace fulmar::port
