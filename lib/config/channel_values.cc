#include "config/channel_values.h"

#include "config/duration.h"
#include "config/size.h"
#include "config/text.h"

namespace fulmar::config::detail {
namespace {

Unexpected<Error> invalid(std::string message) {
    return fail(ErrorCode::kInvalidChannel, std::move(message));
}

/// Splits at the first separator; false when there is none, and then everything is `head`.
bool split(std::string_view text, char separator, std::string_view& head, std::string_view& tail) {
    const std::size_t at = text.find(separator);
    head = text.substr(0, at);
    tail = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
    return at != std::string_view::npos;
}

Result<std::uint16_t> port_value(std::string_view text) {
    const auto port = parse_int32(text);
    if (!port || *port < 0 || *port > 65535) {
        return invalid("port " + quoted(text) + " must be 0 to 65535");
    }
    return static_cast<std::uint16_t>(*port);
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

bool is_ipv6_character(char c) {
    return is_host_character(c) || c == ':' || c == '%';
}

/// `host`, `[v6]`, each with what follows it left in `rest`.
Result<std::string> host_value(std::string_view text, std::string_view& rest) {
    const bool bracketed = text.starts_with('[');
    const std::size_t end = bracketed ? text.find(']') : text.find_first_of(":/");
    if (bracketed && end == std::string_view::npos) {
        return invalid("misses the closing ]");
    }
    const std::string_view host = bracketed ? text.substr(1, end - 1) : text.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : text.substr(bracketed ? end + 1 : end);
    bool good = !host.empty();
    for (const char c : host) {
        good = good && (bracketed ? is_ipv6_character(c) : is_host_character(c));
    }
    if (!good || (bracketed && host.find(':') == std::string_view::npos)) {
        return invalid("host " + quoted(host) + " is neither a name nor an address, IPv6 goes in brackets");
    }
    return std::string(host);
}

Status flow_control_option(std::string_view option, FlowControl& out) {
    std::string_view name;
    std::string_view value;
    split(option, ':', name, value);
    if (name == "t") {
        FULMAR_TRY(timeout, duration_value(value));
        out.receiver_timeout = timeout;
    } else if (name == "g") {
        std::string_view tag;
        std::string_view size;
        if (split(value, '/', tag, size)) {
            FULMAR_TRY(group_size, int32_value(size, 0));
            out.group_min_size = group_size;
        }
        if (!tag.empty() || size.empty()) {
            FULMAR_TRY(group_tag, int64_value(tag));
            out.group_tag = group_tag;
        }
    } else if (name == "rrwm") {
        FULMAR_TRY(multiple, int32_value(value, 1));
        out.retransmit_window_multiple = multiple;
    } else {
        return invalid("option " + quoted(option) + " is unknown, it must begin with t:, g: or rrwm:");
    }
    return Done{};
}

}  // namespace

Result<HostPort> host_port_value(std::string_view text) {
    HostPort out;
    std::string_view rest;
    FULMAR_TRY(host, host_value(text, rest));
    if (!rest.starts_with(':')) {
        return invalid("misses the port, write host:port or [v6]:port");
    }
    FULMAR_TRY(port, port_value(rest.substr(1)));
    out.host = std::move(host);
    out.port = port;
    return out;
}

Result<NetworkInterface> interface_value(std::string_view text) {
    NetworkInterface out;
    if (text.starts_with('{')) {
        if (text.size() < 3 || !text.ends_with('}')) {
            return invalid("an interface name is written {name}");
        }
        out.host = text.substr(1, text.size() - 2);
        out.is_name = true;
        return out;
    }
    std::string_view rest;
    FULMAR_TRY(host, host_value(text, rest));
    out.host = std::move(host);
    std::string_view port;
    std::string_view prefix;
    const bool has_prefix = split(rest, '/', port, prefix);
    if (port.starts_with(':')) {
        FULMAR_TRY(value, port_value(port.substr(1)));
        out.port = value;
    } else if (!port.empty()) {
        return invalid("is not address[:port][/prefix]");
    }
    if (has_prefix) {
        const bool v6 = out.host.find(':') != std::string::npos;
        FULMAR_TRY(length, int32_value(prefix, 0, v6 ? 128 : 32));
        out.prefix_length = length;
    }
    return out;
}

Result<Tags> tags_value(std::string_view text) {
    Tags out;
    std::string_view channel;
    std::string_view entity;
    const bool has_entity = split(text, ',', channel, entity);
    if (!channel.empty() || !has_entity) {
        FULMAR_TRY(tag, int64_value(channel));
        out.channel = tag;
    }
    if (has_entity) {
        FULMAR_TRY(tag, int64_value(entity));
        out.entity = tag;
    }
    return out;
}

Result<FlowControl> flow_control_value(std::string_view text) {
    FlowControl out;
    std::string_view kind;
    std::string_view options;
    bool more = split(text, ',', kind, options);
    if (kind == "max") {
        out.kind = FlowControlKind::kMax;
    } else if (kind == "min") {
        out.kind = FlowControlKind::kMin;
    } else if (kind == "tagged") {
        out.kind = FlowControlKind::kTagged;
    } else {
        return invalid("must be max, min or tagged");
    }
    while (more) {
        std::string_view option;
        std::string_view rest;
        more = split(options, ',', option, rest);
        FULMAR_TRY_VOID(flow_control_option(option, out));
        options = rest;
    }
    return out;
}

Result<bool> bool_value(std::string_view text) {
    const auto value = parse_bool(text);
    if (!value) {
        return invalid("must be true or false");
    }
    return *value;
}

Result<std::int64_t> int64_value(std::string_view text) {
    const auto value = parse_int64(text);
    if (!value) {
        return invalid("must be a whole number of 64 bits");
    }
    return *value;
}

Result<std::int32_t> int32_value(std::string_view text, std::int32_t min, std::int32_t max) {
    const auto value = parse_int32(text);
    if (!value || *value < min || *value > max) {
        return invalid("must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    }
    return *value;
}

Result<std::int32_t> size_value(std::string_view text, std::int32_t min, std::int32_t max) {
    auto value = parse_size(text);
    if (!value) {
        return invalid("must be a length in bytes, k, m or g");
    }
    if (*value < min || *value > max) {
        return invalid("must be " + format_size(min) + " to " + format_size(max) + " bytes");
    }
    return static_cast<std::int32_t>(*value);
}

Result<Duration> duration_value(std::string_view text) {
    auto value = parse_duration(text);
    if (!value) {
        return invalid("must be a duration with ns, us, ms or s");
    }
    return *value;
}

}  // namespace fulmar::config::detail
